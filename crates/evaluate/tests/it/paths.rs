//! Combinatorial cross-validation: the splits and paths of skfolio, every era once a path, and a backtest whose
//! paths are what plain refits give.

use std::cell::Cell;
use std::sync::Mutex;

use fattail_core::{Eras, Fit, Metric, Panel, Predict, Progress, Result, silent};
use fattail_evaluate::{
    Combinations, Corr, Cpcv, CpcvRows, EmbargoRule, EraScore, Fold, Given, Horizon, PathBacktest,
    PearsonCorr, Spans, SquaredError, backtest, backtest_paths,
};
use proptest::prelude::*;
use serde::Deserialize;

use crate::panels::{ROWS, Slope, panel};

#[derive(Deserialize)]
struct Golden {
    n: usize,
    n_folds: usize,
    n_test: usize,
    purge: u32,
    embargo: u32,
    n_splits: usize,
    n_paths: usize,
    path_ids: Vec<Vec<usize>>,
    splits: Vec<GoldenSplit>,
}

#[derive(Deserialize)]
struct GoldenSplit {
    train: Vec<usize>,
    test: Vec<Vec<usize>>,
}

fn golden() -> Vec<Golden> {
    serde_json::from_str(include_str!("../reference/cpcv_skfolio_golden.json")).unwrap()
}

fn check_golden(case: &Golden, splits: &Combinations) {
    assert_eq!((splits.folds().len(), splits.paths().len()), (case.n_splits, case.n_paths));
    assert_eq!(splits.path_ids(), case.path_ids);
    for (at, (fold, golden)) in splits.folds().iter().zip(&case.splits).enumerate() {
        assert_eq!(fold.train, golden.train, "split {at} of {} eras", case.n);
        assert_eq!(fold.test, golden.test.concat());
        let groups = splits.tested(at).iter().map(|&group| splits.groups()[group].clone());
        assert_eq!(groups.collect::<Vec<_>>(), golden.test);
    }
}

/// `purge` eras on both sides of a test block, and `embargo` more after it.
#[test]
fn the_splits_and_paths_of_skfolio() {
    let cases = golden();
    assert_eq!(cases.len(), 6);
    let mut by_days = 0;
    for case in &cases {
        let (groups, tests, embargo) = (case.n_folds, case.n_test, u64::from(case.embargo));
        let starts: Vec<i64> = (0..case.n as i64).collect();
        let ends = starts.iter().map(|start| start + i64::from(case.purge)).collect();
        let spans = Spans::new(starts, ends).unwrap();
        check_golden(case, &CpcvRows { groups, tests, embargo }.splits(&spans).unwrap());
        if case.purge > 0 {
            // Labels of `purge` days in eras of one day; no label has no day.
            let (days, embargo_days) = (case.purge, case.embargo);
            let horizon = Horizon { days, lag_days: 0, data_lag_days: 0, era_days: 1 };
            let rule = EmbargoRule::LabelDisjoint;
            let cpcv = Cpcv { groups, tests, horizon, rule, embargo_days };
            check_golden(case, &cpcv.splits(&eras(case.n)).unwrap());
            by_days += 1;
        }
    }
    assert_eq!(by_days, 4);
}

fn eras(count: usize) -> Eras {
    Eras::from_labels((0..count).map(|era| format!("{era:04}"))).unwrap()
}

#[test]
fn every_path_predicts_every_era_once() {
    let seen = Cell::new(0);
    proptest!(ProptestConfig::with_cases(200), |(
        count in 8_usize..150,
        groups in 2_usize..8,
        tests in 1_usize..5,
        days in 1_u32..30,
        embargo_days in 0_u32..20,
    )| {
        let horizon = Horizon { days, ..Horizon::NUMERAI_20 };
        let rule = EmbargoRule::LabelDisjoint;
        let cpcv = Cpcv { groups, tests, horizon, rule, embargo_days };
        let Ok(splits) = cpcv.splits(&eras(count)) else { return Ok(()) };
        seen.set(seen.get() + 1);
        let gap = rule.gap(&horizon).unwrap();
        let embargo = embargo_days.div_ceil(5) as usize;
        let choose = |n: usize, k: usize| (0..k).fold(1, |c, i| c * (n - i) / (i + 1));
        let paths = splits.paths();
        prop_assert_eq!(splits.folds().len(), choose(groups, tests));
        prop_assert_eq!(paths.len(), choose(groups - 1, tests - 1));
        let all: Vec<usize> = splits.groups().concat();
        prop_assert_eq!(all, (0..count).collect::<Vec<_>>());
        // No split of a group is on two paths, and the split of a path does test the group.
        for group in 0..groups {
            let mut used: Vec<usize> = paths.iter().map(|path| path[group]).collect();
            prop_assert!(used.iter().all(|&split| splits.tested(split).contains(&group)));
            used.sort_unstable();
            used.dedup();
            prop_assert_eq!(used.len(), paths.len());
        }
        // The ids and the paths say the same.
        for (split, ids) in splits.path_ids().iter().enumerate() {
            for (&group, &path) in splits.tested(split).iter().zip(ids) {
                prop_assert_eq!(paths[path][group], split);
            }
        }
        for fold in splits.folds() {
            for era in 0..count {
                let near = |&t: &usize| {
                    if era < t { t - era <= gap } else { era - t <= gap + embargo }
                };
                let free = !fold.test.contains(&era) && !fold.test.iter().any(near);
                prop_assert_eq!(fold.train.contains(&era), free, "era {} of {:?}", era, fold);
            }
        }
    });
    assert!(seen.get() > 40, "{seen:?}");
}

/// Predicts the mean target of what it was fitted on, which tells splits apart.
struct Level;
struct LevelModel(f32);

impl Fit for Level {
    type Fitted = LevelModel;

    fn fit(&self, train: &Panel) -> Result<LevelModel> {
        let target = train.target()?.to_f64();
        Ok(LevelModel((target.iter().sum::<f64>() / target.len() as f64) as f32))
    }
}

impl Predict for LevelModel {
    fn predict(&self, panel: &Panel) -> Result<Vec<f32>> {
        Ok(panel.feature(0).to_f32().iter().map(|x| self.0 + 0.001 * x).collect())
    }
}

fn run(panel: &Panel, splits: &Combinations, threads: usize) -> PathBacktest {
    let metrics: [&dyn Metric; 2] = [&PearsonCorr, &SquaredError];
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| backtest_paths(&Level, panel, splits, &metrics, &silent)).unwrap()
}

#[test]
fn paths_are_what_plain_backtests_of_their_splits_give() {
    let panel = panel(47, 11);
    let splits = Cpcv { groups: 5, tests: 2, ..Cpcv::default() }.splits(panel.eras()).unwrap();
    let result = run(&panel, &splits, 2);
    assert_eq!((result.splits.len(), result.paths.len()), (10, 4));
    // Each split by itself, as a backtest of one fold.
    let alone: Vec<_> = splits
        .folds()
        .iter()
        .map(|fold| {
            let metrics: [&dyn Metric; 2] = [&PearsonCorr, &SquaredError];
            backtest(&Level, &panel, &Given(vec![fold.clone()]), &metrics, &silent).unwrap()
        })
        .collect();
    for (run, alone) in result.splits.iter().zip(&alone) {
        assert_eq!(run, &alone.folds[0]);
    }
    let mut defined = 0;
    for (path, by_group) in result.paths.iter().zip(splits.paths()) {
        assert_eq!(path.splits, by_group);
        assert_eq!(path.predictions.eras, (0..47).collect::<Vec<_>>());
        for (group, &split) in by_group.iter().enumerate() {
            for &era in &splits.groups()[group] {
                let at = splits.folds()[split].test.binary_search(&era).unwrap();
                let (rows, own) = (era * ROWS..(era + 1) * ROWS, at * ROWS..(at + 1) * ROWS);
                assert_eq!(path.predictions.values[rows], alone[split].predictions.values[own]);
                for metric in 0..2 {
                    assert_eq!(path.scores[metric].eras[era], alone[split].scores[metric].eras[at]);
                    // NaN differs from itself; its bits do not.
                    let bits = |score: &EraScore| {
                        (score.era.clone(), score.value.to_bits(), score.reason.clone())
                    };
                    let constant = &alone[split].constant[metric].eras[at];
                    assert_eq!(bits(&path.constant[metric].eras[era]), bits(constant));
                    defined += usize::from(constant.value.is_finite());
                }
            }
        }
    }
    // A constant has squared errors and no correlation.
    assert_eq!(defined, 4 * 47);
    // Models of different splits differ, so paths do.
    assert_ne!(result.paths[0].predictions, result.paths[1].predictions);
}

#[test]
fn numbers_of_paths() {
    let panel = panel(60, 12);
    let splits = Cpcv { groups: 6, tests: 2, ..Cpcv::default() }.splits(panel.eras()).unwrap();
    let corr = Corr::default();
    let result = backtest_paths(&Slope, &panel, &splits, &[&corr], &silent).unwrap();
    let matrix = result.matrix("corr").unwrap();
    assert_eq!((matrix.len(), matrix[0].len()), (5, 60));
    let sharpes = result.sharpes("corr").unwrap();
    for (series, sharpe) in matrix.iter().zip(&sharpes) {
        let expected = fattail_stats::mean(series) / fattail_stats::std(series, 0);
        assert!((sharpe - expected).abs() < 1e-12);
    }
    let spread = result.sharpe("corr").unwrap();
    assert_eq!((spread.paths, spread.undefined), (5, 0));
    assert!(spread.least > 0.5 && spread.least <= spread.median && spread.median <= spread.most);
    assert_eq!(
        result.sharpe("mmc").unwrap_err().to_string(),
        "the backtest has no scores of 'mmc'"
    );
    let text = serde_json::to_string(&result).unwrap();
    assert!(text.contains(r#""value":null,"reason":"predictions are constant""#));
    let back: PathBacktest = serde_json::from_str(&text).unwrap();
    assert_eq!(serde_json::to_string(&back).unwrap(), text);
}

#[test]
fn the_same_bits_for_one_and_three_threads() {
    let panel = panel(40, 13);
    let splits = Cpcv { groups: 5, tests: 2, ..Cpcv::default() }.splits(panel.eras()).unwrap();
    let text = |threads| serde_json::to_string(&run(&panel, &splits, threads)).unwrap();
    assert_eq!(text(1), text(3));
}

#[test]
fn progress_is_told_split_by_split() {
    let told = Mutex::new(Vec::new());
    let observer =
        |progress: Progress<'_>| told.lock().unwrap().push((progress.done, progress.total));
    let panel = panel(40, 14);
    let splits = Cpcv { groups: 3, tests: 1, ..Cpcv::default() }.splits(panel.eras()).unwrap();
    backtest_paths(&Slope, &panel, &splits, &[], &observer).unwrap();
    assert_eq!(told.into_inner().unwrap(), [(0, 3), (1, 3), (2, 3), (3, 3)]);
}

#[test]
fn splits_of_other_eras_are_refused() {
    let panel = panel(40, 15);
    let splits = Cpcv { groups: 3, tests: 1, ..Cpcv::default() }.splits(&eras(41)).unwrap();
    let error = backtest_paths(&Slope, &panel, &splits, &[], &silent).unwrap_err().to_string();
    assert_eq!(error, "the splits hold 41 eras, the panel has 40");
}

/// Hands out its fits in a wrong order, or not all.
struct Careless {
    order: Vec<usize>,
}

impl Fit for Careless {
    type Fitted = LevelModel;

    fn fit(&self, train: &Panel) -> Result<LevelModel> {
        Level.fit(train)
    }

    fn fit_each(
        &self,
        panel: &Panel,
        cuts: &[Vec<usize>],
        each: &mut dyn FnMut(usize, LevelModel) -> Result<()>,
    ) -> Result<()> {
        self.order.iter().try_for_each(|&at| each(at, self.fit(&panel.cut(&cuts[at % 2])?)?))
    }
}

#[test]
fn fits_that_are_lost_or_turned_round_are_noticed() {
    let panel = panel(40, 16);
    let fold = |train: usize, test: usize| Fold { train: vec![train], test: vec![test] };
    let split = Given(vec![fold(0, 20), fold(1, 30)]);
    let refusal = |order: &[usize]| {
        let learner = Careless { order: order.to_vec() };
        backtest(&learner, &panel, &split, &[], &silent).unwrap_err().to_string()
    };
    let lost =
        |fold: usize| format!("the learner did not hand out the fit of fold {fold} in its turn");
    assert_eq!(refusal(&[1, 0]), lost(0));
    assert_eq!(refusal(&[0]), lost(1));
    assert_eq!(refusal(&[0, 0]), lost(1));
    assert_eq!(refusal(&[0, 1, 2]), lost(2));
}
