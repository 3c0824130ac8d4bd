//! Robust location and scale: quantiles, median, MAD, interquartile range, winsorised and trimmed
//! forms.
//!
//! Quantile `q` of sorted `x` lies at `h = q (n - 1)`, linear between neighbours (Hyndman and Fan's
//! type 7, the default of numpy and pandas). MAD `= median |x - median x|`; times
//! [`MAD_TO_SIGMA`] it estimates the standard deviation of a normal sample. A winsorised sample has
//! its `⌊lower n⌋` smallest and `⌊upper n⌋` largest values replaced by the nearest value kept; a
//! trimmed one drops them.
//!
//! Functions of slices give NaN for any NaN and for no values; [`Sample`] leaves NaN out when it
//! loads. Infinities are ordinary values at the ends.
//!
//! Cost: `O(n)` by selection; no allocation once a [`Sample`] is warm.
//!
//! Reference: Hyndman and Fan (1996), Sample quantiles in statistical packages, The American
//! Statistician 50(4); Rousseeuw and Croux (1993), Alternatives to the median absolute deviation,
//! JASA 88; Hoare (1961), Algorithm 65: Find, CACM 4(7).

use crate::error::{Error, Result};
use crate::moments::{mean, variance};

/// `1 / Φ⁻¹(3/4)`: MAD times this is the standard deviation of a normal sample.
pub const MAD_TO_SIGMA: f64 = 1.482_602_218_505_602;

/// A reusable buffer of the values that are not NaN, and their quantiles.
///
/// ```
/// use fattail_stats::Sample;
/// let mut sample = Sample::new();
/// sample.load([4.0, f64::NAN, 1.0, 2.0, 3.0]);
/// assert_eq!(sample.median(), 2.5);
/// assert_eq!(sample.interquartile_range(), 1.5);
/// assert_eq!(sample.median_absolute_deviation(), 1.0);
/// ```
#[derive(Debug, Clone, Default)]
pub struct Sample {
    values: Vec<f64>,
    deviations: Vec<f64>,
}

impl Sample {
    /// An empty sample.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Replaces the sample by the values that are not NaN; returns their number.
    pub fn load(&mut self, values: impl IntoIterator<Item = f64>) -> usize {
        self.values.clear();
        self.values.extend(values.into_iter().filter(|v| !v.is_nan()));
        self.values.len()
    }

    /// The values, in an order that the quantiles asked for so far left them in.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// Quantile `q`; NaN for an empty sample.
    ///
    /// # Errors
    /// [`Error::Range`] when `q` lies outside `[0, 1]`.
    pub fn quantile(&mut self, q: f64) -> Result<f64> {
        in_unit("q", q)?;
        Ok(select_quantile(&mut self.values, q))
    }

    /// Median; NaN for an empty sample.
    pub fn median(&mut self) -> f64 {
        select_quantile(&mut self.values, 0.5)
    }

    /// Third quartile less first quartile.
    pub fn interquartile_range(&mut self) -> f64 {
        select_quantile(&mut self.values, 0.75) - select_quantile(&mut self.values, 0.25)
    }

    /// Median of the absolute deviations from the median, not scaled.
    pub fn median_absolute_deviation(&mut self) -> f64 {
        let centre = self.median();
        self.deviations.clear();
        let away = self.values.iter().map(|v| (v - centre).abs());
        self.deviations.extend(away);
        select_quantile(&mut self.deviations, 0.5)
    }
}

/// Median.
///
/// ```
/// assert_eq!(fattail_stats::median(&[3.0, 1.0, 100.0, 2.0]), 2.5);
/// ```
#[must_use]
pub fn median(x: &[f64]) -> f64 {
    with_sample(x, Sample::median)
}

/// Median absolute deviation from the median, not scaled.
#[must_use]
pub fn median_absolute_deviation(x: &[f64]) -> f64 {
    with_sample(x, Sample::median_absolute_deviation)
}

/// Third quartile less first quartile.
#[must_use]
pub fn interquartile_range(x: &[f64]) -> f64 {
    with_sample(x, Sample::interquartile_range)
}

/// Quantile `q` of values in any order.
///
/// # Errors
/// [`Error::Range`] when `q` lies outside `[0, 1]`.
pub fn quantile(x: &[f64], q: f64) -> Result<f64> {
    in_unit("q", q)?;
    Ok(with_sample(x, |sample| select_quantile(&mut sample.values, q)))
}

/// Quantile `q` of values in rising order without NaN, in constant time.
///
/// # Errors
/// [`Error::Range`] when `q` lies outside `[0, 1]`.
pub fn quantile_sorted(sorted: &[f64], q: f64) -> Result<f64> {
    in_unit("q", q)?;
    Ok(if sorted.is_empty() {
        f64::NAN
    } else {
        let (low, part) = place(sorted.len(), q);
        let high = (low + 1).min(sorted.len() - 1);
        between(sorted[low], sorted[high], part)
    })
}

/// A copy of `x`, in its order, with the tails pulled in to the nearest value kept.
///
/// ```
/// let pulled = fattail_stats::winsorise(&[1.0, 2.0, 3.0, 4.0, 500.0], 0.2, 0.2)?;
/// assert_eq!(pulled, [2.0, 2.0, 3.0, 4.0, 4.0]);
/// # Ok::<(), fattail_stats::Error>(())
/// ```
///
/// # Errors
/// [`Error::Range`] when a tail is negative or both together reach 1.
pub fn winsorise(x: &[f64], lower: f64, upper: f64) -> Result<Vec<f64>> {
    let (low, high) = tails(x.len(), lower, upper)?;
    if x.is_empty() || x.iter().any(|v| v.is_nan()) {
        return Ok(vec![f64::NAN; x.len()]);
    }
    let mut sorted = x.to_vec();
    let least = *sorted.select_nth_unstable_by(low, f64::total_cmp).1;
    let most = *sorted.select_nth_unstable_by(high - 1, f64::total_cmp).1;
    Ok(x.iter().map(|v| v.clamp(least, most)).collect())
}

/// Mean of the winsorised sample.
///
/// # Errors
/// [`Error::Range`] when a tail is negative or both together reach 1.
pub fn winsorised_mean(x: &[f64], lower: f64, upper: f64) -> Result<f64> {
    Ok(mean(&winsorise(x, lower, upper)?))
}

/// Standard deviation of the winsorised sample, divisor `n - ddof`.
///
/// # Errors
/// [`Error::Range`] when a tail is negative or both together reach 1.
pub fn winsorised_std(x: &[f64], lower: f64, upper: f64, ddof: usize) -> Result<f64> {
    Ok(variance(&winsorise(x, lower, upper)?, ddof).sqrt())
}

/// Mean of the values between the tails.
///
/// ```
/// let centre = fattail_stats::trimmed_mean(&[1.0, 2.0, 3.0, 4.0, 500.0], 0.2, 0.2)?;
/// assert_eq!(centre, 3.0);
/// # Ok::<(), fattail_stats::Error>(())
/// ```
///
/// # Errors
/// [`Error::Range`] when a tail is negative or both together reach 1.
pub fn trimmed_mean(x: &[f64], lower: f64, upper: f64) -> Result<f64> {
    let (low, high) = tails(x.len(), lower, upper)?;
    if x.is_empty() || x.iter().any(|v| v.is_nan()) {
        return Ok(f64::NAN);
    }
    let mut sorted = x.to_vec();
    sorted.select_nth_unstable_by(low, f64::total_cmp);
    let kept = &mut sorted[low..];
    kept.select_nth_unstable_by(high - low - 1, f64::total_cmp);
    Ok(mean(&kept[..high - low]))
}

/// Loads a slice and applies `f`; NaN when a value is NaN.
fn with_sample(x: &[f64], f: impl FnOnce(&mut Sample) -> f64) -> f64 {
    let mut sample = Sample::new();
    if sample.load(x.iter().copied()) < x.len() {
        return f64::NAN;
    }
    f(&mut sample)
}

/// Quantile by selection; leaves the values partly ordered.
fn select_quantile(values: &mut [f64], q: f64) -> f64 {
    if values.is_empty() {
        return f64::NAN;
    }
    let (low, part) = place(values.len(), q);
    let (_, &mut at, above) = values.select_nth_unstable_by(low, f64::total_cmp);
    if part == 0.0 {
        return at;
    }
    let next = above.iter().copied().min_by(f64::total_cmp);
    between(at, next.unwrap_or(at), part)
}

/// The position `q (n - 1)` as a whole and a fraction.
fn place(n: usize, q: f64) -> (usize, f64) {
    let h = q * (n - 1) as f64;
    let low = (h.floor() as usize).min(n - 1);
    (low, h - low as f64)
}

/// The point `part` of the way from `a` to `b`, taken from the nearer end.
fn between(a: f64, b: f64, part: f64) -> f64 {
    if part == 0.0 || a == b {
        a
    } else if part < 0.5 {
        a + (b - a) * part
    } else {
        b - (b - a) * (1.0 - part)
    }
}

/// The rows `low..high` of the sorted sample that stay.
fn tails(n: usize, lower: f64, upper: f64) -> Result<(usize, usize)> {
    in_unit("lower", lower)?;
    in_unit("upper", upper)?;
    if lower + upper >= 1.0 {
        return Err(Error::Range {
            name: "lower + upper",
            given: lower + upper,
            allowed: "below 1",
        });
    }
    let cut = |share: f64| (share * n as f64).floor() as usize;
    Ok((cut(lower), n - cut(upper)))
}

pub(crate) fn in_unit(name: &'static str, given: f64) -> Result<()> {
    if (0.0..=1.0).contains(&given) {
        return Ok(());
    }
    Err(Error::Range { name, given, allowed: "0 to 1" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        let x = [5.0, 1.0, 4.0, 2.0];
        assert_eq!(quantile(&x, 0.0).unwrap(), 1.0);
        assert_eq!(quantile(&x, 1.0).unwrap(), 5.0);
        assert_eq!(quantile(&x, 0.5).unwrap(), 3.0);
        assert_eq!(quantile_sorted(&[1.0, 2.0, 4.0, 5.0], 0.25).unwrap(), 1.75);
        assert_eq!(median_absolute_deviation(&[1.0, 1.0, 2.0, 2.0, 4.0, 6.0, 9.0]), 1.0);
        assert_eq!(winsorised_mean(&[0.0, 1.0, 2.0, 3.0, 99.0], 0.2, 0.2).unwrap(), 2.0);
        assert_eq!(winsorised_std(&[0.0, 1.0, 1.0, 1.0, 99.0], 0.2, 0.2, 1).unwrap(), 0.0);
    }

    #[test]
    fn nothing_missing_and_outside() {
        assert!(median(&[]).is_nan() && median(&[1.0, f64::NAN]).is_nan());
        assert!(quantile(&[1.0], 1.5).is_err() && quantile(&[1.0], f64::NAN).is_err());
        assert!(
            winsorise(&[1.0], 0.5, 0.5).is_err() && winsorise(&[], 0.1, 0.1).unwrap().is_empty()
        );
        assert!(trimmed_mean(&[], 0.1, 0.1).unwrap().is_nan());
        assert_eq!(median(&[f64::INFINITY, f64::INFINITY]), f64::INFINITY);
        assert_eq!(Sample::new().load([f64::NAN]), 0);
    }
}
