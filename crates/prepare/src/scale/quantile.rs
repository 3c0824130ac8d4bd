//! The quantile transform: values to their place in the distribution of a sample.
//!
//! References `r_k = k / (m - 1)`, `k < m = min(quantiles, rows)`, and quantiles `q_k` of the sample
//! at `r_k` (linear interpolation). Inside, a value goes to the mean of two interpolations of
//! `(q, r)`, one from the left and one from the right, which differ where quantiles repeat; at and
//! beyond the ends it goes to 0 or 1. The normal form then takes `Φ⁻¹`, clipped at
//! `Φ⁻¹(1e-7 - 2⁻⁵²)`, about ±5.2, and counts values within 1e-7 of an end as the end.
//!
//! NaN is left out of the fit and stays NaN. All rows count, there is no subsample. Ties share a
//! place. A sample without values maps everything to NaN.
//!
//! Cost: a sort to fit, `log m` a value to apply.
//!
//! Reference: `QuantileTransformer` of scikit-learn 1.9, with `subsample=None`.

use fattail_core::{Error, Result};
use fattail_stats::{normal_quantile, quantile_sorted};
use serde::{Deserialize, Serialize};

/// What a quantile transform gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Output {
    /// Numbers that look normal.
    #[default]
    Normal,
    /// Numbers between 0 and 1.
    Uniform,
}

/// Settings of the quantile transform.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct QuantileNormal {
    /// The number of quantiles kept, at least 1.
    pub quantiles: usize,
    /// The distribution of the output.
    pub output: Output,
}

impl Default for QuantileNormal {
    fn default() -> Self {
        Self { quantiles: 1000, output: Output::Normal }
    }
}

impl QuantileNormal {
    pub(crate) fn check(&self) -> Result<()> {
        if self.quantiles == 0 {
            return Err(Error::setting("quantiles", self.quantiles, "at least 1"));
        }
        Ok(())
    }

    /// Learns from `rows` values of which the ones that are not NaN are `sorted`.
    pub(crate) fn learn_sorted(&self, sorted: &[f64], rows: usize) -> Quantiles {
        let count = self.quantiles.min(rows).max(1);
        // The reference rounds in just this way. Where values repeat, the last bit of a reference
        // decides whether its quantile is the repeated value or lies a hair beside it.
        let step = 1.0 / (count - 1).max(1) as f64;
        let mut references: Vec<f64> = (0..count).map(|k| k as f64 * step).collect();
        references[count - 1] = if count > 1 { 1.0 } else { 0.0 };
        let at = |&r: &f64| quantile_sorted(sorted, r * 100.0 / 100.0).unwrap_or(f64::NAN);
        let values: Vec<f64> = references.iter().map(at).collect();
        Quantiles { values, references, output: self.output }
    }
}

/// The quantiles of a sample, by which values are transformed.
#[derive(Debug, Clone, PartialEq)]
pub struct Quantiles {
    values: Vec<f64>,
    references: Vec<f64>,
    output: Output,
}

/// Values this near to an end count as the end, in the normal form.
const BOUND: f64 = 1e-7;
/// The ends of places in the normal form.
const LOWEST: f64 = BOUND - f64::EPSILON;
const HIGHEST: f64 = 1.0 - LOWEST;

impl Quantiles {
    /// The transformed value.
    #[must_use]
    pub fn apply(&self, x: f64) -> f64 {
        let place = self.place(x);
        match self.output {
            Output::Uniform => place,
            // The quantile function rises, so its ends are those of the place.
            Output::Normal => normal_quantile(place.clamp(LOWEST, HIGHEST)),
        }
    }

    /// Writes the transformed values.
    pub(crate) fn apply_all(&self, x: &[f64], out: &mut [f64]) {
        out.iter_mut().zip(x).for_each(|(slot, &x)| *slot = self.apply(x));
    }

    /// The place between 0 and 1.
    fn place(&self, x: f64) -> f64 {
        let (first, last) = (self.values[0], self.values[self.values.len() - 1]);
        if x.is_nan() || first.is_nan() {
            return f64::NAN;
        }
        let slack = if self.output == Output::Normal { BOUND } else { 0.0 };
        // The lower end wins where both hold, as in the reference; the uniform form counts only
        // values at the ends, and interpolation sends what lies beyond to the same places.
        if x - slack < first || x <= first {
            return 0.0;
        }
        if x + slack > last || x >= last {
            return 1.0;
        }
        self.between(x)
    }

    /// The mean of the two interpolations at `first < x < last`.
    fn between(&self, x: f64) -> f64 {
        let (q, r) = (&self.values, &self.references);
        let above = q.partition_point(|&v| v <= x);
        let left = above - 1;
        if q[left] < x {
            return line(x, (q[left], r[left]), (q[above], r[above]));
        }
        // On a quantile: from the left its last repetition counts, from the right its first.
        let begin = q[..above].partition_point(|&v| v < x);
        0.5 * (r[left] + r[begin])
    }
}

fn line(x: f64, (x0, y0): (f64, f64), (x1, y1): (f64, f64)) -> f64 {
    let slope = (y1 - y0) / (x1 - x0);
    let y = slope * (x - x0) + y0;
    if y.is_nan() { 0.5 * (y0 + y1) } else { y }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(sorted: &[f64], output: Output) -> Quantiles {
        QuantileNormal { quantiles: 5, output }.learn_sorted(sorted, sorted.len())
    }

    #[test]
    fn by_hand() {
        let uniform = places(&[0.0, 1.0, 1.0, 1.0, 3.0], Output::Uniform);
        let of = |x| uniform.apply(x);
        assert_eq!((of(-1.0), of(0.5), of(1.0), of(2.0), of(9.0)), (0.0, 0.125, 0.5, 0.875, 1.0));
        assert!(of(f64::NAN).is_nan());
    }

    #[test]
    fn ends_of_the_normal_form_are_clipped() {
        let normal = places(&[0.0, 1.0, 2.0, 3.0, 4.0], Output::Normal);
        assert_eq!(normal.apply(2.0), 0.0);
        assert!((normal.apply(0.0) + 5.199_337_582).abs() < 1e-6);
        assert!((normal.apply(99.0) - 5.199_337_582).abs() < 1e-6);
    }

    #[test]
    fn no_values_and_one_value() {
        assert!(places(&[], Output::Uniform).apply(1.0).is_nan());
        assert_eq!(places(&[2.0], Output::Uniform).apply(2.0), 0.0);
    }
}
