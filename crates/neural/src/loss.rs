//! The losses of `fattail-descent` on tensors, so that gradients flow.
//!
//! Formulas, constants and the treatment of unknown rows are those of the slice forms, which tests
//! compare these with: `V = sum w l(p - t) / sum w` over known rows, Pearson as the mean over eras of
//! `1 - r`. Unknown rows (NaN target, no weight) get weight 0 and target 0 on the way to the device, so
//! that a NaN never meets the graph. Cost: a few elementwise passes; Pearson multiplies by a matrix of
//! eras x rows. Reference: as in `fattail-descent`.

use burn::tensor::{Device, Tensor, TensorData};
use fattail_descent::Objective;
use fattail_training::Batch;

/// Targets, weights and eras of a batch on a device.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    /// Targets, 0 where unknown.
    target: Tensor<1>,
    /// Weights that add up to 1, 0 where unknown.
    weight: Tensor<1>,
    /// One row an era with a weight's share of the era: rows add up to 1. Empty without need.
    eras: Option<Tensor<2>>,
}

impl Known {
    /// The truth of a batch; `None` when no row is known.
    pub(crate) fn new(batch: &Batch<'_>, objective: &Objective, device: &Device) -> Option<Self> {
        let weights = weights(batch);
        let total: f64 = weights.iter().map(|&weight| f64::from(weight)).sum();
        if total <= 0.0 {
            return None;
        }
        let known = |(&target, &weight): (&f32, &f32)| if weight > 0.0 { target } else { 0.0 };
        let target: Vec<f32> = batch.target.iter().zip(&weights).map(known).collect();
        let share = |&weight: &f32| (f64::from(weight) / total) as f32;
        let shares: Vec<f32> = weights.iter().map(share).collect();
        let eras = match objective {
            Objective::Pearson(_) => Some(era_shares(batch, &weights, &target, device)?),
            _ => None,
        };
        Some(Self { target: vector(target, device), weight: vector(shares, device), eras })
    }
}

/// The weight of each sample, 0 where the target is unknown.
fn weights(batch: &Batch<'_>) -> Vec<f32> {
    let weight = |row: usize| batch.weight.map_or(1.0, |weights| weights[row]);
    let known = |row: usize| batch.target[row].is_finite() && weight(row) > 0.0;
    (0..batch.target.len())
        .map(|row| if known(row) && weight(row).is_finite() { weight(row) } else { 0.0 })
        .collect()
}

fn vector(values: Vec<f32>, device: &Device) -> Tensor<1> {
    let length = values.len();
    Tensor::from_data(TensorData::new(values, [length]), device)
}

/// One row an era that counts: it has two different known targets.
fn era_shares(
    batch: &Batch<'_>,
    weights: &[f32],
    target: &[f32],
    device: &Device,
) -> Option<Tensor<2>> {
    let rows = batch.target.len();
    let mut shares: Vec<f32> = Vec::new();
    let mut start = 0;
    for run in batch.eras.chunk_by(|a, b| a == b) {
        let range = start..start + run.len();
        start = range.end;
        let mut known = range.clone().filter(|&row| weights[row] > 0.0);
        let first = known.next().map(|row| target[row]);
        if !known.any(|row| Some(target[row]) != first) {
            continue;
        }
        let total: f64 = range.clone().map(|row| f64::from(weights[row])).sum();
        let share = |row: usize| (f64::from(weights[row]) / total) as f32;
        shares.extend((0..rows).map(|row| if range.contains(&row) { share(row) } else { 0.0 }));
    }
    let eras = shares.len() / rows.max(1);
    (eras > 0).then(|| Tensor::from_data(TensorData::new(shares, [eras, rows]), device))
}

/// The weighted mean loss, a tensor of one value.
pub(crate) fn value(objective: &Objective, prediction: Tensor<1>, known: &Known) -> Tensor<1> {
    if let (Objective::Pearson(_), Some(eras)) = (objective, &known.eras) {
        return pearson(prediction, known.target.clone(), eras.clone());
    }
    let residual = prediction - known.target.clone();
    (rows(objective, residual) * known.weight.clone()).sum()
}

/// `l(r)` of each row.
fn rows(objective: &Objective, residual: Tensor<1>) -> Tensor<1> {
    match objective {
        Objective::Squared(_) | Objective::Pearson(_) => residual.square().mul_scalar(0.5),
        Objective::Absolute(_) => residual.abs(),
        Objective::Huber(huber) => {
            // r clipped is c: c (r - c / 2) is both branches, and its slope is c.
            let cut = residual.clone().clamp(-huber.delta, huber.delta).detach();
            cut.clone() * residual - cut.square().mul_scalar(0.5)
        }
        Objective::Quantile(quantile) => {
            let above = residual.clone().clamp_min(0.0).mul_scalar(1.0 - quantile.tau);
            above + residual.neg().clamp_min(0.0).mul_scalar(quantile.tau)
        }
        Objective::LogCosh(_) => {
            // |r| + ln(1 + exp(-2 |r|)) - ln 2; near 0 it loses digits that f32 does not have.
            let size = residual.abs();
            let tail = size.clone().mul_scalar(-2.0).exp().log1p();
            size + tail.sub_scalar(std::f64::consts::LN_2)
        }
        Objective::Tukey(tukey) => {
            let inside = residual.div_scalar(tukey.c).square().neg().add_scalar(1.0);
            let cube = inside.clamp_min(0.0).powi_scalar(3);
            cube.neg().add_scalar(1.0).mul_scalar(tukey.c * tukey.c / 6.0)
        }
    }
}

/// `mean over eras of 1 - sum w p~ t~ / sqrt(P T)`, `eras` holding the shares `w` of each era.
fn pearson(prediction: Tensor<1>, target: Tensor<1>, eras: Tensor<2>) -> Tensor<1> {
    let sum = |values: Tensor<2>| (eras.clone() * values).sum_dim(1);
    let rows = |values: Tensor<1>| values.unsqueeze_dim::<2>(0);
    let (prediction, target) = (rows(prediction), rows(target));
    let centred = |values: Tensor<2>| values.clone() - sum(values);
    let (p, t) = (centred(prediction), centred(target));
    let (pp, tt) = (sum(p.clone().square()), sum(t.clone().square()));
    // A constant prediction has P = 0: its correlation is 0 and its slope stays finite.
    let spread = (pp * tt).add_scalar(1e-24).sqrt();
    (sum(p * t) / spread).neg().add_scalar(1.0).mean()
}

#[cfg(test)]
mod tests {
    use fattail_descent::{
        Absolute, Huber, LogCosh, Loss as _, Pearson, Quantile, Squared, Truth, Tukey,
    };
    use proptest::prelude::*;

    use super::*;

    fn all() -> [Objective; 7] {
        [
            Squared.into(),
            Absolute.into(),
            Huber { delta: 0.1 }.into(),
            Quantile { tau: 0.3 }.into(),
            LogCosh.into(),
            Tukey { c: 0.8 }.into(),
            Pearson.into(),
        ]
    }

    /// Value and gradient of the mean loss on tensors.
    fn on_tensors(objective: &Objective, batch: &Batch<'_>, prediction: &[f32]) -> (f64, Vec<f64>) {
        let device = crate::device::cpu().unwrap().autodiff();
        let known = Known::new(batch, objective, &device).unwrap();
        let tensor = vector(prediction.to_vec(), &device).require_grad();
        let loss = value(objective, tensor.clone(), &known);
        let mut gradients = loss.backward();
        let slope = tensor.grad_remove(&mut gradients).unwrap().into_data();
        let read = loss.into_data().iter::<f64>().next().unwrap();
        (read, slope.iter::<f64>().collect())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn they_are_the_slice_forms(
            rows in proptest::collection::vec((-1.0f32..1.0, 0.0f32..1.0, 0.0f32..2.0, 0u8..8), 6..40),
        ) {
            let prediction: Vec<f32> = rows.iter().map(|row| row.0).collect();
            let mut target: Vec<f32> = rows.iter().map(|row| row.1).collect();
            for (t, row) in target.iter_mut().zip(&rows) {
                if row.3 == 0 { *t = f32::NAN; }
            }
            target[0] = 0.25;
            target[1] = 0.75;
            let mut weight: Vec<f32> = rows.iter().map(|row| row.2).collect();
            weight[0] = 1.0;
            weight[1] = 1.0;
            let half = rows.len() / 2;
            let eras: Vec<u32> = (0..rows.len()).map(|row| u32::from(row >= half)).collect();
            let batch = Batch {
                features: &[], width: 0, target: &target, weight: Some(&weight),
                rows: &[], eras: &eras, key: 0,
            };
            let bounds = [0, half, rows.len()];
            let truth = Truth::new(&target).with_weights(&weight).unwrap();
            let truth = truth.with_eras(&bounds).unwrap();
            let wide: Vec<f64> = prediction.iter().map(|&p| f64::from(p)).collect();
            let total: f64 = truth.total_weight();
            for objective in all() {
                let (found, slopes) = on_tensors(&objective, &batch, &prediction);
                let (mut g, mut h) = (vec![0.0; rows.len()], vec![0.0; rows.len()]);
                objective.slopes(&truth, &wide, &mut g, &mut h);
                let expected = objective.value(&truth, &wide);
                prop_assert!((found - expected).abs() < 2e-5, "{objective:?}: {found} {expected}");
                for (a, b) in slopes.iter().zip(&g) {
                    let b = b / total;
                    prop_assert!((a - b).abs() < 1e-4 * b.abs().max(1.0), "{objective:?}: {a} {b}");
                }
            }
        }
    }
}
