//! One measurement of boosting, in a process of its own:
//! `gbdt train NAME PLAN DATA FOLDER`, `gbdt predict NAME DATA FOLDER` or `gbdt explain NAME DATA FOLDER`.
//!
//! PLAN is JSON, one of `benches/peers/boosting/plans.json`. Training writes the model as LightGBM's
//! text and the held-out predictions as little-endian `f64` to FOLDER; the other two read that model.
//! Prints one JSON line of seconds and bytes, as the peers' side does.

#![forbid(unsafe_code)]

mod ask;
mod input;
mod train;

use std::{error::Error, io::Write, process::ExitCode};

type Answer = Result<serde_json::Value, Box<dyn Error>>;

fn main() -> ExitCode {
    let given: Vec<String> = std::env::args().skip(1).collect();
    let given: Vec<&str> = given.iter().map(String::as_str).collect();
    match given.as_slice() {
        ["train", name, plan, data, folder] => {
            train::measure(name, plan, data.as_ref(), folder.as_ref())
        }
        ["predict", name, data, folder] => ask::predict(name, data.as_ref(), folder.as_ref()),
        ["explain", name, data, folder] => ask::explain(name, data.as_ref(), folder.as_ref()),
        _ => {
            Err("usage: gbdt train NAME PLAN DATA FOLDER | predict|explain NAME DATA FOLDER".into())
        }
    }
    .and_then(|found| Ok(writeln!(std::io::stdout(), "{found}")?))
    .map_or_else(fail, |()| ExitCode::SUCCESS)
}

fn fail(error: Box<dyn Error>) -> ExitCode {
    // Where even this fails there is nobody left to tell.
    let _ = writeln!(std::io::stderr(), "gbdt: {error}");
    ExitCode::FAILURE
}
