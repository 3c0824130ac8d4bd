//! Clipping and AdamW over the padded vectors, in one pass after the norm.
//!
//! With g the gradient, n its global norm, t the number of the step from 1:
//!
//! ```text
//! g <- g min(1, clip_norm / (n + 1e-6))          clipping of the norm
//! g <- g cut to [-clip_value, clip_value]        clipping of the values, after it
//! p <- p (1 - rate weight_decay)
//! m <- beta1 m + (1 - beta1) g                   v <- beta2 v + (1 - beta2) g^2
//! p <- p - rate m / (1 - beta1^t) / (sqrt v / sqrt(1 - beta2^t) + epsilon)
//! ```
//!
//! The order of operations is PyTorch's. The norm is summed in `f64`. A norm that is not finite, or
//! above `refuse_above`, changes nothing but the gradient, which is discarded. Cost: one square
//! root and one division a parameter.
//! Reference: Pascanu, Mikolov & Bengio (2013), algorithm 1; Loshchilov & Hutter (2019),
//! algorithm 2.

use pulp::Simd;

use super::layout::VECTOR;
use crate::{Error, Result};

/// How a step uses the gradient; the defaults are PyTorch's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Update {
    /// Learning rate of this step.
    pub rate: f64,
    /// Largest global norm of the gradient.
    pub clip_norm: Option<f64>,
    /// Largest size of one gradient.
    pub clip_value: Option<f64>,
    /// Decay of the first moment.
    pub beta1: f64,
    /// Decay of the second moment.
    pub beta2: f64,
    /// What keeps the division finite.
    pub epsilon: f64,
    /// Decoupled decay of the weights, times the rate.
    pub weight_decay: f64,
    /// A gradient with a larger norm is discarded.
    pub refuse_above: f64,
}

impl Default for Update {
    fn default() -> Self {
        Self {
            rate: 1e-3,
            clip_norm: None,
            clip_value: None,
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            weight_decay: 1e-2,
            refuse_above: f64::INFINITY,
        }
    }
}

impl Update {
    /// Answers whether the settings are in range.
    ///
    /// # Errors
    /// Names the setting, its value and what is allowed.
    pub fn check(&self) -> Result<()> {
        let size = |value: f64| value >= 0.0 && value.is_finite();
        let cap = |value: Option<f64>| value.is_none_or(|value| value > 0.0);
        let beta = |value: f64| (0.0..1.0).contains(&value);
        let epsilon = (1e-30..=1.0).contains(&self.epsilon);
        let number = |value: Option<f64>| value.unwrap_or(0.0);
        let rules = [
            ("rate", self.rate, size(self.rate), "0 or more, finite"),
            ("clip_norm", number(self.clip_norm), cap(self.clip_norm), "above 0"),
            ("clip_value", number(self.clip_value), cap(self.clip_value), "above 0"),
            ("beta1", self.beta1, beta(self.beta1), "from 0 to below 1"),
            ("beta2", self.beta2, beta(self.beta2), "from 0 to below 1"),
            ("epsilon", self.epsilon, epsilon, "from 1e-30 to 1"),
            ("weight_decay", self.weight_decay, size(self.weight_decay), "0 or more, finite"),
            ("refuse_above", self.refuse_above, self.refuse_above > 0.0, "above 0"),
        ];
        match rules.iter().find(|(_, _, right, _)| !right) {
            None => Ok(()),
            Some(&(name, value, _, allowed)) => {
                Err(Error::Setting { name, value: value.to_string(), allowed })
            }
        }
    }
}

/// What became of a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outcome {
    /// The gradient's global norm before clipping.
    pub norm: f64,
    /// Whether the step was taken.
    pub applied: bool,
}

/// The Euclidean norm, summed in `f64` in a fixed order.
#[inline(always)]
pub(super) fn norm(gradient: &[f32]) -> f64 {
    let mut sums = [0.0_f64; VECTOR];
    for values in gradient.as_chunks::<VECTOR>().0 {
        for at in 0..VECTOR {
            let value = f64::from(values[at]);
            sums[at] += value * value;
        }
    }
    sums.iter().sum::<f64>().sqrt()
}

/// The vectors that a step moves, all padded alike.
pub(super) struct State<'a> {
    pub weights: &'a mut [f32],
    pub gradient: &'a mut [f32],
    pub first: &'a mut [f32],
    pub second: &'a mut [f32],
}

/// The numbers of one step, as the loop needs them.
struct Scales {
    gradient: f32,
    clip: f32,
    keep: f32,
    toward: f32,
    beta2: f32,
    fresh: f32,
    step: f32,
    root: f32,
    epsilon: f32,
}

impl Scales {
    fn new(update: &Update, norm: f64, step: u64) -> Self {
        // beta^t <= exp(-t (1 - beta)): from 40 on the difference from 1 rounds away.
        let power = |beta: f64| match i32::try_from(step) {
            Ok(step) if f64::from(step) * (1.0 - beta) < 40.0 => 1.0 - beta.powi(step),
            _ => 1.0,
        };
        let clip = update.clip_norm.map_or(1.0, |most| (most / (norm + 1e-6)).min(1.0));
        Self {
            gradient: clip as f32,
            clip: update.clip_value.unwrap_or(f64::INFINITY) as f32,
            keep: (1.0 - update.rate * update.weight_decay) as f32,
            toward: (1.0 - update.beta1) as f32,
            beta2: update.beta2 as f32,
            fresh: (1.0 - update.beta2) as f32,
            step: (update.rate / power(update.beta1)) as f32,
            root: (1.0 / power(update.beta2).sqrt()) as f32,
            epsilon: update.epsilon as f32,
        }
    }
}

/// Step number `step` (from 1); the gradient becomes 0. The vectors are whole registers long.
#[inline(always)]
pub(super) fn adamw<S: Simd>(simd: S, state: State<'_>, update: &Update, norm: f64, step: u64) {
    let scales = Scales::new(update, norm, step);
    let weights = S::as_mut_simd_f32s(state.weights).0;
    let gradients = S::as_mut_simd_f32s(state.gradient).0;
    let firsts = S::as_mut_simd_f32s(state.first).0;
    let seconds = S::as_mut_simd_f32s(state.second).0;
    let [zero, clip, minus] = [0.0, scales.clip, -scales.clip].map(|value| simd.splat_f32s(value));
    let all = weights.iter_mut().zip(gradients).zip(firsts).zip(seconds);
    for (((weight, gradient), first), second) in all {
        let g = simd.mul_f32s(*gradient, simd.splat_f32s(scales.gradient));
        let g = simd.max_f32s(simd.min_f32s(g, clip), minus);
        let gap = simd.sub_f32s(g, *first);
        let m = simd.mul_add_e_f32s(simd.splat_f32s(scales.toward), gap, *first);
        let old = simd.mul_f32s(simd.splat_f32s(scales.beta2), *second);
        let scaled = simd.mul_f32s(simd.splat_f32s(scales.fresh), g);
        let v = simd.mul_add_e_f32s(scaled, g, old);
        let (root, epsilon) = (simd.splat_f32s(scales.root), simd.splat_f32s(scales.epsilon));
        let divisor = simd.mul_add_e_f32s(simd.sqrt_f32s(v), root, epsilon);
        let by = simd.div_f32s(simd.mul_f32s(simd.splat_f32s(scales.step), m), divisor);
        let kept = simd.mul_f32s(simd.splat_f32s(scales.keep), *weight);
        *weight = simd.sub_f32s(kept, by);
        (*first, *second, *gradient) = (m, v, zero);
    }
}
