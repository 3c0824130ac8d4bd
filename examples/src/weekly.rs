//! The weekly job: backtest, fit on all that is known, predict the live era, leave everything in one
//! folder.

use std::path::Path;

use fattail::{
    Fit, Metric, Observer, Panel, Predict,
    evaluate::{Backtest, Horizon, Split, Summary, backtest},
    linear::{LinearModel, Ridge},
    report::{Coefficient, DataFacts, FileLink, ModelReport, Report},
    stats::{Ties, uniform_rank},
    store::{Artifacts, write_atomic, write_predictions, write_submission},
};

use crate::Outcome;

/// A learner with its backtest and its predictions of the live era.
#[derive(Debug)]
pub struct Weekly {
    /// The backtest over the eras whose targets are known.
    pub backtest: Backtest,
    /// The model that predicts the live era.
    pub model: LinearModel,
    /// The ids of the live era.
    pub ids: Vec<String>,
    /// Its predictions, as ranks in (0, 1).
    pub live: Vec<f32>,
    /// The eras whose targets are known.
    pub known: Panel,
}

impl Weekly {
    /// Runs the job on a panel whose last era is the live one.
    ///
    /// # Errors
    /// When the panel has no ids, too few eras, or the fit fails.
    pub fn run(
        panel: &Panel,
        learner: &Ridge,
        split: &dyn Split,
        gap: usize,
        metrics: &[Box<dyn Metric>],
        observer: Observer<'_>,
    ) -> Outcome<Self> {
        let positions = known_eras(panel)?;
        let known = panel.cut(&positions)?;
        let metrics: Vec<&dyn Metric> = metrics.iter().map(|metric| &**metric).collect();
        let backtest = backtest(learner, &known, split, &metrics, observer)?;
        let last = panel.eras().len() - 1;
        let before: Vec<usize> = positions.into_iter().filter(|era| era + gap < last).collect();
        let model = learner.fit(&panel.cut(&before)?)?;
        let live = panel.cut(&[last])?;
        let ids = live.era(0).ids().ok_or("the panel has no ids: a submission needs them")?;
        let ids = ids.map(str::to_owned).collect();
        // The eras of the gap come along, without answers: steps that look back must not miss them.
        let unseen: Vec<usize> = (before[before.len() - 1] + 1..=last).collect();
        let predicted = model.predict(&panel.cut(&unseen)?.without_targets())?;
        let raw = &predicted[predicted.len() - live.rows()..];
        let raw: Vec<f64> = raw.iter().map(|&value| f64::from(value)).collect();
        let ranks = uniform_rank(&raw, Ties::Average)?;
        let live = ranks.into_iter().map(|rank| rank as f32).collect();
        Ok(Self { backtest, model, ids, live, known })
    }

    /// The model's part of the report.
    #[must_use]
    pub fn report(&self, settings: Vec<String>, horizon: &Horizon) -> ModelReport {
        let summarise = |scores: &[f64]| Summary::with_horizon(scores, horizon);
        let report = ModelReport::new("ridge", &self.backtest, summarise);
        let shown = |c: &fattail::linear::Coefficient| Coefficient {
            name: c.name.clone(),
            value: c.value,
            low: c.low,
            high: c.high,
        };
        let mut coefficients: Vec<_> = self.model.coefficients.iter().map(shown).collect();
        coefficients.sort_by(|a, b| b.value.abs().total_cmp(&a.value.abs()));
        ModelReport { settings, coefficients, ..report }
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

/// Leaves report, predictions, submission and model in a folder, and the report in `json` as well; when
/// one of them cannot be written, none is left.
///
/// # Errors
/// When the submission breaks a rule of Numerai's or the disk refuses.
pub fn leave(
    out: &Path,
    json: Option<&Path>,
    weekly: &Weekly,
    mut report: Report,
) -> Outcome<Report> {
    let link = |(label, path): (&str, &str)| FileLink { label: label.into(), path: path.into() };
    let files = [
        ("submission of the live era", "submission.csv"),
        ("out-of-sample predictions", "predictions.parquet"),
        ("model", "model.json"),
        ("report as JSON", "report.json"),
        ("report as Markdown", "report.md"),
    ];
    report.files = files.map(link).into();
    let folder = Artifacts::create(out)?;
    folder.with("submission.csv", |path| write_submission(path, &weekly.ids, &weekly.live))?;
    let tested = weekly.known.cut(&weekly.backtest.predictions.eras)?;
    let predictions = &weekly.backtest.predictions.values;
    folder.with("predictions.parquet", |path| write_predictions(&tested, predictions, path))?;
    folder.write_json("model.json", &weekly.model)?;
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
