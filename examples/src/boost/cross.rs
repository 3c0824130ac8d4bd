//! `boost cv`: trains on some eras and scores the others, fold by fold, with a gap between them.

use std::path::PathBuf;

use clap::Args;
use fattail::{
    Fit, Observer, Panel, Progress,
    evaluate::{EmbargoRule, Expanding, Fold, Horizon, PurgedKFold, Split},
    gbdt::{Gbdt, parameters::Parameters},
    objective::{Evaluation, Labels},
    store::write_json,
    trees::Predictor,
};
use serde::Serialize;

use super::{
    arguments::Pairs,
    source::SourceArgs,
    train::{refuse, settings, told},
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
    /// Eras left out between training and test, at least 1
    #[arg(long, value_name = "ERAS", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    pub gap: u32,
    /// Trains on the eras before the test eras only
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

/// Cross-validates.
///
/// # Errors
/// When a parameter or the data refuses, there are too few eras, or a metric is not defined.
pub fn cross_validate(args: &CrossArgs, others: &Pairs, observer: Observer<'_>) -> Outcome<String> {
    let parameters = args.source.parameters(others)?;
    refuse(&parameters)?;
    set_threads(args.threads.unwrap_or(parameters.threads))?;
    let panel = args.source.read(&parameters, None, observer)?;
    if panel.eras().len() < 2 {
        return Err("cross-validation goes by eras: name their column with --era".into());
    }
    let gbdt = settings(&parameters, &panel)?;
    let metrics = metrics(&parameters, &gbdt)?;
    let folds = folds(args, &panel)?;
    let mut reports = Vec::new();
    let mut scores: Vec<Vec<f64>> = vec![Vec::new(); metrics.len()];
    for (done, fold) in folds.iter().enumerate() {
        observer(Progress { stage: "folds", done: done as u64, total: folds.len() as u64 });
        let (train, test) = (panel.cut(&fold.train)?, panel.cut(&fold.test)?);
        let model = gbdt.fit(&train)?;
        let raw = Predictor::new(&model.forest)?.raw(&test)?;
        let values = score(&test, &raw, &model.forest, &metrics)?;
        scores.iter_mut().zip(values).for_each(|(list, value)| list.push(value));
        reports.push(FoldReport {
            train_eras: fold.train.len(),
            train_rows: train.rows(),
            test_first: test.eras().label(0).to_owned(),
            test_last: test.eras().label(fold.test.len() - 1).to_owned(),
            test_rows: test.rows(),
            iterations: model.forest.iterations(),
        });
    }
    observer(Progress { stage: "folds", done: folds.len() as u64, total: folds.len() as u64 });
    let metrics =
        metrics.iter().zip(scores).map(|(metric, folds)| summary(metric, folds)).collect();
    let notes = parameters.notes.iter().map(told).collect();
    let report = Report { metrics, folds: reports, gap: args.gap, notes };
    if let Some(path) = &args.json {
        write_json(path, &report)?;
    }
    Ok(text(&report))
}

/// The metrics asked for, or the objective's own.
fn metrics(parameters: &Parameters, gbdt: &Gbdt) -> Outcome<Vec<Evaluation>> {
    let own = gbdt.objective.evaluation();
    if parameters.metrics.is_empty() {
        return Ok(vec![own]);
    }
    let of = |name: &String| match Evaluation::from_name(name) {
        Ok(metric) if metric.name() == own.name() => Ok(own.clone()),
        metric => Ok(metric?),
    };
    parameters.metrics.iter().map(of).collect()
}

fn folds(args: &CrossArgs, panel: &Panel) -> Outcome<Vec<Fold>> {
    // Labels of `gap` days in eras of one day are disjoint when they are `gap` eras apart.
    let horizon = Horizon { days: args.gap, lag_days: 0, data_lag_days: 0, era_days: 1 };
    let (folds, rule) = (args.folds, EmbargoRule::LabelDisjoint);
    let split: Box<dyn Split> = match args.forward {
        true => Box::new(Expanding { folds, horizon, rule }),
        false => Box::new(PurgedKFold { folds, horizon, rule, embargo_days: 0 }),
    };
    Ok(split.folds(panel.eras())?)
}

/// The metrics of raw scores, which come row by row.
fn score(
    test: &Panel,
    raw: &[f64],
    forest: &fattail::trees::Forest,
    metrics: &[Evaluation],
) -> Outcome<Vec<f64>> {
    let outputs = forest.outputs;
    let column = |output: usize| raw.iter().skip(output).step_by(outputs).copied();
    let scores: Vec<f64> = (0..outputs).flat_map(column).collect();
    let target = test.target()?.to_f32();
    let weights = test.weights().map(|weights| weights.to_f32());
    let ends = test.eras().ranges().map(|range| range.end);
    let eras: Vec<usize> = std::iter::once(0).chain(ends).collect();
    let labels = Labels { targets: &[&*target], weights: weights.as_deref(), eras: &eras };
    let value = |metric: &Evaluation| Ok(metric.value(&labels, &scores, forest.link)?);
    metrics.iter().map(value).collect()
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
    for (at, fold) in report.folds.iter().enumerate() {
        let scores = report.metrics.iter().map(|m| format!("{} {:.6}", m.metric, m.folds[at]));
        let scores = scores.collect::<Vec<_>>().join(", ");
        let FoldReport { train_eras, test_first, test_last, .. } = fold;
        lines.push(format!(
            "fold {}: eras {test_first} to {test_last}, {train_eras} eras trained on: {scores}",
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
