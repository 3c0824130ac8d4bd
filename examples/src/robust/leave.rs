//! Leaves a run in a folder that appears whole or not at all.

use std::path::{Path, PathBuf};

use fattail::{
    stats::quantile_sorted,
    store::{Artifacts, write_json},
};
use serde::Serialize;

use super::{Record, Scaling, learning_curve, record::log_lines};
use crate::Outcome;

/// Places of the target's distribution that are written down: every thousandth.
const PLACES: usize = 1000;

/// The scaling file.
#[derive(Debug, Serialize)]
struct Scales<'a> {
    /// `(x - centre) / spread`; a feature that is missing or infinite is 0.
    #[serde(flatten)]
    scaling: &'a Scaling,
    target: TargetRanks,
}

/// How a return becomes a rank.
#[derive(Debug, Serialize)]
struct TargetRanks {
    /// The return's name.
    name: String,
    /// The known training returns.
    rows: usize,
    /// Their quantiles at 0, 1/1000, ... 1: ranks between are interpolated to about 1/1000.
    quantiles: Vec<f64>,
}

/// The training configuration file.
#[derive(Debug, Serialize)]
struct Configuration<'a> {
    generated_by: &'a str,
    data: &'a super::Facts,
    device: &'a str,
    features: &'a [String],
    learner: &'a fattail::neural::RobustMlp,
}

/// The weights of a run that was given up: those of its last good moment.
pub const LAST_GOOD: &str = "last_good_model.safetensors";

/// Leaves models, configuration, scales, log, curve and summary in `out`, and the summary in `json` as
/// well; when one of them cannot be written, none is left. A run that was given up leaves [`LAST_GOOD`]
/// in place of the best and the final model.
///
/// # Errors
/// When the disk refuses.
pub fn leave(out: &Path, json: Option<&Path>, record: &Record<'_>) -> Outcome {
    let (trained, summary) = (record.trained, &record.summary);
    let folder = Artifacts::create(out)?;
    if trained.gave_up() {
        folder.write(LAST_GOOD, trained.last.to_bytes()?)?;
    } else {
        folder.write("best_model.safetensors", trained.best.to_bytes()?)?;
        folder.write("final_model.safetensors", trained.last.to_bytes()?)?;
    }
    let configuration = Configuration {
        generated_by: &summary.generated_by,
        data: &summary.data,
        device: &summary.training.device,
        features: &trained.best.features,
        learner: record.learner,
    };
    folder.write_json("training.json", &configuration)?;
    let scales = Scales { scaling: record.scaling, target: TargetRanks::new(record)? };
    folder.write_json("scaling.json", &scales)?;
    folder.write("log.jsonl", log_lines(&trained.run)?)?;
    folder.write("curve.svg", learning_curve(&trained.run.history)?)?;
    folder.write_json("summary.json", summary)?;
    if let Some(path) = json {
        write_json(path, summary)?;
    }
    folder.commit()?;
    Ok(())
}

/// The log of a run that is under way: beside the folder, which does not exist yet.
///
/// ```
/// use fattail_examples::robust::log_beside;
/// assert_eq!(log_beside("out/robust/".as_ref()), std::path::Path::new("out/robust.log.jsonl"));
/// ```
#[must_use]
pub fn log_beside(out: &Path) -> PathBuf {
    let plain: PathBuf = out.components().collect();
    let mut path = plain.into_os_string();
    path.push(".log.jsonl");
    path.into()
}

/// Refuses a place where [`leave`] could not leave anything, and a checkpoint without a folder to lie in,
/// before hours of training.
///
/// # Errors
/// When the disk refuses, or something stands there that was not made by a run.
pub fn expect_place(out: &Path, checkpoint: Option<&Path>) -> Outcome {
    let folder = checkpoint.and_then(Path::parent);
    let missing = |folder: &&Path| !folder.as_os_str().is_empty() && !folder.is_dir();
    if let (Some(path), Some(folder)) = (checkpoint, folder.filter(missing)) {
        let (path, folder) = (path.display(), folder.display());
        return Err(format!("cannot write '{path}': '{folder}' is no folder").into());
    }
    // Dropped at once, so that a run that is killed leaves nothing.
    drop(Artifacts::create(out)?);
    Ok(())
}

impl TargetRanks {
    fn new(record: &Record<'_>) -> Outcome<Self> {
        let mut known = record.train.target()?.to_f64();
        known.retain(|value| value.is_finite());
        known.sort_unstable_by(f64::total_cmp);
        let at = |place: usize| quantile_sorted(&known, place as f64 / PLACES as f64);
        let quantiles = (0..=PLACES).map(at).collect::<Result<_, _>>()?;
        let name = record.train.schema().target().unwrap_or_default().to_owned();
        Ok(Self { name, rows: known.len(), quantiles })
    }
}
