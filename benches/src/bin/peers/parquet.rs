//! A Parquet file of bins to a panel.

use std::path::Path;

use fattail::store::{ReadOptions, read_parquet};
use fattail::{Panel, silent};

use crate::{Answer, measure::measured};

pub(crate) fn measure(data: &Path) -> Answer {
    let options = ReadOptions { id: None, ..ReadOptions::default() };
    let work = || read_parquet(data.join("panel.parquet"), &options, &silent).map_err(Box::new);
    let (panel, cost) = measured(work, |panel| panel.as_ref().map_or(0, Panel::bytes))?;
    let panel = panel?;
    let sum = |column: fattail::ColumnView<'_>| column.eras().flat_map(|era| era.to_f64()).sum();
    let mut sums: Vec<f64> = (0..panel.width()).map(|at| sum(panel.feature(at))).collect();
    sums.push(sum(panel.target()?));
    Ok((sums, cost))
}
