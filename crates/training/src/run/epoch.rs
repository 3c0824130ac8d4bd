//! The end of an epoch: averages, the holdout, rules.

use fattail_descent::{Loss, Schedule, Stop, Truth};

use super::{
    Entry, Epoch, Stopped,
    recover::{Context, Trouble},
    runner::Runner,
    state::Cursor,
};
use crate::{
    Buffer, Engine, Fault, Order, Plan, Samples, Snapshot, Symptom,
    checkpoint::flat,
    policy::{Action, LAST_GOOD},
};

/// The holdout, and room for its predictions.
pub(super) struct Judge<'a> {
    loss: &'a dyn Loss,
    samples: Samples,
    target: Vec<f32>,
    weights: Option<Vec<f32>>,
    plan: Plan,
    buffer: Buffer,
    out: Vec<f32>,
    prediction: Vec<f64>,
}

impl<'a> Judge<'a> {
    pub(super) fn new(samples: Samples, loss: &'a dyn Loss) -> Self {
        Self {
            loss,
            target: samples.targets(),
            weights: samples.weights(),
            plan: Plan::default(),
            buffer: Buffer::default(),
            out: vec![0.0; samples.len()],
            prediction: vec![0.0; samples.len()],
            samples,
        }
    }

    /// The loss of the engine's weights.
    fn judge(
        &mut self,
        engine: &mut dyn Engine,
        whole_eras: bool,
        together: usize,
    ) -> Result<f64, Trouble> {
        self.plan.arrange_in_order(&self.samples, whole_eras, together);
        self.buffer.forget();
        for step in 0..self.plan.steps() {
            let positions = self.plan.step(step);
            let (samples, whole) = (positions.len(), self.plan.is_whole(&positions));
            let batch = self.buffer.batch(&self.samples, &self.plan, positions.clone(), 0)?;
            let answer = engine.predict(&batch, &mut self.out[positions]);
            answer
                .map_err(|fault| Trouble::Fault(fault, Context::Prediction { samples, whole }))?;
        }
        for (slot, &value) in self.prediction.iter_mut().zip(&self.out) {
            *slot = f64::from(value);
        }
        self.value().map_err(|cause| Trouble::Fatal(cause.into()))
    }

    fn value(&self) -> fattail_core::Result<f64> {
        let mut truth = Truth::new(&self.target).with_eras(self.samples.bounds())?;
        if let Some(weights) = &self.weights {
            truth = truth.with_weights(weights)?;
        }
        Ok(self.loss.value(&truth, &self.prediction))
    }
}

impl Runner<'_, '_> {
    /// Ends the epoch. Nothing of the state changes before all that may fail is done.
    pub(super) fn close_epoch(&mut self) -> Result<Option<Stopped>, Trouble> {
        let epoch = self.state.cursor.epoch;
        let snapshot = self.engine.snapshot().map_err(Trouble::beside)?;
        let mut average = self.average.clone();
        if self.settings.average.due_after_epoch(epoch) {
            average.add(&self.settings.average, &flat(&snapshot.weights));
        }
        let holdout_loss = self.judge(&snapshot, average.weights.as_deref())?;
        self.average = average;
        self.state.cursor.averaged = self.average.count;
        self.write_epoch(holdout_loss);
        let judged = self.judge.is_some();
        if judged && holdout_loss < self.state.best_loss {
            (self.state.best_epoch, self.state.best_loss) = (Some(epoch), holdout_loss);
            self.best = Some(self.candidate(&snapshot));
        }
        if self.state.stuck == 0 && (!judged || holdout_loss.is_finite()) {
            self.remember(snapshot);
        } else {
            // What repeats from now on must not repeat an epoch that is over.
            let averaged = self.state.good.averaged;
            self.state.good = Cursor { averaged, ..self.state.cursor };
        }
        let stopped = self.look_back(judged, holdout_loss)?;
        if stopped.is_none() {
            self.keep()?;
        }
        Ok(stopped)
    }

    fn judge(&mut self, snapshot: &Snapshot, average: Option<&[f32]>) -> Result<f64, Trouble> {
        let Some(judge) = &mut self.judge else { return Ok(f64::NAN) };
        let whole_eras = self.settings.order == Order::Eras;
        let together = self.state.together;
        let Some(average) = average else {
            return judge.judge(self.engine, whole_eras, together);
        };
        self.engine.set_weights(average).map_err(Trouble::torn)?;
        let loss = judge.judge(self.engine, whole_eras, together);
        if !matches!(loss, Err(Trouble::Fault(Fault::DeviceLost { .. }, _))) {
            self.engine.restore(snapshot).map_err(Trouble::torn)?;
        }
        loss
    }

    /// Writes the epoch down and turns to the next.
    fn write_epoch(&mut self, holdout_loss: f64) {
        let cursor = self.state.cursor;
        let rate = self.settings.rate.rate(cursor.step.saturating_sub(1)) * self.state.factor;
        let epoch = Epoch {
            train_loss: cursor.loss / cursor.weight,
            holdout_loss,
            rate,
            norm: cursor.norms.typical(),
            steps: cursor.batch - cursor.skipped,
            skipped: cursor.skipped,
        };
        self.desk.write(Entry::Epoch { number: cursor.epoch, epoch: &epoch });
        self.state.history.push(epoch);
        let cursor = &mut self.state.cursor;
        (cursor.epoch, cursor.batch) = (cursor.epoch + 1, 0);
        (cursor.loss, cursor.weight, cursor.skipped) = (0.0, 0.0, 0);
    }

    /// What the losses so far and the network say.
    fn look_back(&mut self, judged: bool, holdout_loss: f64) -> Result<Option<Stopped>, Trouble> {
        if judged && !holdout_loss.is_finite() {
            let action = self.settings.policies.non_finite_loss;
            let symptom = Symptom::NonFiniteLoss { loss: holdout_loss };
            // There is no step to leave out: what is wrong are the weights.
            let action = if action == Action::Skip { LAST_GOOD } else { action };
            if let Some(stopped) = self.attend(symptom, action)? {
                return Ok(Some(stopped));
            }
        }
        let losses = |of: fn(&Epoch) -> f64| self.state.history.iter().map(of).collect::<Vec<_>>();
        let train = losses(|epoch| epoch.train_loss);
        let ruled = if judged { losses(|epoch| epoch.holdout_loss) } else { train.clone() };
        if let Some(stopped) = self.flat(&train)? {
            return Ok(Some(stopped));
        }
        if let Some(reason) = Stop::any(&self.settings.stop, &ruled) {
            return Ok(Some(Stopped::Rule(reason)));
        }
        if let Some(stopped) = self.look()? {
            return Ok(Some(stopped));
        }
        self.measure_curvature()
    }

    fn flat(&mut self, train: &[f64]) -> Result<Option<Stopped>, Trouble> {
        let thresholds = &self.settings.thresholds;
        let rounds = thresholds.flat_epochs;
        let rule = Stop::Flat { rounds, tolerance: thresholds.flat };
        match rule.observe(train) {
            Some(fattail_descent::Reason::Flat { rounds: epochs, spread }) => {
                let symptom = Symptom::FlatLoss { epochs, spread };
                self.attend(symptom, self.settings.policies.flat)
            }
            _ => Ok(None),
        }
    }
}
