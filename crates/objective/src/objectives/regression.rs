//! Regression on the residual r = score - label, as LightGBM has it.
//!
//! | objective | gradient | hessian | start | leaf |
//! |---|---|---|---|---|
//! | squared | r | 1 | mean | |
//! | squared on roots | r, label sign(y) sqrt(abs y) | 1 | mean | |
//! | absolute | sign r | 1 | median | median of -r |
//! | Huber | r cut to [-alpha, alpha] | 1 | mean | |
//! | fair | c r / (abs r + c) | c^2 / (abs r + c)^2 | mean | |
//! | quantile | 1 - alpha from r = 0, -alpha below | 1 | percentile | percentile of -r |
//! | MAPE | sign r / max(1, abs y) | 1 | median weighted by it | the same of -r |
//!
//! Each times the weight. The hessian of MAPE does not have the factor 1 / max(1, abs y); with
//! weights it is the weight of each row, where LightGBM takes that of the first row for all of them.
//! NaN labels: [`Known`]. Cost: one pass; a selection or a sort a leaf for the renewed ones.
//! Reference: LightGBM 4.7 `regression_objective.hpp`.

use std::borrow::Cow;

use fattail_trees::Link;

use super::{
    Bind,
    rows::{Kernel, Leaf, Rows, label_percentile},
};
use crate::known::Known;

#[derive(Debug)]
struct Squared;

impl Kernel for Squared {
    #[inline]
    fn slopes(&self, score: f64, label: f32, weight: f32) -> (f32, f32) {
        ((score - f64::from(label)) as f32 * weight, weight)
    }

    fn unit_hessian(&self) -> bool {
        true
    }
}

#[derive(Debug)]
struct Absolute;

impl Kernel for Absolute {
    #[inline]
    fn slopes(&self, score: f64, label: f32, weight: f32) -> (f32, f32) {
        (sign(score - f64::from(label)) * weight, weight)
    }

    fn unit_hessian(&self) -> bool {
        true
    }

    fn leaf(&self) -> Option<Leaf> {
        Some(Leaf { alpha: 0.5, weight: None })
    }
}

#[derive(Debug)]
struct Huber {
    alpha: f64,
}

impl Kernel for Huber {
    #[inline]
    fn slopes(&self, score: f64, label: f32, weight: f32) -> (f32, f32) {
        let cut = (score - f64::from(label)).clamp(-self.alpha, self.alpha);
        ((cut * f64::from(weight)) as f32, weight)
    }

    fn unit_hessian(&self) -> bool {
        true
    }
}

#[derive(Debug)]
struct Fair {
    c: f64,
}

impl Kernel for Fair {
    #[inline]
    fn slopes(&self, score: f64, label: f32, weight: f32) -> (f32, f32) {
        let residual = score - f64::from(label);
        let (size, c, weight) = (residual.abs() + self.c, self.c, f64::from(weight));
        ((c * residual / size * weight) as f32, (c * c / (size * size) * weight) as f32)
    }
}

#[derive(Debug)]
struct Quantile {
    alpha: f32,
}

impl Kernel for Quantile {
    #[inline]
    fn slopes(&self, score: f64, label: f32, weight: f32) -> (f32, f32) {
        let above = (score - f64::from(label)) as f32 >= 0.0;
        let slope = if above { 1.0 - self.alpha } else { -self.alpha };
        (slope * weight, weight)
    }

    fn unit_hessian(&self) -> bool {
        true
    }

    fn leaf(&self) -> Option<Leaf> {
        Some(Leaf { alpha: f64::from(self.alpha), weight: None })
    }
}

#[derive(Debug)]
struct Mape;

impl Kernel for Mape {
    #[inline]
    fn slopes(&self, score: f64, label: f32, weight: f32) -> (f32, f32) {
        (sign(score - f64::from(label)) * (share(label) * weight), weight)
    }

    fn unit_hessian(&self) -> bool {
        true
    }

    fn leaf(&self) -> Option<Leaf> {
        Some(Leaf { alpha: 0.5, weight: Some(share) })
    }
}

pub(crate) fn squared(known: Known<'_>) -> Bind<'_> {
    let start = known.mean();
    Ok(bound(Squared, known, start, "regression"))
}

pub(crate) fn squared_root(known: Known<'_>) -> Bind<'_> {
    let root = |&label: &f32| sign(f64::from(label)) * label.abs().sqrt();
    let target =
        known.target.iter().map(|label| if label.is_nan() { f32::NAN } else { root(label) });
    let known = Known { target: Cow::Owned(target.collect()), ..known };
    let (start, link, text) = (known.mean(), Link::SignedSquare, "regression sqrt".into());
    Ok(Box::new(Rows { kernel: Squared, known, start, link, text }))
}

pub(crate) fn absolute(known: Known<'_>) -> Bind<'_> {
    percentile(Absolute, known, "regression_l1")
}

pub(crate) fn huber(known: Known<'_>, alpha: f64) -> Bind<'_> {
    let start = known.mean();
    Ok(bound(Huber { alpha }, known, start, "huber"))
}

pub(crate) fn fair(known: Known<'_>, c: f64) -> Bind<'_> {
    let start = known.mean();
    Ok(bound(Fair { c }, known, start, "fair"))
}

pub(crate) fn quantile(known: Known<'_>, alpha: f64) -> Bind<'_> {
    percentile(Quantile { alpha: alpha as f32 }, known, "quantile")
}

pub(crate) fn mape(known: Known<'_>) -> Bind<'_> {
    percentile(Mape, known, "mape")
}

fn percentile<'a, K: Kernel + 'a>(kernel: K, known: Known<'a>, text: &str) -> Bind<'a> {
    let start = kernel.leaf().map_or(0.0, |leaf| label_percentile(&known, leaf));
    Ok(bound(kernel, known, start, text))
}

fn bound<'a, K: Kernel + 'a>(
    kernel: K,
    known: Known<'a>,
    start: f64,
    text: &str,
) -> Box<dyn crate::Bound + 'a> {
    Box::new(Rows { kernel, known, start, link: Link::Identity, text: text.into() })
}

fn share(label: f32) -> f32 {
    1.0 / label.abs().max(1.0)
}

fn sign(value: f64) -> f32 {
    if value == 0.0 { 0.0 } else { value.signum() as f32 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Labels, known::Range};

    fn slopes(kernel: &impl Kernel, scores: [f64; 3]) -> [(f32, f32); 3] {
        scores.map(|score| kernel.slopes(score, 2.0, 2.0))
    }

    #[test]
    fn slopes_by_hand() {
        let scores = [1.0, 2.0, 5.0];
        assert_eq!(slopes(&Squared, scores), [(-2.0, 2.0), (0.0, 2.0), (6.0, 2.0)]);
        assert_eq!(slopes(&Absolute, scores), [(-2.0, 2.0), (0.0, 2.0), (2.0, 2.0)]);
        assert_eq!(slopes(&Huber { alpha: 0.5 }, scores), [(-1.0, 2.0), (0.0, 2.0), (1.0, 2.0)]);
        assert_eq!(slopes(&Fair { c: 1.0 }, scores), [(-1.0, 0.5), (0.0, 2.0), (1.5, 0.125)]);
        assert_eq!(
            slopes(&Quantile { alpha: 0.75 }, scores),
            [(-1.5, 2.0), (0.5, 2.0), (0.5, 2.0)]
        );
        assert_eq!(slopes(&Mape, scores), [(-1.0, 2.0), (0.0, 2.0), (1.0, 2.0)]);
    }

    #[test]
    fn unknown_rows_teach_nothing() {
        let target = [1.0, f32::NAN, 3.0, 5.0];
        let labels = Labels { targets: &[&target], ..Labels::default() };
        let known = Known::new(&labels, 0, &Range::finite("test")).unwrap();
        let bound = absolute(known).unwrap();
        let (mut g, mut h) = ([9.0; 4], [9.0; 4]);
        bound.slopes(0, &[2.0; 4], &mut g, &mut h);
        assert_eq!((g, h), ([1.0, 0.0, -1.0, -1.0], [1.0, 0.0, 1.0, 1.0]));
        assert_eq!((bound.start(), bound.constant_hessian()), (vec![3.0], false));
        assert_eq!(bound.renew(0, &[0, 1, 3], &[2.0; 4]), Some(1.0));
        assert_eq!(bound.renew(0, &[1], &[2.0; 4]), None);
    }
}
