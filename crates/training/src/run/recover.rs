//! What is done about symptoms and faults.

use std::ops::Range;

use super::{Stopped, runner::Runner};
use crate::{
    Error, Fault, Response, Symptom,
    average::Mean,
    policy::{Action, LAST_GOOD},
};

/// What was going on when a fault came.
#[derive(Debug, Clone)]
pub(super) enum Context {
    /// The gradient of the samples at these positions; the weights are as before.
    Step(Range<usize>),
    /// A change of the weights, which may be anything now.
    Torn,
    /// A prediction of so many samples, whole if they are not to be divided; the weights are as
    /// before.
    Prediction { samples: usize, whole: bool },
    /// A copy, or a look whose device is lost; the weights are as before, and what was looked for is
    /// left out.
    Beside,
}

/// Why something did not come to its end.
#[derive(Debug)]
pub(super) enum Trouble {
    Fault(Fault, Context),
    Fatal(Error),
}

impl Trouble {
    pub(super) fn beside(fault: Fault) -> Self {
        Self::Fault(fault, Context::Beside)
    }

    pub(super) fn torn(fault: Fault) -> Self {
        Self::Fault(fault, Context::Torn)
    }

    /// The error where nobody recovers.
    pub(super) fn into_error(self) -> Error {
        match self {
            Self::Fault(fault, _) => fault.into(),
            Self::Fatal(error) => error,
        }
    }
}

impl From<fattail_core::Error> for Trouble {
    fn from(error: fattail_core::Error) -> Self {
        Self::Fatal(error.into())
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Fatal(error)
    }
}

impl Runner<'_, '_> {
    /// Answers a fault of the engine.
    pub(super) fn recover(
        &mut self,
        fault: Fault,
        context: Context,
    ) -> Result<Option<Stopped>, Trouble> {
        let (symptom, action) = match fault {
            Fault::OutOfMemory { reason } => {
                let samples = match &context {
                    Context::Step(positions) => positions.len(),
                    Context::Prediction { samples, .. } => *samples,
                    Context::Torn | Context::Beside => self.state.micro,
                };
                let symptom = Symptom::OutOfMemory { samples, reason };
                (symptom, self.settings.policies.out_of_memory)
            }
            Fault::DeviceLost { reason } => {
                (Symptom::DeviceLost { reason }, self.settings.policies.device_lost)
            }
            Fault::Failed(cause) => return Err(Trouble::Fatal(cause.into())),
        };
        self.engine.discard();
        if self.is_exhausted() {
            return Ok(self.give_up(symptom));
        }
        match action {
            Action::HalveBatch => self.halve(symptom, &context),
            Action::Fallback => self.fall_back(symptom),
            _ => Ok(self.give_up(symptom)),
        }
    }

    fn halve(&mut self, symptom: Symptom, context: &Context) -> Result<Option<Stopped>, Trouble> {
        let samples = match context {
            Context::Prediction { samples, whole: false } if *samples > 1 => {
                self.state.together = samples / 2;
                self.state.together
            }
            Context::Step(positions) if positions.len() > 1 && !self.plan.is_whole(positions) => {
                self.state.micro = positions.len() / 2;
                self.state.micro
            }
            Context::Torn | Context::Beside if self.state.micro > 1 => {
                self.state.micro /= 2;
                self.state.micro
            }
            _ => return self.fall_back(symptom),
        };
        if matches!(context, Context::Torn) {
            self.rewind()?;
        }
        self.log(symptom, Response::HalvedBatch { samples });
        Ok(None)
    }

    fn fall_back(&mut self, symptom: Symptom) -> Result<Option<Stopped>, Trouble> {
        let moved = self.engine.leave_device().map_err(|fault| Trouble::Fatal(fault.into()))?;
        if !moved {
            return Ok(self.give_up(symptom));
        }
        let step = self.state.good_step;
        self.log(symptom, Response::FellBack { step });
        self.rewind()?;
        Ok(None)
    }

    /// Goes back to the last good moment, to repeat what came after.
    fn rewind(&mut self) -> Result<(), Trouble> {
        self.engine.restore(&self.good.snapshot).map_err(Trouble::torn)?;
        self.state.cursor = self.state.good;
        self.restore_average();
        self.state.stuck = 0;
        self.arrange();
        Ok(())
    }

    fn restore_average(&mut self) {
        let weights = self.good.average.clone();
        self.average = Mean { weights, count: self.state.good.averaged };
    }

    /// Answers a symptom of a step that was not applied.
    pub(super) fn leave_out(
        &mut self,
        symptom: Symptom,
        action: Action,
    ) -> Result<Option<Stopped>, Trouble> {
        self.state.cursor.skipped += 1;
        self.state.stuck = self.state.stuck.saturating_add(1);
        if self.is_exhausted() {
            return Ok(self.give_up(symptom));
        }
        let stuck = self.state.stuck >= self.settings.policies.restore_after;
        match action {
            Action::Skip if stuck => self.answer(symptom, LAST_GOOD),
            Action::Skip => {
                self.log(symptom, Response::Skipped);
                Ok(None)
            }
            other => self.answer(symptom, other),
        }
    }

    /// Answers a symptom that was seen beside the steps.
    pub(super) fn attend(
        &mut self,
        symptom: Symptom,
        action: Action,
    ) -> Result<Option<Stopped>, Trouble> {
        match action {
            Action::Note => Ok(self.note(symptom)),
            _ if self.is_exhausted() => Ok(self.give_up(symptom)),
            action => self.answer(symptom, action),
        }
    }

    pub(super) fn note(&mut self, symptom: Symptom) -> Option<Stopped> {
        self.log(symptom, Response::Noted);
        None
    }

    fn answer(&mut self, symptom: Symptom, action: Action) -> Result<Option<Stopped>, Trouble> {
        match action {
            Action::LowerRate { factor } => {
                self.state.factor *= factor;
                let factor = self.state.factor;
                self.log(symptom, Response::LoweredRate { factor });
            }
            Action::Restore { factor } => {
                self.engine.restore(&self.good.snapshot).map_err(Trouble::torn)?;
                self.state.factor *= factor;
                self.state.cursor.norms = self.state.good.norms;
                self.restore_average();
                self.state.stuck = 0;
                let (step, factor) = (self.state.good_step, self.state.factor);
                self.log(symptom, Response::Restored { step, factor });
            }
            _ => return Ok(self.give_up(symptom)),
        }
        Ok(None)
    }

    pub(super) fn give_up(&mut self, symptom: Symptom) -> Option<Stopped> {
        self.log(symptom.clone(), Response::Stopped);
        Some(Stopped::GaveUp(symptom))
    }

    /// Counts an intervention; whether there were too many.
    pub(super) fn is_exhausted(&mut self) -> bool {
        self.state.interventions = self.state.interventions.saturating_add(1);
        self.state.interventions > self.settings.policies.give_up_after
    }
}
