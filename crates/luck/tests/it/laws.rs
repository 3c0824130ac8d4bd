//! What holds for every input.

use fattail_luck::*;
use proptest::prelude::*;

fn columns() -> impl Strategy<Value = Vec<Vec<f64>>> {
    (2..5_usize, 24..60_usize).prop_flat_map(|(count, rows)| {
        prop::collection::vec(prop::collection::vec(-1.0..1.0_f64, rows), count)
    })
}

fn slices(columns: &[Vec<f64>]) -> Vec<&[f64]> {
    columns.iter().map(Vec::as_slice).collect()
}

fn brief() -> Resampling {
    Resampling { draws: 99, seed: 5, block_length: Some(3.0), ..Resampling::default() }
}

fn scaled(columns: &[Vec<f64>], by: f64) -> Vec<Vec<f64>> {
    columns.iter().map(|column| column.iter().map(|v| v * by).collect()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn forms_of_the_superior_test_are_ordered(columns in columns()) {
        let all = slices(&columns);
        let (benchmark, models) = all.split_last().unwrap();
        let test = Superior { resampling: brief(), ..Superior::default() };
        let found = test.spa(models, benchmark).unwrap();
        prop_assert!(found.lower <= found.consistent && found.consistent <= found.upper);
        prop_assert!(found.lower >= 0.01 && found.upper <= 1.0);
        let steps = test.stepwise(models, benchmark).unwrap();
        let mut order: Vec<usize> = (0..models.len()).collect();
        order.sort_by(|&a, &b| steps.statistics[b].total_cmp(&steps.statistics[a]));
        prop_assert!(order.windows(2).all(|w| steps.adjusted[w[0]] <= steps.adjusted[w[1]]));
    }

    #[test]
    fn losses_are_scores_with_a_minus_and_units_do_not_matter(columns in columns()) {
        let test = Superior { resampling: brief(), ..Superior::default() };
        let of = |test: Superior, columns: &[Vec<f64>]| {
            let all = slices(columns);
            let (benchmark, models) = all.split_last().unwrap();
            test.spa(models, benchmark).unwrap()
        };
        let plain = of(test, &columns);
        prop_assert_eq!(plain, of(Superior { better: Better::Lower, ..test }, &scaled(&columns, -1.0)));
        let larger = of(test, &scaled(&columns, 8.0));
        prop_assert_eq!((plain.consistent, plain.best), (larger.consistent, larger.best));
    }

    #[test]
    fn a_model_set_keeps_its_best_and_forgets_order(columns in columns()) {
        let set = ConfidenceSet { resampling: brief(), ..ConfidenceSet::default() };
        for equality in [Equality::Max, Equality::Range] {
            let set = ConfidenceSet { equality, ..set };
            let found = set.of(&slices(&columns)).unwrap();
            let last = *found.eliminated.last().unwrap();
            prop_assert_eq!(found.p_values[last], 1.0);
            let turned: Vec<&[f64]> = slices(&columns).into_iter().rev().collect();
            let other = set.of(&turned).unwrap();
            for (a, b) in found.p_values.iter().zip(other.p_values.iter().rev()) {
                prop_assert!((a - b).abs() < 0.011);
            }
        }
    }

    #[test]
    fn studentised_intervals_hold_zero_when_their_p_value_says_so(columns in columns()) {
        let bootstrap = Bootstrap { resampling: brief(), ..Bootstrap::default() };
        for found in [
            bootstrap.sharpe_difference(&columns[0], &columns[1]).unwrap(),
            bootstrap.sharpe(&columns[0]).unwrap(),
            Hac::default().sharpe_difference(&columns[0], &columns[1]).unwrap(),
            Hac::default().mean(&columns[0]).unwrap(),
        ] {
            let inside = found.lower <= 0.0 && 0.0 <= found.upper;
            prop_assert_eq!(inside, found.p_value > 0.05, "{:?}", found);
            prop_assert!((found.lower + found.upper - 2.0 * found.estimate).abs() < 1e-9);
        }
    }

    #[test]
    fn differences_turn_their_sign(columns in columns()) {
        let bootstrap = Bootstrap { resampling: brief(), ..Bootstrap::default() };
        let (a, b) = (&columns[0], &columns[1]);
        let (there, back) =
            (bootstrap.sharpe_difference(a, b).unwrap(), bootstrap.sharpe_difference(b, a).unwrap());
        prop_assert!((there.estimate + back.estimate).abs() < 1e-12);
        prop_assert!((there.p_value - back.p_value).abs() < 0.011);
        let mean = |x: &[f64]| fattail_stats::mean(x);
        let found = bootstrap.percentile_difference(a, b, mean).unwrap();
        prop_assert!(found.lower <= found.upper && found.standard_error > 0.0);
    }

    #[test]
    fn adjusted_p_values_are_no_smaller_and_keep_order(
        p in prop::collection::vec(0.0..1.0_f64, 1..40),
    ) {
        let plain = benjamini_hochberg(&p).unwrap();
        for adjusted in [holm(&p).unwrap(), plain.clone(), benjamini_yekutieli(&p).unwrap()] {
            for i in 0..p.len() {
                prop_assert!(adjusted[i] >= p[i] - 1e-15 && adjusted[i] <= 1.0);
                for j in 0..p.len() {
                    prop_assert!(p[i] > p[j] || adjusted[i] <= adjusted[j]);
                }
            }
        }
        let found = storey(&p, 0.5).unwrap();
        prop_assert!(found.q_values.iter().zip(&plain).all(|(q, b)| q <= b));
    }

    #[test]
    fn trials_count_between_one_and_all(columns in columns(), least in -1.0..1.0_f64) {
        let all = slices(&columns);
        let count = all.len() as f64;
        let found = Trials::from_scores(&all, Counting::EffectiveRank).unwrap();
        prop_assert!(found.effective >= 1.0 - 1e-9 && found.effective <= count + 1e-9);
        let doubled: Vec<&[f64]> = all.iter().chain(&all).copied().collect();
        let again = Trials::from_scores(&doubled, Counting::EffectiveRank).unwrap();
        prop_assert!((again.effective - found.effective).abs() < 1e-6);
        let roots = Trials::from_scores(&all, Counting::Roots).unwrap();
        prop_assert!(roots.effective >= found.effective - 1e-9 && roots.effective <= count + 1e-9);
        let clusters = cluster(&doubled, least).unwrap();
        prop_assert!(clusters.count <= all.len());
        prop_assert!((0..all.len()).all(|k| clusters.labels[k] == clusters.labels[k + all.len()]));
        prop_assert_eq!(clusters.labels[0], 0);
    }

    #[test]
    fn more_trials_deflate_more(sharpe in 0.0..1.0_f64, trials in 1.0..1e4_f64, spread in 0.01..0.3_f64) {
        let sample = SharpeSample {
            sharpe, skewness: -0.5, kurtosis: 5.0, observations: 100, autocorrelation: 0.1,
            span: 1,
        };
        let of = |effective: f64| Trials { count: 10_000, effective, variance: spread * spread };
        let (few, many) = (of(trials), of(trials * 1.5));
        prop_assert!(many.expected_maximum() >= few.expected_maximum());
        prop_assert!(sample.deflated(&many) <= sample.deflated(&few));
        prop_assert!(sample.deflated_2014(&many) <= sample.deflated_2014(&few) + 1e-12);
        prop_assert!(sample.probabilistic(0.0) >= sample.probabilistic(spread));
    }
}

/// The same bits for one thread and for two.
#[test]
fn threads_do_not_matter() {
    let noise = crate::speed::noise(fattail_stats::Counter::new(3), 6, 64);
    let all = slices(&noise);
    let answer = || {
        let test = Superior { resampling: brief(), ..Superior::default() };
        let spa = test.spa(&all[..5], all[5]).unwrap();
        let steps = test.stepwise(&all[..5], all[5]).unwrap();
        let set =
            ConfidenceSet { resampling: brief(), ..ConfidenceSet::default() }.of(&all).unwrap();
        let interval = Bootstrap::default().sharpe_difference(all[0], all[1]).unwrap();
        let overfitting = Cscv { blocks: 8, ..Cscv::default() }.run(&all).unwrap();
        (spa, steps, set, interval, overfitting)
    };
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(answer)
    };
    assert!(with(1) == with(3));
}

/// Results go through JSON and come back.
#[test]
fn results_are_written_and_read() {
    let noise = crate::speed::noise(fattail_stats::Counter::new(4), 4, 40);
    let found = Cscv { blocks: 4, points: 10, ..Cscv::default() }.run(&slices(&noise)).unwrap();
    let text = serde_json::to_string(&found).unwrap();
    assert_eq!(serde_json::from_str::<Overfitting>(&text).unwrap(), found);
    let settings: Superior =
        serde_json::from_str(r#"{"better":"lower","studentised":"no"}"#).unwrap();
    assert_eq!((settings.better, settings.resampling), (Better::Lower, Resampling::default()));
}

/// What cannot be tested is refused by name.
#[test]
fn refusals_name_the_place() {
    let (good, flat) = ([0.1, -0.2, 0.3, 0.0, 0.1, -0.1, 0.2, 0.5], [1.0; 8]);
    let zero = [0.0; 8];
    let mut missing = good;
    missing[3] = f64::NAN;
    let test = Superior::default();
    let place = Error::NotFinite { name: "models", column: 1, row: 3 };
    assert_eq!(test.spa(&[&good, &missing], &zero), Err(place));
    assert!(matches!(test.spa(&[&flat], &zero), Err(Error::Constant { .. })));
    assert!(matches!(test.spa(&[&good[..7]], &zero[..7]), Err(Error::TooShort { .. })));
    assert!(matches!(test.spa(&[&good], &zero[..7]), Err(Error::Length { .. })));
    assert_eq!(test.spa(&[&good, &zero], &zero).unwrap().best, Some(0));
    let long = Resampling { block_length: Some(9.0), ..Resampling::default() };
    let refused = Superior { resampling: long, ..test }.spa(&[&good], &zero).unwrap_err();
    assert_eq!(refused.to_string(), "`block_length` is 9, allowed: 1 to the number of eras");
    assert!(Bootstrap::default().sharpe_difference(&good, &good).is_err());
    assert!(Bootstrap { level: 1.0, ..Bootstrap::default() }.sharpe(&good).is_err());
    assert!(Hac { long_run: LongRun::NeweyWest { lags: 8 }, level: 0.9 }.mean(&good).is_err());
    let none = Resampling { draws: 0, ..Resampling::default() };
    assert!(ConfidenceSet { resampling: none, ..ConfidenceSet::default() }.of(&[&good]).is_err());
}
