//! The weekly job: backtest, fit on all that is known, predict the live era, leave everything in one
//! folder. A model that fails is set aside with its reason, the rest goes on; only when all fail, the
//! job does.

mod inputs;
mod leave;
mod shown;

use std::path::Path;

use fattail::{
    Fit, Metric, Observer, Panel, Predict, Progress,
    evaluate::{Backtest, EmbargoRule, Horizon, Ledger, Scores, Split, backtest},
    luck::Trials,
    stats::{Ties, uniform_rank},
};

use crate::{
    Kind, Learner, Model, Outcome,
    shell::{caught, one_line},
    trials::{Tried, keep, read},
};

pub use inputs::{InputArgs, Inputs};
pub use leave::{facts_of, leave, told};
pub use shown::drift;

/// Learners with their backtests, and the predictions of the live era.
#[derive(Debug)]
pub struct Weekly {
    /// The learners, in the order in which they are reported.
    pub runs: Vec<Run>,
    /// The models that failed.
    pub failures: Vec<Failure>,
    /// Those of this run and of the study log.
    pub trials: Trials,
    /// The ids of the live era.
    pub ids: Vec<String>,
    /// The eras whose scores can be known when the live one is submitted.
    pub known: Panel,
    /// Where they stand in the whole panel, and where the live era stands.
    pub places: (Vec<usize>, usize),
    /// The eras after those that models were fitted on, as the input gate let them through.
    pub inputs: Inputs,
}

/// A learner with its backtest and its predictions of the live era.
#[derive(Debug)]
pub struct Run {
    /// The learner.
    pub learner: Learner,
    /// The backtest over the eras whose targets are known.
    pub backtest: Backtest,
    /// The model that predicts the live era.
    pub model: Model,
    /// Its predictions of the live era, as ranks in (0, 1).
    pub live: Vec<f32>,
}

/// A model that was set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What it was to be.
    pub kind: Kind,
    /// Why it was set aside.
    pub reason: String,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} failed and is set aside: {}", self.kind.name(), self.reason)
    }
}

/// How a run is tested.
#[derive(Clone, Copy)]
pub struct Trial<'a> {
    /// The folds.
    pub split: &'a dyn Split,
    /// Eras between the last one fitted on and the live one.
    pub gap: usize,
    /// What is scored.
    pub metrics: &'a [Box<dyn Metric>],
    /// What stands before the models.
    pub gate: &'a InputArgs,
    /// The study log.
    pub log: Option<&'a Path>,
    /// Who is told how far it is.
    pub observer: Observer<'a>,
}

impl std::fmt::Debug for Trial<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Trial").field("gap", &self.gap).finish_non_exhaustive()
    }
}

impl Weekly {
    /// Runs the job on a panel whose last era is the live one.
    ///
    /// # Errors
    /// When the panel has no ids or no known target, the input gate refuses what is to be predicted, or all
    /// learners fail.
    pub fn run(panel: &Panel, learners: Vec<Learner>, trial: Trial<'_>) -> Outcome<Self> {
        // A log that is not one is told before hours of work.
        trial.log.map(read).transpose()?;
        let last = panel.eras().len() - 1;
        let positions = known_eras(panel, trial.gap)?;
        let known = panel.cut(&positions)?;
        let live = panel.cut(&[last])?;
        let ids = live.era(0).ids().ok_or("the panel has no ids: a submission needs them")?;
        let ids = ids.map(str::to_owned).collect();
        let before: Vec<usize> =
            positions.iter().copied().filter(|era| era + trial.gap < last).collect();
        let end = before.last().ok_or("no era is left to fit on before the gap to the live era")?;
        let train = panel.cut(&before)?;
        // The eras of the gap come along, without answers: steps that look back must not miss them.
        let unseen: Vec<usize> = (end + 1..=last).collect();
        let inputs = trial.gate.check(&train, &panel.cut(&unseen)?)?;
        let folds = trial.split.folds(known.eras())?.len();
        let (mut runs, mut failures, mut tried) = (Vec::new(), Vec::new(), Vec::new());
        for learner in learners {
            let kind = learner.kind();
            let mut one = Tried::new(&learner, panel, folds);
            match caught(|| Run::new(learner, &known, &train, &inputs, trial)) {
                Ok(run) => {
                    one.scored(&run.backtest);
                    runs.push(run);
                }
                Err(error) => failures.push(Failure { kind, reason: one_line(&*error) }),
            }
            tried.push(one);
        }
        let trials = keep(tried, trial.log)?;
        if runs.is_empty() {
            return Err(all_failed(&failures).into());
        }
        let places = (positions, last);
        Ok(Self { runs, failures, trials, ids, known, places, inputs })
    }

    /// The scores that are known when the live era is submitted, read through the ledger.
    ///
    /// # Errors
    /// When scores and eras do not fit together.
    pub fn known_scores(&self, scores: &Scores, horizon: Horizon) -> Outcome<Scores> {
        let (places, live) = &self.places;
        let mut ledger = Ledger::new([&*scores.metric], EmbargoRule::RealTime, &horizon)?;
        let eras = self.known.eras();
        for era in &scores.eras {
            let at = (0..eras.len()).find(|&at| eras.label(at) == era.era);
            ledger.record(
                places[at.ok_or("a score is of an era that is not known")?],
                &[era.value],
            )?;
        }
        let latest = ledger.known_at(*live, "submission gate").latest();
        let known = |at: &usize| Some(places[*at]) <= latest;
        let labels: Vec<&str> = (0..eras.len()).filter(known).map(|at| eras.label(at)).collect();
        let kept = scores.eras.iter().filter(|era| labels.contains(&&*era.era)).cloned();
        Ok(Scores { metric: scores.metric.clone(), eras: kept.collect() })
    }

    /// Where the run of a kind stands, or the first one where that kind failed.
    #[must_use]
    pub fn submitted(&self, kind: Kind) -> usize {
        self.runs.iter().position(|run| run.learner.kind() == kind).unwrap_or(0)
    }

    /// What the reader must know of models that failed, `kind` being the one to be submitted.
    #[must_use]
    pub fn warnings(&self, kind: Kind) -> Vec<String> {
        let mut told: Vec<String> = self.failures.iter().map(Failure::to_string).collect();
        told.extend(self.inputs.warnings());
        if self.failures.iter().any(|failure| failure.kind == kind) {
            let other = self.runs[self.submitted(kind)].name();
            told.push(format!("the submission is that of {other}, because {} failed", kind.name()));
        }
        told
    }
}

/// Why there is nothing: the one reason, or each with its model.
fn all_failed(failures: &[Failure]) -> String {
    match failures {
        [only] => only.reason.clone(),
        all => {
            let told = |failure: &Failure| format!("{}: {}", failure.kind.name(), failure.reason);
            let told: Vec<String> = all.iter().map(told).collect();
            format!("every model failed: {}", told.join("; "))
        }
    }
}

impl Run {
    /// Tests a learner on the known eras, fits it on those of `train` and predicts the live one.
    fn new(
        learner: Learner,
        known: &Panel,
        train: &Panel,
        inputs: &Inputs,
        trial: Trial<'_>,
    ) -> Outcome<Self> {
        let metrics: Vec<&dyn Metric> = trial.metrics.iter().map(|metric| &**metric).collect();
        let stage = format!("{} backtest", learner.kind().name());
        let observer =
            |progress: Progress<'_>| (trial.observer)(Progress { stage: &stage, ..progress });
        let backtest = backtest(&learner, known, trial.split, &metrics, &observer)?;
        let model = learner.fit(train)?;
        let predicted = model.predict(&inputs.admitted)?;
        let raw = &predicted[predicted.len() - inputs.live_rows()..];
        let raw: Vec<f64> = raw.iter().map(|&value| f64::from(value)).collect();
        if raw.len() > 1 && raw.iter().all(|value| *value == raw[0]) {
            return Err("its predictions of the live era are all the same".into());
        }
        let live = inputs.spread(&uniform_rank(&raw, Ties::Average)?);
        Ok(Self { learner, backtest, model, live })
    }

    /// The learner's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.learner.kind().name()
    }
}

/// Positions of the eras in which at least one target is known, and known in time: labels of the last `gap` eras
/// before the live one are still running, whatever the file says of them, and so is that of the live era.
fn known_eras(panel: &Panel, gap: usize) -> Outcome<Vec<usize>> {
    let last = panel.eras().len() - 1;
    let mut known = Vec::new();
    for era in panel.iter().filter(|era| era.index() + gap.max(1) <= last) {
        if era.target()?.iter().any(|value| !value.is_nan()) {
            known.push(era.index());
        }
    }
    let target = panel.schema().target().unwrap_or_default();
    if known.is_empty() {
        return Err(format!("target '{target}' is not known in any era before the live one").into());
    }
    Ok(known)
}
