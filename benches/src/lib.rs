//! Seeded input for the benches, and what a measurement reads of its process.

pub mod text;

use std::{fs, io, time::Instant};

use fattail::stats::{Counter, normal_quantile, unit};
use fattail::{Eras, Panel, Result};

/// Normal values.
#[must_use]
pub fn normal(seed: u64, rows: usize) -> Vec<f32> {
    let mut generator = Counter::new(seed).draw(0);
    (0..rows).map(|_| normal_quantile(unit(&mut generator).max(1e-300)) as f32).collect()
}

/// Values with tails as of Student's t with two degrees of freedom.
#[must_use]
pub fn fat_tails(seed: u64, rows: usize) -> Vec<f32> {
    let mut generator = Counter::new(seed).draw(0);
    let tail = |u: f64| (2.0 * u - 1.0) / (2.0 * u * (1.0 - u)).sqrt();
    (0..rows).map(|_| tail(unit(&mut generator).clamp(1e-9, 1.0 - 1e-9)) as f32).collect()
}

/// Bins `0..=4`, each equally likely.
#[must_use]
pub fn bins(seed: u64, rows: usize) -> Vec<u8> {
    let mut generator = Counter::new(seed).draw(0);
    (0..rows).map(|_| (5.0 * unit(&mut generator)) as u8).collect()
}

/// A panel of bins with a five-valued target and an extra column `meta`.
///
/// # Errors
/// When a size is zero.
pub fn market(eras: usize, era_rows: usize, features: usize) -> Result<Panel> {
    let rows = eras * era_rows;
    let runs = (0..eras).map(|era| (format!("{era:05}").into(), era_rows));
    let target: Vec<f32> = bins(1, rows).into_iter().map(|bin| f32::from(bin) / 4.0).collect();
    let start = Panel::builder().era_runs(Eras::from_runs(runs)?);
    let start = start.target("target", target).extra("meta", normal(2, rows));
    let named = |panel: fattail::PanelBuilder, at: usize| {
        panel.feature(format!("feature_{at:03}"), bins(3 + at as u64, rows))
    };
    (0..features).fold(start, named).build()
}

/// Does `work` and tells the seconds that it took.
pub fn seconds<T>(work: impl FnOnce() -> T) -> (T, f64) {
    #[expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]
    let start = Instant::now();
    let result = work();
    (result, start.elapsed().as_secs_f64())
}

/// A field of the process's status, in bytes.
///
/// # Errors
/// Where there is no such field, as beside Linux.
pub fn status(field: &str) -> io::Result<u64> {
    let all = fs::read_to_string("/proc/self/status")?;
    let line = all.lines().find_map(|line| line.strip_prefix(field));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    let kilobytes =
        kilobytes.ok_or_else(|| io::Error::other(format!("no {field} in /proc/self/status")))?;
    Ok(kilobytes * 1024)
}
