//! Trains the learner with checkpoints and a clock beside it.

use std::{
    fs::{File, OpenOptions},
    io::Write as _,
    path::Path,
    sync::Mutex,
    time::{Duration, Instant},
};

use fattail::{
    Error, Observer, Panel, Progress,
    neural::{Kernel, Learner, NeuralModel, Regime, RobustMlp},
    store::write_atomic,
    training::{Desk, Engine, Entry, Extent, Reading, Run, Stopped},
};

use super::record::log_line;
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
    /// Where the log is written line by line, as things happen; a run that goes on adds to it.
    pub log: Option<&'a Path>,
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
    /// Bytes that training takes at most, as told before it began.
    pub memory: u64,
    /// Wall time of a step, judging the holdout and writing checkpoints included.
    pub seconds_per_step: f64,
}

impl Trained {
    /// Whether the run was given up: its weights are those of the last good moment.
    #[must_use]
    pub fn gave_up(&self) -> bool {
        matches!(self.run.stopped, Stopped::GaveUp(_))
    }
}

impl Trainer<'_> {
    /// Trains.
    ///
    /// # Errors
    /// When a setting is out of range, the panel does not do, training would take more memory than it
    /// may, a checkpoint cannot be read or written or is of another run, or the log cannot be written.
    pub fn train(&self, train: &Panel) -> Outcome<Trained> {
        let memory = self.preflight(train)?;
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
        let mut lines =
            Lines { path: self.log, resumed: resume.is_some(), file: None, failed: None };
        let mut log = |entry: Entry<'_>| lines.write(entry);
        let desk = Desk {
            observer: &observer,
            log: Some(&mut log),
            sink: if self.checkpoint.is_some() { Some(&mut keep) } else { None },
            resume: resume.as_deref(),
            keep_last: true,
            ..Desk::default()
        };
        let mut best = self.learner.fit_with(train, desk)?;
        lines.finish()?;
        let mut run = best.run.take().ok_or("the model does not tell how it was trained")?;
        let mut last = best.clone();
        if let Some(snapshot) = run.last.take() {
            last.weights = snapshot.weights;
        }
        Ok(Trained { best, last, run, memory, seconds_per_step: clock.seconds_per_step() })
    }

    /// The bytes that training takes at most, told before a sample is read.
    ///
    /// # Errors
    /// When it may not take so many, with the numbers and the largest batch that would do.
    fn preflight(&self, train: &Panel) -> Outcome<u64> {
        let regime = &self.learner.regime;
        let training = &regime.training;
        let architecture = self.learner.architecture(train)?;
        let reading = Reading { window: architecture.window(), memory: regime.packed };
        let extent = Extent::of_panel(train, &reading, training.holdout.as_ref())?;
        let weights = architecture.start(training.seed)?;
        let on = |device: &str| {
            Regime { device: device.to_owned(), ..regime.clone() }.engine(
                &architecture,
                Kernel::Auto,
                &weights,
            )
        };
        // Where the device fails now, training falls back as well.
        let engine = on(&regime.device).or_else(|_| on("cpu"))?;
        let engine: &dyn Engine = engine.as_ref();
        let budget = training.budget(engine, &extent);
        let batch = training.batch_size.min(extent.train.max(1));
        budget.expect(engine, batch)?;
        Ok(budget.peak(engine, batch)?)
    }
}

/// A log that grows line by line. It begins with the first of them, so that a run that is refused
/// leaves none.
struct Lines<'a> {
    path: Option<&'a Path>,
    /// Whether what stands there is gone on with.
    resumed: bool,
    file: Option<File>,
    failed: Option<std::io::Error>,
}

impl Lines<'_> {
    fn write(&mut self, entry: Entry<'_>) {
        if self.failed.is_none()
            && let Err(cause) = self.append(entry)
        {
            self.failed = Some(cause);
        }
    }

    fn append(&mut self, entry: Entry<'_>) -> std::io::Result<()> {
        let (Some(path), Some(line)) = (self.path, log_line(entry)?) else { return Ok(()) };
        let mut file = match self.file.take() {
            Some(file) => file,
            None if self.resumed => OpenOptions::new().create(true).append(true).open(path)?,
            None => File::create(path)?,
        };
        // A file has no buffer: the line is with the system when this is over.
        file.write_all(line.as_bytes())?;
        self.file = Some(file);
        Ok(())
    }

    fn finish(self) -> Outcome {
        match (self.failed, self.path) {
            (Some(cause), Some(path)) => {
                Err(format!("cannot write the log '{}': {cause}", path.display()).into())
            }
            _ => Ok(()),
        }
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
