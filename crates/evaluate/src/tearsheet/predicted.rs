//! Predictions beside the eras of the panel that they are of.

use std::ops::Range;

use fattail_core::{Error as CoreError, Panel, Result};
use rayon::prelude::*;

use crate::error::same_length;
use crate::{EraScorer, Error, Predictions, Scores};

/// The predicted eras of a panel and what was predicted.
pub(super) struct Predicted<'a> {
    /// All eras.
    pub(super) panel: &'a Panel,
    /// Positions of those predicted.
    pub(super) eras: &'a [usize],
    values: &'a [f32],
    rows: Vec<Range<usize>>,
}

/// Buffers that a thread keeps from era to era.
#[derive(Default)]
pub(super) struct Buffers {
    pub(super) scorer: EraScorer,
    pub(super) prediction: Vec<f64>,
    pub(super) target: Vec<f64>,
}

impl<'a> Predicted<'a> {
    pub(super) fn new(panel: &'a Panel, predictions: &'a Predictions) -> Result<Self> {
        let eras = &predictions.eras[..];
        let cut = if eras.is_empty() { None } else { Some(panel.cut(eras)?) };
        let rows: Vec<_> = cut.iter().flat_map(|cut| cut.eras().ranges()).collect();
        let (given, expected) = (predictions.values.len(), rows.last().map_or(0, |last| last.end));
        if given != expected {
            return Err(CoreError::Length { name: "prediction".into(), given, expected });
        }
        Ok(Self { panel, eras, values: &predictions.values, rows })
    }

    /// Refuses scores that are not one of each predicted era.
    pub(super) fn check_scores(&self, scores: &Scores) -> Result<(), Error> {
        same_length("scores", scores.eras.len(), self.eras.len())?;
        for (place, (score, &era)) in scores.eras.iter().zip(self.eras).enumerate() {
            let expected = self.panel.eras().label(era);
            if score.era != expected {
                let (given, expected) = (score.era.clone(), expected.to_owned());
                return Err(Error::ScoreEra { place, given, expected });
            }
        }
        Ok(())
    }

    /// The labels of the predicted eras.
    pub(super) fn labels(&self) -> Vec<String> {
        self.eras.iter().map(|&era| self.panel.eras().label(era).to_owned()).collect()
    }

    /// What was predicted in the predicted era at `place`.
    pub(super) fn values(&self, place: usize) -> &'a [f32] {
        &self.values[self.rows[place].clone()]
    }

    /// All predictions, in the order of the panel cut to the predicted eras.
    pub(super) fn all(&self) -> &'a [f32] {
        self.values
    }

    /// What `figure` makes of each predicted era, in order: its place, its predictions and the values of
    /// `target` (empty without one). `None` when the values of an era leave it without a figure.
    pub(super) fn each<T: Send>(
        &self,
        target: Option<&str>,
        figure: impl Fn(usize, &mut Buffers) -> Result<T, Error> + Sync,
    ) -> Result<Vec<Option<T>>, String> {
        if self.eras.is_empty() {
            return Err("there are no predictions".to_owned());
        }
        let column = target.map(|name| self.panel.target_named(name)).transpose();
        let column = column.map_err(|error| error.to_string())?;
        let of_era = |buffers: &mut Buffers, place: usize| {
            widen(self.values(place).iter().copied(), &mut buffers.prediction);
            if let Some(column) = &column {
                widen(column.era(self.eras[place]).iter(), &mut buffers.target);
            }
            match figure(place, buffers) {
                Ok(figure) => Ok(Some(figure)),
                Err(error) if error.is_of_era() => Ok(None),
                Err(error) => Err(error.to_string()),
            }
        };
        (0..self.eras.len()).into_par_iter().map_init(Buffers::default, of_era).collect()
    }
}

/// The numbers as `f64`.
pub(super) fn widen(values: impl Iterator<Item = f32>, out: &mut Vec<f64>) {
    out.clear();
    out.extend(values.map(f64::from));
}
