//! One measurement of networks, in a process of its own:
//! `neural step NAME ROUNDS`, `neural memory NAME BATCH` or `neural attention LENGTH ROUNDS`.
//!
//! `step` times training steps of a network of `networks.rs` (gradient, clipping, AdamW) and prints one
//! JSON line of milliseconds, as `benches/peers/neural/steps.py` does. `memory` prints what the pre-flight
//! says that a step takes and what it took: the most bytes that were allocated at a time. `attention` times the
//! kernel alone, 16 heads of 64.

mod attention;
mod memory;
mod networks;

use std::{error::Error, io::Write, process::ExitCode};

use fattail::training::Update;
use fattail_benches::seconds;
use serde_json::json;

type Answer = Result<serde_json::Value, Box<dyn Error>>;

#[global_allocator]
static COUNTING: memory::Counting = memory::Counting;

const USAGE: &str = "usage: neural step NAME ROUNDS | memory NAME BATCH | attention LENGTH ROUNDS";

fn main() -> ExitCode {
    let given: Vec<String> = std::env::args().skip(1).collect();
    let given: Vec<&str> = given.iter().map(String::as_str).collect();
    let answer = match given.as_slice() {
        ["step", name, rounds] => rounds.parse().map_err(Into::into).and_then(|r| step(name, r)),
        ["memory", name, batch] => batch.parse().map_err(Into::into).and_then(|b| memory(name, b)),
        ["attention", length, rounds] => long(length, rounds),
        _ => Err(USAGE.into()),
    };
    answer
        .and_then(|found| Ok(writeln!(std::io::stdout(), "{found}")?))
        .map_or_else(fail, |()| ExitCode::SUCCESS)
}

fn long(length: &str, rounds: &str) -> Answer {
    attention::measure(length.parse()?, rounds.parse()?)
}

fn fail(error: Box<dyn Error>) -> ExitCode {
    // Where even this fails there is nobody left to tell.
    let _ = writeln!(std::io::stderr(), "neural: {error}");
    ExitCode::FAILURE
}

const UPDATE: Update =
    Update { rate: 1e-4, clip_norm: Some(1.0), clip_value: None, refuse_above: f64::INFINITY };

fn step(name: &str, rounds: usize) -> Answer {
    let named = networks::of(name)?;
    let data = networks::Data::new(&named.architecture, named.batch);
    let mut engine = named.engine()?;
    let (mut took, mut moving) = (Vec::with_capacity(rounds), Vec::with_capacity(rounds));
    for round in 0..rounds + 3 {
        let batch = data.batch(round as u64);
        let (done, gradient) = seconds(|| engine.gradient(&batch, 1.0));
        done?;
        let (done, apply) = seconds(|| engine.apply(&UPDATE));
        done?;
        took.push(1e3 * (gradient + apply));
        moving.push(1e3 * apply);
    }
    let sorted = |times: &mut Vec<f64>| {
        let mut times = times.split_off(3);
        times.sort_by(f64::total_cmp);
        times
    };
    let (took, moving) = (sorted(&mut took), sorted(&mut moving));
    Ok(json!({
        "name": name,
        "batch": named.batch,
        "median_ms": took[took.len() / 2],
        "least_ms": took[0],
        "apply_ms": moving[moving.len() / 2],
    }))
}

fn memory(name: &str, batch: usize) -> Answer {
    let named = networks::of(name)?;
    let data = networks::Data::new(&named.architecture, batch);
    let before = memory::reset();
    let mut engine = named.engine()?;
    for key in 0..3 {
        engine.gradient(&data.batch(key), 1.0)?;
        engine.apply(&UPDATE)?;
    }
    let peak = memory::peak() - before;
    let told = engine.footprint(batch);
    Ok(json!({
        "name": name,
        "batch": batch,
        "estimate": told.total(),
        "peak": peak,
        "ratio": told.total() as f64 / peak as f64,
        "parts": [told.parameters, told.optimiser, told.activations, told.workspace],
    }))
}
