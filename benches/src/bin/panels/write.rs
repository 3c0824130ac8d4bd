//! A panel as large as Numerai's training data, written some eras at a time.

use std::{fs, ops::Range, path::Path};

use fattail::store::{self, PieceLimit, write_mapped};
use fattail::{Eras, Ids, Panel};
use fattail_benches::{bins, seconds, status};

use crate::{Answer, Unit};

const ALL_ERAS: usize = 120;
const ERA_ROWS: usize = 2_500;
const FEATURES: usize = 2_376;

pub(crate) fn measure(file: &Path, eras: usize) -> Answer {
    let starts = (0..ALL_ERAS).step_by(eras);
    let pieces = starts.map(|start| piece(start..ALL_ERAS.min(start + eras)));
    // A piece is a block: the limit is none.
    let limit = PieceLimit { eras: usize::MAX, bytes: usize::MAX };
    let (written, took) = seconds(|| write_mapped(pieces, file, &limit));
    written?;
    Ok(vec![
        ("write", took, Unit::Seconds),
        ("file", fs::metadata(file)?.len() as f64, Unit::Bytes),
        ("block", (eras * ERA_ROWS * FEATURES) as f64, Unit::Bytes),
        ("peak memory", status("VmHWM:")? as f64, Unit::Bytes),
    ])
}

/// Some eras, with ids, features and a target.
fn piece(eras: Range<usize>) -> store::Result<Panel> {
    let rows = eras.len() * ERA_ROWS;
    let first = eras.start * ERA_ROWS;
    let ids: Ids = (first..first + rows).map(|row| format!("n{row:015x}")).collect();
    let column = |at: usize| bins((eras.start * (FEATURES + 1) + at) as u64, rows);
    let target: Vec<f32> = column(FEATURES).into_iter().map(|bin| f32::from(bin) / 4.0).collect();
    let runs = eras.clone().map(|era| (format!("{:04}", era + 1).into(), ERA_ROWS));
    let build = || {
        let start = Panel::builder().era_runs(Eras::from_runs(runs)?).ids(ids);
        (0..FEATURES)
            .fold(start, |panel, at| panel.feature(format!("feature_{at:04}"), column(at)))
            .target("target", target)
            .build()
    };
    build().map_err(store::Error::Setting)
}
