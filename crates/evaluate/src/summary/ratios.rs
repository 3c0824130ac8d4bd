//! Sharpe ratios that know about autocorrelation, and the yield of a year.

use fattail_stats as stats;

/// Eras of a year.
const YEAR: usize = 52;
/// Weeks of a year for which a stake is locked and earns nothing new.
const LOCKED: usize = 4;
/// The largest payout of one era.
const CLIP: f64 = 0.25;

/// `a / b`, NaN where `b` is no more than the rounding of `a`.
pub(super) fn over(a: f64, b: f64) -> f64 {
    if b.abs() <= 1e-12 * a.abs() || b == 0.0 { f64::NAN } else { a / b }
}

/// `Π(1 + clip(s))^((52 - 4) / n) - 1`.
pub(super) fn apy(s: &[f64]) -> f64 {
    let grown: f64 = s.iter().map(|score| 1.0 + score.clamp(-CLIP, CLIP)).product();
    grown.powf((YEAR - LOCKED) as f64 / s.len() as f64) - 1.0
}

/// `μ / (σ_1 √(1 + 2 Σ_{i=1}^{n-1} ((n - i) / n) ρ^i))`.
pub(super) fn smart_sharpe(s: &[f64], rho: f64) -> f64 {
    let n = s.len() as f64;
    let (mut sum, mut power) = (0.0, 1.0);
    for i in 1..s.len() {
        power *= rho;
        sum += (n - i as f64) / n * power;
    }
    over(stats::mean(s), stats::std(s, 1) * (1.0 + 2.0 * sum).sqrt())
}

/// Lo's ratio of a year, scaled back to one era.
pub(super) fn lo_sharpe(s: &[f64]) -> f64 {
    let q = YEAR.min(s.len());
    let weighted = |k: usize| (1.0 - k as f64 / q as f64) * stats::autocorrelation(s, k);
    let sum: f64 = (1..q).map(weighted).sum();
    over(stats::mean(s), stats::std(s, 0) * (1.0 + 2.0 * sum).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn independent_scores_keep_their_sharpe() {
        let s = [0.2, 0.1, 0.4, 0.3];
        let plain = stats::mean(&s) / stats::std(&s, 1);
        assert!((smart_sharpe(&s, 0.0) - plain).abs() < 1e-15);
        // n = 2: one term, (1 / 2) rho.
        let expected = 0.15 / (0.005_f64.sqrt() * 1.5_f64.sqrt());
        assert!((smart_sharpe(&[0.1, 0.2], 0.5) - expected).abs() < 1e-12);
    }

    #[test]
    fn a_year_of_steady_gain() {
        let year = apy(&[0.01; 52]);
        assert!((year - (1.01_f64.powi(48) - 1.0)).abs() < 1e-12);
        assert!((apy(&[9.0; 48]) - (1.25_f64.powi(48) - 1.0)).abs() < 1e-6);
    }
}
