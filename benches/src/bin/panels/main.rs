//! Does a panel of 300,000 x 2,376 bins that stays on the disk open in under a second, is a pass over its
//! eras as fast as one over the same bytes in memory, and is no more in memory than the eras in use?
//! `panels write FILE [ERAS]`, then, in a process of its own, `panels pass FILE [ROUNDS]`.
//!
//! `write` makes the file, 720 MB, ERAS at a time: as many lie in a block, and a pass holds a block. `pass`
//! opens it and sums every feature, era by era; then it does the same with blocks that lie in memory, in
//! turn. Each prints lines to read and then one JSON line.

#![forbid(unsafe_code)]

mod pass;
mod write;

use std::{error::Error, io::Write, process::ExitCode};

type Answer = Result<Vec<(&'static str, f64, Unit)>, Box<dyn Error>>;

const USAGE: &str = "usage: panels write FILE [ERAS] | pass FILE [ROUNDS]";

/// Eleven eras are 62 MiB, about what pieces have when nothing is said.
const ERAS: usize = 11;
const ROUNDS: usize = 5;

/// How a number is shown.
#[derive(Debug, Clone, Copy)]
enum Unit {
    Seconds,
    Bytes,
    BytesPerSecond,
    Ratio,
}

impl Unit {
    fn shown(self, value: f64) -> String {
        match self {
            Self::Seconds => format!("{value:.4} s"),
            Self::Bytes => format!("{:.1} MB", value / 1e6),
            Self::BytesPerSecond => format!("{:.2} GB/s", value / 1e9),
            Self::Ratio => format!("{value:.3}"),
        }
    }
}

fn main() -> ExitCode {
    let given: Vec<String> = std::env::args().skip(1).collect();
    let given: Vec<&str> = given.iter().map(String::as_str).collect();
    let answer = match given.as_slice() {
        ["write", file] => write::measure(file.as_ref(), ERAS),
        ["write", file, eras] => number(eras).and_then(|eras| write::measure(file.as_ref(), eras)),
        ["pass", file] => pass::measure(file.as_ref(), ROUNDS),
        ["pass", file, rounds] => {
            number(rounds).and_then(|rounds| pass::measure(file.as_ref(), rounds))
        }
        _ => Err(USAGE.into()),
    };
    answer.and_then(|found| tell(&found)).map_or_else(fail, |()| ExitCode::SUCCESS)
}

fn number(text: &str) -> Result<usize, Box<dyn Error>> {
    let number = text.parse().ok().filter(|&number| number > 0);
    number.ok_or_else(|| format!("'{text}' is no number above 0").into())
}

fn tell(found: &[(&'static str, f64, Unit)]) -> Result<(), Box<dyn Error>> {
    let mut out = std::io::stdout().lock();
    for (name, value, unit) in found {
        writeln!(out, "{name:<28} {:>12}", unit.shown(*value))?;
    }
    let named = found.iter().map(|(name, value, _)| ((*name).to_owned(), (*value).into()));
    writeln!(out, "{}", serde_json::Value::Object(named.collect()))?;
    Ok(())
}

fn fail(error: Box<dyn Error>) -> ExitCode {
    // Where even this fails there is nobody left to tell.
    let _ = writeln!(std::io::stderr(), "panels: {error}");
    ExitCode::FAILURE
}
