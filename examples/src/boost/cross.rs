//! `boost cv`: trains on some eras and scores the others, fold by fold, with a gap between them. Data of
//! one era is cut into contiguous blocks of rows.

use std::path::PathBuf;

use clap::Args;
use fattail::{
    Eras, Fit, Observer, Panel, Progress,
    evaluate::{EmbargoRule, Expanding, Fold, Horizon, PurgedKFold, Split},
    gbdt::{Boosting, CategoricalMethod, EraSettings, Gbdt, Rows, parameters::Parameters},
    objective::{Evaluation, Objective},
    store::write_json,
};
use serde::Serialize;

use super::{
    arguments::Pairs,
    columns::{Label, Part},
    learner::{learner, ranks, refuse_old, told},
    metrics::{metrics, values},
    source::{Source, SourceArgs},
};
use crate::{Outcome, set_threads};

/// The options of `cv`.
#[derive(Debug, Args)]
pub struct CrossArgs {
    /// What is read.
    #[command(flatten)]
    pub source: SourceArgs,
    /// Folds
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub folds: usize,
    /// Eras left out between training and test, at least 1 [default: 5; none between blocks of rows]
    #[arg(long, value_name = "ERAS", value_parser = clap::value_parser!(u32).range(1..))]
    pub gap: Option<u32>,
    /// Trains on the eras (or blocks) before the test eras only
    #[arg(long)]
    pub forward: bool,
    /// Writes the scores as JSON to this file as well
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Threads; 0 takes all cores
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
}

/// What came out.
#[derive(Debug, Serialize)]
struct Report {
    metrics: Vec<Score>,
    folds: Vec<FoldReport>,
    /// What the folds are cut into: `era` or, of data of one era, `block`.
    unit: &'static str,
    gap: u32,
    notes: Vec<String>,
}

/// A metric over the folds.
#[derive(Debug, Serialize)]
struct Score {
    metric: String,
    larger_is_better: bool,
    mean: f64,
    deviation: f64,
    folds: Vec<f64>,
}

/// A fold.
#[derive(Debug, Serialize)]
struct FoldReport {
    train_eras: usize,
    train_rows: usize,
    test_first: String,
    test_last: String,
    test_rows: usize,
    iterations: usize,
}

/// Eras left out between training and test, unless it is said.
const GAP: u32 = 5;

/// Cross-validates.
///
/// # Errors
/// When a parameter or the data refuses, there are too few eras, or a metric is not defined.
pub fn cross_validate(args: &CrossArgs, others: &Pairs, observer: Observer<'_>) -> Outcome<String> {
    let parameters = args.source.parameters(others)?;
    refuse_old(&parameters)?;
    set_threads(args.threads.unwrap_or(parameters.threads))?;
    let part = Part { label: Label::Needed, features: None };
    let source = args.source.read(&parameters, part, observer)?;
    let mut gbdt = learner(&parameters, &source)?;
    // Without early stopping there is nothing to hold out for.
    gbdt.stop = gbdt.stop.filter(|stop| stop.rounds > 0);
    let metrics = metrics(&parameters, &gbdt)?;
    let notes = notes(&parameters, &source);
    let Cut { panel, folds, unit, gap } = Cut::new(args, source.panel)?;
    if unit == "block" {
        check_blocks(&gbdt, &folds)?;
    }
    let mut reports = Vec::new();
    let mut scores: Vec<Vec<f64>> = vec![Vec::new(); metrics.len()];
    for (done, fold) in folds.iter().enumerate() {
        observer(Progress { stage: "folds", done: done as u64, total: folds.len() as u64 });
        let (report, values) = run(&panel, fold, &gbdt, &metrics)?;
        scores.iter_mut().zip(values).for_each(|(list, value)| list.push(value));
        reports.push(report);
    }
    observer(Progress { stage: "folds", done: folds.len() as u64, total: folds.len() as u64 });
    let metrics =
        metrics.iter().zip(scores).map(|(metric, folds)| summary(metric, folds)).collect();
    let report = Report { metrics, folds: reports, unit, gap, notes };
    if let Some(path) = &args.json {
        write_json(path, &report)?;
    }
    Ok(text(&report))
}

fn notes(parameters: &Parameters, source: &Source) -> Vec<String> {
    let watched = !parameters.files.valid.is_empty();
    let note = "parameter 'valid' does not count: a fold is scored on its own test rows";
    let watched = watched.then(|| note.to_owned());
    let given = parameters.notes.iter().map(told);
    given.chain(source.notes.iter().cloned()).chain(watched).collect()
}

/// Refuses what would take blocks of rows for eras, and early stopping where a block alone is trained on.
fn check_blocks(gbdt: &Gbdt, folds: &[Fold]) -> Outcome {
    let statistics = matches!(gbdt.categorical.method, CategoricalMethod::OrderedTarget { .. });
    let by_eras = gbdt.eras != EraSettings::default()
        || gbdt.boosting == Boosting::Ordered
        || (statistics && !gbdt.bins.categorical.is_empty())
        || matches!(gbdt.sampling.rows, Rows::Eras { .. })
        || gbdt.objective == Objective::EraCorrelation;
    if by_eras || ranks(gbdt) {
        return Err("a setting goes by eras, and there is one: name their column with --era".into());
    }
    if gbdt.stop.is_some() && folds.iter().any(|fold| fold.train.len() < 2) {
        let told = "early stopping has nothing to watch where one block is trained on";
        return Err(format!("{told}: give more --folds, no --forward, or --era COLUMN").into());
    }
    Ok(())
}

/// Data and how it is cut into folds.
struct Cut {
    panel: Panel,
    folds: Vec<Fold>,
    unit: &'static str,
    gap: u32,
}

impl Cut {
    fn new(args: &CrossArgs, panel: Panel) -> Outcome<Self> {
        match (panel.eras().len(), args.gap) {
            (1, Some(_)) => Err("--gap counts eras: name their column with --era".into()),
            (1, None) => Self::by_blocks(args, panel),
            (_, gap) => Self::by_eras(args, gap.unwrap_or(GAP), panel),
        }
    }

    fn by_eras(args: &CrossArgs, gap: u32, panel: Panel) -> Outcome<Self> {
        // Labels of `gap` days in eras of one day are disjoint when they are `gap` eras apart.
        let horizon = Horizon { days: gap, lag_days: 0, data_lag_days: 0, era_days: 1 };
        let (folds, rule) = (args.folds, EmbargoRule::LabelDisjoint);
        let split: Box<dyn Split> = match args.forward {
            true => Box::new(Expanding { folds, horizon, rule }),
            false => Box::new(PurgedKFold { folds, horizon, rule, embargo_days: 0 }),
        };
        let folds = split.folds(panel.eras())?;
        Ok(Self { panel, folds, unit: "era", gap })
    }

    /// Each block is tested once, after those before it or among all others.
    fn by_blocks(args: &CrossArgs, panel: Panel) -> Outcome<Self> {
        let (rows, first) = (panel.rows(), usize::from(args.forward));
        let count = args.folds.saturating_add(first);
        if count < 2 || count > rows {
            let told = format!("--folds is {}, allowed are 2 and above", args.folds);
            return Err(format!("{told}, up to the number of rows, {rows}").into());
        }
        let start = |block: usize| block * (rows / count) + block.min(rows % count);
        let run = |block: usize| ((block + 1).to_string().into(), start(block + 1) - start(block));
        let eras = Eras::from_runs((0..count).map(run))?;
        let last = if args.forward { 0 } else { count };
        let train = |test: usize| (0..test).chain(test + 1..last.max(test + 1)).collect();
        let fold = |test: usize| Fold { train: train(test), test: vec![test] };
        let folds = (first..count).map(fold).collect();
        Ok(Self { panel: panel.with_eras(eras)?, folds, unit: "block", gap: 0 })
    }
}

/// Trains and scores a fold.
fn run(
    panel: &Panel,
    fold: &Fold,
    gbdt: &Gbdt,
    metrics: &[Evaluation],
) -> Outcome<(FoldReport, Vec<f64>)> {
    let (train, test) = (panel.cut(&fold.train)?, panel.cut(&fold.test)?);
    let model = gbdt.fit(&train)?;
    let report = FoldReport {
        train_eras: fold.train.len(),
        train_rows: train.rows(),
        test_first: test.eras().label(0).to_owned(),
        test_last: test.eras().label(fold.test.len() - 1).to_owned(),
        test_rows: test.rows(),
        iterations: model.forest.iterations(),
    };
    Ok((report, values(metrics, gbdt, &model.forest, &test)?))
}

fn summary(metric: &Evaluation, folds: Vec<f64>) -> Score {
    let count = folds.len() as f64;
    let mean = folds.iter().sum::<f64>() / count;
    let squares: f64 = folds.iter().map(|value| (value - mean).powi(2)).sum();
    let deviation = (squares / (count - 1.0).max(1.0)).sqrt();
    let larger_is_better = metric.larger_is_better();
    Score { metric: metric.name(), larger_is_better, mean, deviation, folds }
}

fn text(report: &Report) -> String {
    let mut lines: Vec<String> = report.notes.iter().map(|note| format!("note: {note}")).collect();
    let Report { unit, .. } = report;
    if *unit == "block" {
        lines.push("no eras: the rows are cut into contiguous blocks, without a gap".into());
    }
    for (at, fold) in report.folds.iter().enumerate() {
        let scores = report.metrics.iter().map(|m| format!("{} {:.6}", m.metric, m.folds[at]));
        let scores = scores.collect::<Vec<_>>().join(", ");
        let FoldReport { train_eras, test_first, test_last, .. } = fold;
        lines.push(format!(
            "fold {}: {unit}s {test_first} to {test_last}, {train_eras} {unit}s trained on: {scores}",
            at + 1
        ));
    }
    for score in &report.metrics {
        lines.push(format!(
            "{}: mean {:.6}, deviation {:.6}",
            score.metric, score.mean, score.deviation
        ));
    }
    lines.join("\n") + "\n"
}
