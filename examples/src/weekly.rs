//! The weekly job: backtest, fit on all that is known, predict the live era, leave everything in one
//! folder. A model that fails is set aside with its reason, the rest goes on; only when all fail, the
//! job does.

use std::path::Path;

use fattail::{
    Fit, Metric, Observer, Panel, Predict, Progress,
    evaluate::{Backtest, Horizon, Split, Summary, backtest},
    report::{DataFacts, FileLink, ModelReport, Report},
    stats::{Ties, uniform_rank},
    store::{Artifacts, write_atomic, write_predictions, write_submission},
};

use crate::{
    Gated, Kind, Learner, Model, Outcome,
    shell::{caught, one_line},
};

/// Learners with their backtests, and the predictions of the live era.
#[derive(Debug)]
pub struct Weekly {
    /// The learners, in the order in which they are reported.
    pub runs: Vec<Run>,
    /// The models that failed.
    pub failures: Vec<Failure>,
    /// The ids of the live era.
    pub ids: Vec<String>,
    /// The eras whose targets are known.
    pub known: Panel,
}

/// A learner with its backtest and its predictions of the live era.
#[derive(Debug)]
pub struct Run {
    /// The learner.
    pub learner: Learner,
    /// The backtest over the eras whose targets are known.
    pub backtest: Backtest,
    /// The model that predicts the live era.
    pub model: Model,
    /// Its predictions of the live era, as ranks in (0, 1).
    pub live: Vec<f32>,
}

/// A model that was set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What it was to be.
    pub kind: Kind,
    /// Why it was set aside.
    pub reason: String,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} failed and is set aside: {}", self.kind.name(), self.reason)
    }
}

/// How a run is tested.
#[derive(Clone, Copy)]
pub struct Trial<'a> {
    /// The folds.
    pub split: &'a dyn Split,
    /// Eras between the last one fitted on and the live one.
    pub gap: usize,
    /// What is scored.
    pub metrics: &'a [Box<dyn Metric>],
    /// Who is told how far it is.
    pub observer: Observer<'a>,
}

impl std::fmt::Debug for Trial<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Trial").field("gap", &self.gap).finish_non_exhaustive()
    }
}

impl Weekly {
    /// Runs the job on a panel whose last era is the live one.
    ///
    /// # Errors
    /// When the panel has no ids or no known target, or all learners fail.
    pub fn run(panel: &Panel, learners: Vec<Learner>, trial: Trial<'_>) -> Outcome<Self> {
        let positions = known_eras(panel)?;
        let known = panel.cut(&positions)?;
        let last = panel.eras().len() - 1;
        let live = panel.cut(&[last])?;
        let ids = live.era(0).ids().ok_or("the panel has no ids: a submission needs them")?;
        let ids = ids.map(str::to_owned).collect();
        let before: Vec<usize> =
            positions.into_iter().filter(|era| era + trial.gap < last).collect();
        let (mut runs, mut failures) = (Vec::new(), Vec::new());
        for learner in learners {
            let kind = learner.kind();
            match caught(|| Run::new(learner, panel, &known, &before, trial)) {
                Ok(run) => runs.push(run),
                Err(error) => failures.push(Failure { kind, reason: one_line(&*error) }),
            }
        }
        if runs.is_empty() {
            return Err(all_failed(&failures).into());
        }
        Ok(Self { runs, failures, ids, known })
    }

    /// Where the run of a kind stands, or the first one where that kind failed.
    #[must_use]
    pub fn submitted(&self, kind: Kind) -> usize {
        self.runs.iter().position(|run| run.learner.kind() == kind).unwrap_or(0)
    }

    /// What the reader must know of models that failed, `kind` being the one to be submitted.
    #[must_use]
    pub fn warnings(&self, kind: Kind) -> Vec<String> {
        let mut told: Vec<String> = self.failures.iter().map(Failure::to_string).collect();
        if self.failures.iter().any(|failure| failure.kind == kind) {
            let other = self.runs[self.submitted(kind)].name();
            told.push(format!("the submission is that of {other}, because {} failed", kind.name()));
        }
        told
    }
}

/// Why there is nothing: the one reason, or each with its model.
fn all_failed(failures: &[Failure]) -> String {
    match failures {
        [only] => only.reason.clone(),
        all => {
            let told = |failure: &Failure| format!("{}: {}", failure.kind.name(), failure.reason);
            let told: Vec<String> = all.iter().map(told).collect();
            format!("every model failed: {}", told.join("; "))
        }
    }
}

impl Run {
    /// Tests a learner on the known eras, fits it on those `before` the gap and predicts the last era.
    fn new(
        learner: Learner,
        panel: &Panel,
        known: &Panel,
        before: &[usize],
        trial: Trial<'_>,
    ) -> Outcome<Self> {
        let metrics: Vec<&dyn Metric> = trial.metrics.iter().map(|metric| &**metric).collect();
        let stage = format!("{} backtest", learner.kind().name());
        let observer =
            |progress: Progress<'_>| (trial.observer)(Progress { stage: &stage, ..progress });
        let backtest = backtest(&learner, known, trial.split, &metrics, &observer)?;
        let model = learner.fit(&panel.cut(before)?)?;
        let last = panel.eras().len() - 1;
        // The eras of the gap come along, without answers: steps that look back must not miss them.
        let unseen: Vec<usize> = (before[before.len() - 1] + 1..=last).collect();
        let predicted = model.predict(&panel.cut(&unseen)?.without_targets())?;
        let raw = &predicted[predicted.len() - panel.era(last).rows()..];
        let raw: Vec<f64> = raw.iter().map(|&value| f64::from(value)).collect();
        let ranks = uniform_rank(&raw, Ties::Average)?;
        let live = ranks.into_iter().map(|rank| rank as f32).collect();
        Ok(Self { learner, backtest, model, live })
    }

    /// The learner's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.learner.kind().name()
    }

    /// The model's part of the report.
    ///
    /// # Errors
    /// When the model does not fit together.
    pub fn report(&self, horizon: &Horizon) -> Outcome<ModelReport> {
        let summarise = |scores: &[f64]| Summary::with_horizon(scores, horizon);
        let report = ModelReport::new(self.name(), &self.backtest, summarise);
        let mut settings = self.learner.told.clone();
        settings.extend(self.model.told()?);
        Ok(ModelReport { settings, coefficients: self.model.coefficients(), ..report })
    }
}

/// Positions of the eras in which at least one target is known.
fn known_eras(panel: &Panel) -> Outcome<Vec<usize>> {
    let mut known = Vec::new();
    for era in panel.iter() {
        if era.target()?.iter().any(|value| !value.is_nan()) {
            known.push(era.index());
        }
    }
    let target = panel.schema().target().unwrap_or_default();
    if known.is_empty() {
        return Err(format!("target '{target}' is not known in any era").into());
    }
    Ok(known)
}

/// What the report says of the data.
#[must_use]
pub fn facts_of(panel: &Panel, source: impl Into<String>) -> DataFacts {
    let eras = panel.eras();
    DataFacts {
        source: source.into(),
        rows: panel.rows() as u64,
        eras: eras.len() as u64,
        first_era: eras.label(0).to_owned(),
        last_era: eras.label(eras.len() - 1).to_owned(),
        features: panel.width() as u64,
        target: panel.schema().target().unwrap_or_default().to_owned(),
        bytes: panel.bytes() as u64,
    }
}

/// Leaves report, predictions, the submission of one of the runs where the gate lets it, the decision and the models
/// in a folder, and the report in `json` as well; when one of them cannot be written, none is left.
///
/// # Errors
/// When the submission breaks a rule of Numerai's or the disk refuses.
pub fn leave(
    out: &Path,
    json: Option<&Path>,
    weekly: &Weekly,
    (submitted, gated): (usize, &Gated),
    mut report: Report,
) -> Outcome<Report> {
    let link = |label: String, path: &str| FileLink { label, path: path.into() };
    let chosen = &weekly.runs[submitted];
    let folder = Artifacts::create(out)?;
    if gated.decision.is_admitted() {
        folder.with("submission.csv", |path| write_submission(path, &weekly.ids, &chosen.live))?;
        let label = format!("{}: submission of the live era", chosen.name());
        report.files.push(link(label, "submission.csv"));
    }
    folder.write("gate.json", serde_json::to_string_pretty(&gated.decision)?.as_bytes())?;
    report.files.push(link("decision of the gate".into(), "gate.json"));
    if let Some(certificate) = &gated.certificate {
        folder.write("certificate.json", certificate.to_json()?.as_bytes())?;
        report.files.push(link("leak certificate".into(), "certificate.json"));
    }
    report.gate = Some(gated.outcome());
    report.certificate = gated.facts();
    for run in &weekly.runs {
        let name = match weekly.runs.len() {
            1 => "predictions.parquet".to_owned(),
            _ => format!("predictions_{}.parquet", run.name()),
        };
        let tested = weekly.known.cut(&run.backtest.predictions.eras)?;
        let predictions = &run.backtest.predictions.values;
        folder.with(&name, |path| write_predictions(&tested, predictions, path))?;
        report.files.push(link(format!("{}: out-of-sample predictions", run.name()), &name));
        report.files.extend(run.model.write(&run.learner, &weekly.known, &folder)?);
    }
    report.files.push(link("report as JSON".into(), "report.json"));
    report.files.push(link("report as Markdown".into(), "report.md"));
    let text = report.to_json()?;
    folder.write("report.json", text.as_bytes())?;
    folder.write("report.md", report.to_markdown().as_bytes())?;
    folder.write("report.html", report.to_html()?.as_bytes())?;
    if let Some(path) = json {
        write_atomic(path, |file| file.write_all(text.as_bytes()))?;
    }
    folder.commit()?;
    Ok(report)
}
