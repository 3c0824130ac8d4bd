//! Memory told before it is taken.
//!
//! An engine says what a step on n samples takes, as upper bounds; a budget finds the largest n that
//! fits by halving an interval, since more samples never take less. Cost: log2 n questions.

use crate::{Engine, Error, Result};

/// Bytes that a run may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// How many.
    pub bytes: u64,
}

impl Budget {
    /// The most samples, `batch` at most, that may go together.
    ///
    /// # Errors
    /// [`Error::Memory`] when not even one fits.
    pub fn fit(&self, engine: &dyn Engine, batch: usize) -> Result<usize> {
        match self.largest(engine, batch) {
            0 => Err(self.refusal(engine, batch, 0)),
            largest => Ok(largest),
        }
    }

    /// Refuses a batch that does not fit whole.
    ///
    /// # Errors
    /// [`Error::Memory`] with what each part takes and the largest batch that would fit.
    pub fn expect(&self, engine: &dyn Engine, batch: usize) -> Result<()> {
        match self.largest(engine, batch) {
            largest if largest == batch => Ok(()),
            largest => Err(self.refusal(engine, batch, largest)),
        }
    }

    fn refusal(&self, engine: &dyn Engine, samples: usize, largest: usize) -> Error {
        Error::Memory { samples, needs: engine.footprint(samples), budget: self.bytes, largest }
    }

    fn largest(&self, engine: &dyn Engine, batch: usize) -> usize {
        let fits = |samples| engine.footprint(samples).total() <= self.bytes;
        if fits(batch) {
            return batch;
        }
        let (mut below, mut above) = (0, batch);
        while above - below > 1 {
            let middle = below + (above - below) / 2;
            if fits(middle) { below = middle } else { above = middle }
        }
        below
    }
}
