//! Trains the learner with checkpoints and a clock beside it.

use std::{
    path::Path,
    sync::Mutex,
    time::{Duration, Instant},
};

use fattail::{
    Error, Observer, Panel, Progress,
    neural::{Learner, NeuralModel, RobustMlp},
    store::write_atomic,
    training::{Desk, Run},
};

use crate::Outcome;

/// A learner and what stands beside it while it trains.
#[derive(Clone, Copy)]
pub struct Trainer<'a> {
    /// The learner.
    pub learner: &'a RobustMlp,
    /// Where checkpoints are kept, each in place of the one before.
    pub checkpoint: Option<&'a Path>,
    /// A checkpoint to go on from.
    pub resume: Option<&'a Path>,
    /// Who is told how far it is.
    pub observer: Observer<'a>,
}

impl std::fmt::Debug for Trainer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Trainer").field("learner", &self.learner).finish_non_exhaustive()
    }
}

/// What came of training.
#[derive(Debug, Clone)]
pub struct Trained {
    /// With the weights of the epoch that the holdout liked best; the last ones without a holdout.
    pub best: NeuralModel,
    /// With the weights of the last step.
    pub last: NeuralModel,
    /// How it went.
    pub run: Run,
    /// Wall time of a step, judging the holdout and writing checkpoints included.
    pub seconds_per_step: f64,
}

impl Trainer<'_> {
    /// Trains.
    ///
    /// # Errors
    /// When a setting is out of range, the panel does not do, a checkpoint cannot be read or written,
    /// or is of another run.
    pub fn train(&self, train: &Panel) -> Outcome<Trained> {
        let read = |path: &Path| {
            std::fs::read(path)
                .map_err(|cause| format!("cannot read checkpoint '{}': {cause}", path.display()))
        };
        let resume = self.resume.map(read).transpose()?;
        let mut keep = |bytes: &[u8]| match self.checkpoint {
            Some(path) => write_atomic(path, |file| file.write_all(bytes)).map_err(Error::other),
            None => Ok(()),
        };
        let clock = Clock::default();
        let observer = |progress: Progress<'_>| {
            clock.see(progress);
            (self.observer)(progress);
        };
        let desk = Desk {
            observer: &observer,
            sink: if self.checkpoint.is_some() { Some(&mut keep) } else { None },
            resume: resume.as_deref(),
            keep_last: true,
            ..Desk::default()
        };
        let mut best = self.learner.fit_with(train, desk)?;
        let mut run = best.run.take().ok_or("the model does not tell how it was trained")?;
        let mut last = best.clone();
        if let Some(snapshot) = run.last.take() {
            last.weights = snapshot.weights;
        }
        Ok(Trained { best, last, run, seconds_per_step: clock.seconds_per_step() })
    }
}

/// When training was first and last heard of.
#[derive(Debug, Default)]
struct Clock(Mutex<Option<[(u64, Instant); 2]>>);

impl Clock {
    #[allow(clippy::disallowed_methods, reason = "an observer may read the clock")]
    fn see(&self, progress: Progress<'_>) {
        let Ok(mut seen) = self.0.lock() else { return };
        let now = (progress.done, Instant::now());
        let first = seen.map_or(now, |[first, _]| first);
        *seen = Some([first, now]);
    }

    fn seconds_per_step(&self) -> f64 {
        let seen = self.0.lock().ok().and_then(|seen| *seen);
        let Some([(first, start), (last, end)]) = seen else { return f64::NAN };
        let passed: Duration = end.duration_since(start);
        passed.as_secs_f64() / last.saturating_sub(first) as f64
    }
}
