//! One measurement of fattail, in a process of its own: `peers QUESTION DATA VALUES`.
//!
//! Reads the input from the folder DATA, times the work alone, writes the values that must agree
//! with a peer's to the file VALUES as little-endian `f64`, and prints one JSON line.

#![forbid(unsafe_code)]

mod files;
mod measure;
mod parquet;
mod rolling;
mod scaling;
mod scores;

use std::{error::Error, io::Write, path::Path, process::ExitCode};

use measure::Cost;

type Answer = Result<(Vec<f64>, Cost), Box<dyn Error>>;

fn main() -> ExitCode {
    let given: Vec<String> = std::env::args().skip(1).collect();
    match given.as_slice() {
        [question, data, values] => report(question, data.as_ref(), values.as_ref()),
        _ => Err("usage: peers scores|rolling|robust|quantile|parquet DATA VALUES".into()),
    }
    .map_or_else(fail, |()| ExitCode::SUCCESS)
}

fn report(question: &str, data: &Path, to: &Path) -> Result<(), Box<dyn Error>> {
    let (values, cost) = match question {
        "scores" => scores::measure(data)?,
        "rolling" => rolling::measure(data)?,
        "robust" => scaling::robust(data)?,
        "quantile" => scaling::quantile(data)?,
        "parquet" => parquet::measure(data)?,
        other => return Err(format!("unknown question '{other}'").into()),
    };
    files::write_f64(to, &values)?;
    writeln!(std::io::stdout(), "{}", cost.json())?;
    Ok(())
}

fn fail(error: Box<dyn Error>) -> ExitCode {
    // Where even this fails there is nobody left to tell.
    let _ = writeln!(std::io::stderr(), "peers: {error}");
    ExitCode::FAILURE
}
