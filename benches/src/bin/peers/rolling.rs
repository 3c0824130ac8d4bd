//! Mean, standard deviation, least and greatest value over 200 rows.

use std::path::Path;

use fattail::prepare::{Rolling, Stat};

use crate::{Answer, files, measure::measured};

const ROWS: usize = 1_000_000;
const WINDOW: usize = 200;
/// The rows that are compared: these first and each that is this far further on.
const FIRST: usize = WINDOW - 1;
const STEP: usize = 997;
const STATS: [Stat; 4] = [Stat::Mean, Stat::Std, Stat::Min, Stat::Max];

pub(crate) fn measure(data: &Path) -> Answer {
    let values = files::read_f32(&data.join("rolling.f32"))?;
    let columns: Vec<&[f32]> = values.chunks_exact(ROWS).collect();
    let output = columns.len() * STATS.len() * ROWS * size_of::<f32>();
    let work = || Rolling::new(WINDOW).columns(&columns, &STATS);
    let (features, cost) = measured(work, |_| output)?;
    let features = features?;
    let mut compared = Vec::new();
    for stat in 0..STATS.len() {
        for column in &features {
            compared.extend(column[stat].iter().skip(FIRST).step_by(STEP).map(|&v| f64::from(v)));
        }
    }
    Ok((compared, cost))
}
