//! The weekly Numerai job in one command: read, fit, backtest, report, submission.
//!
//! Without `--data` it runs on a synthetic market. The last era of the data is taken as the live one.

use std::{path::PathBuf, process::ExitCode};

use clap::Parser;
use fattail::{
    evaluate::{EmbargoRule, Expanding, Summary},
    report::{Difference, Report, Setting, SplitFacts},
};
use fattail_examples::{
    Bars, BoostedArgs, Context, DataArgs, GateArgs, InputArgs, Kind, NetworkArgs, Outcome, Refusal,
    RunArgs, Trial, Weekly, Zoo, drift, facts_of, free_memory, leave, metrics, numerai_horizon,
    run, set_threads, told, write_out,
};

/// Fits, backtests and reports models on weekly eras, and writes the submission of the live era
#[derive(Debug, Parser)]
#[command(version, allow_negative_numbers = true)]
struct Args {
    #[command(flatten)]
    data: DataArgs,
    /// What is fitted: ridge, gbdt, mlp, transformer and gnn, with commas between, compared era by era;
    /// one that fails is set aside
    #[arg(long, value_name = "MODELS", default_value = "ridge")]
    model: String,
    /// The model whose predictions of the live era are submitted; without it, or when it fails, the
    /// first one that does not
    #[arg(long, value_name = "MODEL")]
    submit: Option<String>,
    /// Folder for report, predictions, submission and models
    #[arg(long, value_name = "DIR", default_value = "out/numerai")]
    out: PathBuf,
    /// Test blocks of the expanding backtest
    #[arg(long, default_value_t = 5)]
    folds: usize,
    /// Seed of the synthetic market, of boosted trees and of networks
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Bytes that training a model may take at most, such as 800m or 4g: networks take smaller batches,
    /// and a model that cannot do with it is set aside
    #[arg(long, value_name = "SIZE", value_parser = fattail_examples::size)]
    max_memory: Option<u64>,
    #[command(flatten)]
    run: RunArgs,
    #[command(flatten)]
    boosted: BoostedArgs,
    #[command(flatten)]
    networks: NetworkArgs,
    #[command(flatten)]
    inputs: InputArgs,
    #[command(flatten)]
    gate: GateArgs,
}

fn main() -> ExitCode {
    let args = Args::parse();
    run(|| args.run.attempt(|| work(&args)))
}

fn work(args: &Args) -> Outcome {
    let keeper = args.gate.keeper(args.data.has_meta())?;
    let kinds = Kind::list(&args.model)?;
    let asked = kinds[Kind::submitted(&kinds, args.submit.as_deref())?];
    set_threads(args.run.threads)?;
    let bars = Bars::default();
    let observer = |progress: fattail::Progress<'_>| bars.show(progress);
    let source = args.data.source(args.seed, &observer)?;
    let data = facts_of(&source.panel, &*source.name);

    let (horizon, rule) = (numerai_horizon(&data.target), EmbargoRule::default());
    let gap = rule.gap(&horizon)?;
    let zoo = Zoo {
        boosted: &args.boosted,
        networks: &args.networks,
        gap,
        horizon: &horizon,
        max_memory: args.max_memory,
        free: free_memory()?,
        seed: args.seed,
    };
    let learners = zoo.learners(&kinds, &source.panel)?;
    let split = Expanding { folds: args.folds, horizon, rule };
    let metrics = metrics(&source.panel, source.meta.as_deref());
    let (gate, observer): (_, fattail::Observer<'_>) = (&args.inputs, &observer);
    let log = args.gate.trials.as_deref();
    let trial = Trial { split: &split, gap, metrics: &metrics, gate, log, observer };
    let weekly = Weekly::run(&source.panel, learners, trial)?;

    let submitted = weekly.submitted(asked);
    let meta = source.meta.as_deref();
    let context = Context { horizon, split: &split, meta, seed: args.seed, observer };
    let gated = keeper.judge(&weekly, submitted, context)?;
    let warnings = [weekly.warnings(asked), gated.warnings.clone()].concat();
    let models = weekly.reports(&horizon, &source.targets)?;
    let report = Report {
        title: "Weekly backtest".into(),
        generated_by: concat!("fattail numerai ", env!("CARGO_PKG_VERSION")).into(),
        settings: vec![
            Setting::new("model", &args.model),
            Setting::new("submitted", weekly.runs[submitted].name()),
            Setting::new("folds", args.folds),
            Setting::new("seed", args.seed),
            Setting::new("label days", horizon.days),
        ],
        split: Some(SplitFacts {
            name: format!("expanding, {} test blocks", args.folds),
            gap_eras: gap,
            rule: format!("{rule:?} over {} days and their lags", horizon.days),
        }),
        differences: Difference::all(&models, |scores| Summary::with_horizon(scores, &horizon)),
        benchmark: meta.map(|meta| weekly.benchmark(meta)).transpose()?,
        overfitting: weekly.overfitting(&horizon)?,
        drift: drift(&source.panel, &split, args.seed)?,
        models,
        warnings,
        data,
        ..Report::default()
    };
    let report = leave(&args.out, args.run.json.as_deref(), &weekly, (submitted, &gated), report)?;
    bars.clear();
    write_out(&told(&report, &gated, &args.out))?;
    gated.blocked().map_or(Ok(()), |blocked| Err(Refusal(blocked).into()))
}
