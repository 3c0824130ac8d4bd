//! Checkpoints written and read.

use super::{
    recover::Trouble,
    runner::{Good, Runner},
};
use crate::{
    Counters, Error, Result,
    average::Mean,
    checkpoint::{Checkpoint, Moment, difference},
};

impl Runner<'_, '_> {
    /// Hands a checkpoint to the sink, if there is one.
    pub(super) fn keep(&mut self) -> Result<(), Trouble> {
        if self.desk.sink.is_none() {
            return Ok(());
        }
        let current = self.engine.snapshot().map_err(Trouble::beside)?;
        let moment = Moment {
            marks: &self.marks,
            state: &self.state,
            current: &current,
            good: &self.good.snapshot,
            best: self.best.as_deref(),
            average: self.average.weights.as_deref(),
            good_average: self.good.average.as_deref(),
        };
        let bytes = moment.to_bytes()?;
        drop(current);
        match &mut self.desk.sink {
            Some(sink) => sink(&bytes).map_err(|cause| Trouble::Fatal(cause.into())),
            None => Ok(()),
        }
    }

    /// Goes on from a checkpoint.
    pub(super) fn resume(&mut self, bytes: &[u8]) -> Result<()> {
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
        let (there, here) = (&found.marks, &self.marks);
        if there.engine != here.engine {
            return other("engine", there.engine.clone(), here.engine.clone());
        }
        let numbers = [
            ("fingerprint of the settings", there.settings, here.settings),
            ("fingerprint of the samples", there.samples, here.samples),
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
