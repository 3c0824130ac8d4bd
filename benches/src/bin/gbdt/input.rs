//! Columns that `benches/peers/boosting/data.py` has written, as panels.

use std::{
    error::Error,
    fs::{self, File},
    io::{Read, Seek, SeekFrom},
    ops::Range,
    path::Path,
};

use fattail::{Eras, Panel};
use serde::Deserialize;

/// What a file of columns holds.
#[derive(Debug, Deserialize)]
pub(crate) struct Head {
    pub(crate) rows: usize,
    pub(crate) held_out: usize,
    era_rows: Option<usize>,
}

impl Head {
    pub(crate) fn read(data: &Path, name: &str) -> Result<Self, Box<dyn Error>> {
        Ok(serde_json::from_str(&fs::read_to_string(data.join(format!("{name}.json")))?)?)
    }

    /// The rows that no question trains on.
    pub(crate) fn held_out(&self) -> Range<usize> {
        self.rows - self.held_out..self.rows
    }
}

/// Some rows and the first columns of a data set, with a target where there is a file of it.
pub(crate) fn panel(
    data: &Path,
    name: &str,
    target: Option<&str>,
    rows: Range<usize>,
    columns: usize,
) -> Result<Panel, Box<dyn Error>> {
    let head = Head::read(data, name)?;
    let mut panel = Panel::builder();
    if let Some(era_rows) = head.era_rows {
        let runs = (0..rows.len() / era_rows).map(|era| (format!("{era:04}").into(), era_rows));
        panel = panel.era_runs(Eras::from_runs(runs)?);
    }
    for at in 0..columns {
        let here = at * head.rows + rows.start;
        let feature = format!("x{at}");
        panel = if name == "eras" {
            panel.feature(feature, bytes(&data.join("eras.u8"), here, rows.len())?)
        } else {
            panel.feature(feature, floats(&data.join(format!("{name}.f32")), here, rows.len())?)
        };
    }
    if let Some(target) = target {
        panel = panel.target("target", floats(&data.join(target), rows.start, rows.len())?);
    }
    Ok(panel.build()?)
}

fn bytes(path: &Path, start: usize, count: usize) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(start as u64))?;
    let mut all = vec![0; count];
    file.read_exact(&mut all)?;
    Ok(all)
}

fn floats(path: &Path, start: usize, count: usize) -> Result<Vec<f32>, Box<dyn Error>> {
    let all = bytes(path, 4 * start, 4 * count)?;
    Ok(all.as_chunks::<4>().0.iter().map(|&four| f32::from_le_bytes(four)).collect())
}
