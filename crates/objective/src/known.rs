//! One target with its weights, where rows with an unknown target weigh nothing.

use std::borrow::Cow;

use crate::{Error, Labels, chunks};

/// A target and the weights that count.
#[derive(Debug)]
pub(crate) struct Known<'a> {
    /// The target, NaN where it is unknown.
    pub(crate) target: Cow<'a, [f32]>,
    /// The weights, 0 where the target is unknown; none where all rows weigh 1.
    pub(crate) weights: Option<Cow<'a, [f32]>>,
    /// Whether the weights were given: percentiles of weighted rows have another formula.
    pub(crate) weighted: bool,
}

impl<'a> Known<'a> {
    /// Target `index` of the labels, every known value of which lies in the range.
    pub(crate) fn new(labels: &Labels<'a>, index: usize, range: &Range) -> Result<Self, Error> {
        let target = labels.targets[index];
        range.check(target)?;
        let holes = target.iter().any(|label| label.is_nan());
        let weights = if holes {
            let weight = |row: usize| labels.weights.map_or(1.0, |weights| weights[row]);
            let effective = |(row, label): (usize, &f32)| {
                if label.is_nan() { 0.0 } else { weight(row) }
            };
            Some(Cow::Owned(target.iter().enumerate().map(effective).collect()))
        } else {
            labels.weights.map(Cow::Borrowed)
        };
        let known =
            Self { target: Cow::Borrowed(target), weights, weighted: labels.weights.is_some() };
        if known.weights.as_ref().is_some_and(|weights| weights.iter().all(|&w| w == 0.0)) {
            return Err(Error::NothingKnown { rows: target.len() });
        }
        Ok(known)
    }

    pub(crate) fn rows(&self) -> usize {
        self.target.len()
    }

    pub(crate) fn weight(&self, row: usize) -> f32 {
        self.weights.as_ref().map_or(1.0, |weights| weights[row])
    }

    /// The sum of `weight * value(label)` over the known rows.
    pub(crate) fn sum(&self, value: impl Fn(f32) -> f64 + Sync) -> f64 {
        chunks::sum(self.rows(), |row| match self.weight(row) {
            0.0 => 0.0,
            weight => value(self.target[row]) * f64::from(weight),
        })
    }

    pub(crate) fn total(&self) -> f64 {
        self.sum(|_| 1.0)
    }

    pub(crate) fn mean(&self) -> f64 {
        self.sum(f64::from) / self.total()
    }

    /// Refuses a target that never changes.
    pub(crate) fn vary(self) -> Result<Self, Error> {
        let known = || self.target.iter().filter(|label| !label.is_nan());
        match known().next() {
            Some(&value) if known().all(|&label| label == value) => {
                Err(Error::ConstantTarget { value, known: known().count() })
            }
            _ => Ok(self),
        }
    }
}

/// The labels that an objective or a metric can take.
pub(crate) struct Range {
    /// Who asks.
    pub(crate) by: &'static str,
    /// The range in words.
    pub(crate) allowed: &'static str,
    /// Whether a label that is not NaN lies inside.
    pub(crate) holds: fn(f32) -> bool,
}

impl Range {
    /// Finite labels.
    pub(crate) fn finite(by: &'static str) -> Self {
        Self { by, allowed: "finite, or NaN for unknown", holds: f32::is_finite }
    }

    /// Labels from 0.
    pub(crate) fn not_negative(by: &'static str) -> Self {
        let holds = |label: f32| label >= 0.0 && label.is_finite();
        Self { by, allowed: "zero or more", holds }
    }

    /// Labels above 0.
    pub(crate) fn positive(by: &'static str) -> Self {
        let holds = |label: f32| label > 0.0 && label.is_finite();
        Self { by, allowed: "above zero", holds }
    }

    /// Probabilities.
    pub(crate) fn unit(by: &'static str) -> Self {
        Self { by, allowed: "between 0 and 1", holds: |label| (0.0..=1.0).contains(&label) }
    }

    pub(crate) fn check(&self, target: &[f32]) -> Result<(), Error> {
        let bad = target.iter().position(|&label| !label.is_nan() && !(self.holds)(label));
        bad.map_or(Ok(()), |row| Err(self.refuse(target[row], row)))
    }

    pub(crate) fn refuse(&self, value: f32, row: usize) -> Error {
        Error::Label { by: self.by, value, row, allowed: self.allowed.into() }
    }
}

/// Refuses labels that are not whole numbers below `limit`; beyond it `beyond(label, row)` answers.
pub(crate) fn check_whole(
    by: &'static str,
    target: &[f32],
    limit: usize,
    beyond: impl Fn(f32, usize) -> Error,
) -> Result<(), Error> {
    for (row, &label) in target.iter().enumerate().filter(|pair| !pair.1.is_nan()) {
        if !(label >= 0.0 && label.fract() == 0.0) {
            let allowed = format!("a whole number from 0 to {}", limit.saturating_sub(1));
            return Err(Error::Label { by, value: label, row, allowed });
        }
        if label as usize >= limit {
            return Err(beyond(label, row));
        }
    }
    Ok(())
}
