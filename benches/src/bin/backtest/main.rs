//! One measurement of what tells luck from skill, in a process of its own: `backtest pbo FILE STRATEGIES BLOCKS` or
//! `backtest cpcv FILE ERAS FEATURES`.
//!
//! FILE holds the numbers of the peers' side, written by it: for `pbo` scores as little-endian `f64`, strategy after
//! strategy; for `cpcv` little-endian `f32`, feature after feature and then the target, eras of equal size. Prints one
//! JSON line of seconds and of what both sides must agree on.

#![forbid(unsafe_code)]

use std::{error::Error, fs, io::Write, process::ExitCode};

use fattail::{
    Eras, Panel,
    evaluate::{Cpcv, backtest_paths},
    linear::Ridge,
    luck::Cscv,
    silent,
};
use fattail_benches::{seconds, status};
use serde_json::json;

type Answer = Result<serde_json::Value, Box<dyn Error>>;

/// What scikit-learn's alpha is divided by, per row of training.
const PENALTY: f64 = 0.01;

fn main() -> ExitCode {
    let given: Vec<String> = std::env::args().skip(1).collect();
    let given: Vec<&str> = given.iter().map(String::as_str).collect();
    match given.as_slice() {
        ["pbo", file, strategies, blocks] => pbo(file, strategies, blocks),
        ["cpcv", file, eras, features] => cpcv(file, eras, features),
        _ => Err("usage: backtest pbo FILE STRATEGIES BLOCKS | cpcv FILE ERAS FEATURES".into()),
    }
    .and_then(|found| Ok(writeln!(std::io::stdout(), "{found}")?))
    .map_or_else(fail, |()| ExitCode::SUCCESS)
}

fn pbo(file: &str, strategies: &str, blocks: &str) -> Answer {
    let (strategies, blocks): (usize, usize) = (strategies.parse()?, blocks.parse()?);
    let bytes = fs::read(file)?;
    let all: Vec<f64> =
        bytes.as_chunks().0.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect();
    let columns: Vec<&[f64]> = all.chunks_exact(all.len() / strategies.max(1)).collect();
    let cscv = Cscv { blocks, ..Cscv::default() };
    let (found, seconds) = seconds(|| cscv.run(&columns));
    let found = found?;
    let peak = status("VmHWM:")?;
    Ok(json!({ "seconds": seconds, "agree": found.pbo, "work": found.combinations, "peak": peak }))
}

fn cpcv(file: &str, eras: &str, features: &str) -> Answer {
    let panel = panel(file, eras.parse()?, features.parse()?)?;
    let ridge = Ridge { penalties: vec![PENALTY], standardise: false, ..Ridge::default() };
    let measured = || {
        let splits = Cpcv { groups: 10, tests: 3, ..Cpcv::default() }.splits(panel.eras())?;
        backtest_paths(&ridge, &panel, &splits, &[], &silent)
    };
    let (found, seconds) = seconds(measured);
    let found = found?;
    let values = found.paths.iter().flat_map(|path| &path.predictions.values);
    let squares: f64 = values.map(|&value| f64::from(value).powi(2)).sum();
    let peak = status("VmHWM:")?;
    Ok(json!({ "seconds": seconds, "agree": squares, "work": found.splits.len(), "peak": peak }))
}

fn panel(file: &str, eras: usize, features: usize) -> Result<Panel, Box<dyn Error>> {
    let bytes = fs::read(file)?;
    let all: Vec<f32> =
        bytes.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    let rows = all.len() / (features + 1);
    let runs = (0..eras).map(|era| (format!("{era:05}").into(), rows / eras.max(1)));
    let start = Panel::builder().era_runs(Eras::from_runs(runs)?);
    let mut columns = all.chunks_exact(rows.max(1)).map(<[f32]>::to_vec);
    let named = |panel: fattail::PanelBuilder, (at, values): (usize, Vec<f32>)| {
        panel.feature(format!("feature_{at:03}"), values)
    };
    let panel = columns.by_ref().take(features).enumerate().fold(start, named);
    let target = columns.next().ok_or("the file ends before the target")?;
    Ok(panel.target("target", target).build()?)
}

fn fail(error: Box<dyn Error>) -> ExitCode {
    // Where even this fails there is nobody left to tell.
    let _ = writeln!(std::io::stderr(), "backtest: {error}");
    ExitCode::FAILURE
}
