//! The losses of `fattail-descent` on tensors, so that gradients flow.
//!
//! ```text
//! by rows  V = sum w l(p - t) / sum w  over known rows
//! by eras  V = V(p0) + sum g (p - p0),  V and its slopes g at the prediction p0 from the slice form
//! ```
//!
//! Formulas, constants and the treatment of unknown rows are those of the slice forms, which tests
//! compare these with. Unknown rows (NaN target, no weight) get weight 0 and target 0 on the way to the
//! device, so that a NaN never meets the graph. A loss by eras is computed by the slice form itself, in
//! `f64` on the host, for which the predictions are read once. Cost: a few elementwise passes. Reference:
//! as in `fattail-descent`.

use std::ops::Range;

use burn::tensor::{Device, Tensor, TensorData};
use fattail_descent::{Loss as _, Objective, Truth};
use fattail_training::Batch;

/// Targets, weights and eras of a batch.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    /// Weights that add up to 1, 0 where unknown.
    weight: Tensor<1>,
    compared: Compared,
}

/// What predictions are compared with.
#[derive(Debug, Clone)]
enum Compared {
    /// Targets on the device, 0 where unknown.
    Rows(Box<Tensor<1>>),
    /// Targets on the host, and where eras begin and the last one ends.
    Eras { target: Vec<f32>, weight: Vec<f32>, bounds: Vec<usize> },
}

impl Known {
    /// The truth of a batch; `None` when no row is known, or for a loss by eras no era counts.
    pub(crate) fn new(batch: &Batch<'_>, objective: &Objective, device: &Device) -> Option<Self> {
        let weight = weights(batch);
        let total: f64 = weight.iter().map(|&weight| f64::from(weight)).sum();
        if total <= 0.0 {
            return None;
        }
        let known = |(&target, &weight): (&f32, &f32)| if weight > 0.0 { target } else { 0.0 };
        let target: Vec<f32> = batch.target.iter().zip(&weight).map(known).collect();
        let share = |&weight: &f32| (f64::from(weight) / total) as f32;
        let shares = vector(weight.iter().map(share).collect(), device);
        let compared = match objective {
            Objective::Pearson(_) => {
                let bounds = bounds(batch.eras);
                (mass(objective, batch) > 0.0).then_some(Compared::Eras {
                    target,
                    weight,
                    bounds,
                })?
            }
            _ => Compared::Rows(Box::new(vector(target, device))),
        };
        Some(Self { weight: shares, compared })
    }

    /// The weight of each sample; they add up to 1.
    pub(crate) fn weight(&self) -> Tensor<1> {
        self.weight.clone()
    }
}

/// What a batch's mean loss is a mean over: the weight of its samples, or the eras that count.
pub(crate) fn mass(objective: &Objective, batch: &Batch<'_>) -> f64 {
    match objective {
        Objective::Pearson(_) => {
            eras(batch).filter(|rows| counts(batch, rows.clone())).count() as f64
        }
        _ => batch.mass(),
    }
}

/// The rows of each era of a batch.
fn eras(batch: &Batch<'_>) -> impl Iterator<Item = Range<usize>> {
    let bounds = bounds(batch.eras);
    (1..bounds.len()).map(move |end| bounds[end - 1]..bounds[end])
}

/// Whether an era has two different known targets.
fn counts(batch: &Batch<'_>, rows: Range<usize>) -> bool {
    let known = |row: &usize| {
        let weight = batch.weight.map_or(1.0, |weights| weights[*row]);
        batch.target[*row].is_finite() && weight > 0.0 && weight.is_finite()
    };
    let mut targets = rows.filter(known).map(|row| batch.target[row]);
    let first = targets.next();
    targets.any(|target| Some(target) != first)
}

/// Bytes that a loss takes beside a network, for so many samples: of a loss by eras the prediction, its
/// slopes and curvatures in `f64`, targets and weights on the host, and three vectors on the device.
pub(crate) fn bytes(objective: &Objective, samples: usize) -> u64 {
    match objective {
        Objective::Pearson(_) => 48 * samples as u64,
        _ => 0,
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

/// Where each era begins, and the end of the last one.
fn bounds(eras: &[u32]) -> Vec<usize> {
    let changes = eras.windows(2).zip(1..).filter(|(pair, _)| pair[0] != pair[1]);
    let inner = changes.map(|(_, at)| at);
    std::iter::once(0).chain(inner).chain([eras.len()]).collect()
}

/// The slice form's truth; `None` when lengths differ.
fn truth<'a>(target: &'a [f32], weight: &'a [f32], bounds: &'a [usize]) -> Option<Truth<'a>> {
    Truth::new(target).with_weights(weight).and_then(|truth| truth.with_eras(bounds)).ok()
}

/// The weighted mean loss, a tensor of one value.
pub(crate) fn value(objective: &Objective, prediction: Tensor<1>, known: &Known) -> Tensor<1> {
    match &known.compared {
        Compared::Rows(target) => {
            (rows(objective, prediction - (**target).clone()) * known.weight.clone()).sum()
        }
        Compared::Eras { target, weight, bounds } => {
            let truth = truth(target, weight, bounds);
            by_eras(objective, prediction.clone(), truth)
                .unwrap_or_else(|| prediction.mul_scalar(f64::NAN).sum())
        }
    }
}

/// The value at the prediction, with the slopes there. `None` when the prediction cannot be read: what is
/// made of it then cannot be read either, and tells why.
fn by_eras(
    objective: &Objective,
    prediction: Tensor<1>,
    truth: Option<Truth<'_>>,
) -> Option<Tensor<1>> {
    let truth = truth.filter(|truth| truth.rows() == prediction.dims()[0])?;
    let read = prediction.clone().try_into_data().ok()?;
    let read: Vec<f64> = read.iter::<f32>().map(f64::from).collect();
    let (mut slopes, mut curvature) = (vec![0.0; read.len()], vec![0.0; read.len()]);
    objective.slopes(&truth, &read, &mut slopes, &mut curvature);
    let total = truth.total_weight();
    let slopes = slopes.into_iter().map(|slope| (slope / total) as f32).collect();
    let slopes = vector(slopes, &prediction.device());
    let moved = prediction.clone() - prediction.detach();
    Some((moved * slopes).sum().add_scalar(objective.value(&truth, &read)))
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

#[cfg(test)]
mod tests {
    use fattail_descent::{Absolute, Huber, LogCosh, Pearson, Quantile, Squared, Tukey};
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

    fn batch<'a>(target: &'a [f32], eras: &'a [u32]) -> Batch<'a> {
        Batch { features: &[], width: 0, target, weight: None, rows: &[], eras, key: 0 }
    }

    #[test]
    fn a_constant_prediction_has_the_slopes_of_the_slice_form() {
        let (target, eras) = ([0.0f32, 1.0, 2.0, 5.0, 5.0, 8.0], [3, 3, 3, 4, 4, 4]);
        let bounds = [0, 3, 6];
        let truth = Truth::new(&target).with_eras(&bounds).unwrap();
        for level in [0.0f32, 0.1, -7.3e4] {
            let prediction = [level; 6];
            let (found, slopes) = on_tensors(&Pearson.into(), &batch(&target, &eras), &prediction);
            let (mut g, mut h) = ([0.0; 6], [0.0; 6]);
            Pearson.slopes(&truth, &[f64::from(level); 6], &mut g, &mut h);
            assert_eq!(found, 1.0, "{level}");
            for (slope, g) in slopes.iter().zip(g) {
                // Not t / 1e-12: a step leads to the centred target.
                assert!((slope - g / 6.0).abs() < 1e-6 && slope.abs() < 1.0, "{slope} {g}");
            }
        }
    }

    #[test]
    fn an_era_of_one_target_counts_nowhere() {
        let device = crate::device::cpu().unwrap();
        let prediction = [0.3f32, -0.2, 0.9, 0.1];
        let target = [0.0f32, 1.0, 0.5, 0.5];
        let both = on_tensors(&Pearson.into(), &batch(&target, &[1, 1, 2, 2]), &prediction);
        let alone = on_tensors(&Pearson.into(), &batch(&target[..2], &[1, 1]), &prediction[..2]);
        assert_eq!(both.0, alone.0);
        assert_eq!(&both.1[2..], [0.0, 0.0]);
        for (a, b) in both.1.iter().zip(&alone.1) {
            assert!((a - b).abs() < 1e-6, "{a} {b}");
        }
        let constant = batch(&target[2..], &[2, 2]);
        assert!(Known::new(&constant, &Pearson.into(), &device).is_none());
        assert_eq!(mass(&Pearson.into(), &constant), 0.0);
        assert_eq!(mass(&Pearson.into(), &batch(&target, &[1, 1, 2, 2])), 1.0);
        assert_eq!(mass(&Squared.into(), &constant), 2.0);
        assert!(Known::new(&constant, &Squared.into(), &device).is_some());
    }

    #[test]
    fn a_prediction_that_is_not_finite_is_seen() {
        let target = [0.0f32, 1.0, 0.5];
        for wrong in [f32::NAN, f32::INFINITY] {
            for objective in all() {
                let (found, _) =
                    on_tensors(&objective, &batch(&target, &[1, 1, 1]), &[0.1, wrong, 0.2]);
                let bounded = matches!(objective, Objective::Tukey(_)) && wrong.is_infinite();
                assert!(bounded || !found.is_finite(), "{objective:?}: {found}");
            }
        }
    }
}
