//! Wasserstein's first distance, by deals.
//!
//! `W = ∫ |F(x) - G(x)| dx` over the values that are not missing, in the feature's unit, and `W / σ`
//! with `σ` the reference's standard deviation (divisor `n`). No limit distribution is free of the
//! data, so the p-value is always by deals of the rows that are not missing; the missing share is
//! tested by the other distances.
//!
//! NaN when a sample is wholly missing or a value is infinite; `W / σ` is NaN when the reference is
//! constant. The p-value is NaN with `W`.
//!
//! Cost: one pass over the distinct values, and one for each deal.
//!
//! Reference: Vallender (1974), Calculation of the Wasserstein distance between probability
//! distributions on the line, Theory of Probability and its Applications 18(4).

use fattail_stats::Counter;
use serde::{Deserialize, Serialize};

use super::{Tally, deal::deal};
use crate::{
    error::{Error, Result},
    null::{Null, checked_draws, permutation_p},
};

/// Wasserstein's first distance, raw and in the reference's standard deviations.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Wasserstein {
    /// In the feature's unit.
    #[serde(with = "fattail_core::null")]
    pub raw: f64,
    /// In standard deviations of the reference.
    #[serde(with = "fattail_core::null")]
    pub scaled: f64,
    /// The chance of a distance at least as large without drift.
    #[serde(with = "fattail_core::null")]
    pub p: f64,
}

/// Wasserstein's first distance of two samples.
///
/// ```
/// use fattail_drift::{Null, Tally, wasserstein};
/// let tally = Tally::of_values(&[0.0, 1.0, 2.0], &[5.0, 6.0, 7.0])?;
/// let found = wasserstein(&tally, &Null::default())?;
/// assert_eq!(found.raw, 5.0);
/// # Ok::<(), fattail_drift::Error>(())
/// ```
///
/// # Errors
/// When the null is asymptotic, or there are no draws to make.
pub fn wasserstein(tally: &Tally, null: &Null) -> Result<Wasserstein> {
    let (draws, seed) = match *null {
        Null::Permutation { draws, seed } | Null::Auto { draws, seed } => (draws, seed),
        Null::Asymptotic => {
            return Err(Error::setting("null", "asymptotic", "auto or permutation"));
        }
    };
    checked_draws(draws)?;
    let raw = raw_distance(tally);
    let scaled = scaled_distance(tally, raw);
    if raw.is_nan() {
        return Ok(Wasserstein { raw, scaled, p: f64::NAN });
    }
    let pooled: Vec<u64> =
        tally.reference().iter().zip(tally.current()).map(|(a, b)| a + b).collect();
    let mut reference = tally.reference().to_vec();
    let counter = Counter::new(seed);
    let p = permutation_p(raw, draws, |draw| {
        deal(&pooled, tally.present()[0], &mut counter.draw(draw), &mut reference);
        distance(tally.values(), &reference, &pooled, tally.present())
    })?;
    Ok(Wasserstein { raw, scaled, p })
}

/// `W`.
pub(crate) fn raw_distance(tally: &Tally) -> f64 {
    let present = tally.present();
    if present.contains(&0) || tally.values().iter().any(|value| value.is_infinite()) {
        return f64::NAN;
    }
    let pooled: Vec<u64> =
        tally.reference().iter().zip(tally.current()).map(|(a, b)| a + b).collect();
    distance(tally.values(), tally.reference(), &pooled, present)
}

/// `W / σ`.
pub(crate) fn scaled_distance(tally: &Tally, raw: f64) -> f64 {
    let spread = deviation(tally.values(), tally.reference());
    if spread > 0.0 { raw / spread } else { f64::NAN }
}

fn distance(values: &[f64], reference: &[u64], pooled: &[u64], [n, m]: [u64; 2]) -> f64 {
    let (mut here, mut there, mut sum) = (0_u64, 0_u64, 0.0);
    for at in 0..values.len().saturating_sub(1) {
        here += reference[at];
        there += pooled[at] - reference[at];
        let gap = (here as f64 / n as f64 - there as f64 / m as f64).abs();
        sum += gap * (values[at + 1] - values[at]);
    }
    sum
}

/// The standard deviation of counted values, with divisor `n`.
fn deviation(values: &[f64], counts: &[u64]) -> f64 {
    let rows = counts.iter().sum::<u64>() as f64;
    let weighted = |f: &dyn Fn(f64) -> f64| {
        let terms = values.iter().zip(counts).filter(|(_, count)| **count > 0);
        terms.map(|(&value, &count)| count as f64 * f(value)).sum::<f64>() / rows
    };
    let mean = weighted(&|value| value);
    weighted(&|value| (value - mean).powi(2)).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_infinite_and_constant() {
        let null = Null::Auto { draws: 9, seed: 0 };
        let of =
            |a: &[f64], b: &[f64]| wasserstein(&Tally::of_values(a, b).unwrap(), &null).unwrap();
        let found = of(&[f64::NAN], &[1.0, 2.0]);
        assert!(found.raw.is_nan() && found.p.is_nan());
        assert!(of(&[1.0, f64::INFINITY], &[1.0, 2.0]).raw.is_nan());
        let flat = of(&[1.0, 1.0], &[1.0, 3.0]);
        assert!(flat.raw == 1.0 && flat.scaled.is_nan() && flat.p > 0.0);
        let tally = Tally::of_values(&[1.0], &[2.0]).unwrap();
        assert!(wasserstein(&tally, &Null::Asymptotic).is_err());
    }
}
