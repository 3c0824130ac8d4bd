//! What the weekly job leaves in its folder: all of it, or nothing.

use std::path::Path;

use fattail::{
    Panel,
    report::{DataFacts, FileLink, Report},
    store::{Artifacts, write_atomic, write_predictions, write_submission},
};

use super::Weekly;
use crate::{Gated, Outcome};

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
    if gated.decision.admitted().is_some() {
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
    for (label, path) in weekly.inputs.leave(&folder)? {
        report.files.push(link(label.into(), path));
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
    let write = |path: &Path| write_atomic(path, |file| file.write_all(text.as_bytes()));
    // What lies in the folder comes after it, or it would go away with the one before.
    let (inside, beside): (Option<&Path>, _) =
        if json.is_some_and(|path| path.starts_with(out)) { (json, None) } else { (None, json) };
    beside.map(write).transpose()?;
    folder.commit()?;
    inside.map(write).transpose()?;
    Ok(report)
}

/// What a person is told at the end: scores, warnings, the decision, and where the page is.
#[must_use]
pub fn told(report: &Report, gated: &Gated, out: &Path) -> String {
    let warnings = report.warnings.iter().map(|warning| format!("warning: {warning}\n"));
    let (warnings, page) = (warnings.collect::<String>(), out.join("report.html"));
    let table = report.summary_table();
    format!("{table}\n{warnings}{}report: {}\n", gated.decision, page.display())
}
