//! Scores predictions, era by era and in summary.

use std::process::ExitCode;

use clap::Parser;
use fattail::{
    evaluate::{Backtest, Predictions, Summary, era_churns, score_predictions},
    report::{ModelReport, Report, Setting},
    store::write_atomic,
};
use fattail_examples::{
    Bars, Joined, Outcome, RunArgs, ScoreFiles, facts_of, metrics_of, numerai_horizon, run,
    set_threads, write_out,
};

/// Scores predictions (columns id, era, prediction) against targets, era by era and in summary
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    #[command(flatten)]
    files: ScoreFiles,
    #[command(flatten)]
    run: RunArgs,
}

fn main() -> ExitCode {
    let args = Args::parse();
    run(|| args.run.attempt(|| work(&args)))
}

fn work(args: &Args) -> Outcome {
    set_threads(args.run.threads)?;
    let bars = Bars::default();
    let observer = |progress: fattail::Progress<'_>| bars.show(progress);
    let Joined { panel, predictions } = args.files.join(&observer)?;
    let metrics = metrics_of(&panel, &args.files);
    let metrics: Vec<_> = metrics.iter().map(|metric| &**metric).collect();
    let eras = (0..panel.eras().len()).collect();
    let predictions = Predictions { eras, values: predictions };
    let mut scores = score_predictions(&panel, &predictions, &metrics)?;
    scores.extend(era_churns(&panel, &predictions.values)?);

    let name = args.files.predictions.file_name().unwrap_or_default().to_string_lossy();
    let data = facts_of(&panel, args.files.targets.to_string_lossy());
    let horizon = numerai_horizon(&data.target);
    let result = Backtest { scores, predictions, ..Backtest::default() };
    let summarise = |scores: &[f64]| Summary::with_horizon(scores, &horizon);
    let report = Report {
        title: "Scores".into(),
        generated_by: concat!("fattail score ", env!("CARGO_PKG_VERSION")).into(),
        settings: vec![Setting::new("label days", horizon.days)],
        models: vec![ModelReport::new(name, &result, summarise)],
        data,
        ..Report::default()
    };
    if let Some(path) = &args.run.json {
        let json = report.to_json()?;
        write_atomic(path, |file| file.write_all(json.as_bytes()))?;
    }
    bars.clear();
    write_out(&format!("{}\n", report.summary_table()))
}
