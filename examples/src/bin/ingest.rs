//! Turns broken text tables into typed Parquet, with a log of every repair.

use std::process::ExitCode;

use clap::Parser;
use fattail::{
    ingest::Summary,
    store::{write_atomic, write_json},
};
use fattail_examples::{
    Bars, Outcome, RunArgs,
    ingest::{IngestArgs, all, page, told},
    run, set_threads, write_out,
};

/// Turns broken text tables (any delimiter, quotes, encoding, gzip or zstd) into typed Parquet, with a log
/// of every repair and the rows that were set aside
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    #[command(flatten)]
    ingest: IngestArgs,
    #[command(flatten)]
    run: RunArgs,
}

fn main() -> ExitCode {
    let args = Args::parse();
    run(|| args.run.attempt(|| work(&args)))
}

fn work(args: &Args) -> Outcome {
    set_threads(args.run.threads)?;
    let settings = args.ingest.settings()?;
    let files = args.ingest.files()?;
    let bars = Bars::default();
    let all = all(&settings, &files, &args.ingest.out, &bars);
    bars.clear();
    if !all.summaries.is_empty() {
        leave(args, &all.summaries)?;
    }
    all.outcome()
}

/// Writes down what became of the files that were written.
fn leave(args: &Args, summaries: &[Summary]) -> Outcome {
    if let Some(path) = &args.run.json {
        write_json(path, &summaries)?;
    }
    if let Some(path) = &args.ingest.report {
        let page = page(summaries).to_html()?;
        write_atomic(path, |file| file.write_all(page.as_bytes()))?;
    }
    write_out(&summaries.iter().map(told).collect::<Vec<_>>().join("\n"))
}
