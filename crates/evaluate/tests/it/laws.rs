//! The scorer that keeps its buffers against plain twins that follow the definitions, and what must hold
//! for any input.

use fattail_core::Values;
use fattail_evaluate::{
    Contribution, Corr, EraScorer, Keyed, TargetScale, align, churn, feature_neutral_corr,
    numerai_corr, turnover,
};
use fattail_stats::normal_quantile;
use proptest::prelude::*;

/// `(1 + values below + half the other equal values - 1/2) / n`, row against row.
fn plain_gaussian(values: &[f64]) -> Vec<f64> {
    let n = values.len() as f64;
    let rank = |v: &f64| {
        let below = values.iter().filter(|o| *o < v).count() as f64;
        let equal = values.iter().filter(|o| *o == v).count() as f64;
        normal_quantile((below + 0.5 * equal) / n)
    };
    values.iter().map(rank).collect()
}

fn plain_mean(x: &[f64]) -> f64 {
    x.iter().sum::<f64>() / x.len() as f64
}

fn plain_pearson(x: &[f64], y: &[f64]) -> f64 {
    let (mx, my) = (plain_mean(x), plain_mean(y));
    let cross: f64 = x.iter().zip(y).map(|(a, b)| (a - mx) * (b - my)).sum();
    let size = |v: &[f64], m: f64| v.iter().map(|a| (a - m) * (a - m)).sum::<f64>().sqrt();
    cross / (size(x, mx) * size(y, my))
}

fn power(x: f64) -> f64 {
    x.signum() * x.abs().powf(1.5)
}

fn plain_corr(p: &[f64], t: &[f64]) -> f64 {
    let known: Vec<f64> = t.iter().copied().filter(|t| !t.is_nan()).collect();
    let mean = plain_mean(&known);
    let rows: Vec<usize> = (0..p.len()).filter(|&i| !p[i].is_nan() && !t[i].is_nan()).collect();
    let p: Vec<f64> = rows.iter().map(|&i| p[i]).collect();
    let powered: Vec<f64> = plain_gaussian(&p).into_iter().map(power).collect();
    let t: Vec<f64> = rows.iter().map(|&i| power(t[i] - mean)).collect();
    plain_pearson(&powered, &t)
}

fn plain_contribution(p: &[f64], m: &[f64], t: &[f64]) -> f64 {
    let (p, m, mean) = (plain_gaussian(p), plain_gaussian(m), plain_mean(t));
    let dot = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(a, b)| a * b).sum::<f64>();
    let share = dot(&p, &m) / dot(&m, &m);
    let rows = p.iter().zip(&m).zip(t);
    4.0 * rows.map(|((p, m), t)| (t - mean) * (p - share * m)).sum::<f64>() / t.len() as f64
}

/// The residual of a regression on orthonormal columns (Gram and Schmidt, twice).
fn plain_residual(y: &[f64], columns: &[Vec<u8>]) -> Vec<f64> {
    let dot = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(a, b)| a * b).sum::<f64>();
    let mut basis: Vec<Vec<f64>> = Vec::new();
    let reduce = |v: &mut Vec<f64>, basis: &[Vec<f64>]| {
        for b in basis.iter().chain(basis) {
            let share = dot(v, b);
            v.iter_mut().zip(b).for_each(|(v, b)| *v -= share * b);
        }
    };
    let widened = columns.iter().map(|c| c.iter().map(|&v| f64::from(v)).collect());
    for mut column in widened.chain([vec![1.0; y.len()]]) {
        let before = dot(&column, &column).sqrt();
        reduce(&mut column, &basis);
        let size = dot(&column, &column).sqrt();
        if size > 1e-6 * before {
            column.iter_mut().for_each(|v| *v /= size);
            basis.push(column);
        }
    }
    let mut rest = y.to_vec();
    reduce(&mut rest, &basis);
    rest
}

/// Whole numbers tie; a tenth of the rows is unknown.
fn values(rows: usize, distinct: u32) -> impl Strategy<Value = Vec<f64>> {
    let value = (0..distinct).prop_map(|v| f64::from(v) / 8.0 - 3.0);
    proptest::collection::vec(value, rows)
}

fn holes(mut values: Vec<f64>, every: usize) -> Vec<f64> {
    values.iter_mut().skip(3).step_by(every).for_each(|v| *v = f64::NAN);
    values
}

fn near(found: f64, expected: f64) -> bool {
    (found.is_nan() && !expected.is_finite()) || (found - expected).abs() < 1e-10
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn corr_is_its_definition(
        (p, t) in (20_usize..700).prop_flat_map(|n| (values(n, 40), values(n, 5))),
        unknown in any::<bool>(),
    ) {
        let p = if unknown { holes(p, 20) } else { p };
        let t = if unknown { holes(t, 13) } else { t };
        let mut scorer = EraScorer::new();
        let settings = Corr::default();
        let first = scorer.corr(&p, &t, &settings).unwrap();
        prop_assert!(near(first, plain_corr(&p, &t)), "{first} {}", plain_corr(&p, &t));
        // Kept ranks change no bit.
        prop_assert_eq!(first.to_bits(), scorer.corr(&p, &t, &settings).unwrap().to_bits());
    }

    #[test]
    fn contribution_is_its_definition(
        (p, m, t) in (2_usize..600)
            .prop_flat_map(|n| (values(n, 4000), values(n, 50), values(n, 5)))
    ) {
        let found = EraScorer::new().contribution(&p, &m, &t, &Contribution::default()).unwrap();
        let expected = plain_contribution(&p, &m, &t);
        prop_assert!(near(found, expected), "{found} {expected}");
    }

    #[test]
    fn fnc_is_its_definition(
        (p, t, f) in (60_usize..300).prop_flat_map(|n| (
            values(n, 4000), values(n, 5),
            proptest::collection::vec(proptest::collection::vec(0_u8..5, n), 1..6),
        )),
        repeat in any::<bool>(),
    ) {
        let mut f = f;
        if repeat {
            f.push(f[0].clone());
        }
        let features: Vec<Values<'_>> = f.iter().map(|c| Values::U8(c)).collect();
        let residual = plain_residual(&plain_gaussian(&p), &f);
        let found = feature_neutral_corr(&p, &features, &t, &Corr::default()).unwrap();
        // Rows that tie before stay within rounding of each other: round it away, then rank.
        let rounded: Vec<f64> = residual.iter().map(|v| (v * 1e9).round()).collect();
        let expected = plain_corr(&rounded, &t);
        prop_assert!(near(found, expected), "{found} {expected}");
    }

    #[test]
    fn one_scorer_for_many_eras_answers_the_same_bits(
        eras in proptest::collection::vec(
            (5_usize..60).prop_flat_map(|n| (values(n, 99), values(n, 60), values(n, 5))), 1..8),
    ) {
        let mut kept = EraScorer::new();
        let contribution = Contribution { scale: TargetScale::AsIs, top_bottom: Some(2) };
        for (p, m, t) in &eras {
            let corr = kept.corr(p, t, &Corr::default()).unwrap();
            prop_assert_eq!(corr.to_bits(), numerai_corr(p, t, &Corr::default()).unwrap().to_bits());
            let mmc = kept.contribution(p, m, t, &contribution).unwrap();
            let fresh = EraScorer::new().contribution(p, m, t, &contribution).unwrap();
            prop_assert_eq!(mmc.to_bits(), fresh.to_bits());
        }
    }

    #[test]
    fn corr_sees_only_the_order_of_predictions(
        (p, t) in (5_usize..200).prop_flat_map(|n| (values(n, 40), values(n, 5)))
    ) {
        let settings = Corr::default();
        let stretched: Vec<f64> = p.iter().map(|v| v.exp() * 7.0 - 1.0).collect();
        let score = numerai_corr(&p, &t, &settings).unwrap();
        prop_assert_eq!(score.to_bits(), numerai_corr(&stretched, &t, &settings).unwrap().to_bits());
        prop_assert!(score.is_nan() || score.abs() <= 1.0);
        let turned: Vec<f64> = p.iter().map(|v| -v).collect();
        prop_assert!(near(numerai_corr(&turned, &t, &settings).unwrap(), -score));
    }

    #[test]
    fn row_order_means_nothing_to_keyed_scores(
        (a, b) in (3_usize..40).prop_flat_map(|n| (values(n, 99), values(n, 99))),
        turn in 0_usize..40,
    ) {
        let ids: Vec<String> = (0..a.len()).map(|i| format!("n{i:03}")).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let (mut turned, mut values) = (ids.clone(), b.clone());
        turned.rotate_left(turn % a.len());
        values.rotate_left(turn % a.len());
        let first = Keyed { ids: &ids, values: &a };
        let second = Keyed { ids: &ids, values: &b };
        let other = Keyed { ids: &turned, values: &values };
        prop_assert_eq!(align(first, second), align(first, other));
        prop_assert_eq!(churn(first, second), churn(first, other));
        prop_assert_eq!(turnover(first, second), turnover(other, first));
    }
}
