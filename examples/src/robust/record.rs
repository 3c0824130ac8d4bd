//! What a run says of itself: facts, settings, outcome, and the log line by line.

use fattail::{
    Panel,
    neural::RobustMlp,
    null,
    training::{Entry, Epoch, Event, Response, Run},
};
use serde::{Deserialize, Serialize};

use super::{Parts, Series, Split, Trained, Verdict};
use crate::Outcome;

/// What was read, and how it was cut.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// The file's name, or what else the bars are.
    pub source: String,
    /// Bars.
    pub bars: usize,
    /// The kurtosis of their log returns.
    #[serde(with = "null")]
    pub kurtosis: f64,
    /// Where they were cut.
    pub split: Split,
    /// Bars that train, those of the holdout among them.
    pub train_rows: usize,
    /// Bars that test, those whose target is not known among them.
    pub test_rows: usize,
}

impl Facts {
    /// The facts of a series and its parts.
    #[must_use]
    pub fn new(series: &Series, split: Split, parts: &Parts) -> Self {
        Self {
            source: series.name.clone(),
            bars: series.len(),
            kurtosis: series.kurtosis(),
            split,
            train_rows: parts.train.rows(),
            test_rows: parts.test.rows(),
        }
    }
}

/// How training went.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Course {
    /// Weights of the network.
    pub parameters: usize,
    /// The device that it was trained on.
    pub device: String,
    /// Epochs that are over.
    pub epochs: usize,
    /// Steps.
    pub steps: u64,
    /// Interventions and what was only noted.
    pub events: usize,
    /// The epoch whose weights are the best by the holdout, the first being 0.
    pub best_epoch: Option<u64>,
    /// Why it ended.
    pub stopped: String,
    /// Bytes that it takes at most, as told before it began.
    pub memory: u64,
    /// Wall time of an epoch, judging the holdout included.
    #[serde(with = "null")]
    pub seconds_per_epoch: f64,
}

/// The run in short: what `--json` and `summary.json` hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// The program and its version.
    pub generated_by: String,
    /// The data.
    pub data: Facts,
    /// Training.
    pub training: Course,
    /// The test part.
    pub test: Verdict,
    /// What the reader must know.
    pub warnings: Vec<String>,
}

/// Everything that a run leaves.
#[derive(Debug)]
pub struct Record<'a> {
    /// The learner.
    pub learner: &'a RobustMlp,
    /// The scales.
    pub scaling: &'a super::Scaling,
    /// The training part, its target unranked.
    pub train: &'a Panel,
    /// What came of training.
    pub trained: &'a Trained,
    /// The run in short.
    pub summary: Summary,
}

impl Summary {
    /// The summary of a run that was to be on `device`, and was on the CPU where it fell back.
    #[must_use]
    pub fn new(data: Facts, trained: &Trained, test: Verdict, device: &str) -> Self {
        let run = &trained.run;
        let fell =
            run.events.iter().any(|event| matches!(event.response, Response::FellBack { .. }));
        let device = if fell || trained.best.warning.is_some() { "cpu" } else { device };
        let mut warnings: Vec<String> = trained.best.warning.iter().cloned().collect();
        warnings.extend(run.events.iter().map(ToString::to_string));
        let steps = run.history.first().map_or(0, |epoch| epoch.steps + epoch.skipped);
        let training = Course {
            parameters: trained.best.parameters(),
            device: device.to_owned(),
            epochs: run.history.len(),
            steps: run.steps,
            events: run.events.len(),
            best_epoch: run.best_epoch,
            stopped: run.stopped.to_string(),
            memory: trained.memory,
            seconds_per_epoch: trained.seconds_per_step * steps as f64,
        };
        let generated_by = concat!("fattail robust ", env!("CARGO_PKG_VERSION")).to_owned();
        Self { generated_by, data, training, test, warnings }
    }

    /// The summary as lines for a terminal.
    #[must_use]
    pub fn told(&self) -> String {
        let Self { data, training, test, .. } = self;
        let gain = |name: &str, constant: f64, model: f64, gain: &super::Gain| {
            format!(
                "{name:<10} {constant:>10.6} {model:>10.6} {:>+11.2e}  [{:+.2e}, {:+.2e}]  {}\n",
                gain.mean,
                gain.lower,
                gain.upper,
                gain.told()
            )
        };
        let mut text = format!(
            "{}: {} bars, kurtosis of returns {:.0}\n\
             {} train, {} left out, {} test; target: rank of the return over {} bars\n\
             {} parameters on {}, {} epochs, {} steps, {:.3} s an epoch, {:.1} MB of memory at most; {}\n",
            data.source,
            data.bars,
            data.kurtosis,
            data.train_rows,
            data.split.gap,
            data.test_rows,
            data.split.horizon,
            training.parameters,
            training.device,
            training.epochs,
            training.steps,
            training.seconds_per_epoch,
            training.memory as f64 / 1e6,
            training.stopped,
        );
        text += "test         constant      model        gain  95 % interval\n";
        let (constant, model) = (&test.constant_errors, &test.model_errors);
        text += &gain("Huber", constant.huber, model.huber, &test.huber_gain);
        text += &gain("MAE", constant.absolute, model.absolute, &test.absolute_gain);
        text + &format!("rank correlation {:+.4} over {} rows\n", test.rank_correlation, test.rows)
    }
}

/// A line of the log.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Line<'a> {
    /// An intervention, or a symptom that was only noted.
    Event(&'a Event),
    /// An epoch that is over.
    Epoch {
        number: u64,
        #[serde(flatten)]
        epoch: &'a Epoch,
    },
    /// The end.
    Stopped { reason: String, steps: u64, best_epoch: Option<u64> },
}

impl Line<'_> {
    fn text(&self) -> serde_json::Result<String> {
        Ok(serde_json::to_string(self)? + "\n")
    }
}

/// The line of something that happens; none where it has no place in a log.
///
/// # Errors
/// When it has no JSON form.
pub(super) fn log_line(entry: Entry<'_>) -> serde_json::Result<Option<String>> {
    let line = match entry {
        Entry::Event(event) => Line::Event(event),
        Entry::Epoch { number, epoch } => Line::Epoch { number, epoch },
        _ => return Ok(None),
    };
    line.text().map(Some)
}

/// The log of a run, JSON line by line, in order of time.
///
/// # Errors
/// When a line has no JSON form.
pub(super) fn log_lines(run: &Run) -> Outcome<String> {
    let mut lines = Vec::new();
    let mut events = run.events.iter().peekable();
    for (number, epoch) in (0..).zip(&run.history) {
        while let Some(event) = events.next_if(|event| event.epoch <= number) {
            lines.push(Line::Event(event));
        }
        lines.push(Line::Epoch { number, epoch });
    }
    lines.extend(events.map(Line::Event));
    let reason = run.stopped.to_string();
    lines.push(Line::Stopped { reason, steps: run.steps, best_epoch: run.best_epoch });
    Ok(lines.iter().map(Line::text).collect::<serde_json::Result<String>>()?)
}
