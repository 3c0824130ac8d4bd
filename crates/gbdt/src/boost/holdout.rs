//! The eras held out for early stopping.
//!
//! After each round the metric is measured on them. A round is better when the metric beats that of
//! the best one by more than `min_delta`, upwards or downwards as the metric has it; training ends
//! after `rounds` rounds that are not better; with none of them, the metric is told and nothing ends.
//! Cost: a walk a row and tree, and the metric.

use fattail_core::Result;
use fattail_objective::{Bound, Evaluation};
use fattail_trees::Link;

use super::data::Data;
use crate::{EarlyStop, Gbdt, grow::Grown};

/// Eras that are scored after each round.
#[derive(Debug)]
pub(super) struct Holdout<'a> {
    data: &'a Data,
    stop: EarlyStop,
    metric: Evaluation,
    link: Link,
    /// Raw scores, output-major.
    score: Vec<f64>,
    history: Vec<f64>,
    best: usize,
}

/// What the metric was.
#[derive(Debug, Clone, Default)]
pub(super) struct History {
    /// After each round.
    pub(super) values: Vec<f64>,
    /// The metric's name.
    pub(super) metric: String,
    /// The best round, where training ends by it.
    pub(super) best: Option<usize>,
}

impl<'a> Holdout<'a> {
    /// Begins at `score`.
    pub(super) fn new(
        data: &'a Data,
        settings: &Gbdt,
        stop: EarlyStop,
        objective: &dyn Bound,
        score: Vec<f64>,
    ) -> Result<Self> {
        let metric = stop.evaluation(settings)?;
        Ok(Self { data, stop, metric, link: objective.link(), score, history: Vec::new(), best: 0 })
    }

    /// Adds the trees of a round.
    pub(super) fn add(&mut self, trees: &[Grown], shrinkage: f64) {
        let rows = self.data.rows();
        for (output, tree) in trees.iter().enumerate() {
            self.data.add(tree, shrinkage, &mut self.score[output * rows..]);
        }
    }

    /// Measures, and answers whether it has been without improvement for too long.
    pub(super) fn is_done(&mut self) -> Result<bool> {
        let value =
            self.data.with_labels(|labels| self.metric.value(&labels, &self.score, self.link))?;
        let round = self.history.len();
        self.history.push(value);
        let won = if self.metric.larger_is_better() {
            value - self.history[self.best]
        } else {
            self.history[self.best] - value
        };
        if won > self.stop.min_delta {
            self.best = round;
        }
        Ok(self.stop.rounds > 0 && round - self.best >= self.stop.rounds)
    }

    /// What was measured.
    pub(super) fn history(self) -> History {
        let best = (self.stop.rounds > 0 && !self.history.is_empty()).then_some(self.best);
        History { values: self.history, metric: self.metric.name(), best }
    }
}

impl EarlyStop {
    /// The metric: the objective's own, or one by name, with the objective's settings where it has them.
    pub(crate) fn evaluation(&self, settings: &Gbdt) -> Result<Evaluation> {
        match &self.metric {
            None => Ok(settings.objective.evaluation()),
            Some(name) => settings.objective.evaluation_named(name),
        }
    }
}
