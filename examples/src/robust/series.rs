//! Bars of a market: read from a file, or drawn.
//!
//! The columns open, high, low, close and volume are found by name, whatever the case of the letters.
//! Rows stand in order of time; a column `date`, `time`, `timestamp` or `datetime` labels them and is
//! checked to be sorted. Prices are finite and above 0, volumes finite and not negative: what is not is
//! refused with column and row. Cost: one pass over the file. Prices are kept as `f32` on the way, whose
//! rounding is about 1e-4 of a typical minute's return.

use std::path::Path;

use fattail::{
    Eras, Observer, Panel,
    prepare::Bars as BarColumns,
    stats::kurtosis,
    store::{Features, Missing, ReadOptions, Targets, read, read_names},
};
use fattail_testing::Bars;

use crate::Outcome;

/// The columns of a bar.
const COLUMNS: [&str; 5] = ["open", "high", "low", "close", "volume"];
/// Columns that tell when a bar was, the best first.
const TIMES: [&str; 4] = ["timestamp", "datetime", "date", "time"];

/// Bars, the oldest first.
#[derive(Debug, Clone)]
pub struct Series {
    /// The file's name, or what else the bars are.
    pub name: String,
    /// One era a bar.
    pub eras: Eras,
    /// Open, high, low, close and volume.
    columns: [Vec<f64>; 5],
}

impl Series {
    /// Reads a file of bars.
    ///
    /// # Errors
    /// When a column is missing, a cell is no number, or a price is not above 0.
    pub fn read(path: &Path, observer: Observer<'_>) -> Outcome<Self> {
        let names = read_names(path, &ReadOptions::default())?;
        let options = ReadOptions {
            features: Features::Named(bar_columns(path, &names)?),
            targets: Targets::Named(Vec::new()),
            era: TIMES.iter().find_map(|time| find(&names, time)).map(str::to_owned),
            id: None,
            missing: Missing::Refuse,
            ..ReadOptions::default()
        };
        let panel = read(path, &options, observer)?;
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        let columns = std::array::from_fn(|at| panel.feature(at).to_f64());
        check(path, &panel, &columns)?;
        let eras = match panel.eras().len() == panel.rows() {
            true => panel.eras().clone(),
            false => numbered(panel.rows())?,
        };
        Ok(Self { name, eras, columns })
    }

    /// Draws minute bars.
    ///
    /// # Errors
    /// When a setting is out of range.
    pub fn draw(bars: &Bars) -> Outcome<Self> {
        let drawn = bars.series()?;
        let name = format!("synthetic minute bars, seed {}, signal {}", bars.seed, bars.signal);
        let columns = [drawn.open, drawn.high, drawn.low, drawn.close, drawn.volume];
        let labels = drawn.minute.iter().map(|minute| (minute.to_string().into(), 1));
        Ok(Self { name, eras: Eras::from_runs(labels)?, columns })
    }

    /// The number of bars.
    #[must_use]
    pub fn len(&self) -> usize {
        self.columns[0].len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The columns, as features are made of them.
    #[must_use]
    pub fn bars(&self) -> BarColumns<'_> {
        let [open, high, low, close, volume] = &self.columns;
        BarColumns { open, high, low, close, volume }
    }

    /// The kurtosis of the log returns of closes; 3 for a normal sample.
    #[must_use]
    pub fn kurtosis(&self) -> f64 {
        let returns = self.columns[3].windows(2).map(|pair| (pair[1] / pair[0]).ln());
        kurtosis(&returns.collect::<Vec<f64>>())
    }
}

/// One era a row, by number.
fn numbered(rows: usize) -> Outcome<Eras> {
    Ok(Eras::from_runs((0..rows).map(|row| (row.to_string().into(), 1)))?)
}

/// The name as the file has it: as it is asked for, or in another case.
fn find<'a>(names: &'a [String], wanted: &str) -> Option<&'a str> {
    let exact = names.iter().find(|name| *name == wanted);
    exact
        .or_else(|| names.iter().find(|name| name.eq_ignore_ascii_case(wanted)))
        .map(String::as_str)
}

/// The five columns, as the file calls them.
fn bar_columns(path: &Path, names: &[String]) -> Outcome<Vec<String>> {
    let found = COLUMNS.map(|column| find(names, column));
    let missing: Vec<&str> = COLUMNS
        .iter()
        .zip(found)
        .filter_map(|(name, found)| found.is_none().then_some(*name))
        .collect();
    if missing.is_empty() {
        return Ok(found.into_iter().flatten().map(str::to_owned).collect());
    }
    let told =
        |list: &[&str]| list.iter().map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ");
    let all: Vec<&str> = names.iter().map(String::as_str).take(12).collect();
    let (columns, path) = (told(&all), path.display());
    Err(format!("'{path}' has no column {}: bars need open, high, low, close and volume, in any case of letters; it has {columns}", told(&missing)).into())
}

/// Refuses prices and volumes that are none.
fn check(path: &Path, panel: &Panel, columns: &[Vec<f64>; 5]) -> Outcome {
    for (at, column) in columns.iter().enumerate() {
        let (price, allowed) = match COLUMNS[at] {
            "volume" => (false, "a finite number, not negative"),
            _ => (true, "a finite number above 0"),
        };
        let good = |value: f64| value.is_finite() && (value > 0.0 || !price && value == 0.0);
        if let Some(row) = column.iter().position(|&value| !good(value)) {
            let (name, path) = (&panel.schema().features()[at], path.display());
            let value = column[row];
            return Err(format!(
                "'{path}', row {row}, column '{name}': found {value}, expected {allowed}"
            )
            .into());
        }
    }
    Ok(())
}
