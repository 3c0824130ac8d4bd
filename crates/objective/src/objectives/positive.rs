//! Regression on the logarithm of a positive mean: Poisson, gamma and Tweedie.
//!
//! With f the score and y the label, the loss is that of the exponential family up to a constant:
//! Poisson `exp f - y f`, gamma `f + y exp(-f)`, Tweedie of power p
//! `-y exp((1-p) f) / (1-p) + exp((2-p) f) / (2-p)`. The hessian of Poisson is `exp(f + s)` with a
//! step bound s that keeps leaves short. All start at the logarithm of the mean.
//! Poisson and Tweedie take labels from 0, of which at least one is above; gamma takes labels above 0
//! (LightGBM's gamma takes zeros as well, though its metric refuses them). NaN labels: [`Known`].
//! Cost: one exponential a row, two for Tweedie. Reference: LightGBM 4.7; Jorgensen (1987).

use fattail_trees::Link;

use super::{
    Bind,
    rows::{Kernel, Rows},
};
use crate::known::Known;

#[derive(Debug)]
struct Poisson {
    growth: f64,
}

impl Kernel for Poisson {
    #[inline]
    fn slopes(&self, score: f64, label: f32, weight: f32) -> (f32, f32) {
        let (mean, weight) = (score.exp(), f64::from(weight));
        (((mean - f64::from(label)) * weight) as f32, (mean * self.growth * weight) as f32)
    }
}

#[derive(Debug)]
struct Gamma;

impl Kernel for Gamma {
    #[inline]
    fn slopes(&self, score: f64, label: f32, weight: f32) -> (f32, f32) {
        let (ratio, weight) = (f64::from(label) * (-score).exp(), f64::from(weight));
        (((1.0 - ratio) * weight) as f32, (ratio * weight) as f32)
    }
}

#[derive(Debug)]
struct Tweedie {
    power: f64,
}

impl Kernel for Tweedie {
    #[inline]
    fn slopes(&self, score: f64, label: f32, weight: f32) -> (f32, f32) {
        let (one, two) = (1.0 - self.power, 2.0 - self.power);
        let (first, second) = ((one * score).exp(), (two * score).exp());
        let (label, weight) = (f64::from(label), f64::from(weight));
        let gradient = (-label * first + second) * weight;
        (gradient as f32, ((-label * one * first + two * second) * weight) as f32)
    }
}

pub(crate) fn poisson(known: Known<'_>, max_delta_step: f64) -> Bind<'_> {
    bound(Poisson { growth: max_delta_step.exp() }, known, "poisson")
}

pub(crate) fn gamma(known: Known<'_>) -> Bind<'_> {
    bound(Gamma, known, "gamma")
}

pub(crate) fn tweedie(known: Known<'_>, power: f64) -> Bind<'_> {
    bound(Tweedie { power }, known, "tweedie")
}

fn bound<'a, K: Kernel + 'a>(kernel: K, known: Known<'a>, text: &str) -> Bind<'a> {
    let start = known.mean().ln();
    Ok(Box::new(Rows { kernel, known, start, link: Link::Exp, text: text.into() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slopes_by_hand() {
        assert_eq!(Poisson { growth: 2.0 }.slopes(0.0, 3.0, 1.0), (-2.0, 2.0));
        assert_eq!(Gamma.slopes(0.0, 3.0, 2.0), (-4.0, 6.0));
        assert_eq!(Tweedie { power: 1.5 }.slopes(0.0, 3.0, 1.0), (-2.0, 2.0));
    }
}
