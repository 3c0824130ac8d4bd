//! The long-run variance of a series, `Σ γ_k` over all lags, which the variance of its mean is made of.
//!
//! With centred values `u_t` and `γ_k = Σ u_t u_{t+k} / n`:
//!
//! ```text
//! prewhitened  Σ_k λ(k/M) γ_k(e) / (1 - ρ)²,  e_t = u_t - ρ u_{t-1},  λ the flat-top weight: 1 up to 1/2,
//!              then falling to 0 at 1;  M twice the last lag before 5 autocorrelations of e in a row stay
//!              below 2 √(log₁₀ n / n);  at least 0.05 γ_0(e) / (1 - ρ)²;  ρ is corrected for its bias by
//!              (1 + 3ρ)/n, and |ρ| at most 0.97
//! cosines      Σ_j Λ_j² / B,  Λ_j = √(2/n) Σ_t u_t cos(π j (t - 1/2) / n),  j = 1..B
//! stationary   γ_0 + 2 Σ κ_k γ_k,  κ_k = (1-k/n)(1-p)^k + (k/n)(1-p)^{n-k},  p = 1 / block
//! circular     Σ (sum of a block on the ring)² / (n b)
//! ```
//!
//! Whitening takes what fades slowly, as of autoregressive scores, and the flat top what ends at a lag, as
//! of overlapping labels. What is estimated varies, and a mean over its root is rather Student's t than
//! normal, of degrees `B` for cosines and for prewhitening
//!
//! ```text
//! ν = n / (1 + 2 (1 + ρ)/(1 - ρ) + 2 Σ λ²)
//! ```
//!
//! of which the first part is due to the variance of `e`, the second to `ρ`, the third to the lags: twice
//! the inverse of the variance of `ln Ω̂` by the delta method, for white `e`.
//!
//! Stationary and circular are the exact variances of `√n` times a mean under the two bootstraps. They miss the
//! part of dependence that a block cuts off, which prewhitening restores; hence tests compare a mean
//! over the prewhitened scale with resampled means over the bootstrap's own.
//!
//! Constant series have 0.
//!
//! Cost: `n √n` for prewhitened, `n²` for stationary, `n B` for cosines, `n` for circular.
//!
//! Reference: Andrews and Monahan (1992), An improved heteroskedasticity and autocorrelation consistent
//! covariance matrix estimator, Econometrica 60(4); Politis (2003), Adaptive bandwidth choice, Journal of
//! Nonparametric Statistics 15; Müller (2004), A theory of robust long-run variance estimation; Kendall
//! (1954), Note on bias in the estimation of autocorrelation, Biometrika 41; Lazarus, Lewis, Stock and
//! Watson (2018), HAR inference, JBES 36(4); Politis and Romano (1994), The stationary bootstrap, JASA 89,
//! lemma 1.

use fattail_stats::{Blocks, cosine_waves, mean, normal_cdf, normal_quantile};
use statrs::distribution::{ContinuousCDF, StudentsT};

/// Of an autoregressive series, this share of the last value is taken away at most.
const MOST_WHITENED: f64 = 0.97;

/// Autocorrelations in a row that say that nothing comes any more.
const QUIET: usize = 5;

/// What the lags may leave of the variance of an innovation.
const LEAST_SHARE: f64 = 0.05;

/// Below this weight lags are left out.
const LEAST_WEIGHT: f64 = 1e-12;

/// A long-run variance, and how far its estimate can be relied on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct LongRunVariance {
    pub(crate) value: f64,
    /// Degrees of the Student's t of a mean over its root; infinite for the normal distribution.
    pub(crate) degrees: f64,
}

impl LongRunVariance {
    pub(crate) fn normal(value: f64) -> Self {
        Self { value, degrees: f64::INFINITY }
    }
}

pub(crate) fn prewhitened(series: &[f64]) -> LongRunVariance {
    let u = centred(series);
    let n = u.len();
    if n < 3 || u.iter().all(|v| *v == 0.0) {
        return LongRunVariance::normal(0.0);
    }
    let rho = first_order(&u);
    let rho = (rho + (1.0 + 3.0 * rho) / n as f64).clamp(-MOST_WHITENED, MOST_WHITENED);
    let e: Vec<f64> = u.windows(2).map(|pair| pair[1] - rho * pair[0]).collect();
    // A mean and a slope were estimated.
    let degrees = e.len() as f64 - 1.0;
    let size = lag_product(&e, 0);
    let (sum, weights) = flat_top(&e, size);
    let value = sum.max(LEAST_SHARE * size) / degrees / (1.0 - rho).powi(2);
    let share = 1.0 + 2.0 * (1.0 + rho) / (1.0 - rho) + weights;
    LongRunVariance { value, degrees: (n as f64 / share).max(1.0) }
}

/// `Σ_k λ(k/M) Σ_t e_t e_{t+k}`, `M` from the autocorrelations, and the weights squared.
fn flat_top(e: &[f64], size: f64) -> (f64, f64) {
    let n = e.len() as f64;
    let limit = 2.0 * (n.log10() / n).sqrt();
    let most = (n.sqrt().ceil() as usize + QUIET).min(e.len() - 1);
    let products: Vec<f64> = (1..=most).map(|lag| lag_product(e, lag)).collect();
    let small: Vec<bool> = products.iter().map(|product| product.abs() < limit * size).collect();
    let last = small.windows(QUIET).position(|run| run.iter().all(|&s| s)).unwrap_or(most / 2);
    let reach = (2 * last).min(most);
    let weight = |lag: usize| (2.0 * (1.0 - lag as f64 / (2 * last) as f64)).min(1.0);
    let lags = products[..reach].iter().enumerate();
    let sum = size + 2.0 * lags.map(|(at, product)| weight(at + 1) * product).sum::<f64>();
    (sum, 2.0 * (1..=reach).map(|lag| weight(lag).powi(2)).sum::<f64>())
}

/// The value that is as rare under Student's t of `after` degrees as `t` is under that of `before`, both at
/// least 1; infinite degrees are the normal distribution. Finite where `t` is.
pub(crate) fn equally_rare(t: f64, before: f64, after: f64) -> f64 {
    if before == after || t == 0.0 || !t.is_finite() {
        return t;
    }
    // The lower tail keeps its digits.
    let low = -t.abs();
    let tail = student(before).map_or_else(|| normal_cdf(low), |of| of.cdf(low));
    let tail = tail.max(f64::MIN_POSITIVE);
    let value = student(after).map_or_else(|| normal_quantile(tail), |of| of.inverse_cdf(tail));
    value.abs().copysign(t)
}

/// Student's t of finite degrees, at least 1; none for the normal distribution.
pub(crate) fn student(degrees: f64) -> Option<StudentsT> {
    if degrees.is_finite() { StudentsT::new(0.0, 1.0, degrees).ok() } else { None }
}

/// The normal value that is as rare as `t` is under Student's t of `degrees`.
pub(crate) fn normal_score(t: f64, degrees: f64) -> f64 {
    equally_rare(t, degrees, f64::INFINITY)
}

/// The variance by `count` cosines.
pub(crate) fn cosines(series: &[f64], count: usize) -> LongRunVariance {
    of_waves(&cosine_waves(series, count))
}

pub(crate) fn of_waves(waves: &[f64]) -> LongRunVariance {
    let degrees = waves.len() as f64;
    let value = waves.iter().map(|wave| wave * wave).sum::<f64>() / degrees;
    LongRunVariance { value, degrees }
}

/// The variance of `√n` times the mean of a resampled series.
pub(crate) fn of_bootstrap(series: &[f64], blocks: Blocks) -> f64 {
    match blocks {
        Blocks::Moving(length) | Blocks::Circular(length) => circular(series, length),
        Blocks::Stationary(mean) => stationary(series, mean),
    }
}

fn stationary(series: &[f64], block: f64) -> f64 {
    let u = centred(series);
    let n = u.len();
    let stay = 1.0 - 1.0 / block;
    let weight = |lag: usize| {
        let share = lag as f64 / n as f64;
        (1.0 - share) * stay.powi(lag as i32) + share * stay.powi((n - lag) as i32)
    };
    let mut sum = lag_product(&u, 0);
    for lag in 1..n {
        let weight = weight(lag);
        if weight > LEAST_WEIGHT {
            sum += 2.0 * weight * lag_product(&u, lag);
        }
    }
    sum.max(0.0) / n as f64
}

fn circular(series: &[f64], block: usize) -> f64 {
    let u = centred(series);
    let n = u.len();
    let sums = ring_sums(&u, block);
    sums.iter().map(|s| s * s).sum::<f64>() / (n * block) as f64
}

/// The sums of `length` values from each start, on the ring.
pub(crate) fn ring_sums(values: &[f64], length: usize) -> Vec<f64> {
    let n = values.len();
    // Running sums would carry rounding along; prefix sums carry it once.
    let mut prefix = Vec::with_capacity(n + length + 1);
    let mut sum = 0.0;
    prefix.push(sum);
    for t in 0..n + length {
        sum += values[t % n];
        prefix.push(sum);
    }
    (0..n).map(|start| prefix[start + length] - prefix[start]).collect()
}

fn centred(series: &[f64]) -> Vec<f64> {
    let constant = series.iter().all(|v| *v == series[0]);
    let middle = if constant { series.first().copied().unwrap_or(0.0) } else { mean(series) };
    series.iter().map(|v| v - middle).collect()
}

fn first_order(u: &[f64]) -> f64 {
    let size: f64 = u[..u.len() - 1].iter().map(|v| v * v).sum();
    if size > 0.0 { lag_product(u, 1) / size } else { 0.0 }
}

/// `Σ u_t u_{t+lag}`, in four running totals.
fn lag_product(u: &[f64], lag: usize) -> f64 {
    let (late, early) = (&u[lag..], &u[..u.len() - lag]);
    let mut lanes = [0.0; 4];
    let (a, b) = (late.chunks_exact(4), early.chunks_exact(4));
    let rest: f64 = a.remainder().iter().zip(b.remainder()).map(|(x, y)| x * y).sum();
    for (x, y) in a.zip(b) {
        for i in 0..4 {
            lanes[i] += x[i] * y[i];
        }
    }
    (lanes[0] + lanes[2]) + (lanes[1] + lanes[3]) + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use fattail_stats::Counter;

    fn autoregressive(rho: f64, n: usize) -> Vec<f64> {
        let mut generator = Counter::new(5).draw(0);
        let mut last = 0.0;
        let mut step = || {
            last = rho * last + fattail_stats::unit(&mut generator) - 0.5;
            last
        };
        (0..n).map(|_| step()).collect()
    }

    #[test]
    fn known_dependence_is_found() {
        // Innovations of variance 1/12: long-run variance 1/12 / (1 - ρ)².
        let series = autoregressive(0.5, 20_000);
        let truth = 1.0 / 3.0;
        for found in [
            prewhitened(&series).value,
            cosines(&series, 200).value,
            of_bootstrap(&series, Blocks::Stationary(60.0)),
            of_bootstrap(&series, Blocks::Circular(90)),
        ] {
            assert!((found / truth - 1.0).abs() < 0.15, "{found}");
        }
    }

    #[test]
    fn overlap_is_found_by_the_flat_top() {
        let mut generator = Counter::new(6).draw(0);
        let shocks: Vec<f64> = (0..20_003).map(|_| fattail_stats::unit(&mut generator)).collect();
        let series: Vec<f64> = shocks.windows(4).map(|w| w.iter().sum()).collect();
        // Four shocks of variance 1/12 in every sum: 16/12.
        let found = prewhitened(&series).value;
        assert!((found * 0.75 - 1.0).abs() < 0.1, "{found}");
    }

    #[test]
    fn the_bootstrap_has_the_variance_that_is_said() {
        let series = autoregressive(0.6, 60);
        let n = series.len() as f64;
        for blocks in [Blocks::Stationary(5.0), Blocks::Circular(5)] {
            let means = fattail_stats::bootstrap(60, blocks, 40_000, Counter::new(3), |rows| {
                rows.iter().map(|&t| series[t]).sum::<f64>() / n
            });
            let found = n * fattail_stats::variance(&means.unwrap(), 0);
            let said = of_bootstrap(&series, blocks);
            assert!((found / said - 1.0).abs() < 0.03, "{found} {said}");
        }
    }

    #[test]
    fn normal_scores_are_as_rare() {
        // The 0.975 quantile of Student's t of 10 degrees.
        assert!((normal_score(2.228_138_852, 10.0) - 1.959_963_985).abs() < 1e-7);
        assert!((normal_score(-2.228_138_852, 10.0) + 1.959_963_985).abs() < 1e-7);
        assert_eq!(normal_score(0.0, 3.0), 0.0);
        assert_eq!(normal_score(1.5, f64::INFINITY), 1.5);
        assert!((equally_rare(2.228_138_852, 10.0, 5.0) - 2.570_581_836).abs() < 1e-7);
        assert!((equally_rare(1.959_963_985, f64::INFINITY, 10.0) - 2.228_138_852).abs() < 1e-7);
        assert_eq!(equally_rare(2.5, 7.0, 7.0), 2.5);
        assert_eq!(equally_rare(f64::INFINITY, 7.0, 9.0), f64::INFINITY);
        assert!(normal_score(1e200, 50.0) > 37.0 && normal_score(1e200, 50.0) < 38.0);
    }

    #[test]
    fn degrees_are_those_of_the_spread_over_worlds() {
        // Twice the inverse of the variance of ln Ω̂ over many short series.
        for (rho, least, most) in [(0.0, 40.0, 90.0), (0.5, 20.0, 40.0)] {
            let world = |seed: u32| {
                let mut generator = Counter::new(9).draw(seed);
                let mut step = || normal_quantile(fattail_stats::unit(&mut generator).max(1e-300));
                let mut last = step() / (1.0_f64 - rho * rho).sqrt();
                let mut next = || {
                    last = rho * last + step();
                    last
                };
                let series: Vec<f64> = (0..250).map(|_| next()).collect();
                prewhitened(&series)
            };
            let worlds: Vec<LongRunVariance> = (0..400).map(world).collect();
            let logs: Vec<f64> = worlds.iter().map(|found| found.value.ln()).collect();
            let degrees: Vec<f64> = worlds.iter().map(|found| found.degrees).collect();
            let (found, said) = (2.0 / fattail_stats::variance(&logs, 1), mean(&degrees));
            assert!(least < found && found < most, "{rho}: found {found}, said {said}");
            assert!(0.6 < said / found && said / found < 1.6, "{rho}: found {found}, said {said}");
        }
    }

    #[test]
    fn constants_have_none() {
        let flat = [0.1; 20];
        assert_eq!(prewhitened(&flat).value, 0.0);
        assert_eq!(of_bootstrap(&flat, Blocks::Stationary(3.0)), 0.0);
        assert_eq!(cosines(&flat, 4).value, 0.0);
    }
}
