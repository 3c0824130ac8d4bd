//! Tails of the distributions that nulls are stated in.
//!
//! `P(χ²_d >= x)` is the upper regularised incomplete gamma function at `(d/2, x/2)`; Kolmogorov's
//! `Q(λ) = 2 Σ_{k>=1} (-1)^{k-1} exp(-2 k² λ²)`, below `λ = 1` by its theta twin
//! `1 - √(2π)/λ Σ_{k>=1} exp(-(2k-1)² π² / (8 λ²))`; Student's distribution function by the
//! regularised incomplete beta function.
//!
//! NaN in gives NaN out. No degrees of freedom give probability 1.
//!
//! Reference: Abramowitz and Stegun (1964), Handbook of Mathematical Functions, 26.4.19 and 26.7.1;
//! Marsaglia, Tsang and Wang (2003), Evaluating Kolmogorov's distribution, J. Statistical Software 8(18).

use std::f64::consts::PI;

use statrs::function::{beta::checked_beta_reg, gamma::checked_gamma_ur};

/// `P(χ²_d >= x)`.
pub(crate) fn chi_squared_tail(x: f64, degrees: usize) -> f64 {
    if x.is_nan() {
        return f64::NAN;
    }
    if degrees == 0 || x <= 0.0 {
        return 1.0;
    }
    if x.is_infinite() {
        return 0.0;
    }
    checked_gamma_ur(0.5 * degrees as f64, 0.5 * x).unwrap_or(f64::NAN).clamp(0.0, 1.0)
}

/// `Q(λ)`, the chance that Kolmogorov's limit exceeds `λ`.
pub(crate) fn kolmogorov_tail(lambda: f64) -> f64 {
    if lambda.is_nan() {
        return f64::NAN;
    }
    if lambda < 0.1 {
        return 1.0;
    }
    let terms = |f: &dyn Fn(f64) -> f64| (1..=20).map(|k| f(f64::from(k))).sum::<f64>();
    let tail = if lambda < 1.0 {
        let below = terms(&|k| (-((2.0 * k - 1.0) * PI / lambda).powi(2) / 8.0).exp());
        1.0 - (2.0 * PI).sqrt() / lambda * below
    } else {
        let sign = |k: f64| if k as u32 % 2 == 1 { 1.0 } else { -1.0 };
        2.0 * terms(&|k| sign(k) * (-2.0 * (k * lambda).powi(2)).exp())
    };
    tail.clamp(0.0, 1.0)
}

/// `P(t_d <= t)` for Student's `t` with `degrees` above 0.
pub(crate) fn student_cdf(t: f64, degrees: f64) -> f64 {
    if t.is_nan() {
        return f64::NAN;
    }
    let share = degrees / (degrees + t * t);
    let tail = 0.5 * checked_beta_reg(0.5 * degrees, 0.5, share).unwrap_or(f64::NAN);
    if t > 0.0 { 1.0 - tail } else { tail }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_points() {
        assert!((chi_squared_tail(3.841_458_820_694_124, 1) - 0.05).abs() < 1e-13);
        assert!((chi_squared_tail(9.487_729_036_781_154, 4) - 0.05).abs() < 1e-13);
        assert_eq!((chi_squared_tail(0.0, 3), chi_squared_tail(5.0, 0)), (1.0, 1.0));
        assert!((kolmogorov_tail(1.358_098_638_981_2) - 0.05).abs() < 1e-6);
        // Both series at their seam.
        assert!((kolmogorov_tail(1.0 - 1e-13) - kolmogorov_tail(1.0)).abs() < 1e-12);
        assert!((student_cdf(2.570_581_835_636_314, 5.0) - 0.975).abs() < 1e-12);
        assert_eq!(student_cdf(0.0, 3.0), 0.5);
        assert!(chi_squared_tail(f64::NAN, 1).is_nan() && kolmogorov_tail(f64::NAN).is_nan());
    }
}
