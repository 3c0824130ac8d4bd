//! Two runs compared, row by row, and with a leak planted into both.
//!
//! A difference is `max(0, |a - b| - 8 ε max(|a|, |b|)) / spread`, with `ε = 2⁻²³`: what eight roundings of `f32`
//! make is none, however narrow predictions lie. The spread is that of the fold in the first run: MAD times
//! 1.4826, or the standard deviation where more than half of the predictions are equal, or the median spread of
//! the other folds where all are, so that neither folds on another scale nor a few wild predictions hide a leak.

use fattail_core::Panel;
use fattail_evaluate::Fold;
use fattail_stats::{MAD_TO_SIGMA, median, median_absolute_deviation, std};

use super::{Bench, leak::Leak};
use crate::Run;

/// How much of the predictions' spread a planted leak takes at most.
pub(super) const PLANTED: f64 = 0.01;
/// Roundings of `f32` that count as none.
const ROUNDINGS: f64 = 8.0;

/// A disturbed panel, the folds that are run on it, and which predictions must stay.
pub(crate) struct Trial<'a> {
    pub(crate) panel: Panel,
    pub(crate) folds: Vec<Fold>,
    /// The fold that each of them is compared with.
    pub(crate) of: Vec<usize>,
    /// The predictions of all folds that they are compared with.
    pub(crate) first: &'a [Vec<f32>],
    /// The last era whose predictions must stay.
    pub(crate) last: usize,
    /// Where each row stood, where rows have moved within their era.
    pub(crate) rows: Option<Vec<usize>>,
    /// What the check must see.
    pub(crate) leak: Leak,
}

/// The largest difference of two runs.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Difference {
    /// In spreads of the predictions.
    pub(crate) spreads: f64,
    pub(crate) place: String,
}

impl Difference {
    pub(crate) fn max(self, other: Self) -> Self {
        if other.spreads > self.spreads { other } else { self }
    }
}

impl Bench<'_> {
    /// The largest difference between the first run and `run`, with the trial's leak in both or in neither.
    pub(crate) fn difference(&self, trial: &Trial<'_>, run: &Run, planted: bool) -> Difference {
        let mut worst = Difference::default();
        for (fold, (values, &of)) in trial.folds.iter().zip(run.predictions.iter().zip(&trial.of)) {
            let (first, spread) = (&trial.first[of], self.spreads[of]);
            let leaks = planted.then(|| {
                let before = trial.leak.of(self.panel, &self.folds[of]);
                (before, trial.leak.of(&trial.panel, fold))
            });
            let add = spread * PLANTED;
            let value = |at: usize| match &leaks {
                Some((before, _)) => f64::from(first[at]) + add * before[at],
                None => f64::from(first[at]),
            };
            let other = |at: usize| match &leaks {
                Some((_, after)) => f64::from(values[at]) + add * after[at],
                None => f64::from(values[at]),
            };
            for (era, before, after) in self.places(trial, fold, of) {
                let distance = distance(value(before), other(after)) / spread;
                if distance > worst.spreads {
                    let label = self.panel.eras().label(era);
                    let place = format!("fold {of}, era {label}");
                    worst = Difference { spreads: distance, place };
                }
            }
        }
        worst
    }

    /// Era, place in the first run's fold and place in the trial's fold of every row that must stay.
    fn places(&self, trial: &Trial<'_>, fold: &Fold, of: usize) -> Vec<(usize, usize, usize)> {
        let mut places = Vec::new();
        let mut after = 0;
        for &era in &fold.test {
            let rows = trial.panel.eras().range(era);
            let before = offset(self.panel, &self.folds[of], era);
            if let Some(before) = before.filter(|_| era <= trial.last) {
                let stood = |row: usize| trial.rows.as_ref().map_or(row, |rows| rows[row]);
                let start = self.panel.eras().range(era).start;
                let place =
                    |row: usize| (era, before + stood(row) - start, after + row - rows.start);
                // Rows of an era that stays stand where they stood, whatever happens behind it.
                places.extend(rows.clone().map(place));
            }
            after += rows.len();
        }
        places
    }
}

/// Where the predictions of an era begin among those of its fold.
fn offset(panel: &Panel, fold: &Fold, era: usize) -> Option<usize> {
    let at = fold.test.binary_search(&era).ok()?;
    Some(fold.test[..at].iter().map(|&era| panel.eras().range(era).len()).sum())
}

/// The distance of two predictions beyond rounding; two that are missing are the same.
fn distance(a: f64, b: f64) -> f64 {
    match (a.is_nan(), b.is_nan()) {
        (true, true) => 0.0,
        (false, false) if a == b => 0.0,
        (false, false) if (a - b).is_finite() => {
            let rounding = ROUNDINGS * f64::from(f32::EPSILON) * a.abs().max(b.abs());
            ((a - b).abs() - rounding).max(0.0)
        }
        _ => f64::INFINITY,
    }
}

/// The spread of the predictions of each fold, above zero.
pub(super) fn spreads(run: &Run) -> Vec<f64> {
    let own: Vec<f64> = run.predictions.iter().map(|values| spread(values)).collect();
    let known: Vec<f64> = own.iter().copied().filter(|&spread| spread > 0.0).collect();
    let usual = if known.is_empty() { 1.0 } else { median(&known) };
    own.into_iter().map(|spread| if spread > 0.0 { spread } else { usual }).collect()
}

fn spread(values: &[f32]) -> f64 {
    let finite: Vec<f64> =
        values.iter().filter(|value| value.is_finite()).map(|&value| f64::from(value)).collect();
    let robust = MAD_TO_SIGMA * median_absolute_deviation(&finite);
    if robust > 0.0 { robust } else { std(&finite, 0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_is_no_difference_and_everything_else_is() {
        let ulp = f64::from(f32::EPSILON);
        assert_eq!(distance(1.0, 1.0 + 8.0 * ulp), 0.0);
        assert!((distance(1.0, 1.5) - 0.5).abs() < 1e-5);
        assert!(distance(1e-3, 1.1e-3) > 0.99e-4);
        assert_eq!(distance(f64::NAN, f64::NAN), 0.0);
        assert_eq!(distance(f64::NAN, 0.0), f64::INFINITY);
        assert_eq!(distance(f64::INFINITY, f64::NEG_INFINITY), f64::INFINITY);
        assert_eq!(distance(f64::INFINITY, f64::INFINITY), 0.0);
    }

    #[test]
    fn each_fold_has_its_own_spread() {
        let wild = vec![0.0, 1.0, 2.0, 3.0, 1e9];
        let run = Run {
            predictions: vec![wild, vec![7.0; 4], vec![1e3, 3e3, 2e3], vec![0.0, 0.0, 0.0, 4.0]],
            reads: Vec::new(),
        };
        let found = spreads(&run);
        assert!((found[0] - MAD_TO_SIGMA).abs() < 1e-12, "{found:?}");
        assert!((found[2] - 1e3 * MAD_TO_SIGMA).abs() < 1e-9, "{found:?}");
        assert!((found[3] - 3.0_f64.sqrt()).abs() < 1e-12, "{found:?}");
        assert_eq!(found[1], median(&[found[0], found[2], found[3]]));
        let constant = Run { predictions: vec![vec![1.0; 3]], reads: Vec::new() };
        assert_eq!(spreads(&constant), [1.0]);
    }
}
