//! The kernel: a network with its weights, moments and gradient, and the loop over blocks.
//!
//! Formulas, layout, determinism, NaN and cost stand in the [module](super).

use pulp::{Arch, Simd};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::block::{Scratch, Weighted};
use super::lanes::{LANES, Task, Wide, on};
use super::layout::Layout;
use super::loss::RowLoss;
use super::network::Network;
use super::pass::{Batch, Observe, Pass, Predict};
use super::update::{Outcome, State, Update, adamw, norm};
use crate::{Error, Result, error::expect_len};

/// From this many rows on a batch is cut in chunks.
const PARALLEL_ROWS: usize = 512;
/// Fewest rows in a chunk, and most chunks: each has a gradient of its own.
const CHUNK_ROWS: usize = 256;
const MOST_CHUNKS: usize = 64;

/// AdamW's memory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Moments {
    /// Running mean of the gradient, in the order of the parameters.
    pub first: Vec<f32>,
    /// Running mean of its square.
    pub second: Vec<f32>,
    /// Steps taken.
    pub step: u64,
}

/// What the units of a network do on some rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Activations {
    /// For each hidden layer the share of units that are never positive.
    pub dead: Vec<f64>,
    /// Share of rows where a sigmoid head is flat: `p (1 - p)` below 0.001. 0 for another head.
    pub saturated: f64,
}

/// Whether the kernel is the right engine for a network: widths up to 256 and 100,000 parameters.
///
/// Up to there the matrices of a layer stay in the second cache, and a step reaches 18 to 20 of the
/// 32 operations a cycle that AVX2 has. At a width of 512 it is 16: matrices are not cut in blocks
/// for the cache here, as general matrix products do.
#[must_use]
pub fn small(network: &Network) -> bool {
    let widest = network.hidden.iter().copied().chain([network.inputs]).max().unwrap_or(0);
    widest <= 256 && network.parameters() <= 100_000
}

/// What a chunk of a batch works with.
#[derive(Debug, Clone)]
struct Chunk {
    scratch: Scratch,
    gradient: Vec<f32>,
    loss: f64,
}

/// A network in training; see the [module](super).
///
/// ```
/// use fattail_mlp::{Batch, Head, Kernel, Network, RowLoss, Update};
///
/// let network = Network {
///     inputs: 2,
///     hidden: vec![8],
///     input_norm: false,
///     norm: true,
///     residual: false,
///     dropout: 0.0,
///     head: Head::Identity,
/// };
/// let mut kernel = Kernel::new(network.clone(), RowLoss::Squared, &network.initial(1)?)?;
/// let features = [0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0];
/// let batch = Batch { features: &features, target: &[0.0, 1.0, 1.0, 0.0], weight: None };
/// let update = Update { rate: 0.05, ..Update::default() };
/// for step in 0..200 {
///     kernel.gradient(&batch, 1.0, step)?;
///     assert!(kernel.apply(&update)?.applied);
/// }
/// let mut out = [0.0; 4];
/// kernel.predict(&features, &mut out)?;
/// assert!((out[0] - 0.0).abs() < 0.1 && (out[1] - 1.0).abs() < 0.1);
/// # Ok::<(), fattail_mlp::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Kernel {
    network: Network,
    loss: RowLoss,
    layout: Layout,
    arch: Arch,
    weights: Vec<f32>,
    gradient: Vec<f32>,
    first: Vec<f32>,
    second: Vec<f32>,
    step: u64,
    scratch: Scratch,
    chunks: Vec<Chunk>,
}

impl Kernel {
    /// A kernel that begins with `weights`, in the order of [`Network::tensors`].
    ///
    /// # Errors
    /// A setting out of range, weights of another length, or one that is not finite.
    pub fn new(network: Network, loss: RowLoss, weights: &[f32]) -> Result<Self> {
        network.check()?;
        loss.check()?;
        let layout = Layout::new(&network);
        let zero = vec![0.0; layout.len];
        let mut kernel = Self {
            network,
            loss,
            arch: Arch::new(),
            scratch: Scratch::new(&layout),
            weights: zero.clone(),
            gradient: zero.clone(),
            first: zero.clone(),
            second: zero,
            step: 0,
            layout,
            chunks: Vec::new(),
        };
        kernel.set_weights(weights)?;
        Ok(kernel)
    }

    /// The network.
    #[must_use]
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Adds `share` times the gradient of the batch's mean loss to the gradient, and answers the
    /// mean loss. Units are dropped as [`mask`](super::mask) tells for `key`.
    ///
    /// # Errors
    /// A slice of the wrong length, or a share that is not finite.
    pub fn gradient(&mut self, batch: &Batch<'_>, share: f32, key: u64) -> Result<f64> {
        self.check_batch(batch)?;
        if !share.is_finite() {
            let value = share.to_string();
            return Err(Error::Setting { name: "share", value, allowed: "finite" });
        }
        let total = batch.total();
        if total <= 0.0 {
            return Ok(f64::NAN);
        }
        let pass = Pass {
            network: Weighted { layout: &self.layout, parameters: &self.weights },
            loss: &self.loss,
            arch: self.arch,
            batch,
            scale: f64::from(share) / total,
            key,
        };
        let rows = batch.target.len();
        if rows < PARALLEL_ROWS {
            return Ok(pass.run(0..rows, &mut self.scratch, &mut self.gradient) / total);
        }
        let chunk_rows = chunk_rows(rows);
        let count = rows.div_ceil(chunk_rows);
        while self.chunks.len() < count {
            let gradient = vec![0.0; self.layout.len];
            self.chunks.push(Chunk { scratch: self.scratch.clone(), gradient, loss: 0.0 });
        }
        self.chunks[..count].par_iter_mut().enumerate().for_each(|(at, chunk)| {
            let range = at * chunk_rows..rows.min((at + 1) * chunk_rows);
            chunk.gradient.fill(0.0);
            chunk.loss = pass.run(range, &mut chunk.scratch, &mut chunk.gradient);
        });
        for chunk in &self.chunks[..count] {
            for (sum, part) in self.gradient.iter_mut().zip(&chunk.gradient) {
                *sum += part;
            }
        }
        Ok(self.chunks[..count].iter().map(|chunk| chunk.loss).sum::<f64>() / total)
    }

    /// Takes a step along the gradient and sets it to 0. A gradient whose norm is not finite, or
    /// above `refuse_above`, is discarded: weights, moments and step stay.
    ///
    /// # Errors
    /// As [`Update::check`]; nothing is changed then.
    pub fn apply(&mut self, update: &Update) -> Result<Outcome> {
        update.check()?;
        Ok(on(self.arch, Step { kernel: self, update }))
    }

    /// Predictions, one a row of `features`, without dropout.
    ///
    /// # Errors
    /// When `features` is not `out.len()` rows long.
    pub fn predict(&self, features: &[f32], out: &mut [f32]) -> Result<()> {
        let inputs = self.network.inputs;
        expect_len("features", features.len(), out.len().saturating_mul(inputs))?;
        if out.len() < PARALLEL_ROWS {
            self.predict_rows(&mut Scratch::new(&self.layout), features, out);
            return Ok(());
        }
        let rows = chunk_rows(out.len());
        let chunks = out.par_chunks_mut(rows).zip(features.par_chunks(rows * inputs));
        let scratch = || Scratch::new(&self.layout);
        chunks.for_each_init(scratch, |scratch, (out, features)| {
            self.predict_rows(scratch, features, out);
        });
        Ok(())
    }

    fn predict_rows(&self, scratch: &mut Scratch, features: &[f32], out: &mut [f32]) {
        on(self.arch, Predict { network: self.weighted(), scratch, features, out });
    }

    fn weighted(&self) -> Weighted<'_> {
        Weighted { layout: &self.layout, parameters: &self.weights }
    }

    /// What the units do on some rows, without dropout.
    ///
    /// # Errors
    /// When `features` is not a whole number of rows.
    pub fn activations(&self, features: &[f32]) -> Result<Activations> {
        let inputs = self.network.inputs;
        expect_len("features", features.len(), features.len() / inputs * inputs)?;
        let mut alive: Vec<Vec<bool>> =
            self.network.hidden.iter().map(|&width| vec![false; width]).collect();
        let scratch = &mut Scratch::new(&self.layout);
        let network = self.weighted();
        let flat = on(self.arch, Observe { network, scratch, features, alive: &mut alive });
        let share = |count: usize, all: usize| count as f64 / all.max(1) as f64;
        let dead = |alive: &Vec<bool>| share(alive.iter().filter(|&&on| !on).count(), alive.len());
        let saturated = share(flat, features.len() / inputs);
        Ok(Activations { dead: alive.iter().map(dead).collect(), saturated })
    }

    /// Bytes that a kernel and a step on so many rows take: padded parameters, gradient and moments, and
    /// the activations of a block, for every chunk of a large batch.
    #[must_use]
    pub fn bytes(&self, rows: usize) -> usize {
        let own = 4 * 4 * self.layout.len + self.scratch.bytes();
        let chunks = if rows < PARALLEL_ROWS { 0 } else { rows.div_ceil(chunk_rows(rows)) };
        own + chunks * (size_of::<Chunk>() + self.scratch.bytes() + 4 * self.layout.len)
    }

    /// The weights, in the order of [`Network::tensors`].
    #[must_use]
    pub fn weights(&self) -> Vec<f32> {
        self.layout.unpack(&self.weights)
    }

    /// Replaces the weights; moments and gradient stay.
    ///
    /// # Errors
    /// Weights of another length, or one that is not finite; nothing is changed then.
    pub fn set_weights(&mut self, weights: &[f32]) -> Result<()> {
        self.check_values("weights", weights, f32::is_finite, "finite")?;
        self.layout.pack(weights, &mut self.weights);
        Ok(())
    }

    /// AdamW's moments and number of steps.
    #[must_use]
    pub fn moments(&self) -> Moments {
        let (first, second) = (self.layout.unpack(&self.first), self.layout.unpack(&self.second));
        Moments { first, second, step: self.step }
    }

    /// Replaces them.
    ///
    /// # Errors
    /// Moments of another length, one that is not finite, or a negative second one; nothing is
    /// changed then.
    pub fn set_moments(&mut self, moments: &Moments) -> Result<()> {
        let square = |value: f32| value.is_finite() && value >= 0.0;
        self.check_values("first", &moments.first, f32::is_finite, "finite")?;
        self.check_values("second", &moments.second, square, "0 or more, finite")?;
        self.layout.pack(&moments.first, &mut self.first);
        self.layout.pack(&moments.second, &mut self.second);
        self.step = moments.step;
        Ok(())
    }

    /// The gradient that was added up since the last step, in the order of [`Network::tensors`].
    #[must_use]
    pub fn gradient_buffer(&self) -> Vec<f32> {
        self.layout.unpack(&self.gradient)
    }

    /// Sets the gradient to 0.
    pub fn discard(&mut self) {
        self.gradient.fill(0.0);
    }

    fn check_values(
        &self,
        name: &'static str,
        values: &[f32],
        right: impl Fn(f32) -> bool,
        allowed: &'static str,
    ) -> Result<()> {
        expect_len(name, values.len(), self.layout.parameters())?;
        match values.iter().position(|&value| !right(value)) {
            None => Ok(()),
            Some(at) => {
                let value = format!("{} at {at}", values[at]);
                Err(Error::Setting { name, value, allowed })
            }
        }
    }

    fn check_batch(&self, batch: &Batch<'_>) -> Result<()> {
        let rows = batch.target.len();
        expect_len("features", batch.features.len(), rows.saturating_mul(self.network.inputs))?;
        batch.weight.map_or(Ok(()), |weight| expect_len("weight", weight.len(), rows))
    }
}

/// Rows in a chunk: a function of the batch alone, so that threads do not matter.
fn chunk_rows(rows: usize) -> usize {
    rows.div_ceil(MOST_CHUNKS).next_multiple_of(LANES).max(CHUNK_ROWS)
}

struct Step<'a> {
    kernel: &'a mut Kernel,
    update: &'a Update,
}

impl Task for Step<'_> {
    type Output = Outcome;

    #[inline(always)]
    fn run<S: Simd, const N: usize>(self, wide: Wide<S, N>) -> Outcome {
        let Self { kernel, update } = self;
        let norm = norm(&kernel.gradient);
        let applied = norm.is_finite() && norm <= update.refuse_above;
        if applied {
            kernel.step += 1;
            let state = State {
                weights: &mut kernel.weights,
                gradient: &mut kernel.gradient,
                first: &mut kernel.first,
                second: &mut kernel.second,
            };
            adamw(wide.0, state, update, norm, kernel.step);
        } else {
            kernel.discard();
        }
        Outcome { norm, applied }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Head;

    /// Every kind of processor that this machine has takes the same steps, but for rounding.
    #[test]
    fn processors_agree() {
        let network = Network {
            inputs: 5,
            hidden: vec![16, 16, 9],
            input_norm: true,
            norm: true,
            residual: true,
            dropout: 0.2,
            head: Head::Sigmoid,
        };
        let rows = 530;
        let features: Vec<f32> = (0..rows * 5).map(|at| (at as f32 * 0.7).sin()).collect();
        let target: Vec<f32> = (0..rows).map(|at| (at as f32 * 0.3).cos()).collect();
        let train = |arch: Arch| {
            let start = network.initial(5).unwrap();
            let mut kernel = Kernel::new(network.clone(), RowLoss::LogCosh, &start).unwrap();
            kernel.arch = arch;
            for (key, rows) in [16, 530, 3].into_iter().enumerate() {
                let (features, target) = (&features[..rows * 5], &target[..rows]);
                let batch = Batch { features, target, weight: None };
                kernel.gradient(&batch, 1.0, key as u64).unwrap();
                let update = Update { epsilon: 1e-3, clip_norm: Some(0.1), ..Update::default() };
                assert!(kernel.apply(&update).unwrap().applied);
            }
            let mut out = vec![0.0; rows];
            kernel.predict(&features, &mut out).unwrap();
            (out, kernel.weights(), start)
        };
        let mut all = vec![Arch::new()];
        #[cfg(target_arch = "x86_64")]
        all.extend(pulp::x86::V3::try_new().map(Arch::V3));
        let (out, weights, start) = train(Arch::Scalar);
        assert_ne!(weights, start);
        for arch in all {
            let found = train(arch);
            for (a, b) in out.iter().chain(&weights).zip(found.0.iter().chain(&found.1)) {
                assert!((a - b).abs() < 1e-5, "{arch:?}: {a} {b}");
            }
        }
    }
}
