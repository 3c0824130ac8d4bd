//! The kernel's twin: the formulas of `fattail_mlp`, row by row in `f64`, obviously right.

use fattail_mlp::{Batch, Head, Network, RowLoss, Update, mask};

/// One row's way through a hidden layer.
struct Trace {
    input: Vec<f64>,
    normalized: Vec<f64>,
    deviation: f64,
    sums: Vec<f64>,
}

/// A network in `f64`, with AdamW's moments.
pub(super) struct Plain {
    pub(super) network: Network,
    pub(super) loss: RowLoss,
    pub(super) weights: Vec<f64>,
    pub(super) gradient: Vec<f64>,
    pub(super) first: Vec<f64>,
    pub(super) second: Vec<f64>,
    pub(super) step: i32,
}

impl Plain {
    pub(super) fn new(network: &Network, loss: RowLoss, weights: &[f32]) -> Self {
        let zero = vec![0.0; weights.len()];
        Self {
            network: network.clone(),
            loss,
            weights: weights.iter().map(|&weight| f64::from(weight)).collect(),
            gradient: zero.clone(),
            first: zero.clone(),
            second: zero,
            step: 0,
        }
    }

    fn at(&self, name: &str) -> usize {
        let tensors = self.network.tensors();
        tensors.iter().find(|tensor| tensor.name == name).expect("a tensor").offset
    }

    /// The prediction of a row, and what each layer saw; `keep` holds the dropout's factors.
    fn forward(&self, row: &[f32], keep: &[Vec<f64>]) -> (f64, Vec<Trace>, Trace) {
        let network = &self.network;
        let mut values: Vec<f64> = row.iter().map(|&value| f64::from(value)).collect();
        let start = self.normalize("input_norm", network.input_norm, &values);
        values.clone_from(&start.sums);
        let mut traces = Vec::new();
        for (layer, &width) in network.hidden.iter().enumerate() {
            let z = self.linear(&format!("layers.{layer}.linear"), width, &values);
            let mut trace = self.normalize(&format!("layers.{layer}.norm"), network.norm, &z);
            let mut out = Vec::new();
            for unit in 0..width {
                let mut value = trace.sums[unit].max(0.0) * keep[layer][unit];
                if network.residual && width == values.len() {
                    value += values[unit];
                }
                out.push(value);
            }
            trace.input = values;
            values = out;
            traces.push(trace);
        }
        let z = self.linear("head", 1, &values)[0];
        let out = match network.head {
            Head::Identity => z,
            Head::Sigmoid => 1.0 / (1.0 + (-z).exp()),
        };
        let last = Trace { input: values, normalized: vec![], deviation: 1.0, sums: vec![] };
        traces.push(last);
        (out, traces, start)
    }

    fn linear(&self, name: &str, width: usize, input: &[f64]) -> Vec<f64> {
        let (weight, bias) = (self.at(&format!("{name}.weight")), self.at(&format!("{name}.bias")));
        let sum = |out: usize| {
            let row = &self.weights[weight + out * input.len()..];
            let products = input.iter().zip(row).map(|(input, weight)| input * weight);
            self.weights[bias + out] + products.sum::<f64>()
        };
        (0..width).map(sum).collect()
    }

    fn normalize(&self, name: &str, wanted: bool, z: &[f64]) -> Trace {
        if !wanted {
            let (normalized, sums) = (z.to_vec(), z.to_vec());
            return Trace { input: vec![], normalized, deviation: 1.0, sums };
        }
        let count = z.len() as f64;
        let mean = z.iter().sum::<f64>() / count;
        let variance = z.iter().map(|z| (z - mean).powi(2)).sum::<f64>() / count;
        let deviation = (variance + 1e-5).sqrt();
        let normalized: Vec<f64> = z.iter().map(|z| (z - mean) / deviation).collect();
        let (weight, bias) = (self.at(&format!("{name}.weight")), self.at(&format!("{name}.bias")));
        let scaled = normalized.iter().enumerate();
        let sums = scaled.map(|(at, x)| self.weights[weight + at] * x + self.weights[bias + at]);
        Trace { input: vec![], sums: sums.collect(), normalized, deviation }
    }

    pub(super) fn predict(&self, row: &[f32]) -> f64 {
        let ones: Vec<Vec<f64>> =
            self.network.hidden.iter().map(|&width| vec![1.0; width]).collect();
        self.forward(row, &ones).0
    }

    /// Adds the gradient of the mean loss, and answers the loss.
    pub(super) fn learn(&mut self, batch: &Batch<'_>, share: f64, key: u64) -> f64 {
        let rows = batch.target.len();
        let weight = |row: usize| {
            let weight = batch.weight.map_or(1.0, |weight| weight[row]);
            let known = batch.target[row].is_finite() && weight > 0.0 && weight.is_finite();
            if known { f64::from(weight) } else { 0.0 }
        };
        let total: f64 = (0..rows).map(weight).sum();
        let masks: Vec<Vec<f32>> = (self.network.hidden.iter().enumerate())
            .map(|(layer, &width)| {
                mask(key, layer, rows, width, self.network.dropout).expect("a rate in range")
            })
            .collect();
        let mut loss = 0.0;
        for row in (0..rows).filter(|&row| weight(row) > 0.0) {
            let keep: Vec<Vec<f64>> = (masks.iter().zip(&self.network.hidden))
                .map(|(mask, &width)| {
                    mask[row * width..][..width].iter().map(|&m| m.into()).collect()
                })
                .collect();
            let inputs = self.network.inputs;
            let (out, traces, start) =
                self.forward(&batch.features[row * inputs..][..inputs], &keep);
            let residual = out - f64::from(batch.target[row]);
            loss += weight(row) * self.loss.value(residual) / total;
            let head = match self.network.head {
                Head::Identity => 1.0,
                Head::Sigmoid => out * (1.0 - out),
            };
            let slope = share * weight(row) * self.loss.slope(residual) / total * head;
            self.backward(slope, &traces, &start, &keep);
        }
        loss
    }

    fn backward(&mut self, slope: f64, traces: &[Trace], start: &Trace, keep: &[Vec<f64>]) {
        let mut above = self.linear_back("head", &[slope], &traces[traces.len() - 1].input);
        for layer in (0..self.network.hidden.len()).rev() {
            let trace = &traces[layer];
            let passed: Vec<f64> = (0..above.len())
                .map(
                    |unit| {
                        if trace.sums[unit] > 0.0 { above[unit] * keep[layer][unit] } else { 0.0 }
                    },
                )
                .collect();
            let z = if self.network.norm {
                self.normalize_back(&format!("layers.{layer}.norm"), &passed, trace)
            } else {
                passed
            };
            let mut below = self.linear_back(&format!("layers.{layer}.linear"), &z, &trace.input);
            if self.network.residual && below.len() == above.len() {
                below.iter_mut().zip(&above).for_each(|(below, above)| *below += above);
            }
            above = below;
        }
        if self.network.input_norm {
            self.normalize_back("input_norm", &above, start);
        }
    }

    fn linear_back(&mut self, name: &str, slope: &[f64], input: &[f64]) -> Vec<f64> {
        let (weight, bias) = (self.at(&format!("{name}.weight")), self.at(&format!("{name}.bias")));
        let mut below = vec![0.0; input.len()];
        for (out, slope) in slope.iter().enumerate() {
            self.gradient[bias + out] += slope;
            for (at, input) in input.iter().enumerate() {
                self.gradient[weight + out * below.len() + at] += slope * input;
                below[at] += slope * self.weights[weight + out * below.len() + at];
            }
        }
        below
    }

    fn normalize_back(&mut self, name: &str, slope: &[f64], trace: &Trace) -> Vec<f64> {
        let (weight, bias) = (self.at(&format!("{name}.weight")), self.at(&format!("{name}.bias")));
        let x = &trace.normalized;
        let inner: Vec<f64> =
            (0..slope.len()).map(|at| slope[at] * self.weights[weight + at]).collect();
        for at in 0..slope.len() {
            self.gradient[weight + at] += slope[at] * x[at];
            self.gradient[bias + at] += slope[at];
        }
        let count = slope.len() as f64;
        let mean = inner.iter().sum::<f64>() / count;
        let along = inner.iter().zip(x).map(|(inner, x)| inner * x).sum::<f64>() / count;
        let back = |at: usize| (inner[at] - mean - x[at] * along) / trace.deviation;
        (0..slope.len()).map(back).collect()
    }

    /// Clipping and AdamW, as PyTorch documents them.
    pub(super) fn apply(&mut self, update: &Update) -> f64 {
        let norm = self.gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
        let scale = update.clip_norm.map_or(1.0, |most| (most / (norm + 1e-6)).min(1.0));
        let most = update.clip_value.unwrap_or(f64::INFINITY);
        self.step += 1;
        for at in 0..self.weights.len() {
            let g = (self.gradient[at] * scale).clamp(-most, most);
            self.first[at] = update.beta1 * self.first[at] + (1.0 - update.beta1) * g;
            self.second[at] = update.beta2 * self.second[at] + (1.0 - update.beta2) * g * g;
            let m = self.first[at] / (1.0 - update.beta1.powi(self.step));
            let v = self.second[at] / (1.0 - update.beta2.powi(self.step));
            self.weights[at] *= 1.0 - update.rate * update.weight_decay;
            self.weights[at] -= update.rate * m / (v.sqrt() + update.epsilon);
            self.gradient[at] = 0.0;
        }
        norm
    }
}
