//! Cross entropy for labels that are probabilities, in two forms.
//!
//! `cross_entropy`: `p = 1 / (1 + exp -f)`, loss `-(1-y) ln(1-p) - y ln p` times the weight.
//! `cross_entropy_lambda`: the weight is an exponent, `p = 1 - exp(-w ln(1 + exp f))`, loss without
//! a factor; weights are above 0, and without weights both have the same slopes.
//! NaN labels: [`Known`]. Cost: one or two exponentials a row. Reference: LightGBM 4.7
//! `xentropy_objective.hpp`, of which the slopes keep every rounding.

use fattail_trees::Link;

use super::{
    Bind, EPSILON,
    rows::{Kernel, Rows},
};
use crate::{Error, Labels, known::Known};

#[derive(Debug)]
struct CrossEntropy;

impl Kernel for CrossEntropy {
    #[inline]
    fn slopes(&self, score: f64, label: f32, weight: f32) -> (f32, f32) {
        let weight = f64::from(weight);
        if score > -37.0 {
            let e = (-score).exp();
            let gradient = (f64::from(1.0 - label) - f64::from(label) * e) / (1.0 + e) * weight;
            (gradient as f32, (e / ((1.0 + e) * (1.0 + e)) * weight) as f32)
        } else {
            let e = score.exp();
            (((e - f64::from(label)) * weight) as f32, (e * weight) as f32)
        }
    }
}

#[derive(Debug)]
struct Lambda {
    weighted: bool,
}

impl Kernel for Lambda {
    #[inline]
    fn slopes(&self, score: f64, label: f32, weight: f32) -> (f32, f32) {
        let (label, weight) = (f64::from(label), f64::from(weight));
        if !self.weighted {
            let share = 1.0 / (1.0 + (-score).exp());
            return ((share - label) as f32, (share * (1.0 - share)) as f32);
        }
        // Beyond the bound nothing changes but the squares, which would overflow.
        let e = score.exp().min(1e150);
        let share = 1.0 - (-weight * e.ln_1p()).exp();
        let gradient = (1.0 - label / share) * weight / (1.0 + 1.0 / e);
        let c = 1.0 / (1.0 - share);
        let a = weight * e / ((1.0 + e) * (1.0 + e));
        let b = if c.is_finite() {
            (c / ((c - 1.0) * (c - 1.0))) * (1.0 + weight * e - c)
        } else {
            -1.0
        };
        (gradient as f32, (a * (1.0 + label * b)) as f32)
    }
}

pub(crate) fn cross_entropy(known: Known<'_>) -> Bind<'_> {
    let share = known.mean().clamp(EPSILON, 1.0 - EPSILON);
    let start = (share / (1.0 - share)).ln();
    let (link, text) = (Link::Sigmoid { scale: 1.0 }, "cross_entropy".into());
    Ok(Box::new(Rows { kernel: CrossEntropy, known, start, link, text }))
}

pub(crate) fn cross_entropy_lambda<'a>(labels: &Labels<'a>, known: Known<'a>) -> Bind<'a> {
    let weights = labels.weights.unwrap_or_default();
    if let Some(row) = weights.iter().position(|&weight| weight <= 0.0) {
        return Err(Error::Weight { value: weights[row], row, allowed: "above zero" });
    }
    let (start, weighted) = (known.mean().exp_m1().ln(), known.weighted);
    let (link, text) = (Link::Softplus, "cross_entropy_lambda".into());
    Ok(Box::new(Rows { kernel: Lambda { weighted }, known, start, link, text }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_agree_at_weight_one() {
        let plain = CrossEntropy.slopes(0.0, 0.25, 1.0);
        assert_eq!(plain, (0.25, 0.25));
        for weighted in [false, true] {
            let (g, h) = Lambda { weighted }.slopes(0.0, 0.25, 1.0);
            assert!((g - plain.0).abs() < 1e-7 && (h - plain.1).abs() < 1e-7);
        }
        let far = CrossEntropy.slopes(-50.0, 1.0, 2.0);
        assert!((far.0 + 2.0).abs() < 1e-6 && far.1 > 0.0);
    }
}
