//! `boost explain`: which features a model leans on, in which eras, and why a row is predicted so.

use std::path::PathBuf;

use clap::Args;
use fattail::{
    Observer, Panel,
    evaluate::SpearmanCorr,
    store::write_json,
    trees::{
        Forest,
        explain::{DecisionPath, EraImportance, Explainer, Importance, Permutation, era_gain},
    },
};
use serde::Serialize;

use super::{
    arguments::Pairs,
    columns::{Label, Part},
    learner::told_all,
    model::{features, read_model},
    source::SourceArgs,
};
use crate::{Outcome, set_threads};

/// The options of `explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// What is read; without data only what the model itself remembers is told.
    #[command(flatten)]
    pub source: SourceArgs,
    /// Model: LightGBM text, XGBoost JSON or UBJSON, CatBoost JSON, told by its content; or `input_model`
    #[arg(long, value_name = "FILE")]
    pub model: Option<PathBuf>,
    /// Row of the data to explain, counted from 0
    #[arg(long, value_name = "ROW", requires = "data")]
    pub row: Option<usize>,
    /// Tree whose decision path is told with `--row`, counted from 0
    #[arg(long, value_name = "TREE", default_value_t = 0)]
    pub tree: usize,
    /// Features shown as text; JSON holds all
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub top: usize,
    /// Seed of the shuffles of the permutation importance
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// Writes everything as JSON to this file as well
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Threads; 0 takes all cores
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
}

/// All that is told.
#[derive(Debug, Serialize)]
struct Report {
    trees: usize,
    outputs: usize,
    objective: String,
    features: Vec<FeatureReport>,
    /// Labels of the eras that the lists of the features go by.
    eras: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    row: Option<RowReport>,
}

/// A feature.
#[derive(Debug, Serialize)]
struct FeatureReport {
    name: String,
    gain: f64,
    splits: f64,
    cover: f64,
    /// Mean absolute SHAP value.
    #[serde(skip_serializing_if = "Option::is_none")]
    shap: Option<f64>,
    /// What its splits win in each era; absent where it is not defined.
    #[serde(skip_serializing_if = "Option::is_none")]
    era_gain: Option<Eras>,
    /// What Spearman's correlation loses in each era when the feature is shuffled.
    #[serde(skip_serializing_if = "Option::is_none")]
    permutation: Option<Eras>,
}

/// A number in each era.
#[derive(Debug, Serialize)]
struct Eras {
    mean: Option<f64>,
    deviation: Option<f64>,
    values: Vec<Option<f64>>,
}

/// A row.
#[derive(Debug, Serialize)]
struct RowReport {
    row: usize,
    /// Raw scores and their parts, one an output: the features' and what is expected without them.
    outputs: Vec<Parts>,
    tree: usize,
    path: String,
}

/// The parts of a raw score.
#[derive(Debug, Serialize)]
struct Parts {
    raw: f64,
    expected: f64,
    contributions: Vec<f64>,
}

/// Explains a model.
///
/// # Errors
/// When the model, the data or the disk refuses, or there is no such row or tree.
pub fn explain(args: &ExplainArgs, others: &Pairs, observer: Observer<'_>) -> Outcome<String> {
    let parameters = args.source.parameters(others)?;
    set_threads(args.threads.unwrap_or(parameters.threads))?;
    let named = || parameters.files.input_model.as_ref().map(PathBuf::from);
    let model = args.model.clone().or_else(named).ok_or("no model: name a file with --model")?;
    let forest = read_model(&model)?;
    let mut report = remembered(&forest)?;
    if parameters.files.data.is_some() {
        let features = features(&forest);
        let part = Part { label: Label::Named, features: Some(&features) };
        let panel = args.source.read(&parameters, part, observer)?.panel;
        seen(&forest, &panel, args.seed, &mut report)?;
        report.row =
            args.row.map(|row| explain_row(&forest, &panel, row, args.tree)).transpose()?;
    }
    if let Some(path) = &args.json {
        write_json(path, &report)?;
    }
    Ok(told_all(&parameters) + &text(&report, args.top))
}

/// What the model itself tells.
fn remembered(forest: &Forest) -> Outcome<Report> {
    let kinds = [Importance::Gain, Importance::Splits, Importance::Cover];
    let [gain, splits, cover] = kinds.map(|kind| kind.of(forest));
    let (gain, splits, cover) = (gain?, splits?, cover?);
    let feature = |(at, feature): (usize, &fattail::trees::Feature)| FeatureReport {
        name: feature.name.clone(),
        gain: gain[at],
        splits: splits[at],
        cover: cover[at],
        shap: None,
        era_gain: None,
        permutation: None,
    };
    Ok(Report {
        trees: forest.trees.len(),
        outputs: forest.outputs,
        objective: forest.objective.clone(),
        features: forest.features.iter().enumerate().map(feature).collect(),
        eras: Vec::new(),
        row: None,
    })
}

/// What the model does on data.
fn seen(forest: &Forest, panel: &Panel, seed: u64, report: &mut Report) -> Outcome {
    report.eras = panel.eras().labels().map(str::to_owned).collect();
    // Lines in leaves have no SHAP values.
    if let Ok(explainer) = Explainer::new(forest) {
        let sizes = explainer.shap(panel)?.mean_sizes();
        report.features.iter_mut().zip(sizes).for_each(|(feature, size)| feature.shap = Some(size));
    }
    if !panel.has_target() || forest.outputs != 1 {
        return Ok(());
    }
    let gains = era_gain(forest, panel)?;
    let losses = Permutation { seed, repeats: 1 }.importance(panel, forest, &SpearmanCorr)?;
    for (at, feature) in report.features.iter_mut().enumerate() {
        feature.era_gain = Some(eras(&gains, at));
        feature.permutation = Some(eras(&losses, at));
    }
    Ok(())
}

fn eras(importance: &EraImportance, feature: usize) -> Eras {
    let defined = |value: f64| Some(value).filter(|value| value.is_finite());
    let (mean, deviation) = importance.summary(feature);
    let values = importance.of(feature).iter().map(|&value| defined(value)).collect();
    Eras { mean: defined(mean), deviation: defined(deviation), values }
}

fn explain_row(forest: &Forest, panel: &Panel, row: usize, tree: usize) -> Outcome<RowReport> {
    let told = || format!("--row is {row}, the data has {} rows", panel.rows());
    let era = panel.eras().of_row(row).ok_or_else(told)?;
    let within = row - panel.eras().range(era).start;
    let value = |at| f64::from(panel.era(era).feature(at).get(within));
    let values: Vec<f64> = (0..panel.width()).map(value).collect();
    let raw = forest.raw_row(&values)?;
    let shap = Explainer::new(forest).and_then(|explainer| explainer.shap_row(&values)).ok();
    let part = |(output, raw): (usize, f64)| match &shap {
        Some(shap) => {
            let (contributions, expected) = shap.row(0, output).split_at(shap.features);
            Parts { raw, expected: expected[0], contributions: contributions.to_vec() }
        }
        None => Parts { raw, expected: f64::NAN, contributions: Vec::new() },
    };
    let path = DecisionPath::new(forest, tree, &values)?.to_string();
    Ok(RowReport { row, outputs: raw.into_iter().enumerate().map(part).collect(), tree, path })
}

fn text(report: &Report, top: usize) -> String {
    let mut order: Vec<&FeatureReport> = report.features.iter().collect();
    order.sort_by(|a, b| b.gain.total_cmp(&a.gain));
    let objective = if report.objective.is_empty() { "unknown" } else { &report.objective };
    let mut lines = vec![
        format!("{} trees, {} outputs, objective {objective}", report.trees, report.outputs),
        format!(
            "{:<24} {:>12} {:>8} {:>12} {:>22} {:>22}",
            "feature", "gain", "splits", "|shap|", "era gain", "permutation"
        ),
    ];
    for feature in order.iter().take(top) {
        let shap = feature.shap.map_or(String::new(), |size| format!("{size:.6}"));
        let of = |eras: &Option<Eras>| {
            let mean = eras.as_ref().and_then(|eras| eras.mean);
            let deviation = eras.as_ref().and_then(|eras| eras.deviation);
            match (mean, deviation) {
                (Some(mean), Some(deviation)) => format!("{mean:.5} +- {deviation:.5}"),
                (Some(mean), None) => format!("{mean:.5}"),
                _ => String::new(),
            }
        };
        let FeatureReport { name, gain, splits, .. } = feature;
        let (gains, losses) = (of(&feature.era_gain), of(&feature.permutation));
        lines.push(
            format!("{name:<24} {gain:>12.4} {splits:>8} {shap:>12} {gains:>22} {losses:>22}")
                .trim_end()
                .to_owned(),
        );
    }
    if let Some(row) = &report.row {
        lines.extend(row_text(report, row, top));
    }
    lines.join("\n") + "\n"
}

fn row_text(report: &Report, row: &RowReport, top: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for (output, parts) in row.outputs.iter().enumerate() {
        let (raw, expected) = (parts.raw, parts.expected);
        lines.push(format!(
            "row {}, output {output}: raw score {raw:.6}, expected {expected:.6}",
            row.row
        ));
        let names = report.features.iter().map(|feature| &feature.name);
        let mut order: Vec<_> =
            names.zip(&parts.contributions).filter(|part| *part.1 != 0.0).collect();
        order.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
        lines.extend(
            order.iter().take(top).map(|(name, value)| format!("  {name:<24} {value:+.6}")),
        );
    }
    lines.push(format!("tree {}:", row.tree));
    lines.extend(row.path.lines().map(|line| format!("  {line}")));
    lines
}
