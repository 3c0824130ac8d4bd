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

/// A wrong name in a file of settings is no default.
#[test]
fn settings_know_their_names() {
    fn refused<T: serde::de::DeserializeOwned>(text: &str) {
        let error = serde_json::from_str::<T>(text).err().unwrap().to_string();
        assert!(error.contains("unknown field"), "{error}");
    }
    refused::<Resampling>(r#"{"draw":99}"#);
    refused::<Superior>(r#"{"studentized":"no"}"#);
    refused::<ConfidenceSet>(r#"{"resampling":{"block":4}}"#);
    refused::<Bootstrap>(r#"{"levels":0.9}"#);
    refused::<Hac>(r#"{"longRun":{"overlap":{"span":4}}}"#);
    refused::<Cscv>(r#"{"block":8}"#);
}

/// A model that is another and a constant has no spread to be judged by, in every test alike.
#[test]
fn constant_differences_are_refused_alike() {
    let wave = |t: u32, k: u32| f64::from((t * 7 + k * 5) % 11) - 5.0;
    let column = |k: u32, by: f64| (0..60).map(|t| wave(t, k) + by).collect::<Vec<_>>();
    let (plain, above, other) = (column(0, 0.0), column(0, 1.0), column(3, 0.3));
    // The same numbers but for rounding.
    let twin: Vec<f64> = plain.iter().map(|v| (v + 0.1) - 0.1).collect();
    let forms =
        [Studentised::Bootstrap, Studentised::Prewhitened, Studentised::Overlap { span: 4 }];
    let constant = |found: bool, what: &str| assert!(found, "{what}");
    for studentised in forms {
        let test = Superior { studentised, resampling: brief(), ..Superior::default() };
        let spa = test.spa(&[&above, &other], &plain);
        constant(matches!(spa, Err(Error::Constant { column: 0, .. })), "SPA");
        let steps = test.stepwise(&[&other, &above], &plain);
        constant(matches!(steps, Err(Error::Constant { column: 1, .. })), "stepwise");
        assert_eq!(test.spa(&[&twin], &plain).unwrap().best, None);
        for still in [&twin, &plain] {
            assert_eq!(test.stepwise(&[still, &other], &plain).unwrap().adjusted[0], 1.0);
        }
        for equality in [Equality::Max, Equality::Range] {
            let set = ConfidenceSet {
                equality,
                studentised,
                resampling: brief(),
                ..ConfidenceSet::default()
            };
            let found = set.of(&[&plain, &other, &above]);
            constant(matches!(found, Err(Error::Constant { column: 2, .. })), "set");
            assert_eq!(set.of(&[&plain, &twin]).unwrap().p_values, [1.0, 1.0]);
            // No two differ by a constant, but the first and the mean of all do.
            let apart = |by: f64, sign: f64| -> Vec<f64> {
                plain.iter().zip(&other).map(|(a, b)| a + sign * (b - 0.3) + by).collect()
            };
            let three = set.of(&[&plain, &apart(0.0, 1.0), &apart(1.0, -1.0)]);
            assert_eq!(three.is_err(), equality == Equality::Max, "{three:?}");
        }
    }
    // Divided by nothing, a constant is as good as any number.
    let set = ConfidenceSet {
        studentised: Studentised::No,
        resampling: brief(),
        ..ConfidenceSet::default()
    };
    assert_eq!(set.of(&[&plain, &above]).unwrap().eliminated, [0, 1]);
}

/// Scores that go up and down in turn: blocks of two always sum to the same, and their bootstrap has no
/// spread but rounding.
#[test]
fn blocks_that_never_move_are_refused() {
    let zigzag: Vec<f64> = (0..40).map(|t| if t % 2 == 0 { 0.1 } else { -0.1 } + 0.03).collect();
    let zero = [0.0; 40];
    let resampling =
        Resampling { scheme: Scheme::Circular, block_length: Some(2.0), ..Resampling::default() };
    for studentised in [Studentised::Bootstrap, Studentised::Prewhitened] {
        let test = Superior { studentised, resampling, ..Superior::default() };
        let place = Error::Constant { name: "means of blocks", column: 0 };
        assert_eq!(test.spa(&[&zigzag], &zero), Err(place.clone()));
        assert_eq!(test.stepwise(&[&zigzag], &zero), Err(place));
        let set = ConfidenceSet { studentised, resampling, ..ConfidenceSet::default() };
        assert!(matches!(set.of(&[&zigzag, &zero]), Err(Error::Constant { .. })));
    }
    let odd = Resampling { block_length: Some(3.0), ..resampling };
    assert!(Superior { resampling: odd, ..Superior::default() }.spa(&[&zigzag], &zero).is_ok());
}

/// Spread that is rounding is none.
#[test]
fn rounding_is_constant() {
    let (size, step) = (3.0, 1e-12);
    let series: Vec<f64> = (0..40).map(|t| size + step * f64::from(t * 7 % 11)).collect();
    assert!(matches!(SharpeSample::of(&series), Err(Error::Constant { .. })));
    assert!(matches!(Hac::default().mean(&series), Err(Error::Constant { .. })));
    assert!(matches!(Hac::default().sharpe(&series), Err(Error::Constant { .. })));
    assert!(matches!(Bootstrap::default().sharpe(&series), Err(Error::Constant { .. })));
    let noise = crate::speed::noise(fattail_stats::Counter::new(5), 1, 40).remove(0);
    let doubled: Vec<f64> = noise.iter().map(|v| v * 1.7).collect();
    assert!(Bootstrap::default().sharpe_difference(&noise, &doubled).is_err());
    assert!(Hac::default().sharpe_difference(&noise, &doubled).is_err());
    let roots = Trials::from_scores(&[&noise, &series], Counting::Roots);
    assert!(matches!(roots, Err(Error::Constant { column: 1, .. })));
    let all = Trials::from_scores(&[&noise, &series], Counting::All).unwrap();
    assert_eq!((all.effective, all.variance.is_nan()), (2.0, true));
}
