//! What a run knows beside weights.

use serde::{Deserialize, Serialize};

use super::Epoch;
use crate::{Event, Training, diagnosis::Norms};

/// A place in the run, and sums up to it: what goes back when the run repeats steps.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Cursor {
    pub(crate) epoch: u64,
    /// The step within the epoch.
    pub(crate) batch: u64,
    /// The step since the beginning.
    pub(crate) step: u64,
    /// The sum of losses of this epoch, each times its weight.
    pub(crate) loss: f64,
    /// The sum of those weights.
    pub(crate) weight: f64,
    pub(crate) skipped: u64,
    pub(crate) norms: Norms,
    /// Weights that were averaged.
    pub(crate) averaged: u64,
}

/// All of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct State {
    pub(crate) cursor: Cursor,
    /// Where the last good weights were taken.
    pub(crate) good: Cursor,
    /// The step that those weights are of.
    pub(crate) good_step: u64,
    /// What the schedule's rate is multiplied by.
    pub(crate) factor: f64,
    /// Samples that go together in a step.
    pub(crate) micro: usize,
    /// Samples that are predicted together.
    pub(crate) together: usize,
    /// Samples that are looked at together, at most.
    pub(crate) look: usize,
    /// What the last look noted.
    pub(crate) noted: Vec<String>,
    /// Steps in a row that were left out.
    pub(crate) stuck: u64,
    pub(crate) interventions: u64,
    pub(crate) best_epoch: Option<u64>,
    /// The loss of that epoch.
    pub(crate) best_loss: f64,
    pub(crate) history: Vec<Epoch>,
    pub(crate) events: Vec<Event>,
}

impl State {
    pub(crate) fn new(micro: usize, together: usize) -> Self {
        Self {
            cursor: Cursor::default(),
            good: Cursor::default(),
            good_step: 0,
            factor: 1.0,
            micro,
            together,
            look: usize::MAX,
            noted: Vec::new(),
            stuck: 0,
            interventions: 0,
            best_epoch: None,
            best_loss: f64::MAX,
            history: Vec::new(),
            events: Vec::new(),
        }
    }

    /// Whether a run of these settings, with at most so many steps an epoch, can be here.
    pub(crate) fn is_sound(&self, settings: &Training, steps: u64) -> bool {
        let cursor = |cursor: &Cursor| {
            let over = cursor.epoch == settings.epochs && cursor.batch == 0;
            let within = cursor.epoch < settings.epochs && cursor.batch <= steps;
            (over || within)
                && cursor.loss.is_finite()
                && cursor.weight >= 0.0
                && cursor.skipped <= cursor.batch
                && cursor.step <= settings.epochs.saturating_mul(steps)
                && cursor.averaged <= cursor.step.saturating_add(cursor.epoch)
                && cursor.norms.is_sound()
        };
        cursor(&self.cursor)
            && cursor(&self.good)
            && self.history.len() as u64 == self.cursor.epoch
            && (0.0..=1.0).contains(&self.factor)
            && (1..=settings.batch_size).contains(&self.micro)
            && self.together > 0
            && self.best_loss.is_finite()
            && self.best_epoch.is_none_or(|epoch| epoch < self.cursor.epoch)
    }
}
