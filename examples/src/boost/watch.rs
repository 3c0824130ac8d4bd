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
    metric: String,
    /// The best iteration, the trees before included, counted from 1.
    best_iteration: usize,
    best: f64,
    last: f64,
    /// The metrics of the model that was written, where there is a validation file.
    metrics: Vec<Value>,
}

/// A metric.
#[derive(Debug, Serialize)]
struct Value {
    metric: String,
    value: f64,
}

/// The rows that are watched.
pub(super) type Valid<'a> = Option<(&'a str, &'a Panel)>;

impl Watched {
    /// What a model was told of; nothing when nothing was watched. `metrics` begin with the one that was
    /// told after each round, `before` are the iterations that the model began with.
    pub(super) fn new(
        model: &GbdtModel,
        gbdt: &Gbdt,
        metrics: &[Evaluation],
        valid: Valid<'_>,
        before: usize,
    ) -> Outcome<Option<Self>> {
        let [first, ..] = metrics else { return Ok(None) };
        let Some(&last) = model.history.last() else { return Ok(None) };
        let delta = gbdt.stop.as_ref().map_or(0.0, |stop| stop.min_delta);
        let best = best(&model.history, first.larger_is_better(), delta);
        let numbers = valid.map(|(_, panel)| values(metrics, gbdt, &model.forest, panel));
        let numbers = numbers.transpose()?.unwrap_or_default();
        let value = |(metric, value): (&Evaluation, f64)| Value { metric: metric.name(), value };
        Ok(Some(Self {
            rows: valid.map_or("the eras held out", |(file, _)| file).to_owned(),
            metric: model.metric.clone(),
            best_iteration: before + best + 1,
            best: model.history[best],
            last,
            metrics: metrics.iter().zip(numbers).map(value).collect(),
        }))
    }

    /// The same in words.
    pub(super) fn told(&self) -> String {
        let Self { rows, metric, best_iteration, best, last, .. } = self;
        let others = self.metrics.iter().filter(|value| value.metric != *metric);
        let others = others.map(|value| format!(", {} {:.6}", value.metric, value.value));
        let others: String = others.collect();
        format!(
            "on {rows} {metric} was best at iteration {best_iteration} with {best:.6}, {last:.6} at last{others}"
        )
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
