//! Boosted trees from the command line: train, predict, cross-validate, explain, convert.

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use fattail_examples::{
    Bars, Outcome,
    boost::{
        ConvertArgs, CrossArgs, ExplainArgs, Given, Pairs, PredictArgs, TrainArgs, convert,
        cross_validate, explain, predict, split, train,
    },
    run, write_out,
};

const PARAMETERS: &str = "\
Parameters are LightGBM's, by name or alias, with dashes or underscores, as `--name value`,
`--name=value` or `name=value`: --num-leaves 63, --eta=0.05, --seed 7, --num-threads 2, bagging_freq=1.
So are those of eras: era_criterion, era_folds, era_boosting_proportion, neutralise_proportion,
bagging_by_era, early_stopping_holdout, early_stopping_gap; and growth, precision, max_memory (4g).";

const TASK: &str = "\
Without a command the parameter `task` is the command, as LightGBM has it: boost config=train.conf";

/// Trains, uses and explains boosted trees, with LightGBM's parameter names
#[derive(Debug, Parser)]
#[command(name = "boost", version, after_help = TASK)]
struct Args {
    #[command(subcommand)]
    job: Job,
}

#[derive(Debug, Subcommand)]
enum Job {
    /// Trains a model, trains on from one or fits its leaves again [--PARAMETER VALUE]...
    #[command(after_help = PARAMETERS)]
    Train(TrainArgs),
    /// Predicts with a model
    Predict(PredictArgs),
    /// Trains on some eras and scores the others, fold by fold [--PARAMETER VALUE]...
    #[command(after_help = PARAMETERS)]
    Cv(CrossArgs),
    /// Tells which features a model leans on, in which eras, and why a row is predicted so
    Explain(ExplainArgs),
    /// Writes a model in another format
    Convert(ConvertArgs),
}

fn main() -> ExitCode {
    run(|| {
        let command = Args::command();
        let Given { options, parameters } = split(&command, std::env::args())?;
        let matches = command.get_matches_from(options);
        let args = Args::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
        work(&args.job, &parameters)
    })
}

fn work(job: &Job, parameters: &Pairs) -> Outcome {
    let bars = Bars::default();
    let observer = |progress: fattail::Progress<'_>| bars.show(progress);
    let told = match job {
        Job::Train(args) => train(args, parameters, &observer),
        Job::Predict(args) => predict(args, parameters, &observer),
        Job::Cv(args) => cross_validate(args, parameters, &observer),
        Job::Explain(args) => explain(args, parameters, &observer),
        Job::Convert(args) => convert(args, parameters),
    }?;
    bars.clear();
    write_out(&told)
}
