//! The eras held out for early stopping.

use fattail_core::Result;
use fattail_descent::Stop;
use fattail_objective::Bound;

use super::data::Data;
use crate::{EarlyStop, grow::Grown};

/// Eras that are scored after each round.
#[derive(Debug)]
pub(super) struct Holdout<'a> {
    pub(super) data: &'a Data,
    pub(super) stop: &'a EarlyStop,
    /// Raw scores, output-major.
    pub(super) score: Vec<f64>,
}

impl<'a> Holdout<'a> {
    pub(super) fn new(data: &'a Data, stop: &'a EarlyStop, objective: &dyn Bound) -> Self {
        let score = objective.start().into_iter().flat_map(|s| std::iter::repeat_n(s, data.rows()));
        Self { data, stop, score: score.collect() }
    }

    /// Adds the trees of a round.
    pub(super) fn add(&mut self, trees: &[Grown], shrinkage: f64) {
        let rows = self.data.rows();
        for (output, tree) in trees.iter().enumerate() {
            self.data.add(tree, shrinkage, &mut self.score[output * rows..]);
        }
    }

    /// The metric now, smaller being better.
    pub(super) fn score(&self) -> Result<f64> {
        let known = self.data.known.iter().map(|&row| row as usize);
        let squares = known.map(|row| (self.score[row] - f64::from(self.data.target[row])).powi(2));
        Ok(squares.sum::<f64>() / self.data.known.len() as f64)
    }

    /// The metric's name.
    pub(super) fn name(&self) -> String {
        self.stop.metric.clone().unwrap_or_else(|| "l2".into())
    }

    /// Whether the history has been without improvement for too long.
    pub(super) fn is_done(&self, history: &[f64]) -> bool {
        let rule = Stop::Patience { rounds: self.stop.rounds, min_delta: self.stop.min_delta };
        rule.observe(history).is_some()
    }

    /// The best round.
    pub(super) fn best(&self, history: &[f64]) -> usize {
        let mut best = 0;
        for (round, &value) in history.iter().enumerate() {
            if value < history[best] - self.stop.min_delta {
                best = round;
            }
        }
        best
    }
}
