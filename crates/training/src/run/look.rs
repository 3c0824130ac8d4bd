//! Looks at a network that is being trained: activations, norms, curvature.

use super::{Stopped, recover::Trouble, runner::Runner};
use crate::{
    Buffer, Order, Plan, Snapshot, Symptom, checkpoint::flat, diagnosis::units, policy::Action,
};

impl Runner<'_, '_> {
    /// Looks at activations and norms.
    pub(super) fn look(&mut self) -> Result<Option<Stopped>, Trouble> {
        let (plan, mut buffer) = self.spread(self.settings.thresholds.samples);
        let batch = buffer.batch(&self.train, &plan, 0..plan.len(), 0);
        let probes = self.engine.probe(&batch).map_err(Trouble::beside)?;
        let (thresholds, policies) = (&self.settings.thresholds, &self.settings.policies);
        let mut symptoms = units(&probes, thresholds);
        if let Some((typical, peak)) = self.state.cursor.norms.vanished(thresholds) {
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

    /// Measures the curvature at `snapshot`, which the engine holds and gets back.
    pub(super) fn bend(&mut self, snapshot: &Snapshot) -> Result<Option<Stopped>, Trouble> {
        let Some(curvature) = &self.settings.curvature else { return Ok(None) };
        let (plan, mut buffer) = self.spread(curvature.samples);
        let batch = buffer.batch(&self.train, &plan, 0..plan.len(), 0);
        let weights = flat(&snapshot.weights);
        let measured = curvature.measure(self.engine, &batch, &weights);
        self.engine.restore(snapshot).map_err(Trouble::torn)?;
        let spectrum = measured.map_err(Trouble::beside)?;
        let sought = curvature.iterations.min(weights.len());
        if spectrum.rank >= sought {
            return Ok(None);
        }
        let largest = spectrum.eigenvalues.first().copied().unwrap_or(0.0);
        let symptom = Symptom::RankDeficient { rank: spectrum.rank, sought, largest };
        self.attend(symptom, self.settings.policies.deficient)
    }

    /// A plan of about `most` samples, spread over all of them, and room for them.
    fn spread(&self, most: usize) -> (Plan, Buffer) {
        let mut plan = Plan::default();
        plan.spread(&self.train, self.settings.order == Order::Eras, most);
        (plan, Buffer::default())
    }
}
