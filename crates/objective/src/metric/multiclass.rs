//! Metrics of several classes.
//!
//! `multi_logloss` is the weighted mean of `-ln p` of the class, p at least 1e-15. `multi_error` counts
//! rows for which more than `top` classes, itself among them, have at least the probability of the
//! class. `auc_mu` averages over pairs of classes i, j the share of pairs of rows that the difference
//! of losses orders rightly: rows at `t v.f`, with `v_k = L_ik - L_jk`, `t = v_i - v_j`, equal places
//! (nearer than 1e-15) count half. Pairs of which a class has no row are left out of the mean, where
//! LightGBM divides by zero. Cost: one pass; a sort for every pair of classes.
//! Reference: Kleiman & Page (2019); LightGBM 4.7 `multiclass_metric.hpp`.

use super::{Evaluation, View};
use crate::{Error, known, objectives::EPSILON};

pub(super) fn value(metric: &Evaluation, view: &View<'_>) -> Result<f64, Error> {
    let (classes, target) = (view.outputs, view.labels.target());
    let (by, given) = (view.by, view.labels.targets.len());
    if given != 1 {
        return Err(Error::Targets { by, given, allowed: "1" });
    }
    let more = |value, row| Error::MoreClasses { value, row, classes };
    known::check_whole(by, target, classes, more)?;
    match metric {
        Evaluation::MultiLogloss => mean(view, |row, class| -row[class].max(EPSILON).ln()),
        Evaluation::MultiError { top } => mean(view, |row, class| {
            let ahead = row.iter().filter(|&&p| p >= row[class]).count();
            f64::from(u8::from(ahead > *top))
        }),
        Evaluation::AucMu { weights } => auc_mu(view, weights),
        _ => Err(metric.undefined("it is not a metric of classes")),
    }
}

fn mean(view: &View<'_>, loss: impl Fn(&[f64], usize) -> f64 + Sync) -> Result<f64, Error> {
    let (rows, target) = (view.rows(), view.labels.target());
    let value = |row: usize| {
        let mut chances: Vec<f64> = view.scores[row..].iter().step_by(rows).copied().collect();
        view.link.apply(&mut chances);
        loss(&chances, target[row] as usize)
    };
    let (sum, total) = view.sums(target, value)?;
    Ok(sum / total)
}

fn auc_mu(view: &View<'_>, weights: &[f64]) -> Result<f64, Error> {
    let (classes, target) = (view.outputs, view.labels.target());
    if !weights.is_empty() {
        crate::labels::length("auc_mu_weights", weights.len(), classes * classes)?;
    }
    let loss = |i: usize, j: usize| match weights.get(i * classes + j) {
        _ if i == j => 0.0,
        Some(&weight) => weight,
        None => 1.0,
    };
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); classes];
    for row in (0..view.rows()).filter(|&row| view.weight(target, row) > 0.0) {
        members[target[row] as usize].push(row);
    }
    let (mut sum, mut pairs) = (0.0, 0.0);
    for i in 0..classes {
        for j in i + 1..classes {
            if members[i].is_empty() || members[j].is_empty() {
                continue;
            }
            let normal: Vec<f64> = (0..classes).map(|k| loss(i, k) - loss(j, k)).collect();
            let side = normal[i] - normal[j];
            let place = |row: usize| {
                let scores = view.scores[row..].iter().step_by(view.rows());
                side * normal.iter().zip(scores).map(|(v, f)| v * f).sum::<f64>()
            };
            let of = |rows: &[usize]| -> Vec<(f64, f64)> {
                rows.iter().map(|&row| (place(row), view.weight(target, row))).collect()
            };
            sum += ordered(&of(&members[i]), of(&members[j]));
            pairs += 1.0;
        }
    }
    if pairs > 0.0 { Ok(sum / pairs) } else { Ok(1.0) }
}

/// The share of pairs of which the first stands above the second, in weight.
fn ordered(above: &[(f64, f64)], mut below: Vec<(f64, f64)>) -> f64 {
    below.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let mut reached = vec![0.0];
    for pair in &below {
        reached.push(reached[reached.len() - 1] + pair.1);
    }
    let total = reached[below.len()];
    let won = |&(place, weight): &(f64, f64)| {
        let less = below.partition_point(|pair| place - pair.0 >= EPSILON);
        let most = below.partition_point(|pair| pair.0 - place < EPSILON);
        weight * 0.5 * (reached[less] + reached[most])
    };
    above.iter().map(won).sum::<f64>() / (total * above.iter().map(|pair| pair.1).sum::<f64>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_by_hand() {
        let below = vec![(0.0, 1.0), (1.0, 2.0)];
        assert_eq!(ordered(&[(1.0, 1.0), (2.0, 1.0)], below.clone()), (2.0 + 3.0) / 6.0);
        assert_eq!(ordered(&[(-1.0, 1.0)], below), 0.0);
    }
}
