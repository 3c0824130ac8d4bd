//! The fused kernel for small perceptrons as an engine.

use fattail_descent::{Objective, Quantile, Tukey};
use fattail_mlp::{self as mlp, Error as KernelError, Kernel, Moments, RowLoss};
use fattail_training::{
    Batch, Counters, Engine, Fault, Footprint, Named, Outcome, Probe, Snapshot, Update,
};

use super::{
    AdamW, Recipe,
    named::{self, FIRST, SECOND},
};
use crate::Error;

/// The loss that the kernel knows it as; none for losses by eras.
pub(crate) fn row_loss(objective: &Objective) -> Option<RowLoss> {
    Some(match *objective {
        Objective::Squared(_) => RowLoss::Squared,
        Objective::Absolute(_) => RowLoss::Absolute,
        Objective::Huber(huber) => RowLoss::Huber { delta: huber.delta },
        Objective::Quantile(Quantile { tau }) => RowLoss::Quantile { level: tau },
        Objective::LogCosh(_) => RowLoss::LogCosh,
        Objective::Tukey(Tukey { c }) => RowLoss::Tukey { c },
        Objective::Pearson(_) => return None,
    })
}

/// The kernel with its optimiser's settings.
#[derive(Debug)]
pub(crate) struct SmallEngine {
    kernel: Kernel,
    loss: RowLoss,
    optimiser: AdamW,
    identity: String,
}

/// Bytes of what does not grow: names, shapes, the identity.
const FIXED: usize = 12_288;
/// Rows from which threads share a batch, and the bytes that one costs.
const PARALLEL: usize = 512;
const A_THREAD: usize = 6_144;

impl SmallEngine {
    /// A kernel whose weights are all 0; `identity` tells the architecture.
    pub(crate) fn new(
        network: mlp::Network,
        loss: RowLoss,
        recipe: &Recipe,
        identity: &str,
    ) -> Result<Self, Error> {
        let weights = vec![0.0; network.parameters()];
        let kernel = Kernel::new(network, loss, &weights)?;
        let identity = super::identity(identity, recipe);
        Ok(Self { kernel, loss, optimiser: recipe.optimiser, identity })
    }

    fn named(&self, prefix: &str, values: &[f32]) -> Vec<Named> {
        let named = |tensor: mlp::Tensor| {
            let length = tensor.shape.iter().product::<usize>();
            let values = values[tensor.offset..tensor.offset + length].to_vec();
            Named { name: format!("{prefix}{}", tensor.name), shape: tensor.shape, values }
        };
        self.kernel.network().tensors().into_iter().map(named).collect()
    }

    /// All tensors of one prefix as one vector.
    fn flat(&self, prefix: &str, all: &[Named]) -> Result<Vec<f32>, Error> {
        let mut flat = Vec::with_capacity(self.kernel.network().parameters());
        for tensor in self.kernel.network().tensors() {
            let found = named::find(all, &format!("{prefix}{}", tensor.name))?;
            if found.shape != tensor.shape {
                let (name, found) = (found.name.clone(), found.shape.clone());
                return Err(Error::Shape { name, found, expected: tensor.shape });
            }
            flat.extend(&found.values);
        }
        Ok(flat)
    }

    fn restored(&mut self, snapshot: &Snapshot) -> Result<(), Error> {
        let weights = self.flat("", &snapshot.weights)?;
        let zero = || vec![0.0; weights.len()];
        let (first, second) = if snapshot.optimiser.is_empty() {
            (zero(), zero())
        } else {
            (self.flat(FIRST, &snapshot.optimiser)?, self.flat(SECOND, &snapshot.optimiser)?)
        };
        self.kernel.set_weights(&weights)?;
        self.kernel.set_moments(&Moments { first, second, step: snapshot.counters.steps })?;
        self.kernel.discard();
        Ok(())
    }
}

fn failed(error: KernelError) -> Fault {
    Error::from(error).into()
}

fn look<'a>(batch: &Batch<'a>) -> mlp::Batch<'a> {
    mlp::Batch { features: batch.features, target: batch.target, weight: batch.weight }
}

impl Engine for SmallEngine {
    fn identity(&self) -> String {
        self.identity.clone()
    }

    fn gradient(&mut self, batch: &Batch<'_>, share: f64) -> Result<f64, Fault> {
        self.kernel.gradient(&look(batch), share as f32, batch.key).map_err(failed)
    }

    fn apply(&mut self, update: &Update) -> Result<Outcome, Fault> {
        let AdamW { beta1, beta2, epsilon, weight_decay } = self.optimiser;
        let update = mlp::Update {
            rate: update.rate,
            clip_norm: update.clip_norm,
            clip_value: update.clip_value,
            beta1,
            beta2,
            epsilon,
            weight_decay,
            refuse_above: update.refuse_above,
        };
        let mlp::Outcome { norm, applied } = self.kernel.apply(&update).map_err(failed)?;
        Ok(Outcome { norm, applied })
    }

    fn discard(&mut self) {
        self.kernel.discard();
    }

    fn predict(&mut self, batch: &Batch<'_>, out: &mut [f32]) -> Result<(), Fault> {
        self.kernel.predict(batch.features, out).map_err(failed)
    }

    fn snapshot(&mut self) -> Result<Snapshot, Fault> {
        let Moments { first, second, step } = self.kernel.moments();
        let mut optimiser = self.named(FIRST, &first);
        optimiser.extend(self.named(SECOND, &second));
        let counters = Counters { steps: step, ..Counters::default() };
        Ok(Snapshot { weights: self.named("", &self.kernel.weights()), optimiser, counters })
    }

    fn restore(&mut self, snapshot: &Snapshot) -> Result<(), Fault> {
        self.restored(snapshot).map_err(Fault::from)
    }

    fn slope(&mut self, batch: &Batch<'_>) -> Result<Vec<f32>, Fault> {
        let network = mlp::Network { dropout: 0.0, ..self.kernel.network().clone() };
        let weights = self.kernel.weights();
        let mut other = Kernel::new(network, self.loss, &weights).map_err(failed)?;
        other.gradient(&look(batch), 1.0, 0).map_err(failed)?;
        Ok(other.gradient_buffer())
    }

    fn set_weights(&mut self, weights: &[f32]) -> Result<(), Fault> {
        self.kernel.set_weights(weights).map_err(failed)
    }

    fn probe(&mut self, batch: &Batch<'_>) -> Result<Vec<Probe>, Fault> {
        let found = self.kernel.activations(batch.features).map_err(failed)?;
        let layer = |(at, dead)| Probe { layer: format!("layers.{at}"), dead, saturated: 0.0 };
        let mut all: Vec<Probe> = found.dead.into_iter().enumerate().map(layer).collect();
        let (layer, saturated) = ("head".to_owned(), found.saturated);
        all.push(Probe { layer, dead: 0.0, saturated });
        Ok(all)
    }

    fn footprint(&self, samples: usize) -> Footprint {
        let parameters = 4 * self.kernel.network().parameters() as u64;
        let optimiser = 3 * parameters;
        // Padding counts as scratch, and so do the names and the shapes.
        let threads = if samples < PARALLEL { 0 } else { rayon::current_num_threads() };
        let bytes = (self.kernel.bytes(samples) + FIXED + threads * A_THREAD) as u64;
        let workspace = bytes.saturating_sub(parameters + optimiser);
        Footprint { parameters, optimiser, activations: 0, workspace }
    }

    fn leave_device(&mut self) -> Result<bool, Fault> {
        Ok(false)
    }
}
