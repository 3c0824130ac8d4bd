//! Metrics of the order within eras.
//!
//! `ndcg@k` is the mean over eras of `DCG@k / best DCG@k`, 1 where the best is 0; `map@k` the mean of
//! the precision at every relevant row (label above 1/2) among the first k, over the smaller of k and
//! the number of relevant rows; 1 where there is none. Eras weigh the mean of their rows' weights.
//! Equal scores keep their order. Eras are needed; rows of unknown label are in none.
//! Cost: a sort an era. Reference: LightGBM 4.7 `rank_metric.hpp`, `map_metric.hpp`.

use super::{Evaluation, View};
use crate::{
    Error,
    objectives::{Gain, Queries, falling},
};

pub(super) fn value(metric: &Evaluation, view: &View<'_>) -> Result<f64, Error> {
    let scores = view.single()?;
    match metric {
        Evaluation::Ndcg { at, label_gain } => {
            let limit = if label_gain.is_empty() { 31 } else { label_gain.len() };
            let queries = Queries::new(view.by, view.labels, limit)?;
            let gain = Gain::new(label_gain, queries.longest());
            let ndcg = |labels: &[f32], scores: &[f64], weight: f64| {
                let best = gain.best(*at, labels);
                let value = if best > 0.0 { gain.at(*at, labels, scores) / best } else { 1.0 };
                (value * weight, weight)
            };
            Ok(mean(&queries.map(Some(scores), ndcg)))
        }
        Evaluation::Map { at } => {
            let queries = Queries::new(view.by, view.labels, usize::MAX)?;
            let map = |labels: &[f32], scores: &[f64], weight: f64| {
                (average_precision(*at, labels, scores) * weight, weight)
            };
            Ok(mean(&queries.map(Some(scores), map)))
        }
        _ => Err(metric.undefined("it is not a metric of an order")),
    }
}

fn mean(eras: &[(f64, f64)]) -> f64 {
    let (sum, weight) = eras.iter().fold((0.0, 0.0), |(s, w), era| (s + era.0, w + era.1));
    sum / weight
}

fn average_precision(at: usize, labels: &[f32], scores: &[f64]) -> f64 {
    let relevant = labels.iter().filter(|&&label| label > 0.5).count();
    if relevant == 0 {
        return 1.0;
    }
    let (mut hits, mut sum) = (0.0, 0.0);
    for (position, row) in falling(scores).into_iter().enumerate().take(at) {
        if labels[row] > 0.5 {
            hits += 1.0;
            sum += hits / (position as f64 + 1.0);
        }
    }
    sum / relevant.min(at).min(labels.len()) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn average_precision_by_hand() {
        let labels = [1.0, 0.0, 1.0];
        assert_eq!(average_precision(3, &labels, &[3.0, 2.0, 1.0]), (1.0 + 2.0 / 3.0) / 2.0);
        assert_eq!(average_precision(1, &labels, &[3.0, 2.0, 1.0]), 1.0);
        assert_eq!(average_precision(2, &[0.0], &[1.0]), 1.0);
    }
}
