//! A linear model with AdamW in `f32`, and a wrapper that plants faults.

use fattail_core::{Error as CoreError, Panel};
use fattail_descent::Squared;
use fattail_training::{
    Batch, Counters, Desk, Engine, Error, Fault, Footprint, Named, Outcome, Probe, Reading,
    Samples, Snapshot, Training, Update,
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
    /// Whether the loss is the mean over eras of their means; eras of one target do not count.
    by_era: bool,
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
            by_era: false,
            on_device: false,
        }
    }

    pub(crate) fn with_noise(width: usize) -> Self {
        Self { noise: 0.1, ..Self::new(width, true) }
    }

    /// By plain descent on a loss by eras.
    pub(crate) fn by_era(width: usize) -> Self {
        Self { by_era: true, ..Self::new(width, false) }
    }

    pub(crate) fn weights(&self) -> &[f32] {
        &self.weights
    }

    fn output(&self, row: &[f32]) -> f64 {
        let (constant, slopes) = self.weights.split_last().expect("a constant");
        let products = row.iter().zip(slopes).map(|(&x, &w)| f64::from(x) * f64::from(w));
        products.sum::<f64>() + f64::from(*constant)
    }

    /// What each sample counts.
    fn counts(&self, batch: &Batch<'_>) -> Vec<f64> {
        if !self.by_era {
            let weight = |at: usize| batch.weight.map_or(1.0, |weight| f64::from(weight[at]));
            return (0..batch.target.len()).map(weight).collect();
        }
        let mut counts = Vec::new();
        for era in batch.eras.chunk_by(|a, b| a == b) {
            let targets = &batch.target[counts.len()..counts.len() + era.len()];
            let teaches = targets.iter().any(|target| *target != targets[0]);
            let count = if teaches { 1.0 / era.len() as f64 } else { 0.0 };
            counts.extend(std::iter::repeat_n(count, era.len()));
        }
        counts
    }

    fn mean_gradient(&self, batch: &Batch<'_>, noise: f32) -> (f64, Vec<f64>) {
        let (mut loss, mut total) = (0.0, 0.0);
        let mut gradient = vec![0.0; self.weights.len()];
        let rows = batch.features.chunks_exact(batch.width).zip(self.counts(batch));
        for (index, (row, count)) in rows.enumerate() {
            let jitter = noise * ((batch.key >> (index % 32)) & 1) as f32;
            let residual = self.output(row) + f64::from(jitter) - f64::from(batch.target[index]);
            loss += count * residual * residual / 2.0;
            total += count;
            for (slot, &x) in gradient.iter_mut().zip(row.iter().chain([&1.0])) {
                *slot += count * residual * f64::from(x);
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
    fn identity(&self) -> String {
        format!("linear, adam {}, noise {}, by era {}", self.adam, self.noise, self.by_era)
    }

    fn mass(&self, batch: &Batch<'_>) -> f64 {
        self.counts(batch).iter().sum()
    }

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
        let Self { noise, by_era, adam, .. } = *self;
        *self = Self { noise, by_era, ..Self::new(self.weights.len() - 1, adam) };
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
    /// The same, and there is no other one.
    LostForGood(u64),
    /// The device is lost at the n-th prediction.
    LostPredicting(u64),
    /// Memory for so many samples when looking or measuring the curvature.
    LookMemory(usize),
    /// A second derivative that is not finite.
    NanSlope,
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
    /// Whether the device answers no more: then nothing does until it is left.
    lost: bool,
    /// The most samples that a look took.
    pub(crate) looked: usize,
}

impl Faulty {
    pub(crate) fn new(inner: Linear, plant: Plant) -> Self {
        let inner = Linear { on_device: true, ..inner };
        let (gradients, steps, predictions) = (0, 0, 0);
        Self { inner, plant, gradients, steps, predictions, lost: false, looked: 0 }
    }

    /// Refuses on a device that is lost, as everything does there.
    fn answer(&self) -> Result<(), Fault> {
        if self.lost { Err(lost()) } else { Ok(()) }
    }

    fn look(&mut self, batch: &Batch<'_>) -> Result<(), Fault> {
        self.answer()?;
        let samples = batch.target.len();
        self.looked = self.looked.max(samples);
        match self.plant {
            Plant::LookMemory(most) if samples > most => Err(out_of_memory()),
            _ => Ok(()),
        }
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
    fn identity(&self) -> String {
        self.inner.identity()
    }

    fn mass(&self, batch: &Batch<'_>) -> f64 {
        self.inner.mass(batch)
    }

    fn gradient(&mut self, batch: &Batch<'_>, share: f64) -> Result<f64, Fault> {
        self.answer()?;
        let now = self.gradients;
        self.gradients += 1;
        let faulty = match self.plant {
            Plant::Memory(from, samples) if now >= from && batch.target.len() > samples => {
                Some(out_of_memory())
            }
            Plant::Lost(at) | Plant::LostForGood(at) if now >= at && self.inner.on_device => {
                self.lost = true;
                Some(lost())
            }
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
        self.answer()?;
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
        self.answer()?;
        let now = self.predictions;
        self.predictions += 1;
        match self.plant {
            Plant::PredictionMemory(samples) if batch.target.len() > samples => {
                return Err(out_of_memory());
            }
            Plant::LostPredicting(at) if now >= at && self.inner.on_device => {
                self.lost = true;
                return Err(lost());
            }
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
        self.answer()?;
        self.inner.snapshot()
    }

    fn restore(&mut self, snapshot: &Snapshot) -> Result<(), Fault> {
        self.answer()?;
        self.inner.restore(snapshot)
    }

    fn slope(&mut self, batch: &Batch<'_>) -> Result<Vec<f32>, Fault> {
        self.look(batch)?;
        let mut slope = self.inner.slope(batch)?;
        if self.plant == Plant::NanSlope {
            slope.fill(f32::NAN);
        }
        Ok(slope)
    }

    fn set_weights(&mut self, weights: &[f32]) -> Result<(), Fault> {
        self.answer()?;
        self.inner.set_weights(weights)
    }

    fn probe(&mut self, batch: &Batch<'_>) -> Result<Vec<Probe>, Fault> {
        self.look(batch)?;
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
        if matches!(self.plant, Plant::LostForGood(_)) {
            return Ok(false);
        }
        self.lost = false;
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

/// The memory with which `together` samples go together, where a run has no more.
pub(crate) fn memory_for(training: &Training, samples: &Samples, together: usize) -> u64 {
    let none = Training { memory: Some(0), ..training.clone() };
    let mut engine = Linear::new(2, true);
    match none.run(&mut engine, samples, &Squared, Desk::default()) {
        Err(Error::Memory { beside, .. }) => beside + engine.footprint(together).total(),
        other => panic!("{other:?}"),
    }
}
