//! Certifies a pipeline: tries to show that its predictions depend on what was not known.

use std::{path::PathBuf, process::ExitCode};

use clap::Parser;
use fattail::{
    certificate::{Certifier, Verdict},
    evaluate::Horizon,
    store::write_atomic,
};
use fattail_examples::{
    Bars, DataArgs, Outcome, Refusal, RunArgs,
    certify::{Config, try_all},
    numerai_horizon, run, set_threads, write_out,
};

/// Certifies a pipeline: perturbs what was not known, and predictions must stay
///
/// Without --data it runs on a synthetic market, without --config on ridge regression and boosted trees, joined by
/// weights and a gate that read known scores. Exits with 3 where a leak is found or the certificate is void.
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    #[command(flatten)]
    data: DataArgs,
    /// The pipeline, its split and its horizon as JSON; --show-config writes the one that is taken without it
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Days that the labels cover, where they are not those of the target's name: 60 for `..._60`, else 20
    #[arg(long, value_name = "DAYS")]
    label_days: Option<u32>,
    /// Writes the configuration to standard output and ends
    #[arg(long)]
    show_config: bool,
    /// Certifies twelve pipelines that leak and their twins that do not instead
    #[arg(long, conflicts_with_all = ["config", "data"])]
    leaks: bool,
    /// In how many places the panel is cut into what may be seen and what may not; without it as in the
    /// configuration, or 2
    #[arg(long)]
    cuts: Option<usize>,
    /// Seed of the synthetic market and of all disturbances; without it as in the configuration, or 0
    #[arg(long)]
    seed: Option<u64>,
    #[command(flatten)]
    run: RunArgs,
}

impl Args {
    /// Settings with what the command line says.
    fn settings(&self, of: Certifier) -> Certifier {
        let (cuts, seed) = (self.cuts.unwrap_or(of.cuts), self.seed.unwrap_or(of.seed));
        Certifier { cuts, seed, ..of }
    }
}

fn main() -> ExitCode {
    let args = Args::parse();
    run(|| args.run.attempt(|| work(&args)))
}

fn work(args: &Args) -> Outcome {
    set_threads(args.run.threads)?;
    let bars = Bars::default();
    let observer = |progress: fattail::Progress<'_>| bars.show(progress);
    if args.leaks {
        return leaks(args, &bars);
    }
    let given = args.config.as_deref().map(Config::read).transpose()?;
    let seed = given.as_ref().map_or(0, |config| config.certifier().seed);
    let source = args.data.source(args.seed.unwrap_or(seed), &observer)?;
    let usual = numerai_horizon(source.panel.schema().target().unwrap_or_default());
    let labels = Horizon { days: args.label_days.unwrap_or(usual.days), ..usual };
    let config = match given {
        Some(config) => config,
        None => Config::usual(labels)?,
    };
    if args.show_config {
        return write_out(&format!("{}\n", serde_json::to_string_pretty(&config)?));
    }
    config.expect_horizon(labels)?;
    let folds = config.folds(source.panel.eras())?;
    let certifier = args.settings(config.certifier());
    let certificate = certifier.certify(&config.workflow, &source.panel, &folds, &observer)?;
    if let Some(path) = &args.run.json {
        let json = certificate.to_json()?;
        write_atomic(path, |file| file.write_all(json.as_bytes()))?;
    }
    bars.clear();
    write_out(&format!("{certificate}\n{}\n", certificate.statement))?;
    match certificate.verdict {
        Verdict::Passed => Ok(()),
        Verdict::Failed => Err(Refusal("the pipeline leaks".into()).into()),
        Verdict::Void => Err(Refusal("the certificate is void: nothing can be said".into()).into()),
    }
}

fn leaks(args: &Args, bars: &Bars) -> Outcome {
    let observer = |progress: fattail::Progress<'_>| bars.show(progress);
    let certifier = args.settings(Certifier::default());
    let all = try_all(&certifier, certifier.seed, &observer)?;
    bars.clear();
    if let Some(path) = &args.run.json {
        let json = serde_json::to_string_pretty(&all)?;
        write_atomic(path, |file| file.write_all(json.as_bytes()))?;
    }
    let lines: String = all.iter().map(|tried| format!("{tried}\n")).collect();
    write_out(&lines)?;
    let wrong = all.iter().filter(|tried| !tried.is_right()).count();
    if wrong == 0 {
        Ok(())
    } else {
        Err(format!("{wrong} leaks or twins were not told apart").into())
    }
}
