//! Mean, variance, skewness and kurtosis, of a slice or in one pass with merging.
//!
//! With `m_k = Σ(x - x̄)^k / n`: variance `n m_2 / (n - ddof)`, skewness `m_3 / m_2^1.5`, kurtosis
//! `m_4 / m_2²`. Kurtosis is not excess: a normal sample has 3. Both are the biased forms.
//!
//! NaN in gives NaN out; an empty slice has mean NaN; a constant one has variance 0 and NaN
//! skewness and kurtosis; `n <= ddof` gives variance NaN.
//!
//! Cost: two passes for slices, one for [`Moments`].
//!
//! Reference: Welford (1962), Note on a method for calculating corrected sums of squares and
//! products, Technometrics 4(3); Pébay (2008), Formulas for robust, one-pass parallel computation
//! of covariances and arbitrary-order statistical moments, SAND2008-6212, equations 1.5 and 2.1.

use crate::sums::sum_of;

/// Streaming central moments up to the fourth.
///
/// ```
/// use fattail_stats::Moments;
/// let (mut left, mut right) = (Moments::new(), Moments::new());
/// [1.0, 2.0].iter().for_each(|&x| left.push(x));
/// [3.0, 6.0].iter().for_each(|&x| right.push(x));
/// left.merge(&right);
/// assert_eq!(left.mean(), 3.0);
/// assert_eq!(left.variance(0), 3.5);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Moments {
    count: u64,
    mean: f64,
    second: f64,
    third: f64,
    fourth: f64,
}

impl Moments {
    /// Moments of nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes one more value in.
    pub fn push(&mut self, value: f64) {
        let before = self.count as f64;
        self.count += 1;
        let n = self.count as f64;
        let delta = value - self.mean;
        let step = delta / n;
        let step2 = step * step;
        let term = delta * step * before;
        self.mean += step;
        self.fourth += term * step2 * (n * n - 3.0 * n + 3.0) + 6.0 * step2 * self.second
            - 4.0 * step * self.third;
        self.third += term * step * (n - 2.0) - 3.0 * step * self.second;
        self.second += term;
    }

    /// Takes all values of `other` in.
    pub fn merge(&mut self, other: &Self) {
        if other.count == 0 {
            return;
        }
        if self.count == 0 {
            *self = *other;
            return;
        }
        let (a, b) = (self.count as f64, other.count as f64);
        let n = a + b;
        let delta = other.mean - self.mean;
        let step = delta / n;
        let fourth = delta * step * step * step * a * b * (a * a - a * b + b * b)
            + 6.0 * step * step * (a * a * other.second + b * b * self.second)
            + 4.0 * step * (a * other.third - b * self.third);
        let third = delta * step * step * a * b * (a - b)
            + 3.0 * step * (a * other.second - b * self.second);
        self.fourth += other.fourth + fourth;
        self.third += other.third + third;
        self.second += other.second + delta * step * a * b;
        self.mean += step * b;
        self.count += other.count;
    }

    /// Number of values.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Mean; NaN for no values.
    #[must_use]
    pub fn mean(&self) -> f64 {
        if self.count == 0 { f64::NAN } else { self.mean }
    }

    /// Variance with divisor `n - ddof`.
    #[must_use]
    pub fn variance(&self, ddof: usize) -> f64 {
        if self.count <= ddof as u64 {
            return f64::NAN;
        }
        self.second / (self.count - ddof as u64) as f64
    }

    /// Square root of [`Moments::variance`].
    #[must_use]
    pub fn std(&self, ddof: usize) -> f64 {
        self.variance(ddof).sqrt()
    }

    /// Skewness `m_3 / m_2^1.5`.
    #[must_use]
    pub fn skewness(&self) -> f64 {
        let n = self.count as f64;
        self.third / n / (self.second / n).powf(1.5)
    }

    /// Kurtosis `m_4 / m_2²`, 3 for a normal sample.
    #[must_use]
    pub fn kurtosis(&self) -> f64 {
        n_times_ratio(self.count as f64, self.fourth, self.second)
    }
}

impl FromIterator<f64> for Moments {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        let mut moments = Self::new();
        values.into_iter().for_each(|v| moments.push(v));
        moments
    }
}

/// Mean.
#[must_use]
pub fn mean(x: &[f64]) -> f64 {
    sum_of(x, |v| v) / x.len() as f64
}

/// Variance with divisor `n - ddof`.
///
/// ```
/// assert_eq!(fattail_stats::variance(&[1.0, 3.0], 1), 2.0);
/// ```
#[must_use]
pub fn variance(x: &[f64], ddof: usize) -> f64 {
    if x.len() <= ddof {
        return f64::NAN;
    }
    if is_constant(x) {
        return 0.0;
    }
    let m = mean(x);
    sum_of(x, |v| (v - m) * (v - m)) / (x.len() - ddof) as f64
}

/// Square root of [`variance`].
#[must_use]
pub fn std(x: &[f64], ddof: usize) -> f64 {
    variance(x, ddof).sqrt()
}

/// Skewness `m_3 / m_2^1.5`.
#[must_use]
pub fn skewness(x: &[f64]) -> f64 {
    let (n, m, second) = (x.len() as f64, mean(x), variance(x, 0));
    sum_of(x, |v| (v - m) * (v - m) * (v - m)) / n / second.powf(1.5)
}

/// Kurtosis `m_4 / m_2²`, 3 for a normal sample.
#[must_use]
pub fn kurtosis(x: &[f64]) -> f64 {
    let (n, m, second) = (x.len() as f64, mean(x), variance(x, 0));
    let fourth = sum_of(x, |v| {
        let square = (v - m) * (v - m);
        square * square
    });
    n_times_ratio(n, fourth, second * n)
}

/// Whether all values are the same; decided on the values, because rounding in the mean leaves a
/// constant slice with a variance that is not zero.
pub(crate) fn is_constant(x: &[f64]) -> bool {
    x.first().is_none_or(|first| x.iter().all(|v| v == first))
}

fn n_times_ratio(n: f64, fourth: f64, second: f64) -> f64 {
    if second == 0.0 {
        return f64::NAN;
    }
    n * fourth / (second * second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        let x = [1.0, 2.0, 3.0, 6.0];
        assert_eq!((mean(&x), variance(&x, 0), variance(&x, 1)), (3.0, 3.5, 14.0 / 3.0));
        // Deviations -2 -1 0 3: third powers sum to 18, fourth powers to 98.
        assert!((skewness(&x) - 4.5 / 3.5_f64.powf(1.5)).abs() < 1e-15);
        assert!((kurtosis(&x) - 24.5 / 12.25).abs() < 1e-15);
    }

    #[test]
    fn degenerate_samples() {
        assert!(mean(&[]).is_nan() && variance(&[1.0], 1).is_nan());
        assert_eq!(variance(&[0.1; 9], 1), 0.0);
        assert!(skewness(&[0.1; 9]).is_nan() && kurtosis(&[0.1; 9]).is_nan());
        assert!(mean(&[1.0, f64::NAN]).is_nan() && variance(&[1.0, f64::NAN], 0).is_nan());
        let none = Moments::new();
        assert!(none.mean().is_nan() && none.variance(0).is_nan() && none.kurtosis().is_nan());
    }
}
