//! What the metric was on rows that were watched while trees were added.

use fattail::{
    Panel,
    gbdt::{Gbdt, GbdtModel},
    objective::Evaluation,
};
use serde::Serialize;

use super::metrics::values;
use crate::Outcome;

/// What was watched.
#[derive(Debug, Serialize)]
pub(super) struct Watched {
    /// The validation file, or the eras held out.
    rows: String,
    #[serde(flatten)]
    rounds: Option<Rounds>,
    /// The metrics of the model that was written, where there is a validation file.
    metrics: Vec<Value>,
}

/// The metric that was told after each round.
#[derive(Debug, Serialize)]
struct Rounds {
    metric: String,
    /// The best iteration, the trees before included, counted from 1.
    best_iteration: usize,
    best: f64,
    last: f64,
}

/// A metric.
#[derive(Debug, Serialize)]
struct Value {
    metric: String,
    value: f64,
}

impl Watched {
    /// What a model was told of; nothing when nothing was watched. `metrics` begin with the one that was
    /// told after each round, `before` are the iterations that the model began with.
    pub(super) fn new(
        model: &GbdtModel,
        gbdt: &Gbdt,
        metrics: &[Evaluation],
        valid: Option<(&str, &Panel)>,
        before: usize,
    ) -> Outcome<Option<Self>> {
        let rounds = Rounds::new(model, gbdt, metrics, before);
        if rounds.is_none() && valid.is_none() {
            return Ok(None);
        }
        let numbers = valid.map(|(_, panel)| values(metrics, gbdt, &model.forest, panel));
        let numbers = numbers.transpose()?.unwrap_or_default();
        let value = |(metric, value): (&Evaluation, f64)| Value { metric: metric.name(), value };
        let rows = valid.map_or("the eras held out", |(file, _)| file).to_owned();
        let metrics = metrics.iter().zip(numbers).map(value).collect();
        Ok(Some(Self { rows, rounds, metrics }))
    }

    /// The same in words.
    pub(super) fn told(&self) -> String {
        let told = self.rounds.as_ref().map(|rounds| &rounds.metric);
        let others = self.metrics.iter().filter(|value| Some(&value.metric) != told);
        let others = others.map(|value| format!("{} {:.6}", value.metric, value.value));
        let parts: Vec<String> = self.rounds.iter().map(Rounds::told).chain(others).collect();
        format!("on {} {}", self.rows, parts.join(", "))
    }
}

impl Rounds {
    fn new(model: &GbdtModel, gbdt: &Gbdt, metrics: &[Evaluation], before: usize) -> Option<Self> {
        let (first, &last) = (metrics.first()?, model.history.last()?);
        let delta = gbdt.stop.as_ref().map_or(0.0, |stop| stop.min_delta);
        let best = best(&model.history, first.larger_is_better(), delta);
        Some(Self {
            metric: model.metric.clone(),
            best_iteration: before + best + 1,
            best: model.history[best],
            last,
        })
    }

    fn told(&self) -> String {
        let Self { metric, best_iteration, best, last } = self;
        format!("{metric} was best at iteration {best_iteration} with {best:.6}, {last:.6} at last")
    }
}

/// The round that beats those before by more than `delta`.
fn best(history: &[f64], larger_is_better: bool, delta: f64) -> usize {
    let won = |new: f64, old: f64| if larger_is_better { new - old } else { old - new };
    let beats = |best: usize, at: usize| won(history[at], history[best]) > delta;
    (1..history.len()).fold(0, |best, at| if beats(best, at) { at } else { best })
}

#[cfg(test)]
mod tests {
    use super::best;

    #[test]
    fn the_best_round_by_hand() {
        let history = [3.0, 2.0, 1.9, 2.5, 1.9];
        assert_eq!([0.0, 0.5, 2.0].map(|delta| best(&history, false, delta)), [2, 1, 0]);
        assert_eq!(best(&history, true, 0.0), 0);
    }
}
