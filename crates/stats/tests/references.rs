//! The kernels beside numpy, scipy, pandas, statsmodels and arch (`reference/make.py`).

use fattail_stats::*;
use serde_json::Value;

/// Reads a file of references.
fn load(text: &str) -> serde_json::Map<String, Value> {
    let Value::Object(mut all) = serde_json::from_str(text).expect("valid JSON") else {
        panic!("not an object");
    };
    assert!(all.remove("versions").is_some());
    all
}

fn number(of: &Value, name: &str) -> f64 {
    of[name].as_f64().unwrap_or(f64::NAN)
}

fn numbers(of: &Value) -> Vec<f64> {
    let list = of.as_array().expect("a list");
    list.iter().map(|v| v.as_f64().unwrap_or(f64::NAN)).collect()
}

/// Equal within `tolerance` of the larger of 1 and the expected size; NaN where NaN is expected.
#[track_caller]
fn close(given: f64, expected: f64, tolerance: f64, what: &str) {
    let fits = if expected.is_nan() {
        given.is_nan()
    } else {
        (given - expected).abs() <= tolerance * expected.abs().max(1.0)
    };
    assert!(fits, "{what}: {given} instead of {expected}");
}

#[track_caller]
fn all_close(given: &[f64], expected: &[f64], tolerance: f64, what: &str) {
    assert_eq!(given.len(), expected.len(), "{what}");
    for (g, e) in given.iter().zip(expected) {
        close(*g, *e, tolerance, what);
    }
}

/// Ranks are sums of halves: exact. Scores differ by the rounding of `1 - p` in the upper half.
#[test]
fn ranks_are_those_of_pandas() {
    let (mut ranker, mut table) = (Ranker::new(), GaussTable::new());
    for (name, case) in load(include_str!("reference/rank.json")) {
        let x = numbers(&case["x"]);
        let mut out = vec![0.0; x.len()];
        ranker.rank(&x, Ties::Average, &mut out).unwrap();
        all_close(&out, &numbers(&case["average"]), 0.0, &name);
        ranker.rank(&x, Ties::Broken, &mut out).unwrap();
        all_close(&out, &numbers(&case["broken"]), 0.0, &name);
        ranker.gaussian(&x, Ties::Average, &mut table, &mut out).unwrap();
        all_close(&out, &numbers(&case["gauss"]), 1e-13, &name);
    }
}

/// Both sides promise about 1e-15 relative. Reading `p` from text may move it by one bit, which the
/// slope `1 / density` passes on.
#[test]
fn normal_distribution_is_that_of_scipy() {
    let all = load(include_str!("reference/gauss.json"));
    for (p, expected) in numbers(&all["p"]).iter().zip(numbers(&all["quantile"])) {
        let one_bit = f64::EPSILON * p / normal_density(expected);
        let error = (normal_quantile(*p) - expected).abs();
        assert!(error <= 2e-15 * expected.abs() + one_bit, "{p}: {error}");
    }
    let x = numbers(&all["x"]);
    for (key, f) in [("cdf", normal_cdf as fn(f64) -> f64), ("density", normal_density)] {
        for (x, expected) in x.iter().zip(numbers(&all[key])) {
            // One bit of x moves the far tail by x² bits.
            let error = (f(*x) - expected).abs() / expected;
            assert!(error <= 1e-15 * (3.0 + x * x), "{key} at {x}: {error}");
        }
    }
}

/// Sums of at most 700 products: 1e-13.
#[test]
fn correlations_are_those_of_scipy() {
    for (name, case) in load(include_str!("reference/correlate.json")) {
        let [x, y, w] = ["x", "y", "w"].map(|key| numbers(&case[key]));
        let check = |given: Result<f64>, key: &str| {
            close(given.unwrap(), number(&case, key), 1e-13, &format!("{name} {key}"));
        };
        check(pearson(&x, &y), "pearson");
        check(spearman(&x, &y), "spearman");
        check(kendall(&x, &y), "kendall");
        check(weighted_pearson(&x, &y, &w), "weighted");
        check(covariance(&x, &y, 1), "covariance");
    }
}

/// Selections are exact up to one interpolation, third and fourth powers lose a few digits: 1e-12.
#[test]
fn samples_are_those_of_numpy_and_scipy() {
    for (name, case) in load(include_str!("reference/sample.json")) {
        let x = numbers(&case["x"]);
        let check = |given: f64, key: &str| {
            close(given, number(&case, key), 1e-12, &format!("{name} {key}"));
        };
        let mut sorted = x.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        for (q, expected) in numbers(&case["q"]).iter().zip(numbers(&case["quantiles"])) {
            close(quantile(&x, *q).unwrap(), expected, 1e-15, "quantile");
            close(quantile_sorted(&sorted, *q).unwrap(), expected, 1e-15, "quantile");
        }
        check(median(&x), "median");
        check(median_absolute_deviation(&x), "mad");
        check(MAD_TO_SIGMA * median_absolute_deviation(&x), "mad_normal");
        check(interquartile_range(&x), "iqr");
        let pulled = winsorise(&x, 0.05, 0.1).unwrap();
        all_close(&pulled, &numbers(&case["winsorised"]), 0.0, &name);
        check(winsorised_mean(&x, 0.05, 0.1).unwrap(), "winsorised_mean");
        check(winsorised_std(&x, 0.05, 0.1, 1).unwrap(), "winsorised_std");
        check(trimmed_mean(&x, 0.07, 0.07).unwrap(), "trimmed_mean");
        let streamed: Moments = x.iter().copied().collect();
        check(mean(&x), "mean");
        check(streamed.mean(), "mean");
        check(variance(&x, 1), "variance");
        check(streamed.variance(1), "variance");
        check(skewness(&x), "skewness");
        check(streamed.skewness(), "skewness");
        check(kurtosis(&x), "kurtosis");
        check(streamed.kurtosis(), "kurtosis");
    }
}

/// Sums of at most 700 products: 1e-12; ranks are sums of whole numbers: exact.
#[test]
fn weighted_samples_are_those_of_statsmodels() {
    for (name, case) in load(include_str!("reference/weighted.json")) {
        let [x, y, q] = ["x", "y", "q"].map(|key| numbers(&case[key]));
        for kind in ["real", "whole"] {
            let expected = &case[kind];
            let w = numbers(&expected["w"]);
            let check = |given: Result<f64>, key: &str| {
                close(
                    given.unwrap(),
                    number(expected, key),
                    1e-12,
                    &format!("{name} {kind} {key}"),
                );
            };
            check(weighted_mean(&x, &w), "mean");
            check(weighted_variance(&x, &w, 1), "variance");
            check(weighted_variance(&x, &w, 0), "variance0");
            check(weighted_std(&x, &w, 1), "std");
            for (q, expected) in q.iter().zip(numbers(&expected["quantiles"])) {
                let given = weighted_quantile(&x, &w, *q).unwrap();
                close(given, expected, 0.0, &format!("{name} {kind} quantile {q}"));
            }
        }
        let w = numbers(&case["whole"]["w"]);
        all_close(&weighted_rank(&x, &w).unwrap(), &numbers(&case["rank"]), 0.0, &name);
        let spearman = weighted_spearman(&x, &y, &w).unwrap();
        close(spearman, number(&case, "spearman"), 1e-13, &name);
    }
}

/// The design of a case as columns.
fn design(case: &Value) -> Vec<Vec<f64>> {
    case["columns"].as_array().expect("a list").iter().map(numbers).collect()
}

/// Residuals within 1e-10; coefficients lose the condition of the columns, at most 1e4 here.
#[test]
fn projections_are_those_of_numpy() {
    for (name, case) in load(include_str!("reference/project.json")) {
        let columns = design(&case);
        let z: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
        let (y, rcond) = (numbers(&case["y"]), number(&case, "rcond"));
        let projector = Projector::from_columns(&z, false, rcond).unwrap();
        let c = projector.coefficients(&y).unwrap();
        all_close(&c, &numbers(&case["coefficients"]), 1e-8, &name);
        let turned: Vec<f64> = (0..y.len()).flat_map(|i| z.iter().map(move |c| c[i])).collect();
        let rows = lstsq(&turned, z.len(), &y, rcond).unwrap();
        all_close(&rows, &numbers(&case["coefficients"]), 1e-8, &name);
        let mut out = vec![0.0; y.len()];
        for (proportion, key) in [(1.0, "residual"), (0.5, "half")] {
            projector.residual(&y, proportion, &mut out).unwrap();
            all_close(&out, &numbers(&case[key]), 1e-10, &name);
            residual(&z, &y, proportion, rcond, &mut out).unwrap();
            all_close(&out, &numbers(&case[key]), 1e-10, &name);
        }
    }
}

/// Sums of 150 products: 1e-12.
#[test]
fn series_are_those_of_statsmodels_and_pandas() {
    let case = Value::Object(load(include_str!("reference/series.json")));
    let x = numbers(&case["x"]);
    for (i, lag) in numbers(&case["lags"]).into_iter().enumerate() {
        let lags = lag as usize;
        let check = |given: f64, key: &str| {
            close(given, numbers(&case[key])[i], 1e-12, &format!("{key} at {lag}"));
        };
        check(lag_correlation(&x, lags), "lag_correlation");
        check(autocorrelation(&x, lags), "autocorrelation");
        check(long_run_variance(&x, lags).unwrap(), "variance");
        check(mean_t_statistic(&x, lags).unwrap(), "t");
    }
}

/// 400 recorded era scores; arch 8.0.0 gave the block lengths, pandas and scipy the rest.
#[test]
fn era_scores_have_the_block_length_of_arch() {
    let case = Value::Object(load(include_str!("reference/block_length.json")));
    let x = numbers(&case["x"]);
    let found = optimal_block_length(&x).unwrap();
    close(found.stationary, number(&case, "stationary"), 1e-10, "stationary");
    close(found.circular, number(&case, "circular"), 1e-10, "circular");
    close(lag_correlation(&x, 1), number(&case, "ac1"), 1e-12, "ac1");
    close(mean(&x), number(&case, "mean"), 1e-12, "mean");
    close(std(&x, 0), number(&case, "std0"), 1e-12, "std");
    close(skewness(&x), number(&case, "skew"), 1e-12, "skew");
    close(kurtosis(&x), number(&case, "kurt"), 1e-12, "kurtosis");
}

/// Twenty years of daily returns, which hardly depend on each other, while their sizes do for months.
#[test]
fn daily_returns_have_the_block_lengths_of_arch() {
    let case = Value::Object(load(include_str!("reference/sp500.json")));
    let closes = numbers(&case["close"]);
    let returns: Vec<f64> = closes.windows(2).map(|pair| (pair[1] / pair[0]).ln()).collect();
    let sizes: Vec<f64> = returns.iter().map(|value| value.abs()).collect();
    for (series, name) in [(returns, "log_returns"), (sizes, "absolute_returns")] {
        let (found, expected) = (optimal_block_length(&series).unwrap(), &case[name]);
        assert_eq!(series.len() as f64, number(expected, "n"));
        close(found.stationary, number(expected, "stationary"), 1e-9, name);
        close(found.circular, number(expected, "circular"), 1e-9, name);
    }
}

/// A transform of 150 values, by scipy's orthonormal DCT of type II: 1e-12.
#[test]
fn cosines_are_those_of_scipy() {
    let case = Value::Object(load(include_str!("reference/series.json")));
    let x = numbers(&case["x"]);
    for (i, expected) in numbers(&case["cosines"]).into_iter().enumerate() {
        close(cosines(&x, i + 1), expected, 1e-12, "cosines");
    }
}
