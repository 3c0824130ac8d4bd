//! Exact choice of the penalty by eras left out.
//!
//! Era e is left out with `gap` neighbours on each side (targets that reach over many days make
//! neighbours overlap); the model is fitted on the moments of the rest, `S - S_block` with the means
//! moved ([`Moments::without`](crate::moments::Moments::without)), and scored on era e. Both scores follow from the era's moments alone:
//! the mean squared error is `(S_yy - 2 b'S_xy + b'S_xx b) / W + (mean_y - a - b' mean_x)^2`, the
//! correlation `b'S_xy / sqrt(b'S_xx b S_yy)`. So there are two passes over the panel (the sum, and
//! each era once more), no refit over rows, and memory of `(wave + 2 gap) x width^2`, whatever the
//! number of eras. It is equal to refitting without the block, standardisation included. An era
//! without known rows is no fold; a correlation that is not defined is left out of its mean.
//! Cost: the pass, and for each era and penalty a third of the cube of the width.
//! Reference: Stone (1974), section 3; Burman, Chow & Nolan (1994) for the gap.

use std::collections::VecDeque;

use fattail_core::{Panel, Result};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::gather;
use crate::{
    Error,
    moments::Moments,
    problem::{Line, Problem, Shape},
    train::Train,
};

/// What decides among penalties.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// The smallest mean squared error.
    #[default]
    Error,
    /// The largest correlation.
    Correlation,
}

/// The scores of one penalty, each a mean over the eras left out.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PathPoint {
    /// The penalty.
    pub penalty: f64,
    /// The mean squared error.
    pub error: f64,
    /// The correlation; NaN (null in JSON) where it is defined in no era.
    #[serde(with = "fattail_core::null")]
    pub correlation: f64,
}

/// Fits one line a penalty.
pub(crate) type FitPath<'a> = &'a (dyn Fn(&Problem) -> Result<Vec<Line>, Error> + Sync);

/// What is fitted and scored.
pub(crate) struct LeaveOut<'a> {
    pub(crate) train: &'a Train<'a>,
    pub(crate) shape: Shape,
    pub(crate) gap: usize,
    pub(crate) penalties: &'a [f64],
}

impl LeaveOut<'_> {
    /// The scores of each penalty.
    pub(crate) fn path(&self, fit: FitPath<'_>) -> Result<Vec<PathPoint>> {
        let whole = self.shape.spreads(self.train.total);
        let mut tally = vec![Tally::default(); self.penalties.len()];
        let (eras, step) = (self.eras(), gather::wave(self.train.total.columns()));
        let mut window = Window { known: self.train.eras, ..Window::default() };
        for start in (0..eras).step_by(step) {
            let end = eras.min(start + step);
            let reach = start.saturating_sub(self.gap)..eras.min(end.saturating_add(self.gap));
            window.slide(self.train.panel, reach)?;
            let scores: Vec<Option<Vec<Score>>> = (start..end)
                .into_par_iter()
                .map(|era| self.fold(&window, era, &whole, fit))
                .collect::<Result<_, Error>>()?;
            for scores in scores.iter().flatten() {
                tally.iter_mut().zip(scores).for_each(|(tally, score)| tally.add(*score));
            }
        }
        if tally.first().is_some_and(|tally| tally.errors.1 == 0.0) {
            return Err(Error::NothingLeft { eras, gap: self.gap }.into());
        }
        Ok(self.penalties.iter().zip(tally).map(|(&penalty, tally)| tally.point(penalty)).collect())
    }

    fn eras(&self) -> usize {
        self.train.panel.eras().len()
    }

    fn fold(
        &self,
        window: &Window<'_>,
        era: usize,
        whole: &[f64],
        fit: FitPath<'_>,
    ) -> Result<Option<Vec<Score>>, Error> {
        let Some(test) = window.get(era) else { return Ok(None) };
        let mut block = Moments::empty(self.train.total.columns());
        let last = era.saturating_add(self.gap).min(self.eras() - 1);
        for near in era.saturating_sub(self.gap)..=last {
            if let Some(moments) = window.get(near) {
                block.merge(moments);
            }
        }
        let Some(train) = self.train.total.without(&block) else { return Ok(None) };
        let problem = Problem::new(&train, self.shape, self.shape.scales(&train, whole));
        Ok(Some(fit(&problem)?.iter().map(|line| Score::of(line, test)).collect()))
    }
}

/// The position of the best penalty; of equals the largest.
pub(crate) fn best(path: &[PathPoint], choice: Choice) -> usize {
    let cost = |point: &PathPoint| match choice {
        Choice::Error => point.error,
        Choice::Correlation if point.correlation.is_nan() => f64::INFINITY,
        Choice::Correlation => -point.correlation,
    };
    let by_cost = |a: &usize, b: &usize| cost(&path[*a]).total_cmp(&cost(&path[*b]));
    (0..path.len()).rev().min_by(by_cost).unwrap_or_default()
}

/// The moments of some eras in a row, or of all where they are at hand.
#[derive(Default)]
struct Window<'a> {
    known: Option<&'a [Option<&'a Moments>]>,
    first: usize,
    eras: VecDeque<Option<Moments>>,
}

impl Window<'_> {
    /// Moves on to `reach`, computing only the eras that are new.
    fn slide(&mut self, panel: &Panel, reach: std::ops::Range<usize>) -> Result<()> {
        if self.known.is_some() {
            return Ok(());
        }
        let gone = (reach.start - self.first).min(self.eras.len());
        self.eras.drain(..gone);
        self.first = reach.start;
        let known = self.first + self.eras.len();
        self.eras.extend(gather::moments(panel, known..reach.end, None)?);
        Ok(())
    }

    fn get(&self, era: usize) -> Option<&Moments> {
        if let Some(known) = self.known {
            return known[era];
        }
        self.eras.get(era.checked_sub(self.first)?)?.as_ref()
    }
}

/// The score of a line on an era.
#[derive(Clone, Copy)]
struct Score {
    error: f64,
    correlation: f64,
}

impl Score {
    fn of(line: &Line, era: &Moments) -> Self {
        let width = era.width();
        let (mut square, mut cross) = (0.0, 0.0);
        for (j, slope) in line.slopes.iter().enumerate() {
            cross += slope * era.at(width, j);
            let below: f64 = (j + 1..width).map(|i| era.at(i, j) * line.slopes[i]).sum();
            square += slope * (era.at(j, j) * slope + 2.0 * below);
        }
        let target = era.at(width, width);
        let lift: f64 = line.slopes.iter().zip(&era.mean).map(|(slope, mean)| slope * mean).sum();
        let level = era.mean[width] - line.intercept - lift;
        let spread = (square.max(0.0) * target).sqrt();
        Self {
            error: (target - 2.0 * cross + square) / era.weight + level * level,
            correlation: if spread > 0.0 { cross / spread } else { f64::NAN },
        }
    }
}

/// Sums and counts of scores.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    errors: (f64, f64),
    correlations: (f64, f64),
}

impl Tally {
    fn add(&mut self, score: Score) {
        self.errors = (self.errors.0 + score.error, self.errors.1 + 1.0);
        if score.correlation.is_finite() {
            self.correlations =
                (self.correlations.0 + score.correlation, self.correlations.1 + 1.0);
        }
    }

    fn point(&self, penalty: f64) -> PathPoint {
        let mean = |(sum, count): (f64, f64)| sum / count;
        PathPoint { penalty, error: mean(self.errors), correlation: mean(self.correlations) }
    }
}
