//! Prediction and explanation with a model that training has written.

use std::{error::Error, fs, path::Path};

use fattail::trees::{Forest, Predictor, explain::Explainer};
use fattail_benches::seconds;

use crate::{Answer, input};

/// Rows of the batch, of single predictions and of explanations.
const BATCH: usize = 200_000;
const SINGLE: usize = 2_000;
const EXPLAINED: usize = 2_000;
const FEATURES: usize = 500;
const REPEATS: usize = 5;

/// All trees on a panel of bins, and one row at a time.
pub(crate) fn predict(name: &str, data: &Path, folder: &Path) -> Answer {
    let predictor = Predictor::new(&forest(name, folder)?)?;
    let panel = input::panel(data, "eras", None, 0..BATCH, FEATURES)?;
    let batch = middle(|| predictor.raw(&panel).map(|_| ()))?;
    let few = input::panel(data, "eras", None, 0..SINGLE, FEATURES)?;
    let columns: Vec<Vec<f64>> = (0..FEATURES).map(|at| few.feature(at).to_f64()).collect();
    let rows: Vec<Vec<f64>> =
        (0..SINGLE).map(|row| columns.iter().map(|column| column[row]).collect()).collect();
    let mut out = [0.0];
    let single = middle(|| rows.iter().try_for_each(|row| predictor.raw_row(row, &mut out)))?;
    Ok(serde_json::json!({ "batch": batch, "single": single / SINGLE as f64 }))
}

/// SHAP values of a panel of bins.
pub(crate) fn explain(name: &str, data: &Path, folder: &Path) -> Answer {
    let forest = forest(name, folder)?;
    let explainer = Explainer::new(&forest)?;
    let panel = input::panel(data, "eras", None, 0..EXPLAINED, FEATURES)?;
    let took = middle(|| explainer.shap(&panel).map(|_| ()))?;
    Ok(serde_json::json!({ "explain": took }))
}

fn forest(name: &str, folder: &Path) -> Result<Forest, Box<dyn Error>> {
    Ok(fattail::exchange::lightgbm::read(fs::read(folder.join(format!("{name}-fattail.txt")))?)?)
}

/// The median time of some calls.
fn middle<E>(mut work: impl FnMut() -> Result<(), E>) -> Result<f64, E> {
    let mut all = Vec::with_capacity(REPEATS);
    for _ in 0..REPEATS {
        let (done, took) = seconds(&mut work);
        done?;
        all.push(took);
    }
    all.sort_by(f64::total_cmp);
    Ok(all[REPEATS / 2])
}
