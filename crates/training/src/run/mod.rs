//! The loop: from settings, an engine and samples to trained weights and a log.

mod epoch;
mod finish;
mod look;
mod recover;
mod resume;
mod runner;
mod state;
mod step;

pub(crate) use state::State;

use std::fmt;

use fattail_core::{Observer, Result as CoreResult, silent};
use fattail_descent::{Loss, Reason};
use serde::{Deserialize, Serialize};

use crate::{
    Buffer, Engine, Event, Fault, Plan, Result, Samples, Snapshot, Symptom, Training, exact,
};
use runner::Runner;

/// Takes the bytes of a checkpoint to where they are kept.
pub type Sink<'a> = &'a mut dyn FnMut(&[u8]) -> CoreResult<()>;

/// Takes what happens in a run, as it happens.
pub type Log<'a> = &'a mut dyn FnMut(Entry<'_>);

/// Something that happened in a run.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Entry<'a> {
    /// An intervention, or a symptom that was only noted.
    Event(&'a Event),
    /// An epoch that is over.
    Epoch {
        /// Which one, the first being 0.
        number: u64,
        /// How it went.
        epoch: &'a Epoch,
    },
}

/// Whoever sits beside a run: watches, keeps its checkpoints, ends it.
pub struct Desk<'a> {
    /// Is told how far training has come.
    pub observer: Observer<'a>,
    /// Keeps checkpoints. The last one is enough.
    pub sink: Option<Sink<'a>>,
    /// Is told of events and epochs when they happen. What a resumed run repeats is told again.
    pub log: Option<Log<'a>>,
    /// A checkpoint to go on from.
    pub resume: Option<&'a [u8]>,
    /// Asked before each step; true ends the run after a last checkpoint.
    pub interrupt: Option<&'a dyn Fn() -> bool>,
    /// Whether the weights of the last step are returned as well.
    pub keep_last: bool,
}

impl Default for Desk<'_> {
    fn default() -> Self {
        Self {
            observer: &silent,
            sink: None,
            log: None,
            resume: None,
            interrupt: None,
            keep_last: false,
        }
    }
}

impl Desk<'_> {
    /// Writes an entry into the log, where there is one.
    fn write(&mut self, entry: Entry<'_>) {
        if let Some(log) = &mut self.log {
            log(entry);
        }
    }
}

impl fmt::Debug for Desk<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let resume = self.resume.map(<[u8]>::len);
        let (sink, interrupt) = (self.sink.is_some(), self.interrupt.is_some());
        f.debug_struct("Desk")
            .field("sink", &sink)
            .field("log", &self.log.is_some())
            .field("resume", &resume)
            .field("interrupt", &interrupt)
            .field("keep_last", &self.keep_last)
            .finish_non_exhaustive()
    }
}

/// An epoch, when it is over.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// The mean loss of its steps, each before it was taken; NaN when none was.
    #[serde(with = "exact")]
    pub train_loss: f64,
    /// The loss of the holdout after it, with the weights that would be returned; NaN without one.
    #[serde(with = "exact")]
    pub holdout_loss: f64,
    /// The learning rate of its last step.
    #[serde(with = "exact")]
    pub rate: f64,
    /// The typical norm of a gradient at its end.
    #[serde(with = "exact")]
    pub norm: f64,
    /// Steps taken.
    pub steps: u64,
    /// Steps left out.
    pub skipped: u64,
}

/// Why a run ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Stopped {
    /// All epochs are over.
    Finished,
    /// A rule on the losses.
    Rule(Reason),
    /// The desk.
    Interrupted,
    /// Something was wrong that policy does not go on with.
    GaveUp(Symptom),
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Finished => write!(f, "all epochs are over"),
            Self::Rule(reason) => reason.fmt(f),
            Self::Interrupted => write!(f, "the run was interrupted"),
            Self::GaveUp(symptom) => write!(f, "the run was given up: {symptom}"),
        }
    }
}

/// What came of a run. The engine holds the weights that are meant to be used: those of the best
/// epoch by the holdout, or the average, or the last ones.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// The epochs that are over.
    pub history: Vec<Epoch>,
    /// What went wrong and what was done.
    pub events: Vec<Event>,
    /// The epoch whose weights are the best by the holdout.
    pub best_epoch: Option<u64>,
    /// Why it ended.
    pub stopped: Stopped,
    /// Steps, those left out counted.
    pub steps: u64,
    /// What the last step left, where the desk asked for it; of a run that was given up the last good
    /// moment. Always there when no device is left that could hold weights: these are then the ones
    /// to use.
    pub last: Option<Snapshot>,
}

impl Training {
    /// Trains the engine's network. `loss` judges the holdout; the engine has its own, which should
    /// be the same.
    ///
    /// # Errors
    /// When a setting is out of range, a part of the samples is empty, it does not fit its
    /// memory, the checkpoint is not of this run, the sink fails, or the engine fails in a way that
    /// no policy is for. A run that policy ends is no error: see [`Run::stopped`].
    pub fn run(
        &self,
        engine: &mut dyn Engine,
        samples: &Samples,
        loss: &dyn Loss,
        desk: Desk<'_>,
    ) -> Result<Run> {
        self.check()?;
        loss.check()?;
        let mut runner = Runner::new(self, engine, samples, loss, desk)?;
        let stopped = runner.drive()?;
        runner.finish(stopped)
    }
}

/// One prediction a sample, `size` samples at a time, or whole eras of about as many.
///
/// ```
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/slope.rs")); }
/// # use doc::Slope;
/// use fattail_core::Panel;
/// use fattail_training::{Reading, Samples, predict};
/// let panel = Panel::builder().feature("x", vec![1.0f32, 2.0, 4.0]).build()?;
/// let samples = Samples::all(&panel, &Reading::default())?;
/// // `y = weight x`.
/// let mut engine = Slope { weight: 0.5, ..Slope::default() };
/// assert_eq!(predict(&mut engine, &samples, false, 2)?, [0.5, 1.0, 2.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// A fault of the engine.
pub fn predict(
    engine: &mut dyn Engine,
    samples: &Samples,
    whole_eras: bool,
    size: usize,
) -> Result<Vec<f32>, Fault> {
    let (mut plan, mut buffer) = (Plan::default(), Buffer::default());
    plan.arrange_in_order(samples, whole_eras, size);
    let mut out = vec![f32::NAN; samples.len()];
    for step in 0..plan.steps() {
        let positions = plan.step(step);
        let batch = buffer.batch(samples, &plan, positions.clone(), 0)?;
        engine.predict(&batch, &mut out[positions])?;
    }
    Ok(out)
}
