//! Predictions as files: id, era, prediction; and joined to a panel by era and id.

use std::{collections::HashMap, path::Path};

use csv::Writer;
use fattail_core::{Era, Ids, Panel, silent};
use rayon::prelude::*;

use crate::{
    Error, Features, Missing, ReadOptions, Result, Targets, atomic::write_atomic,
    parquet::write_parquet, read::read,
};

const PREDICTION: &str = "prediction";

/// Writes the predictions of a panel's rows: as Parquet when the name ends in `.parquet`, else as
/// CSV.
///
/// ```
/// use fattail_core::{Ids, Panel};
/// use fattail_store::{join, read_predictions, write_predictions};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("predictions.csv");
/// let ids: Ids = ["n1", "n2", "n1"].into_iter().collect();
/// let panel = Panel::builder().eras(&["1", "1", "2"])?.ids(ids).build()?;
/// write_predictions(&panel, &[0.25, 0.5, 0.75], &path)?;
/// assert_eq!(join(&panel, &read_predictions(&path)?, "prediction")?, [0.25, 0.5, 0.75]);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// When the panel has no ids, the lengths differ, or the disk refuses.
pub fn write_predictions(panel: &Panel, predictions: &[f32], path: impl AsRef<Path>) -> Result<()> {
    let path = path.as_ref();
    let refuse = |source| Error::Panel { path: path.into(), source };
    if !panel.has_ids() {
        let (operation, what) = ("writing predictions".into(), "ids".into());
        return Err(refuse(fattail_core::Error::Missing { operation, what }));
    }
    let ids: Ids = (0..panel.rows()).filter_map(|row| panel.id(row)).collect();
    let table = Panel::builder().era_runs(panel.eras().clone()).ids(ids);
    let table = table.extra(PREDICTION, predictions.to_vec()).build().map_err(refuse)?;
    match path.extension().is_some_and(|extension| extension == "parquet") {
        true => write_parquet(&table, path),
        false => write_atomic(path, |file| -> Result<(), csv::Error> {
            let mut writer = Writer::from_writer(file);
            writer.write_record(["id", "era", PREDICTION])?;
            for (row, prediction) in predictions.iter().enumerate() {
                let era = panel.eras().of_row(row).map_or("", |era| panel.eras().label(era));
                let prediction = prediction.to_string();
                writer.write_record([panel.id(row).unwrap_or_default(), era, &prediction])?;
            }
            Ok(writer.flush()?)
        }),
    }
}

/// Reads predictions with their ids and eras: a panel without features whose extra column is
/// `prediction`.
///
/// # Errors
/// As [`read`]; also when a prediction is missing.
pub fn read_predictions(path: impl AsRef<Path>) -> Result<Panel> {
    let options = ReadOptions {
        features: Features::Named(Vec::new()),
        targets: Targets::Named(Vec::new()),
        extras: vec![PREDICTION.into()],
        missing_extras: Missing::Refuse,
        ..ReadOptions::default()
    };
    read(path, &options, &silent)
}

/// The values of the extra column `column` of `table` for each row of `panel`, by era and id. Rows
/// that only `table` has are left out.
///
/// # Errors
/// When the column is unknown, one of the two has no ids, or a row of the panel has no value.
pub fn join(panel: &Panel, table: &Panel, column: &str) -> Result<Vec<f32>> {
    table.extra(column).map_err(|source| Error::Join { source })?;
    for (side, known) in [("the panel", panel), ("the table", table)] {
        if !known.has_ids() {
            return Err(Error::NoIds { column: column.into(), side });
        }
    }
    let eras: Vec<Vec<Option<f32>>> = (0..panel.eras().len())
        .into_par_iter()
        .map(|era| join_era(panel.era(era), table, column))
        .collect();
    let rows = || eras.iter().flatten();
    match rows().position(Option::is_none) {
        None => Ok(rows().copied().flatten().collect()),
        Some(first) => Err(Error::NoMatch {
            column: column.into(),
            id: panel.id(first).unwrap_or_default().into(),
            era: panel.eras().of_row(first).map_or("", |era| panel.eras().label(era)).into(),
            missing: rows().filter(|value| value.is_none()).count(),
            rows: panel.rows(),
        }),
    }
}

fn join_era(era: Era<'_>, table: &Panel, column: &str) -> Vec<Option<f32>> {
    let Ok(position) = table.eras().position(era.label()) else { return vec![None; era.rows()] };
    let other = table.era(position);
    let (Some(ids), Some(known), Ok(values)) = (era.ids(), other.ids(), other.extra(column)) else {
        return vec![None; era.rows()];
    };
    let by_id: HashMap<&str, f32> = known.zip(values.iter().copied()).collect();
    ids.map(|id| by_id.get(id).copied()).collect()
}
