//! What eras do to the gradients and the rows of a round.

use std::borrow::Cow;

use fattail_core::Result;
use fattail_objective::Bound;

use super::{data::Data, sample::Stream};
use crate::{
    EraBoosting, Error, Gbdt,
    era::{Neutral, worst},
};

/// The eras of a training run.
#[derive(Debug)]
pub(super) struct Eras<'a> {
    data: &'a Data,
    starts: Vec<u32>,
    boosting: Option<EraBoosting>,
    neutral: Option<Neutral>,
    known: Cow<'a, [u32]>,
}

impl<'a> Eras<'a> {
    pub(super) fn new(settings: &Gbdt, data: &'a Data, objective: &dyn Bound) -> Result<Self> {
        let starts: Vec<u32> = data.eras.iter().map(|&start| start as u32).collect();
        let neutral = neutral(settings, data, &starts, objective)?;
        let boosting = settings.eras.boosting;
        Ok(Self { data, starts, boosting, neutral, known: Cow::Borrowed(&data.known) })
    }

    /// Chooses the eras that go on teaching, where it is time to: after every `every` rounds.
    pub(super) fn choose(&mut self, round: usize, score: &[f64]) {
        let Some(boosting) = self.boosting else { return };
        if round > 0 && round.is_multiple_of(boosting.every.max(1)) {
            let (target, known) = (&self.data.target, &self.data.known);
            let kept = worst(boosting.proportion, score, target, known, &self.starts);
            self.known = Cow::Owned(kept);
        }
    }

    /// The rows that teach, increasing.
    pub(super) fn known(&self) -> &[u32] {
        &self.known
    }

    /// Neutralises gradients, output by output.
    pub(super) fn neutralise(&self, g: &mut [f32]) {
        if let Some(neutral) = &self.neutral {
            g.chunks_mut(self.data.rows()).for_each(|g| neutral.apply(g));
        }
    }
}

fn neutral(
    settings: &Gbdt,
    data: &Data,
    starts: &[u32],
    objective: &dyn Bound,
) -> Result<Option<Neutral>> {
    let Some(neutralise) = settings.eras.neutralise else { return Ok(None) };
    if objective.renews() {
        return Err(Error::Contradiction {
            first: "neutralised gradients",
            second: "an objective that sets leaves from residuals",
            reason: "its leaves would not be neutral",
        }
        .into());
    }
    let random = Stream::Sketch.of(settings.seed);
    Neutral::new(neutralise, &data.binned, &data.known, starts, random).map(Some)
}
