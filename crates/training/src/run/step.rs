//! A step: gradients of its samples, judged, then applied or left out.

use std::ops::Range;

use super::{
    Stopped,
    recover::{Context, Trouble},
    runner::Runner,
};
use crate::{Outcome, Symptom, Update, policy::Action};

impl Runner<'_, '_> {
    pub(super) fn step(&mut self) -> Result<Option<Stopped>, Trouble> {
        let positions = self.plan.step(self.state.cursor.batch as usize);
        let (loss, weight) = self.gradients(&positions)?;
        let stopped = if weight <= 0.0 {
            // Nothing is known of these samples: there is nothing to move along.
            self.state.cursor.skipped += 1;
            None
        } else if loss.is_finite() {
            let limit = self.state.cursor.norms.limit(&self.bounds);
            let outcome = self.apply(limit)?;
            self.settle(loss, weight, &outcome, limit)?
        } else {
            self.engine.discard();
            let action = self.settings.policies.non_finite_loss;
            self.leave_out(Symptom::NonFiniteLoss { loss }, action)?
        };
        self.state.cursor.batch += 1;
        self.state.cursor.step += 1;
        match stopped {
            Some(stopped) => Ok(Some(stopped)),
            None => self.after_step(),
        }
    }

    /// Adds up the gradients of a step; gives its mean loss and what that is a mean over.
    fn gradients(&mut self, positions: &Range<usize>) -> Result<(f64, f64), Trouble> {
        let whole = self.plan.chunk(positions, self.state.micro) == *positions;
        let total = if whole { None } else { Some(self.mass(positions)?) };
        let (mut loss, mut weight, mut rest) = (0.0, 0.0, positions.clone());
        while !rest.is_empty() {
            let chunk = self.plan.chunk(&rest, self.state.micro);
            rest.start = chunk.end;
            let key = self.key(chunk.start);
            let batch = self.buffer.batch(&self.train, &self.plan, chunk.clone(), key)?;
            let mass = self.engine.mass(&batch);
            if mass <= 0.0 {
                continue;
            }
            let share = total.map_or(1.0, |total| mass / total);
            let mean = self.engine.gradient(&batch, share);
            let mean = mean.map_err(|fault| Trouble::Fault(fault, Context::Step(chunk)))?;
            loss += share * mean;
            weight += mass;
        }
        Ok((loss, weight))
    }

    /// What the mean loss of a step is a mean over, batch by batch as they go together.
    fn mass(&mut self, positions: &Range<usize>) -> Result<f64, Trouble> {
        let (mut total, mut rest) = (0.0, positions.clone());
        while !rest.is_empty() {
            let chunk = self.plan.chunk(&rest, self.state.micro);
            rest.start = chunk.end;
            let batch = self.buffer.batch(&self.train, &self.plan, chunk, 0)?;
            total += self.engine.mass(&batch);
        }
        Ok(total)
    }

    fn apply(&mut self, limit: f64) -> Result<Outcome, Trouble> {
        // A limit that is only noted lets everything finite through.
        let noted = self.settings.policies.exploding == Action::Note;
        let update = Update {
            rate: self.rate(),
            clip_norm: self.settings.clip_norm,
            clip_value: self.settings.clip_value,
            refuse_above: if noted { f64::INFINITY } else { limit },
        };
        self.engine.apply(&update).map_err(|fault| Trouble::Fault(fault, Context::Torn))
    }

    fn settle(
        &mut self,
        loss: f64,
        weight: f64,
        outcome: &Outcome,
        limit: f64,
    ) -> Result<Option<Stopped>, Trouble> {
        let Outcome { norm, applied } = *outcome;
        let before = self.state.cursor.norms;
        self.state.cursor.norms.add(norm, &self.bounds);
        if applied {
            self.state.stuck = 0;
            self.state.cursor.loss += loss * weight;
            self.state.cursor.weight += weight;
        }
        let policies = &self.settings.policies;
        if norm > limit && norm.is_finite() {
            let symptom = Symptom::ExplodingNorm { norm, typical: before.typical(), limit };
            return match applied {
                true => Ok(self.note(symptom)),
                false => self.leave_out(symptom, policies.exploding),
            };
        }
        if !applied {
            let symptom = Symptom::NonFiniteGradient { norm };
            return self.leave_out(symptom, policies.non_finite_gradient);
        }
        Ok(None)
    }

    /// What is due after a step.
    fn after_step(&mut self) -> Result<Option<Stopped>, Trouble> {
        let (step, settings) = (self.state.cursor.step, self.settings);
        let due = |every: u64| every > 0 && step.is_multiple_of(every);
        if self.state.stuck == 0 && settings.average.due_after_step(step) {
            let snapshot = self.engine.snapshot().map_err(Trouble::beside)?;
            self.average.add(&settings.average, &crate::checkpoint::flat(&snapshot.weights));
            self.state.cursor.averaged = self.average.count;
        }
        if self.state.stuck == 0 && due(settings.policies.snapshot_every) {
            let snapshot = self.engine.snapshot().map_err(Trouble::beside)?;
            self.remember(snapshot);
        }
        if due(settings.look_every)
            && let Some(stopped) = self.look()?
        {
            return Ok(Some(stopped));
        }
        if due(settings.checkpoint_every) {
            self.keep()?;
        }
        Ok(None)
    }
}
