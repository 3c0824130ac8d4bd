//! The robust training run on market bars in one command: features, split, rank target, network, verdict.
//!
//! Without `--data` it runs on drawn minute bars whose returns have a kurtosis above 400.

use std::{path::PathBuf, process::ExitCode};

use clap::Parser;
use fattail::{
    Fit, Predict, Progress, Transform,
    neural::device,
    prepare::{EmpiricalTarget, Method, Robust},
};
use fattail_examples::{
    Bars, Outcome, RunArgs,
    robust::{
        BarArgs, Facts, LAST_GOOD, RecipeArgs, Record, Scaling, SplitArgs, Summary, Trainer,
        Verdict, expect_place, leave, log_beside, panel_of,
    },
    run, set_threads, write_out,
};

/// Trains a small network on ranks of future returns of market bars, robustly
#[derive(Debug, Parser)]
#[command(name = "robust", version, allow_negative_numbers = true)]
struct Args {
    #[command(flatten)]
    bars: BarArgs,
    #[command(flatten)]
    split: SplitArgs,
    #[command(flatten)]
    recipe: RecipeArgs,
    /// Where to train: cpu, or in builds with these features wgpu, vulkan or cuda; `vulkan:1` is the
    /// second one, `vulkan:cpu` a software device
    #[arg(long, value_name = "DEVICE", default_value = "cpu")]
    device: String,
    /// Folder for models, configuration, scales, log and learning curve
    #[arg(long, value_name = "DIR", default_value = "out/robust")]
    out: PathBuf,
    /// Keeps a checkpoint in this file while training
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// Goes on from this checkpoint of a run with the same options
    #[arg(long, value_name = "FILE")]
    resume: Option<PathBuf>,
    /// Seed of drawn bars, of first weights, of the order of rows and of dropout
    #[arg(long, default_value_t = 0)]
    seed: u64,
    #[command(flatten)]
    run: RunArgs,
}

fn main() -> ExitCode {
    let args = Args::parse();
    run(|| args.run.attempt(|| work(&args)))
}

fn work(args: &Args) -> Outcome {
    set_threads(args.run.threads)?;
    let split = args.split.split();
    let chosen = device::choose(&args.device)?;
    chosen.warning.iter().for_each(|warning| warn(warning));
    let bars = Bars::default();
    let observer = |progress: Progress<'_>| bars.show(progress);
    let series = args.bars.series(args.seed, &observer)?;

    let parts = split.cut(&panel_of(&series, split.horizon)?)?;
    let rows = parts.train.rows();
    let learner = args.recipe.learner(rows, split.gap, &chosen.name, args.seed)?;
    let scaling = Scaling::fit(&parts.train, &Method::Robust(Robust::default()))?;
    let ranks = EmpiricalTarget {}.fit(&parts.train)?;
    let train = ranks.transform(scaling.apply(&parts.train)?)?;
    let test = ranks.transform(scaling.apply(&parts.test)?)?;

    let (checkpoint, resume) = (args.checkpoint.as_deref(), args.resume.as_deref());
    expect_place(&args.out, checkpoint)?;
    let log = log_beside(&args.out);
    let trainer =
        Trainer { learner: &learner, checkpoint, resume, log: Some(&log), observer: &observer };
    let trained = trainer.train(&train)?;
    let prediction = trained.best.predict(&test)?;
    let constant = f64::from(trained.best.constant);
    let target = test.target()?.to_f32();
    let delta = args.recipe.huber_delta;
    let verdict = Verdict::new(&target, &prediction, constant, delta, split.horizon)?;

    let facts = Facts::new(&series, split, &parts);
    let mut summary = Summary::new(facts, &trained, verdict, &chosen.name);
    summary.warnings.splice(0..0, chosen.warning);
    let record = Record {
        learner: &learner,
        scaling: &scaling,
        train: &parts.train,
        trained: &trained,
        summary,
    };
    leave(&args.out, args.run.json.as_deref(), &record)?;
    // The folder holds it now.
    std::fs::remove_file(&log).ok();
    bars.clear();
    trained.best.warning.iter().for_each(|warning| warn(warning));
    trained.run.events.iter().for_each(|event| warn(&event.to_string()));
    if trained.gave_up() {
        let path = args.out.join(LAST_GOOD);
        let reason = &trained.run.stopped;
        return Err(format!("{reason}; the last good weights are '{}'", path.display()).into());
    }
    write_out(&format!("{}left in {}\n", record.summary.told(), args.out.display()))
}

/// Tells what the reader must know, beside the output.
#[allow(clippy::print_stderr, reason = "this is the surface of a binary")]
fn warn(text: &str) {
    eprintln!("warning: {text}");
}
