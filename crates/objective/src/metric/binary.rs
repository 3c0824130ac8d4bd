//! Metrics of two classes: labels above 0 against the others.
//!
//! `binary_logloss` is `-ln p` of the class, p at least 1e-15; `binary_error` counts classes taken at
//! p above 1/2. `auc` is the share of pairs of both classes in the right order, equal scores count
//! half; `average_precision` the sum over falling scores of precision times the gain in recall, equal
//! scores at once. Both are 1 where there is one class only. Cost: one pass, or a sort.
//! Reference: LightGBM 4.7 `binary_metric.hpp`.

use super::{Evaluation, View};
use crate::{Error, known::Range, objectives::EPSILON};

pub(super) fn value(metric: &Evaluation, view: &View<'_>) -> Result<f64, Error> {
    let scores = view.single()?;
    view.check(&Range::finite(view.by))?;
    let target = view.labels.target();
    let positive = |row: usize| target[row] > 0.0;
    let mean = |(sum, total): (f64, f64)| sum / total;
    match metric {
        Evaluation::BinaryLogloss => {
            let loss = |row: usize| {
                let p = view.predict(scores[row]);
                let own = if positive(row) { p } else { 1.0 - p };
                -own.max(EPSILON).ln()
            };
            view.sums(target, loss).map(mean)
        }
        Evaluation::BinaryError => {
            let wrong = |row: usize| (view.predict(scores[row]) > 0.5) != positive(row);
            view.sums(target, |row| f64::from(u8::from(wrong(row)))).map(mean)
        }
        Evaluation::Auc => steps(view, target, scores).map(|steps| auc(&steps)),
        _ => steps(view, target, scores).map(|steps| average_precision(&steps)),
    }
}

/// Weights of the positive and the negative rows at each score, by falling score.
fn steps(view: &View<'_>, target: &[f32], scores: &[f64]) -> Result<Vec<[f64; 2]>, Error> {
    let mut order: Vec<usize> =
        (0..target.len()).filter(|&row| view.weight(target, row) > 0.0).collect();
    if order.is_empty() {
        return Err(Error::NothingKnown { rows: target.len() });
    }
    // Adding 0 makes the two zeros equal.
    order
        .sort_unstable_by(|&a, &b| (scores[b] + 0.0).total_cmp(&(scores[a] + 0.0)).then(a.cmp(&b)));
    let step = |rows: &[usize]| {
        let mut weights = [0.0; 2];
        for &row in rows {
            weights[usize::from(target[row] <= 0.0)] += view.weight(target, row);
        }
        weights
    };
    Ok(order.chunk_by(|&a, &b| scores[a] == scores[b]).map(step).collect())
}

fn auc(steps: &[[f64; 2]]) -> f64 {
    let (mut area, mut positive, mut negative) = (0.0, 0.0, 0.0);
    for [p, n] in steps {
        area += n * (0.5 * p + positive);
        positive += p;
        negative += n;
    }
    if positive > 0.0 && negative > 0.0 { area / (positive * negative) } else { 1.0 }
}

fn average_precision(steps: &[[f64; 2]]) -> f64 {
    let (mut area, mut positive, mut all) = (0.0, 0.0, 0.0);
    for [p, n] in steps {
        positive += p;
        all += p + n;
        area += p * positive / all;
    }
    if positive > 0.0 && positive != all { area / positive } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_by_hand() {
        // Scores 3 (positive), 2 (one of each), 1 (negative).
        let steps = [[1.0, 0.0], [1.0, 1.0], [0.0, 1.0]];
        assert_eq!(auc(&steps), 3.5 / 4.0);
        assert_eq!(average_precision(&steps), 0.5 + 0.5 * 2.0 / 3.0);
        assert_eq!((auc(&[[1.0, 0.0]]), average_precision(&[[0.0, 1.0]])), (1.0, 1.0));
    }
}
