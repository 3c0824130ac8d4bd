//! Checkpoints written and read.

use super::{
    recover::Trouble,
    runner::{Good, Runner},
};
use crate::{
    Counters, Error, Result,
    average::Mean,
    checkpoint::{Checkpoint, difference},
};

impl Runner<'_, '_> {
    /// Hands a checkpoint to the sink, if there is one.
    pub(super) fn keep(&mut self) -> Result<(), Trouble> {
        if self.desk.sink.is_none() {
            return Ok(());
        }
        let checkpoint = self.checkpoint()?.to_bytes()?;
        match &mut self.desk.sink {
            Some(sink) => sink(&checkpoint).map_err(|cause| Trouble::Fatal(cause.into())),
            None => Ok(()),
        }
    }

    fn checkpoint(&mut self) -> Result<Checkpoint, Trouble> {
        Ok(Checkpoint {
            settings: self.settings.fingerprint(),
            samples: self.fingerprint,
            state: self.state.clone(),
            current: self.engine.snapshot().map_err(Trouble::beside)?,
            good: self.good.snapshot.clone(),
            best: self.best.clone(),
            average: self.average.weights.clone(),
            good_average: self.good.average.clone(),
        })
    }

    /// Goes on from the desk's checkpoint, if there is one.
    pub(super) fn resume(&mut self) -> Result<()> {
        let Some(bytes) = self.desk.resume else { return Ok(()) };
        let found = Checkpoint::from_bytes(bytes)?;
        self.compare(&found)?;
        self.engine.restore(&found.current)?;
        let Checkpoint { state, good, best, average, good_average, .. } = found;
        self.average = Mean { weights: average, count: state.cursor.averaged };
        self.good = Good { snapshot: good, average: good_average };
        (self.state, self.best) = (state, best);
        self.arrange();
        Ok(())
    }

    fn compare(&self, found: &Checkpoint) -> Result<()> {
        let other = |what: &str, found: String, expected: String| {
            Err(Error::OtherRun { what: what.to_owned(), found, expected })
        };
        let here = &self.good.snapshot.weights;
        for weights in [&found.current.weights, &found.good.weights] {
            if let Some([found, expected]) = difference(weights, here) {
                return other("network", found, expected);
            }
        }
        let numbers = [
            ("fingerprint of the settings", found.settings, self.settings.fingerprint()),
            ("fingerprint of the samples", found.samples, self.fingerprint),
        ];
        for (what, found, expected) in numbers {
            if found != expected {
                return other(what, format!("{found:016x}"), format!("{expected:016x}"));
            }
        }
        let counters = [&found.current.counters, &found.good.counters];
        let sound = found.state.is_sound(self.settings, self.train.len() as u64);
        if sound && counters.into_iter().all(counted) {
            return Ok(());
        }
        Err(Error::NotACheckpoint { reason: "its numbers contradict the settings".to_owned() })
    }
}

/// Whether an engine can have counted so far: it goes on from here.
fn counted(counters: &Counters) -> bool {
    let most = 1 << 53;
    counters.steps < most
        && counters.since_scale < most
        && counters.loss_scale >= 0.0
        && counters.loss_scale.is_finite()
}
