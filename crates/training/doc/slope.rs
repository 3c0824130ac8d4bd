// The engine of the documentation's examples: `y = weight x` by plain descent, on one feature.

use fattail_training::{
    Batch, Counters, Engine, Fault, Footprint, Named, Outcome, Probe, Snapshot, Update,
};

#[derive(Default)]
pub struct Slope {
    pub weight: f32,
    pub waiting: f64,
    pub batches: u32,
    /// The batch, counted from 1, whose loss is NaN.
    pub broken: u32,
}

impl Slope {
    fn mean(&self, batch: &Batch<'_>, of: fn(f32, f32) -> f32) -> f64 {
        let pairs = batch.features.iter().zip(batch.target);
        let terms = pairs.map(|(x, y)| f64::from(of(self.weight * x - y, *x)));
        terms.sum::<f64>() / batch.target.len() as f64
    }
}

impl Engine for Slope {
    fn identity(&self) -> String {
        "slope".to_owned()
    }

    fn gradient(&mut self, batch: &Batch<'_>, share: f64) -> Result<f64, Fault> {
        self.batches += 1;
        if self.batches == self.broken {
            return Ok(f64::NAN);
        }
        self.waiting += share * self.mean(batch, |residual, x| residual * x);
        Ok(self.mean(batch, |residual, _| residual * residual / 2.0))
    }

    fn apply(&mut self, update: &Update) -> Result<Outcome, Fault> {
        let gradient = std::mem::take(&mut self.waiting);
        self.weight -= (update.rate * gradient) as f32;
        Ok(Outcome { norm: gradient.abs(), applied: true })
    }

    fn discard(&mut self) {
        self.waiting = 0.0;
    }

    fn predict(&mut self, batch: &Batch<'_>, out: &mut [f32]) -> Result<(), Fault> {
        out.iter_mut().zip(batch.features).for_each(|(out, x)| *out = self.weight * x);
        Ok(())
    }

    fn snapshot(&mut self) -> Result<Snapshot, Fault> {
        let weight = Named { name: "weight".into(), shape: vec![1], values: vec![self.weight] };
        Ok(Snapshot { weights: vec![weight], optimiser: vec![], counters: Counters::default() })
    }

    fn restore(&mut self, snapshot: &Snapshot) -> Result<(), Fault> {
        self.set_weights(&snapshot.weights[0].values)
    }

    fn slope(&mut self, batch: &Batch<'_>) -> Result<Vec<f32>, Fault> {
        Ok(vec![self.mean(batch, |residual, x| residual * x) as f32])
    }

    fn set_weights(&mut self, weights: &[f32]) -> Result<(), Fault> {
        self.weight = weights[0];
        Ok(())
    }

    fn probe(&mut self, _: &Batch<'_>) -> Result<Vec<Probe>, Fault> {
        Ok(vec![])
    }

    fn footprint(&self, samples: usize) -> Footprint {
        Footprint { parameters: 4, activations: 8 * samples as u64, ..Footprint::default() }
    }

    fn leave_device(&mut self) -> Result<bool, Fault> {
        Ok(false)
    }
}
