//! Looks at a network that is being trained: activations, norms, curvature.
//!
//! A look takes no more samples than are predicted together, which a budget has room for, and no more
//! than go together in a step once those have become fewer than the batch. Where memory runs out all the
//! same it is the look that was too large: it takes half as many from then on, and steps stay as they
//! are.

use std::ops::ControlFlow;

use super::{Stopped, recover::Trouble, runner::Runner};
use crate::{
    Buffer, Fault, Order, Plan, Probe, Response, Symptom, checkpoint::flat, diagnosis::units,
    policy::Action,
};

impl Runner<'_, '_> {
    /// Looks at activations and norms.
    pub(super) fn look(&mut self) -> Result<Option<Stopped>, Trouble> {
        let probes = match self.probe()? {
            ControlFlow::Continue(probes) => probes,
            ControlFlow::Break(stopped) => return Ok(Some(stopped)),
        };
        let policies = &self.settings.policies;
        let mut symptoms = units(&probes, &self.settings.thresholds);
        if let Some((typical, peak)) = self.state.cursor.norms.vanished(&self.bounds) {
            symptoms.push(Symptom::VanishingNorm { typical, peak });
        }
        let seen: Vec<String> = symptoms.iter().map(Symptom::place).collect();
        let before = std::mem::replace(&mut self.state.noted, seen);
        for symptom in symptoms {
            let action = match symptom {
                Symptom::DeadUnits { .. } => policies.dead,
                Symptom::Saturated { .. } => policies.saturated,
                _ => policies.vanishing,
            };
            // What goes on is noted once.
            if action == Action::Note && before.contains(&symptom.place()) {
                continue;
            }
            if let Some(stopped) = self.attend(symptom, action)? {
                return Ok(Some(stopped));
            }
        }
        Ok(None)
    }

    /// What the layers look like; nothing where memory ran out or looks were given up.
    fn probe(&mut self) -> Result<ControlFlow<Stopped, Vec<Probe>>, Trouble> {
        let Some((plan, mut buffer)) = self.spread(self.settings.thresholds.samples) else {
            return Ok(ControlFlow::Continue(Vec::new()));
        };
        let batch = buffer.batch(&self.train, &plan, 0..plan.len(), 0)?;
        let fault = match self.engine.probe(&batch) {
            Ok(probes) => return Ok(ControlFlow::Continue(probes)),
            Err(fault) => fault,
        };
        let stopped = self.look_at_less(fault, &plan)?;
        Ok(stopped.map_or(ControlFlow::Continue(Vec::new()), ControlFlow::Break))
    }

    /// Measures the curvature, where it is asked for.
    pub(super) fn measure_curvature(&mut self) -> Result<Option<Stopped>, Trouble> {
        let Some(curvature) = &self.settings.curvature else { return Ok(None) };
        let Some((plan, mut buffer)) = self.spread(curvature.samples) else { return Ok(None) };
        let batch = buffer.batch(&self.train, &plan, 0..plan.len(), 0)?;
        let snapshot = self.engine.snapshot().map_err(Trouble::beside)?;
        let weights = flat(&snapshot.weights);
        let measured = curvature.measure(self.engine, &batch, &weights);
        if !matches!(measured, Err(Fault::DeviceLost { .. })) {
            self.engine.restore(&snapshot).map_err(Trouble::torn)?;
        }
        let spectrum = match measured {
            Ok(spectrum) => spectrum,
            Err(fault) => return self.look_at_less(fault, &plan),
        };
        let sought = curvature.iterations.min(weights.len());
        if spectrum.rank >= sought {
            return Ok(None);
        }
        let largest = spectrum.eigenvalues.first().copied().unwrap_or(0.0);
        let symptom = Symptom::RankDeficient { rank: spectrum.rank, sought, largest };
        self.attend(symptom, self.settings.policies.deficient)
    }

    /// A plan of about `most` samples, spread over all of them, and room for them; none when looks were
    /// given up.
    fn spread(&self, most: usize) -> Option<(Plan, Buffer)> {
        let most = most.min(self.room());
        if most == 0 {
            return None;
        }
        let mut plan = Plan::default();
        plan.spread(&self.train, self.settings.order == Order::Eras, most);
        Some((plan, Buffer::default()))
    }

    /// Samples that a look may take.
    fn room(&self) -> usize {
        let state = &self.state;
        let fitting =
            if state.micro < self.settings.batch_size { state.micro } else { state.together };
        fitting.min(state.look)
    }

    /// Answers a fault of a look at what was planned.
    fn look_at_less(&mut self, fault: Fault, plan: &Plan) -> Result<Option<Stopped>, Trouble> {
        let reason = match fault {
            Fault::OutOfMemory { reason }
                if self.settings.policies.out_of_memory == Action::HalveBatch =>
            {
                reason
            }
            other => return Err(Trouble::beside(other)),
        };
        self.engine.discard();
        let symptom = Symptom::OutOfMemory { samples: plan.len(), reason };
        if self.is_exhausted() {
            return Ok(self.give_up(symptom));
        }
        // A single era does not become smaller.
        let samples = if plan.is_whole(&(0..plan.len())) { 0 } else { plan.len() / 2 };
        self.state.look = samples;
        self.log(symptom, Response::HalvedLook { samples });
        Ok(None)
    }
}
