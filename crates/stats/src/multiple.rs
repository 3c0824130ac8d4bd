//! Many p-values at once: adjusted p-values, in input order.
//!
//! With the `m` p-values in rising order `p_(1)..p_(m)` and a factor `f`:
//!
//! ```text
//! q_(i) = min over j >= i of f m p_(j) / j, at most 1
//! ```
//!
//! `f = 1` is Benjamini and Hochberg's, `f = Σ 1/i` Benjamini and Yekutieli's, the share of true nulls Storey's.
//! NaN stays NaN and is not counted; no p-values give none; values outside `[0, 1]` are taken as they are.
//!
//! Cost: `m log m`.
//!
//! Reference: Benjamini and Hochberg (1995), Controlling the false discovery rate, JRSS B 57(1); Benjamini and
//! Yekutieli (2001), Annals of Statistics 29(4); Storey, Taylor and Siegmund (2004), JRSS B 66(1).

/// Benjamini and Hochberg's adjusted p-values: of the rejections at `α`, a share `α` is false on average where tests
/// are independent or positively dependent.
///
/// ```
/// let q = fattail_stats::benjamini_hochberg(&[0.01, 0.5, 0.02, f64::NAN]);
/// assert_eq!((q[0], q[1], q[2]), (0.03, 0.5, 0.03));
/// assert!(q[3].is_nan());
/// ```
#[must_use]
pub fn benjamini_hochberg(p_values: &[f64]) -> Vec<f64> {
    step_up(p_values, |_| 1.0)
}

/// Adjusted p-values of a step-up procedure, whose factor is a function of how many p-values are not NaN.
///
/// ```
/// use fattail_stats::{benjamini_hochberg, step_up};
/// let p = [0.01, 0.04, 0.02];
/// assert_eq!(step_up(&p, |_| 1.0), benjamini_hochberg(&p));
/// assert_eq!(step_up(&p, |count| count as f64), [0.09, 0.12, 0.09]);
/// ```
#[must_use]
pub fn step_up(p_values: &[f64], factor: impl Fn(usize) -> f64) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).filter(|&at| !p_values[at].is_nan()).collect();
    order.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]));
    let scale = factor(order.len()) * order.len() as f64;
    let mut ceiling = 1.0_f64;
    let mut adjusted = vec![f64::NAN; p_values.len()];
    for (place, &at) in order.iter().enumerate().rev() {
        ceiling = ceiling.min(scale * p_values[at] / (place as f64 + 1.0));
        adjusted[at] = ceiling;
    }
    adjusted
}
