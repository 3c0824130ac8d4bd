//! The end of a run.

use super::{Run, Stopped, runner::Runner};
use crate::{Fault, Response, Result, Snapshot, Symptom};

impl Runner<'_, '_> {
    /// Puts the weights that are meant to be used into the engine.
    ///
    /// The last good ones lie in the host's memory, so that a device that is lost takes nothing with
    /// it: the engine leaves it, to hold them elsewhere, and where it cannot they are returned. A run
    /// that is given up is so never an error, and its log is never lost.
    pub(super) fn finish(mut self, stopped: Stopped) -> Result<Run> {
        self.tell();
        let gave_up = matches!(stopped, Stopped::GaveUp(_));
        let last = match self.hold(gave_up) {
            Ok(last) => last,
            Err(fault) if gave_up || matches!(fault, Fault::DeviceLost { .. }) => {
                self.hold_elsewhere(fault, gave_up)?
            }
            Err(fault) => return Err(fault.into()),
        };
        Ok(Run {
            steps: self.state.cursor.step,
            history: self.state.history,
            events: self.state.events,
            best_epoch: self.state.best_epoch,
            stopped,
            last,
        })
    }

    /// The weights to use in the engine, and those of the last step where they are asked for.
    fn hold(&mut self, good: bool) -> Result<Option<Snapshot>, Fault> {
        if good {
            self.engine.restore(&self.good.snapshot)?;
        }
        let last = if self.desk.keep_last { Some(self.engine.snapshot()?) } else { None };
        if let Some(weights) = self.best.as_deref().or(self.average.weights.as_deref()) {
            self.engine.set_weights(weights)?;
        }
        Ok(last)
    }

    /// The same after a fault, in an engine that has left its device, with the last good weights.
    fn hold_elsewhere(&mut self, fault: Fault, gave_up: bool) -> Result<Option<Snapshot>> {
        let moved = matches!(self.engine.leave_device(), Ok(true));
        if moved && let Ok(last) = self.hold(true) {
            if let (false, Fault::DeviceLost { reason }) = (gave_up, fault) {
                let step = self.state.good_step;
                self.log(Symptom::DeviceLost { reason }, Response::FellBack { step });
            }
            return Ok(last);
        }
        if !gave_up {
            return Err(fault.into());
        }
        Ok(Some(self.usable()))
    }

    /// The weights to use, as the host has them.
    fn usable(&self) -> Snapshot {
        let mut snapshot = self.good.snapshot.clone();
        if let Some(weights) = self.best.as_deref().or(self.average.weights.as_deref()) {
            let mut rest = weights.iter().copied();
            for tensor in &mut snapshot.weights {
                tensor.values.iter_mut().zip(&mut rest).for_each(|(slot, value)| *slot = value);
            }
        }
        snapshot
    }
}
