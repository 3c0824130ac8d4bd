//! Many p-values at once: adjusted p-values, in input order.
//!
//! With the `m` p-values in rising order `p_(1)..p_(m)`:
//!
//! ```text
//! Holm                     max over j <= i of (m - j + 1) p_(j)   familywise error, any dependence
//! Benjamini and Hochberg   min over j >= i of m p_(j) / j         false discovery rate, independent or
//!                                                                 positively dependent
//! Benjamini and Yekutieli  the same times Σ 1/i                   false discovery rate, any dependence
//! Storey                   Benjamini and Hochberg's times π0 = (#{p > λ} + 1) / ((1 - λ) m), at most 1
//! ```
//!
//! All are cut at 1. NaN stays NaN and is not counted; other values outside `[0, 1]` are refused; no
//! p-values give none.
//!
//! Cost: `m log m`.
//!
//! Reference: Holm (1979), A simple sequentially rejective multiple test procedure, Scandinavian Journal
//! of Statistics 6(2); Benjamini and Hochberg (1995), JRSS B 57(1); Benjamini and Yekutieli (2001),
//! Annals of Statistics 29(4); Storey, Taylor and Siegmund (2004), JRSS B 66(1).

use crate::error::{self, Error, Result};

/// Holm's adjusted p-values: reject those at most `α`, and the probability of any false rejection is at
/// most `α`.
///
/// ```
/// let adjusted = fattail_luck::holm(&[0.01, 0.04, 0.03])?;
/// assert_eq!(adjusted, [0.03, 0.06, 0.06]);
/// # Ok::<(), fattail_luck::Error>(())
/// ```
///
/// # Errors
/// [`Error::Range`] for a value outside `[0, 1]`.
pub fn holm(p_values: &[f64]) -> Result<Vec<f64>> {
    let order = ordered(p_values)?;
    let count = order.len() as f64;
    let mut floor = 0.0_f64;
    let mut adjusted = vec![f64::NAN; p_values.len()];
    for (place, &at) in order.iter().enumerate() {
        floor = floor.max(((count - place as f64) * p_values[at]).min(1.0));
        adjusted[at] = floor;
    }
    Ok(adjusted)
}

/// Benjamini and Hochberg's adjusted p-values: of the rejections at `α`, a share `α` is false on
/// average.
///
/// ```
/// let adjusted = fattail_luck::benjamini_hochberg(&[0.01, 0.04, 0.02])?;
/// assert_eq!(adjusted, [0.03, 0.04, 0.03]);
/// # Ok::<(), fattail_luck::Error>(())
/// ```
///
/// # Errors
/// [`Error::Range`] for a value outside `[0, 1]`.
pub fn benjamini_hochberg(p_values: &[f64]) -> Result<Vec<f64>> {
    step_up(p_values, |_| 1.0)
}

/// Benjamini and Yekutieli's adjusted p-values, for any dependence.
///
/// ```
/// let adjusted = fattail_luck::benjamini_yekutieli(&[0.01, 0.3])?;
/// assert!((adjusted[0] - 0.03).abs() < 1e-15);
/// # Ok::<(), fattail_luck::Error>(())
/// ```
///
/// # Errors
/// [`Error::Range`] for a value outside `[0, 1]`.
pub fn benjamini_yekutieli(p_values: &[f64]) -> Result<Vec<f64>> {
    step_up(p_values, |count| (1..=count).map(|i| 1.0 / i as f64).sum())
}

/// The share of true nulls, and q-values.
#[derive(Debug, Clone, PartialEq)]
pub struct Storey {
    /// `π0`.
    pub null_share: f64,
    /// q-values in input order.
    pub q_values: Vec<f64>,
}

/// Storey's q-values with the share of true nulls estimated above `lambda`, usually 0.5.
///
/// ```
/// let found = fattail_luck::storey(&[0.001, 0.002, 0.003, 0.004, 0.7, 0.2], 0.5)?;
/// assert!((found.null_share - 2.0 / 3.0).abs() < 1e-12);
/// assert!((found.q_values[3] - 0.004).abs() < 1e-12);
/// # Ok::<(), fattail_luck::Error>(())
/// ```
///
/// # Errors
/// [`Error::Range`] for a value outside `[0, 1]` or `lambda` outside `[0, 1)`.
pub fn storey(p_values: &[f64], lambda: f64) -> Result<Storey> {
    if lambda != 0.0 {
        error::share("lambda", lambda)?;
    }
    let count = p_values.iter().filter(|p| !p.is_nan()).count() as f64;
    let above = p_values.iter().filter(|p| **p > lambda).count() as f64;
    let null_share = ((above + 1.0) / ((1.0 - lambda) * count)).min(1.0);
    Ok(Storey { null_share, q_values: step_up(p_values, |_| null_share)? })
}

fn step_up(p_values: &[f64], factor: impl Fn(usize) -> f64) -> Result<Vec<f64>> {
    allowed(p_values)?;
    Ok(fattail_stats::step_up(p_values, factor))
}

fn allowed(p_values: &[f64]) -> Result<()> {
    match p_values.iter().find(|p| !p.is_nan() && !(0.0..=1.0).contains(*p)) {
        Some(&given) => Err(Error::Range { name: "p_values", given, allowed: "0 to 1, or NaN" }),
        None => Ok(()),
    }
}

/// Positions of the p-values that are not NaN, in rising order.
fn ordered(p_values: &[f64]) -> Result<Vec<usize>> {
    allowed(p_values)?;
    let mut order: Vec<usize> = (0..p_values.len()).filter(|&i| !p_values[i].is_nan()).collect();
    order.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]));
    Ok(order)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_values_do_not_count() {
        let nan = f64::NAN;
        for f in [holm, benjamini_hochberg, benjamini_yekutieli] {
            let (with, without) = (f(&[0.01, nan, 0.04]).unwrap(), f(&[0.01, 0.04]).unwrap());
            assert!(with[1].is_nan());
            assert_eq!([with[0], with[2]], without[..]);
            assert!(f(&[]).unwrap().is_empty());
            assert!(f(&[1.1]).is_err() && f(&[-0.1]).is_err());
        }
        assert!(storey(&[0.1], 1.0).is_err());
        assert_eq!(storey(&[], 0.5).unwrap().q_values, [0.0; 0]);
    }
}
