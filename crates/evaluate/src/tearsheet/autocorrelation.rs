//! How much scores resemble earlier ones, beside what overlapping labels alone explain.
//!
//! `r_k = Σ (s_t - s̄)(s_{t+k} - s̄) / Σ (s_t - s̄)²`. Labels that cover `H` eras share `1 - k / H` of their
//! days with those `k` eras later; scores of predictions that do not change are then correlated by
//! `ρ_k = max(0, 1 - k / H)`, scores of predictions made anew by 0. The band is what chance leaves between
//! the two: from `-1.96 √(w_k / n)` to `ρ_k + 1.96 √(v_k / n)` with Bartlett's variance
//! `v_k = Σ_{i=1}^∞ (ρ_{i+k} + ρ_{i-k} - 2 ρ_i ρ_k)²`, and `w_k = 1` below `H`, `v_k` from there on. For
//! `H = 1` it is the plain `±1.96 / √n`.
//!
//! Eras without a score are left out and close up. Fewer than three scores, or scores without spread, have
//! no autocorrelation, with the reason.
//!
//! Cost: `O(n K + K (K + H))` for `K` lags.
//!
//! Reference: Bartlett (1946), On the theoretical specification and sampling properties of autocorrelated
//! time-series, Supplement to the Journal of the Royal Statistical Society 8(1); Hansen and Hodrick (1980),
//! Forward exchange rates as optimal predictors of future spot rates, Journal of Political Economy 88(5).

use fattail_stats as stats;
use serde::{Deserialize, Serialize};

use super::settings::TearSettings;

/// Autocorrelation of scores.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Autocorrelation {
    /// Scores.
    pub scores: usize,
    /// Eras that a label covers, `H`.
    pub label_eras: usize,
    /// Lags from 1.
    pub lags: Vec<LagCorrelation>,
}

/// Autocorrelation at one lag.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LagCorrelation {
    /// The eras between.
    pub lag: usize,
    /// `r_k`.
    pub value: f64,
    /// The most that overlap alone explains, `ρ_k`.
    pub overlap: f64,
    /// The lower end of the band.
    pub low: f64,
    /// The upper end of the band.
    pub high: f64,
}

impl LagCorrelation {
    /// Whether neither chance nor overlap explains it.
    #[must_use]
    pub fn is_outside(&self) -> bool {
        self.value < self.low || self.value > self.high
    }
}

/// The autocorrelation of the finite `scores`.
pub(super) fn of(scores: &[f64], settings: &TearSettings) -> Result<Autocorrelation, String> {
    let kept: Vec<f64> = scores.iter().copied().filter(|score| score.is_finite()).collect();
    let label_eras = settings.horizon.label_eras().map_err(|error| error.to_string())?;
    if kept.len() < 3 {
        return Err("fewer than three eras have a score".into());
    }
    if !stats::autocorrelation(&kept, 1).is_finite() {
        return Err("the scores have no spread".into());
    }
    let most = settings.score_lags.min(kept.len() - 1);
    let lag = |lag: usize| {
        let (overlap, value) = (share(lag, label_eras), stats::autocorrelation(&kept, lag));
        let [low, high] = band(lag, label_eras, kept.len());
        LagCorrelation { lag, value, overlap, low, high }
    };
    Ok(Autocorrelation { scores: kept.len(), label_eras, lags: (1..=most).map(lag).collect() })
}

/// `ρ_k`: the share of its days that a label has in common with the one `lag` eras later.
fn share(lag: usize, label_eras: usize) -> f64 {
    label_eras.saturating_sub(lag) as f64 / label_eras as f64
}

fn band(lag: usize, label_eras: usize, scores: usize) -> [f64; 2] {
    let rho = |k: usize| share(k, label_eras);
    let term = |i: usize| rho(i + lag) + rho(i.abs_diff(lag)) - 2.0 * rho(i) * rho(lag);
    // Beyond lag + H every term is zero.
    let variance: f64 = (1..=lag + label_eras).map(|i| term(i) * term(i)).sum();
    let below = if lag < label_eras { 1.0 } else { variance };
    let half = |variance: f64| stats::normal_quantile(0.975) * (variance / scores as f64).sqrt();
    [-half(below), rho(lag) + half(variance)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bands_without_overlap_are_those_of_noise() {
        let half = 1.959_963_984_540_054 / 10.0;
        for lag in [1, 2, 9] {
            let [low, high] = band(lag, 1, 100);
            assert!((low + half).abs() < 1e-12 && (high - half).abs() < 1e-12, "lag {lag}");
        }
    }

    #[test]
    fn bands_of_overlap_by_hand() {
        // H = 2: ρ = 1, 1/2, 0; v_1 = Σ (ρ_{i+1} + ρ_{i-1} - ρ_i)² = (1 - 1/2)² + (1/2)² = 1/2,
        // v_2 = 1 + 2 (1/2)² = 3/2.
        let [low, high] = band(1, 2, 100);
        assert!((high - 0.5 - 0.195_996_398 * 0.5_f64.sqrt()).abs() < 1e-8, "{high}");
        assert!((low + 0.195_996_398).abs() < 1e-8);
        let [low, high] = band(2, 2, 100);
        assert!((high - 0.195_996_398 * 1.5_f64.sqrt()).abs() < 1e-8 && low == -high);
    }

    #[test]
    fn too_few_scores_and_no_spread_are_told() {
        let settings = TearSettings::default();
        assert!(of(&[1.0, f64::NAN, 2.0], &settings).unwrap_err().contains("fewer than three"));
        assert_eq!(of(&[1.0; 9], &settings).unwrap_err(), "the scores have no spread");
        assert_eq!(of(&[1.0, 2.0, 0.0], &settings).unwrap().lags.len(), 2);
    }
}
