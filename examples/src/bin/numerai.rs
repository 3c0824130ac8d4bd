//! The weekly Numerai job in one command: read, fit, backtest, report, submission.
//!
//! Without `--data` it runs on a synthetic market. The last era of the data is taken as the live one.

use std::{path::PathBuf, process::ExitCode};

use clap::Parser;
use fattail::{
    evaluate::{EmbargoRule, Expanding},
    linear::Ridge,
    report::{Report, Setting, SplitFacts},
};
use fattail_examples::{
    Bars, DataArgs, Outcome, RunArgs, Weekly, facts_of, leave, metrics, numerai_horizon, run,
    set_threads, write_out,
};

/// Fits, backtests and reports a model on weekly eras, and writes the submission of the live era
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    #[command(flatten)]
    data: DataArgs,
    /// Folder for report, predictions, submission and model
    #[arg(long, value_name = "DIR", default_value = "out/numerai")]
    out: PathBuf,
    /// Test blocks of the expanding backtest
    #[arg(long, default_value_t = 5)]
    folds: usize,
    /// Seed of the synthetic market
    #[arg(long, default_value_t = 0)]
    seed: u64,
    #[command(flatten)]
    run: RunArgs,
}

fn main() -> ExitCode {
    let args = Args::parse();
    run(|| work(&args))
}

fn work(args: &Args) -> Outcome {
    set_threads(args.run.threads)?;
    let bars = Bars::default();
    let observer = |progress: fattail::Progress<'_>| bars.show(progress);
    let source = args.data.source(args.seed, &observer)?;
    let data = facts_of(&source.panel, &*source.name);

    let (horizon, rule) = (numerai_horizon(&data.target), EmbargoRule::default());
    let gap = rule.gap(&horizon)?;
    let lags = horizon.overlap_lag()?;
    let ridge = Ridge { gap, lags, ..Ridge::default() };
    let split = Expanding { folds: args.folds, horizon, rule };
    let metrics = metrics(&source.panel, source.meta.as_deref());
    let weekly = Weekly::run(&source.panel, &ridge, &split, gap, &metrics, &observer)?;

    let settings = vec![
        format!("{ridge:?}"),
        format!("penalty chosen for the live era: {:e}", weekly.model.penalty),
    ];
    let report = Report {
        title: "Weekly backtest".into(),
        generated_by: concat!("fattail numerai ", env!("CARGO_PKG_VERSION")).into(),
        settings: vec![
            Setting::new("model", "ridge"),
            Setting::new("folds", args.folds),
            Setting::new("seed", args.seed),
            Setting::new("label days", horizon.days),
        ],
        split: Some(SplitFacts {
            name: format!("expanding, {} test blocks", args.folds),
            gap_eras: gap,
            rule: format!("{rule:?} over {} days and their lags", horizon.days),
        }),
        models: vec![weekly.report(settings, &horizon)],
        data,
        ..Report::default()
    };
    let report = leave(&args.out, args.run.json.as_deref(), &weekly, report)?;
    bars.clear();
    write_out(&format!(
        "{}\nreport: {}\n",
        report.summary_table(),
        args.out.join("report.html").display()
    ))
}
