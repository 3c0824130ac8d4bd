//! `boost train`: a new model, one trained on from another, or one whose leaves are fitted again.

use std::path::PathBuf;

use clap::Args;
use fattail::{
    Observer,
    gbdt::{
        Beside,
        parameters::{Parameters, Task, describe},
    },
    store::write_json,
    trees::Forest,
};
use serde::Serialize;

use super::{
    arguments::Pairs,
    columns::{Label, Part},
    learner::{check_watch, learner, tells_rounds, told},
    metrics::metrics,
    model::{features, read_model, write_model},
    source::{Source, SourceArgs},
    watch::Watched,
};
use crate::{Outcome, set_threads};

/// The options of `train`.
#[derive(Debug, Args)]
pub struct TrainArgs {
    /// What is read.
    #[command(flatten)]
    pub source: SourceArgs,
    /// Data that the metric is told of after each round, and that early stopping looks at; with the
    /// same columns
    #[arg(long, value_name = "FILE")]
    pub valid: Option<PathBuf>,
    /// Model to train on from, in any format that is read; with --task refit its leaves are fitted again
    #[arg(long, value_name = "FILE")]
    pub input_model: Option<PathBuf>,
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
    task: Work,
    rows: usize,
    eras: usize,
    features: usize,
    label: String,
    /// Trees of the model that was begun with.
    trees_before: usize,
    trees: usize,
    rounds: usize,
    metric: String,
    history: Vec<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    watched: Option<Watched>,
    notes: Vec<String>,
}

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Work {
    Train,
    Continue,
    Refit,
}

/// Trains a model.
///
/// # Errors
/// When a parameter, the data or the disk refuses.
pub fn train(args: &TrainArgs, others: &Pairs, observer: Observer<'_>) -> Outcome<String> {
    let job = Job::new(args, others)?;
    let names = job.before.as_ref().map(features);
    let part = Part { label: Label::Needed, features: names.as_deref() };
    let source = args.source.read(&job.parameters, part, observer)?;
    let report = match job.work {
        Work::Refit => job.refit(&source)?,
        Work::Train | Work::Continue => job.fit(args, &source, observer)?,
    };
    if let Some(path) = &args.json {
        write_json(path, &report)?;
    }
    Ok(job.told(&report))
}

/// What is asked for.
struct Job {
    work: Work,
    parameters: Parameters,
    /// The model to begin with.
    before: Option<Forest>,
    out: PathBuf,
}

impl Job {
    fn new(args: &TrainArgs, others: &Pairs) -> Outcome<Self> {
        let mut pairs = Pairs::new();
        for (name, path) in [("valid", &args.valid), ("input_model", &args.input_model)] {
            let path = path.as_ref().map(|path| path.to_string_lossy().into_owned());
            pairs.extend(path.map(|path| (name.to_owned(), path)));
        }
        pairs.extend_from_slice(others);
        let parameters = args.source.parameters(&pairs)?;
        let files = &parameters.files;
        let work = match (parameters.task, &files.input_model) {
            (Task::Train, None) => Work::Train,
            (Task::Train, Some(_)) => Work::Continue,
            (Task::Refit, Some(_)) => Work::Refit,
            (Task::Refit, None) => {
                return Err("no model to fit again: name a file with --input-model".into());
            }
            (Task::Predict | Task::Convert, _) => {
                return Err(
                    "parameter 'task' is neither train nor refit: this command trains".into()
                );
            }
        };
        if let [_, _, ..] = &*files.valid {
            let told = format!("parameter 'valid' names {} files", files.valid.len());
            return Err(format!("{told}, one is watched").into());
        }
        let named = files.output_model.as_ref().map(PathBuf::from);
        let out =
            args.out.clone().or(named).ok_or("nowhere to write to: name a file with --out")?;
        set_threads(args.threads.unwrap_or(parameters.threads))?;
        let before = files.input_model.as_ref().map(|path| read_model(path.as_ref()));
        Ok(Self { work, before: before.transpose()?, parameters, out })
    }

    /// Trains, on from the model before where there is one.
    fn fit(&self, args: &TrainArgs, source: &Source, observer: Observer<'_>) -> Outcome<Report> {
        let mut gbdt = learner(&self.parameters, source)?;
        let by_round = tells_rounds(&gbdt);
        gbdt.stop = gbdt.stop.filter(|_| by_round);
        let metrics = metrics(&self.parameters, &gbdt)?;
        let file = self.parameters.files.valid.first();
        let read = |path: &String| args.source.read_like(source, path, &self.parameters, observer);
        let valid = file.map(read).transpose()?;
        check_watch(&gbdt, source, valid.as_ref())?;
        let panel = valid.as_ref().map(|valid| &valid.panel);
        let told = panel.filter(|_| by_round);
        let beside = Beside { valid: told, forest: self.before.as_ref() };
        let mut model = gbdt.fit_with(&source.panel, beside, observer)?;
        model.forest.parameters = describe(&gbdt, source.panel.schema().features());
        write_model(&self.out, &model.forest)?;
        let before = self.before.as_ref().map_or(0, Forest::iterations);
        let shown = file.map(String::as_str).zip(panel);
        let watched = Watched::new(&model, &gbdt, &metrics, shown, before)?;
        let notes = valid.map_or(Vec::new(), |valid| valid.notes);
        Ok(Report {
            rounds: model.rounds,
            metric: model.metric,
            history: model.history,
            watched,
            ..self.report(source, &model.forest, notes)
        })
    }

    /// Fits the leaves of the model before again.
    fn refit(&self, source: &Source) -> Outcome<Report> {
        let mut gbdt = learner(&self.parameters, source)?;
        gbdt.stop = None;
        let before = self.before.as_ref().ok_or("no model to fit again")?;
        let mut forest = gbdt.refit(before, &source.panel, self.parameters.refit_decay)?;
        forest.parameters = describe(&gbdt, source.panel.schema().features());
        write_model(&self.out, &forest)?;
        let watched = !self.parameters.files.valid.is_empty();
        let note = "parameter 'valid' does not count: leaves are fitted again in one go";
        let notes = watched.then(|| note.to_owned()).into_iter().collect();
        Ok(self.report(source, &forest, notes))
    }

    fn report(&self, source: &Source, forest: &Forest, notes: Vec<String>) -> Report {
        let panel = &source.panel;
        let given = self.parameters.notes.iter().map(told);
        Report {
            task: self.work,
            rows: panel.rows(),
            eras: panel.eras().len(),
            features: panel.width(),
            label: source.roles.labels.join(","),
            trees_before: self.before.as_ref().map_or(0, |before| before.trees.len()),
            trees: forest.trees.len(),
            rounds: 0,
            metric: String::new(),
            history: Vec::new(),
            watched: None,
            notes: given.chain(source.notes.iter().cloned()).chain(notes).collect(),
        }
    }

    /// The report in words: a line after those of the notes.
    fn told(&self, report: &Report) -> String {
        let Report { rows, eras, features, trees_before, trees, .. } = report;
        let notes: String = report.notes.iter().map(|note| format!("note: {note}\n")).collect();
        let work = match report.task {
            Work::Train => String::new(),
            Work::Continue => format!("on from {trees_before} trees: "),
            Work::Refit => {
                format!("leaves fitted again at decay {}: ", self.parameters.refit_decay)
            }
        };
        let watched = report.watched.as_ref().map(|watched| format!("; {}", watched.told()));
        let (watched, out) = (watched.unwrap_or_default(), self.out.display());
        format!(
            "{notes}{work}{trees} trees from {rows} rows in {eras} eras of {features} features written to {out}{watched}\n"
        )
    }
}
