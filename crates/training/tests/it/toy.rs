//! A linear model with AdamW in `f32`, and a wrapper that plants faults.

use fattail_core::{Error as CoreError, Panel};
use fattail_training::{
    Batch, Counters, Engine, Fault, Footprint, Named, Outcome, Probe, Reading, Samples, Snapshot,
    Update,
};

/// `prediction = w . x + b`, half the mean squared error, AdamW or plain descent.
#[derive(Debug, Clone)]
pub(crate) struct Linear {
    /// Weights, then the constant.
    weights: Vec<f32>,
    moments: [Vec<f32>; 2],
    steps: u64,
    waiting: Vec<f64>,
    adam: bool,
    /// Noise on the prediction while training, as dropout is.
    noise: f32,
    pub(crate) on_device: bool,
}

impl Linear {
    pub(crate) fn new(width: usize, adam: bool) -> Self {
        let zeros = vec![0.0; width + 1];
        Self {
            weights: zeros.clone(),
            moments: [zeros.clone(), zeros],
            steps: 0,
            waiting: vec![0.0; width + 1],
            adam,
            noise: 0.0,
            on_device: false,
        }
    }

    pub(crate) fn with_noise(width: usize) -> Self {
        Self { noise: 0.1, ..Self::new(width, true) }
    }

    pub(crate) fn weights(&self) -> &[f32] {
        &self.weights
    }

    fn output(&self, row: &[f32]) -> f64 {
        let (constant, slopes) = self.weights.split_last().expect("a constant");
        let products = row.iter().zip(slopes).map(|(&x, &w)| f64::from(x) * f64::from(w));
        products.sum::<f64>() + f64::from(*constant)
    }

    fn mean_gradient(&self, batch: &Batch<'_>, noise: f32) -> (f64, Vec<f64>) {
        let (mut loss, mut total) = (0.0, 0.0);
        let mut gradient = vec![0.0; self.weights.len()];
        for (index, row) in batch.features.chunks_exact(batch.width).enumerate() {
            let weight = batch.weight.map_or(1.0, |weight| f64::from(weight[index]));
            let jitter = noise * ((batch.key >> (index % 32)) & 1) as f32;
            let residual = self.output(row) + f64::from(jitter) - f64::from(batch.target[index]);
            loss += weight * residual * residual / 2.0;
            total += weight;
            for (slot, &x) in gradient.iter_mut().zip(row.iter().chain([&1.0])) {
                *slot += weight * residual * f64::from(x);
            }
        }
        gradient.iter_mut().for_each(|value| *value /= total);
        (loss / total, gradient)
    }

    fn move_along(&mut self, gradient: &[f64], rate: f64) {
        self.steps += 1;
        if !self.adam {
            for (weight, gradient) in self.weights.iter_mut().zip(gradient) {
                *weight -= (rate * gradient) as f32;
            }
            return;
        }
        let corrections = [0.9f64, 0.999].map(|beta| 1.0 - beta.powi(self.steps as i32));
        let [first, second] = &mut self.moments;
        for (index, &gradient) in gradient.iter().enumerate() {
            first[index] = (0.9 * f64::from(first[index]) + 0.1 * gradient) as f32;
            second[index] = (0.999 * f64::from(second[index]) + 0.001 * gradient * gradient) as f32;
            let (m, v) = (
                f64::from(first[index]) / corrections[0],
                f64::from(second[index]) / corrections[1],
            );
            self.weights[index] -= (rate * m / (v.sqrt() + 1e-8)) as f32;
        }
    }
}

impl Engine for Linear {
    fn gradient(&mut self, batch: &Batch<'_>, share: f64) -> Result<f64, Fault> {
        let (loss, gradient) = self.mean_gradient(batch, self.noise);
        self.waiting.iter_mut().zip(gradient).for_each(|(slot, value)| *slot += share * value);
        Ok(loss)
    }

    fn apply(&mut self, update: &Update) -> Result<Outcome, Fault> {
        let mut gradient = std::mem::replace(&mut self.waiting, vec![0.0; self.weights.len()]);
        let norm = gradient.iter().map(|value| value * value).sum::<f64>().sqrt();
        if !norm.is_finite() || norm > update.refuse_above {
            return Ok(Outcome { norm, applied: false });
        }
        let scale = update.clip_norm.map_or(1.0, |clip| (clip / norm).min(1.0));
        let cut = update.clip_value.unwrap_or(f64::INFINITY);
        gradient.iter_mut().for_each(|value| *value = (*value * scale).clamp(-cut, cut));
        self.move_along(&gradient, update.rate);
        Ok(Outcome { norm, applied: true })
    }

    fn discard(&mut self) {
        self.waiting.fill(0.0);
    }

    fn predict(&mut self, batch: &Batch<'_>, out: &mut [f32]) -> Result<(), Fault> {
        let rows = batch.features.chunks_exact(batch.width);
        out.iter_mut().zip(rows).for_each(|(slot, row)| *slot = self.output(row) as f32);
        Ok(())
    }

    fn snapshot(&mut self) -> Result<Snapshot, Fault> {
        let named = |name: &str, values: &[f32]| Named {
            name: name.to_owned(),
            shape: vec![values.len()],
            values: values.to_vec(),
        };
        let (constant, slopes) = self.weights.split_last().expect("a constant");
        Ok(Snapshot {
            weights: vec![named("slopes", slopes), named("constant", &[*constant])],
            optimiser: vec![named("first", &self.moments[0]), named("second", &self.moments[1])],
            counters: Counters { steps: self.steps, ..Counters::default() },
        })
    }

    fn restore(&mut self, snapshot: &Snapshot) -> Result<(), Fault> {
        let all: Vec<f32> = snapshot.weights.iter().flat_map(|t| t.values.clone()).collect();
        self.set_weights(&all)?;
        for (moment, tensor) in self.moments.iter_mut().zip(&snapshot.optimiser) {
            moment.clone_from(&tensor.values);
        }
        self.steps = snapshot.counters.steps;
        self.discard();
        Ok(())
    }

    fn slope(&mut self, batch: &Batch<'_>) -> Result<Vec<f32>, Fault> {
        let (_, gradient) = self.mean_gradient(batch, 0.0);
        Ok(gradient.into_iter().map(|value| value as f32).collect())
    }

    fn set_weights(&mut self, weights: &[f32]) -> Result<(), Fault> {
        if weights.len() != self.weights.len() {
            return Err(CoreError::empty("the rest of the weights").into());
        }
        self.weights.copy_from_slice(weights);
        Ok(())
    }

    fn probe(&mut self, _: &Batch<'_>) -> Result<Vec<Probe>, Fault> {
        Ok(vec![Probe { layer: "linear".into(), dead: 0.0, saturated: 0.0 }])
    }

    fn footprint(&self, samples: usize) -> Footprint {
        let bytes = 4 * self.weights.len() as u64;
        Footprint {
            parameters: bytes,
            optimiser: 4 * bytes,
            activations: samples as u64 * bytes,
            workspace: 0,
        }
    }

    fn leave_device(&mut self) -> Result<bool, Fault> {
        let left = self.on_device;
        *self = Self { noise: self.noise, ..Self::new(self.weights.len() - 1, self.adam) };
        Ok(left)
    }
}

/// What goes wrong.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Plant {
    Nothing,
    /// NaN among the features of the n-th gradient.
    NanLoss(u64),
    /// A loss that is fine and a gradient that is not, from the n-th step on, for so many steps.
    NanGradient(u64, u64),
    /// A gradient so many times as long, at the n-th step.
    Spike(u64, f64),
    /// Memory for so many samples alone, from the n-th gradient on.
    Memory(u64, usize),
    /// Memory runs out once while weights are moved, at the n-th step.
    TornMemory(u64),
    /// Memory for so many samples when predicting.
    PredictionMemory(usize),
    /// The device is lost at the n-th gradient.
    Lost(u64),
    /// The device is lost at the n-th prediction.
    LostPredicting(u64),
    /// What a look sees.
    Looks(f64, f64),
    /// Gradients that are nothing from the n-th step on.
    Vanish(u64),
    /// Predictions that are NaN from the n-th on, for so many of them.
    NanPrediction(u64, u64),
}

/// An engine in which something goes wrong.
pub(crate) struct Faulty {
    pub(crate) inner: Linear,
    pub(crate) plant: Plant,
    gradients: u64,
    steps: u64,
    predictions: u64,
}

impl Faulty {
    pub(crate) fn new(inner: Linear, plant: Plant) -> Self {
        let inner = Linear { on_device: true, ..inner };
        Self { inner, plant, gradients: 0, steps: 0, predictions: 0 }
    }

    fn scale(&mut self, factor: f64) {
        self.inner.waiting.iter_mut().for_each(|value| *value *= factor);
    }
}

fn out_of_memory() -> Fault {
    Fault::OutOfMemory { reason: "planted".into() }
}

fn lost() -> Fault {
    Fault::DeviceLost { reason: "planted".into() }
}

impl Engine for Faulty {
    fn gradient(&mut self, batch: &Batch<'_>, share: f64) -> Result<f64, Fault> {
        let now = self.gradients;
        self.gradients += 1;
        let faulty = match self.plant {
            Plant::Memory(from, samples) if now >= from && batch.target.len() > samples => {
                Some(out_of_memory())
            }
            Plant::Lost(at) if now >= at && self.inner.on_device => Some(lost()),
            _ => None,
        };
        if let Some(fault) = faulty {
            self.inner.discard();
            return Err(fault);
        }
        let loss = self.inner.gradient(batch, share)?;
        Ok(if self.plant == Plant::NanLoss(now) { f64::NAN } else { loss })
    }

    fn apply(&mut self, update: &Update) -> Result<Outcome, Fault> {
        let now = self.steps;
        self.steps += 1;
        match self.plant {
            Plant::NanGradient(from, count) if (from..from + count).contains(&now) => {
                self.scale(f64::NAN);
            }
            Plant::Spike(at, factor) if now == at => self.scale(factor),
            Plant::Vanish(from) if now >= from => self.scale(1e-12),
            Plant::TornMemory(at) if now == at => {
                self.inner.weights.fill(f32::NAN);
                return Err(out_of_memory());
            }
            _ => {}
        }
        self.inner.apply(update)
    }

    fn discard(&mut self) {
        self.inner.discard();
    }

    fn predict(&mut self, batch: &Batch<'_>, out: &mut [f32]) -> Result<(), Fault> {
        let now = self.predictions;
        self.predictions += 1;
        match self.plant {
            Plant::PredictionMemory(samples) if batch.target.len() > samples => {
                return Err(out_of_memory());
            }
            Plant::LostPredicting(at) if now >= at && self.inner.on_device => return Err(lost()),
            _ => {}
        }
        self.inner.predict(batch, out)?;
        if matches!(self.plant, Plant::NanPrediction(from, count) if (from..from + count).contains(&now))
        {
            out.fill(f32::NAN);
        }
        Ok(())
    }

    fn snapshot(&mut self) -> Result<Snapshot, Fault> {
        self.inner.snapshot()
    }

    fn restore(&mut self, snapshot: &Snapshot) -> Result<(), Fault> {
        self.inner.restore(snapshot)
    }

    fn slope(&mut self, batch: &Batch<'_>) -> Result<Vec<f32>, Fault> {
        self.inner.slope(batch)
    }

    fn set_weights(&mut self, weights: &[f32]) -> Result<(), Fault> {
        self.inner.set_weights(weights)
    }

    fn probe(&mut self, batch: &Batch<'_>) -> Result<Vec<Probe>, Fault> {
        match self.plant {
            Plant::Looks(dead, saturated) => {
                Ok(vec![Probe { layer: "hidden".into(), dead, saturated }])
            }
            _ => self.inner.probe(batch),
        }
    }

    fn footprint(&self, samples: usize) -> Footprint {
        self.inner.footprint(samples)
    }

    fn leave_device(&mut self) -> Result<bool, Fault> {
        self.inner.leave_device()
    }
}

/// 200 rows in 20 eras, `y = 0.5 a - 0.25 b + 0.1` and a little noise.
pub(crate) fn panel() -> Panel {
    let number = |row: usize, salt: usize| ((row * 7919 + salt * 104_729) % 1009) as f32 / 1009.0;
    let a: Vec<f32> = (0..200).map(|row| number(row, 1) - 0.5).collect();
    let b: Vec<f32> = (0..200).map(|row| number(row * row, 2) - 0.5).collect();
    let noise = (0..200).map(|row| 0.004 * (number(row * row * row, 3) - 0.5));
    let pairs = a.iter().zip(&b).zip(noise);
    let y: Vec<f32> = pairs.map(|((a, b), e)| 0.5 * a - 0.25 * b + 0.1 + e).collect();
    let eras: Vec<String> = (0..200).map(|row| (row / 10).to_string()).collect();
    let builder = Panel::builder().eras(&eras).expect("sorted");
    builder.feature("a", a).feature("b", b).target("y", y).build().expect("a panel")
}

pub(crate) fn samples() -> Samples {
    Samples::known(&panel(), &Reading::default()).expect("samples")
}
