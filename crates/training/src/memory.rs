//! Memory told before it is taken.
//!
//! With F(n) what the engine takes for n samples together, P the bytes of its parameters, b those of a
//! sample in a buffer and B the samples of a block, a run takes at most
//! `F(n) + 3 b max(n, B) + c P + d`: a buffer to train, one to judge and one to look with; `c P` for
//! copies of the weights, `d` for the samples, their order and the holdout.
//!
//! | copies held all the time | of P |
//! |---|---|
//! | the last good weights and the optimiser's state | 3 |
//! | the best weights, with a holdout | 1 |
//! | the average, now and at the last good moment, where there is one | 2 |
//!
//! | and for a while, the largest of | of P |
//! |---|---|
//! | the end of an epoch: a snapshot, flat, averaged, judged, kept | 3, 1 with a holdout, 5 with an average |
//! | a checkpoint: a snapshot and the bytes, or the tensors that were read | 10, 1 with a holdout, 2 with an average |
//! | curvature: a snapshot, differences and the basis in f64 | 16 and 2 an iteration |
//!
//! and 3 more in which the engine puts a snapshot together. An era that goes whole and is larger than
//! n is not counted, nor is what the caller does with a checkpoint's bytes; a checkpoint is counted
//! whether one is kept or not, so that the same settings divide a batch alike.
//! F is an upper bound of the
//! engine's; on a GPU its part lies there and the rest in the host's memory, and both are counted.
//! The largest n that fits is found by halving an interval, since more samples never take less. Cost:
//! log2 n questions.

use fattail_core::{Panel, Result as CoreResult};

use crate::{Average, Buffer, Engine, Error, Holdout, Order, Reading, Result, Samples, Training};

/// Samples that are predicted together where memory allows it.
pub(crate) const TOGETHER: usize = 1024;

/// What a run is over, as far as memory is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Extent {
    /// Samples that train.
    pub train: usize,
    /// Samples that are held out.
    pub held: usize,
    /// Eras.
    pub eras: usize,
    /// Values a sample.
    pub width: usize,
    /// Rows a sample.
    pub window: usize,
    /// Bytes of the samples themselves.
    pub samples: u64,
}

/// Bytes that a run may take, and what it takes beside its engine.
///
/// ```
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/slope.rs")); }
/// # use doc::Slope;
/// use fattail_core::Panel;
/// use fattail_training::{Engine, Extent, Reading, Training};
/// let panel = Panel::builder()
///     .feature("x", vec![0.5f32; 10_000])
///     .target("y", vec![0.1f32; 10_000])
///     .build()?;
/// // Before a sample is read: 8 bytes a sample go through this engine.
/// let (engine, training) = (Slope::default(), Training::default());
/// assert_eq!(engine.footprint(100).total() - engine.footprint(0).total(), 800);
/// let extent = Extent::of_panel(&panel, &Reading::default(), None)?;
/// let budget = Training { memory: Some(1 << 20), ..training }.budget(&engine, &extent);
/// assert!(budget.needs(&engine, 256) < 1 << 20);
/// budget.expect(&engine, 256)?;
/// let refused = budget.expect(&engine, 1 << 20).unwrap_err().to_string();
/// assert!(refused.contains("allowed are 1048576") && refused.contains("would fit"), "{refused}");
/// # Ok::<(), fattail_training::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Budget {
    /// How many.
    pub bytes: u64,
    /// Bytes beside the engine, however many samples go together.
    pub held: u64,
    /// Bytes of a sample in all buffers.
    pub sample: u64,
    /// Samples that buffers hold at least.
    pub block: usize,
}

impl Extent {
    /// The most that a run over a panel reads, told from its shape alone.
    ///
    /// # Errors
    /// When a setting of the holdout is out of range.
    pub fn of_panel(
        panel: &Panel,
        reading: &Reading,
        holdout: Option<&Holdout>,
    ) -> CoreResult<Self> {
        let (rows, eras) = (panel.rows(), panel.eras());
        let parts = holdout.map(|holdout| holdout.cut(eras.len())).transpose()?;
        let of = |range: std::ops::Range<usize>| range.map(|era| eras.range(era).len()).sum();
        let (train, held) = match parts {
            Some((train, held)) => (of(train), of(held)),
            None => (rows, 0),
        };
        let packed = (rows as u64).saturating_mul(4 * panel.width() as u64);
        let packed = if packed <= reading.memory { packed } else { 0 };
        // Targets, weights, records twice while they are read, and the history of windows.
        let beside = rows as u64 * if reading.window > 1 { 44 } else { 40 };
        Ok(Self {
            train,
            held,
            eras: eras.len(),
            width: panel.width().saturating_mul(reading.window),
            window: reading.window,
            samples: packed.saturating_add(beside),
        })
    }

    /// What a run over these samples reads.
    pub(crate) fn of(samples: &Samples, train: &Samples, held: Option<&Samples>) -> Self {
        Self {
            train: train.len(),
            held: held.map_or(0, Samples::len),
            eras: samples.eras(),
            width: samples.width(),
            window: samples.window(),
            samples: samples.bytes(),
        }
    }

    /// Bytes of the samples, of their parts and order, and of what judges.
    fn bytes(&self, by_era: bool) -> u64 {
        let [train, held, eras] = [self.train, self.held, self.eras].map(|count| count as u64);
        // A part's records, twice while it is cut, and an order of 4 bytes each. Targets, weights and
        // predictions of the holdout are 20 bytes more.
        let parts = if held > 0 { 36 * train + 56 * held + 48 * eras } else { 4 * train };
        let cuts = if by_era { 40 * eras } else { 0 };
        self.samples.saturating_add(parts).saturating_add(cuts)
    }
}

impl Training {
    /// The memory that a run of these settings may take, all of it without [`Training::memory`], and
    /// what it takes beside its engine.
    #[must_use]
    pub fn budget(&self, engine: &dyn Engine, extent: &Extent) -> Budget {
        let parameters = engine.footprint(1).parameters;
        let copies = self.copies(extent).saturating_mul(parameters);
        Budget {
            bytes: self.memory.unwrap_or(u64::MAX),
            held: extent.bytes(self.order == Order::Eras).saturating_add(copies),
            sample: 3 * Buffer::bytes(extent.width, extent.window),
            block: Buffer::block(extent.width),
        }
    }

    /// Copies of the parameters that are held at one time: the table above.
    fn copies(&self, extent: &Extent) -> u64 {
        let average = u64::from(self.average != Average::None);
        let best = u64::from(extent.held > 0);
        let epoch = 3 + best + 5 * average;
        let checkpoint = 10 + best + 2 * average;
        let curvature =
            self.curvature.map_or(0, |it| (it.iterations as u64).saturating_mul(2) + 16);
        let most = epoch.max(checkpoint).max(curvature);
        (3 + best + 2 * average + 3).saturating_add(most)
    }
}

impl Budget {
    /// Bytes that a run takes at most with so many samples together.
    #[must_use]
    pub fn needs(&self, engine: &dyn Engine, samples: usize) -> u64 {
        engine.footprint(samples).total().saturating_add(self.beside(samples))
    }

    /// Bytes beside the engine.
    fn beside(&self, samples: usize) -> u64 {
        let held = samples.max(self.block) as u64;
        self.held.saturating_add(held.saturating_mul(self.sample))
    }

    /// The most samples, `batch` at most, that may go together.
    ///
    /// # Errors
    /// [`Error::Memory`] when not even one fits.
    pub fn fit(&self, engine: &dyn Engine, batch: usize) -> Result<usize> {
        match self.largest(engine, batch) {
            0 => Err(self.refusal(engine, batch, 0)),
            largest => Ok(largest),
        }
    }

    /// Refuses a batch that does not fit whole.
    ///
    /// # Errors
    /// [`Error::Memory`] with what each part takes and the largest batch that would fit.
    pub fn expect(&self, engine: &dyn Engine, batch: usize) -> Result<()> {
        match self.largest(engine, batch) {
            largest if largest == batch => Ok(()),
            largest => Err(self.refusal(engine, batch, largest)),
        }
    }

    /// Bytes that a run takes at most. Predictions go together in larger numbers than a small batch,
    /// where there is room for them.
    ///
    /// # Errors
    /// [`Error::Memory`] when not even one sample fits.
    pub fn peak(&self, engine: &dyn Engine, batch: usize) -> Result<u64> {
        let batch = self.fit(engine, batch)?;
        Ok(self.needs(engine, self.fit(engine, TOGETHER.max(batch))?))
    }

    fn refusal(&self, engine: &dyn Engine, samples: usize, largest: usize) -> Error {
        Error::Memory {
            samples,
            needs: engine.footprint(samples),
            beside: self.beside(samples),
            budget: self.bytes,
            largest,
        }
    }

    fn largest(&self, engine: &dyn Engine, batch: usize) -> usize {
        let fits = |samples| self.needs(engine, samples) <= self.bytes;
        if fits(batch) {
            return batch;
        }
        let (mut below, mut above) = (0, batch);
        while above - below > 1 {
            let middle = below + (above - below) / 2;
            if fits(middle) { below = middle } else { above = middle }
        }
        below
    }
}
