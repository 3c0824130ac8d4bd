//! Two runs compared, row by row, and with a leak planted into both.

use fattail_core::Panel;
use fattail_evaluate::Fold;

use super::{Bench, leak::Leak};
use crate::Run;

/// How much of the predictions' spread a planted leak takes at most.
const PLANTED: f64 = 0.01;

/// A disturbed panel, the folds that are run on it, and which predictions must stay.
pub(crate) struct Trial<'a> {
    pub(crate) panel: Panel,
    pub(crate) folds: Vec<Fold>,
    /// The fold of the first run that each of them is compared with.
    pub(crate) of: Vec<usize>,
    /// Whether predictions of an era must stay.
    pub(crate) kept: Box<dyn Fn(usize) -> bool + 'a>,
    /// Where each row stood, where rows have moved within their era.
    pub(crate) rows: Option<Vec<usize>>,
    /// What the check must see.
    pub(crate) leak: Leak<'a>,
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
            let first = &self.base.predictions[of];
            let leaks = planted.then(|| {
                let before = trial.leak.of(self.panel, &self.folds[of]);
                (before, trial.leak.of(&trial.panel, fold))
            });
            let add = self.spread * PLANTED;
            let value = |at: usize| match &leaks {
                Some((before, _)) => f64::from(first[at]) + add * before[at],
                None => f64::from(first[at]),
            };
            let other = |at: usize| match &leaks {
                Some((_, after)) => f64::from(values[at]) + add * after[at],
                None => f64::from(values[at]),
            };
            for (era, before, after) in self.places(trial, fold, of) {
                let distance = distance(value(before), other(after)) / self.spread;
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
            if let Some(before) = before.filter(|_| (trial.kept)(era)) {
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

/// The distance of two predictions; two that are missing are the same.
fn distance(a: f64, b: f64) -> f64 {
    match (a.is_nan(), b.is_nan()) {
        (true, true) => 0.0,
        (false, false) if a == b => 0.0,
        (false, false) => (a - b).abs(),
        _ => f64::INFINITY,
    }
}
