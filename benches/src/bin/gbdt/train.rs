//! Binning and training.

use std::{error::Error, fs, path::Path};

use fattail::gbdt::{Alone, Gbdt, GbdtModel, Limits, Mappers, Objective, Sampling};
use fattail::{Panel, Predict, silent};
use fattail_benches::{seconds, status};
use serde::Deserialize;

use crate::{
    Answer,
    input::{self, Head},
};

/// What is trained on what; the peers read the same file.
#[derive(Debug, Deserialize)]
struct Plan {
    data: String,
    target: String,
    objective: String,
    rows: usize,
    columns: usize,
    trees: usize,
    rate: f64,
    /// 0 for no limit.
    depth: usize,
    leaves: usize,
    least: usize,
    share: f64,
}

impl Plan {
    fn settings(&self) -> Result<Gbdt, Box<dyn Error>> {
        Ok(Gbdt {
            objective: Objective::from_name(&self.objective)?,
            rounds: self.trees,
            learning_rate: self.rate,
            depth: (self.depth > 0).then_some(self.depth),
            leaves: self.leaves,
            limits: Limits { min_data_in_leaf: self.least, ..Limits::default() },
            sampling: Sampling { columns_by_tree: self.share, ..Sampling::default() },
            ..Gbdt::default()
        })
    }
}

/// Bins alone, then trains from the panel, so that training carries the filling of bins once more.
pub(crate) fn measure(name: &str, plan: &str, data: &Path, folder: &Path) -> Answer {
    let plan: Plan = serde_json::from_str(plan)?;
    let settings = plan.settings()?;
    let base = status("VmRSS:")?;
    let panel = input::panel(data, &plan.data, Some(&plan.target), 0..plan.rows, plan.columns)?;
    let input = status("VmHWM:")?;
    let (mappers, bin) = seconds(|| {
        let mappers = Mappers::learn(&panel, &settings.bins)?;
        mappers.apply(&panel).map(|_| mappers)
    });
    let mappers = mappers?;
    let (model, train) = seconds(|| settings.fit_shard(&panel, &mappers, &Alone, &silent));
    let (model, peak) = (model?, status("VmHWM:")?);
    drop(panel);
    keep(&model, &plan, name, data, folder)?;
    Ok(
        serde_json::json!({ "bin": bin, "train": train, "peak": peak, "base": base, "input": input }),
    )
}

/// Writes the model and its held-out predictions.
fn keep(
    model: &GbdtModel,
    plan: &Plan,
    name: &str,
    data: &Path,
    folder: &Path,
) -> Result<(), Box<dyn Error>> {
    let rows = Head::read(data, &plan.data)?.held_out();
    let panel: Panel = input::panel(data, &plan.data, None, rows, plan.columns)?;
    let found = model.predict(&panel)?;
    let found: Vec<u8> = found.iter().flat_map(|&value| f64::from(value).to_le_bytes()).collect();
    fs::write(folder.join(format!("{name}-fattail.f64")), found)?;
    fs::write(
        folder.join(format!("{name}-fattail.txt")),
        fattail::exchange::lightgbm::write(&model.forest)?,
    )?;
    Ok(())
}
