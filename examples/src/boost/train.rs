//! `boost train`.

use std::path::PathBuf;

use clap::Args;
use fattail::{
    Observer, Panel,
    gbdt::{
        Gbdt,
        parameters::{Note, Parameters, Task, describe},
    },
    store::write_json,
};
use serde::Serialize;

use super::{arguments::Pairs, forced::force, model::write_model, source::SourceArgs};
use crate::{Outcome, set_threads};

/// The options of `train`.
#[derive(Debug, Args)]
pub struct TrainArgs {
    /// What is read.
    #[command(flatten)]
    pub source: SourceArgs,
    /// Model to write: `.json` and `.ubj` XGBoost, `.onnx`, `.treelite`, else LightGBM text
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Writes what was done as JSON to this file as well
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Threads; 0 takes all cores. Models are the same bytes for any number
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
}

/// What was done.
#[derive(Debug, Serialize)]
struct Report {
    rows: usize,
    eras: usize,
    features: usize,
    label: String,
    trees: usize,
    rounds: usize,
    metric: String,
    history: Vec<f64>,
    notes: Vec<String>,
}

/// Trains a model.
///
/// # Errors
/// When a parameter, the data or the disk refuses.
pub fn train(args: &TrainArgs, others: &Pairs, observer: Observer<'_>) -> Outcome<String> {
    let parameters = args.source.parameters(others)?;
    refuse(&parameters)?;
    let named = parameters.files.output_model.clone().map(PathBuf::from);
    let out = args.out.clone().or(named).ok_or("nowhere to write to: name a file with --out")?;
    set_threads(args.threads.unwrap_or(parameters.threads))?;
    let panel = args.source.read(&parameters, None, observer)?;
    let gbdt = settings(&parameters, &panel)?;
    let model = gbdt.fit_observed(&panel, observer)?;
    let mut forest = model.forest;
    forest.parameters = describe(&gbdt, panel.schema().features());
    write_model(&out, &forest)?;
    let report = Report {
        rows: panel.rows(),
        eras: panel.eras().len(),
        features: panel.width(),
        label: panel.schema().target().unwrap_or_default().to_owned(),
        trees: forest.trees.len(),
        rounds: model.rounds,
        metric: model.metric,
        history: model.history,
        notes: parameters.notes.iter().map(told).collect(),
    };
    if let Some(path) = &args.json {
        write_json(path, &report)?;
    }
    let Report { rows, eras, features, trees, .. } = report;
    let notes: String = report.notes.iter().map(|note| format!("note: {note}\n")).collect();
    let out = out.display();
    Ok(format!(
        "{notes}{trees} trees from {rows} rows in {eras} eras of {features} features written to {out}\n"
    ))
}

/// A note in words.
pub(crate) fn told(note: &Note) -> String {
    format!("parameter '{}' does not count: {}", note.parameter, note.reason)
}

/// Refuses what the parameters ask for and this program does not do.
pub(crate) fn refuse(parameters: &Parameters) -> Outcome {
    if parameters.task != Task::Train {
        return Err("parameter 'task' is not train: this command trains".into());
    }
    if !parameters.files.valid.is_empty() {
        return Err(
            "parameter 'valid' is not supported: early stopping holds out the last eras of the \
                    data, see --early-stopping-holdout and --early-stopping-gap"
                .into(),
        );
    }
    if parameters.files.input_model.is_some() {
        return Err("parameter 'input_model' is not supported: training begins anew".into());
    }
    Ok(())
}

/// The settings for a panel.
///
/// # Errors
/// When a list does not fit its features, or a file of forced splits or bins is broken.
pub(crate) fn settings(parameters: &Parameters, panel: &Panel) -> Outcome<Gbdt> {
    let names: Vec<String> = panel.schema().features().iter().map(ToString::to_string).collect();
    let mut gbdt = parameters.gbdt(&names)?;
    force(parameters, &names, &mut gbdt)?;
    Ok(gbdt)
}
