//! The end of a run.

use super::{Run, Stopped, runner::Runner};
use crate::Result;

impl Runner<'_, '_> {
    /// Puts the weights that are meant to be used into the engine.
    pub(super) fn finish(self, stopped: Stopped) -> Result<Run> {
        self.tell();
        if matches!(stopped, Stopped::GaveUp(_)) {
            self.engine.restore(&self.good.snapshot)?;
        }
        let last = if self.desk.keep_last { Some(self.engine.snapshot()?) } else { None };
        if let Some(weights) = self.best.as_deref().or(self.average.weights.as_deref()) {
            self.engine.set_weights(weights)?;
        }
        Ok(Run {
            steps: self.state.cursor.step,
            history: self.state.history,
            events: self.state.events,
            best_epoch: self.state.best_epoch,
            stopped,
            last,
        })
    }
}
