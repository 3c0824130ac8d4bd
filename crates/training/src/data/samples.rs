//! The samples of a panel: rows with a known target, each alone or with the rows before it.
//!
//! A row is known when its target is finite and its weight, where there are weights, is positive and
//! finite: the rule of the losses. A sample is a known row, or with `window > 1` a known row after
//! `window - 1` rows of the same id (see `history`), oldest first: `window x features` values.
//! Rows with too short a history are left out. Features must be finite: the first that is not is
//! named. Cost: one pass over the panel, 16 bytes a sample.

use std::{ops::Range, sync::Arc};

use fattail_core::{Error, Panel, Result};
use serde::{Deserialize, Serialize};

use super::{history::History, source::Source};
use crate::mix;

/// How samples are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Reading {
    /// Rows a sample: itself and those before it.
    pub window: usize,
    /// The bytes that a packed copy of the features may take; beyond it columns are read in place.
    pub memory: u64,
}

impl Default for Reading {
    fn default() -> Self {
        Self { window: 1, memory: 1 << 30 }
    }
}

/// The samples of a panel. Clones and parts share the features.
///
/// ```
/// use fattail_core::Panel;
/// use fattail_training::{Reading, Samples};
/// let panel = Panel::builder()
///     .eras(&["1", "2", "3"])?
///     .feature("x", vec![0.0f32, 1.0, 2.0])
///     .target("y", vec![0.5f32, f32::NAN, 1.5])
///     .build()?;
/// let samples = Samples::known(&panel, &Reading { window: 2, ..Reading::default() })?;
/// // Row 0 has no row before it, row 1 no target.
/// assert_eq!((samples.len(), samples.width()), (1, 2));
/// assert_eq!(samples.rows().collect::<Vec<_>>(), [2]);
/// # Ok::<(), fattail_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Samples {
    pub(super) source: Arc<Source>,
    pub(super) history: Option<Arc<History>>,
    pub(super) window: usize,
    pub(super) features: usize,
    pub(super) records: Arc<[Record]>,
    pub(super) weighted: bool,
    /// Where the samples of each era begin, and their number at the end.
    bounds: Arc<[usize]>,
    /// The first row of each era of the panel.
    starts: Arc<[u32]>,
    /// Rows of the panel.
    height: usize,
    names: Arc<[Arc<str>]>,
}

/// What a sample has beside its features, together in one cache line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Record {
    pub(super) row: u32,
    pub(super) era: u32,
    pub(super) target: f32,
    pub(super) weight: f32,
}

impl Samples {
    /// The samples that a learner trains on: known rows with their history.
    ///
    /// # Errors
    /// When the panel has no target, a feature is not finite, or no sample is left.
    pub fn known(panel: &Panel, reading: &Reading) -> Result<Self> {
        let target = panel.target()?.to_f32();
        let weight = panel.weights().map(|column| column.to_f32());
        let samples = Self::read(panel, reading, &target, weight.as_deref())?;
        samples.expect_some(reading)
    }

    /// The samples that a model predicts: every row with its history. Targets are NaN.
    ///
    /// # Errors
    /// When a feature is not finite or no sample is left.
    pub fn all(panel: &Panel, reading: &Reading) -> Result<Self> {
        Self::read(panel, reading, &[], None)?.expect_some(reading)
    }

    fn read(
        panel: &Panel,
        reading: &Reading,
        target: &[f32],
        weight: Option<&[f32]>,
    ) -> Result<Self> {
        check(panel, reading)?;
        panel.expect_finite()?;
        let history = (reading.window > 1).then(|| History::new(panel));
        let mut records = Vec::with_capacity(panel.rows());
        for (era, rows) in panel.eras().ranges().enumerate() {
            for row in rows {
                let known = target.is_empty() || target[row].is_finite();
                let weight = weight.map_or(1.0, |weight| weight[row]);
                let long = history
                    .as_ref()
                    .is_none_or(|history| history.oldest(row as u32, reading.window).is_some());
                if known && long && weight > 0.0 && weight.is_finite() {
                    let target = target.get(row).copied().unwrap_or(f32::NAN);
                    records.push(Record { row: row as u32, era: era as u32, target, weight });
                }
            }
        }
        Ok(Self {
            source: Arc::new(Source::new(panel, reading.memory)),
            history: history.map(Arc::new),
            window: reading.window,
            features: panel.width(),
            bounds: bounds(&records),
            records: records.into(),
            weighted: weight.is_some(),
            starts: panel.eras().ranges().map(|rows| rows.start as u32).collect(),
            height: panel.rows(),
            names: panel.schema().features().into(),
        })
    }

    fn expect_some(self, reading: &Reading) -> Result<Self> {
        if !self.is_empty() {
            return Ok(self);
        }
        let long = if reading.window > 1 { " and a history as long as the window" } else { "" };
        Err(Error::empty(format!("the list of rows with a known target{long}")))
    }

    /// The samples of some eras of the panel whose whole windows lie in them.
    #[must_use]
    pub fn part(&self, eras: Range<usize>) -> Self {
        let floor = self.starts.get(eras.start).copied().unwrap_or(u32::MAX);
        let whole = |record: &&Record| {
            let oldest = match &self.history {
                Some(history) => history.oldest(record.row, self.window),
                None => Some(record.row),
            };
            eras.contains(&(record.era as usize)) && oldest.is_some_and(|row| row >= floor)
        };
        let chosen = || self.records.iter().filter(whole).copied();
        let mut records: Vec<Record> = Vec::with_capacity(chosen().count());
        records.extend(chosen());
        Self { bounds: bounds(&records), records: records.into(), ..self.clone() }
    }

    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Values a sample: rows of the window times features.
    #[must_use]
    pub fn width(&self) -> usize {
        self.window * self.features
    }

    /// Rows a sample.
    #[must_use]
    pub fn window(&self) -> usize {
        self.window
    }

    /// The number of eras of the panel, those without samples counted.
    #[must_use]
    pub fn eras(&self) -> usize {
        self.starts.len()
    }

    /// Whether the samples have weights.
    #[must_use]
    pub fn weighted(&self) -> bool {
        self.weighted
    }

    /// Whether the features were packed into a copy.
    #[must_use]
    pub fn is_packed(&self) -> bool {
        self.source.is_packed()
    }

    /// The panel's row of each sample.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = u32> + '_ {
        self.records.iter().map(|record| record.row)
    }

    /// The target of each sample.
    #[must_use]
    pub fn targets(&self) -> Vec<f32> {
        self.records.iter().map(|record| record.target).collect()
    }

    /// The weight of each sample, if there are any.
    #[must_use]
    pub fn weights(&self) -> Option<Vec<f32>> {
        self.weighted.then(|| self.records.iter().map(|record| record.weight).collect())
    }

    /// Where the samples of each era with any begin, and the number of samples at the end.
    #[must_use]
    pub fn bounds(&self) -> &[usize] {
        &self.bounds
    }

    /// Puts one value a sample to the panel's `rows`; rows that are no sample get NaN.
    ///
    /// # Errors
    /// When there is another number of values than of samples, or a sample lies beyond the rows.
    pub fn place(&self, values: &[f32], rows: usize) -> Result<Vec<f32>> {
        let last = self.records.last().map_or(0, |record| record.row as usize + 1);
        if values.len() != self.len() || last > rows {
            let (given, expected) = (values.len(), self.len());
            return Err(Error::Length { name: "predictions".into(), given, expected });
        }
        let mut out = vec![f32::NAN; rows];
        for (record, &value) in self.records.iter().zip(values) {
            out[record.row as usize] = value;
        }
        Ok(out)
    }

    /// Bytes that the samples take: the packed copy, where there is one, and what stands beside it.
    pub(crate) fn bytes(&self) -> u64 {
        let history = if self.history.is_some() { 4 * self.height } else { 0 };
        let beside = 16 * self.len() + 8 * self.bounds.len() + 4 * self.starts.len() + history;
        self.source.bytes() + beside as u64
    }

    /// A number that tells these samples from others: of their shape, the names and the values of
    /// the features, rows, eras, targets and weights. Whether they are packed plays no part.
    pub(crate) fn fingerprint(&self) -> u64 {
        let shape = [self.features, self.window, self.len(), self.height, self.eras()];
        let shape = shape.into_iter().map(|count| count as u64);
        let names = self.names.iter().map(|name| mix::text(name));
        let values = self.source.fingerprint(self.height, self.features);
        let pair = |high: u32, low: u32| u64::from(high) << 32 | u64::from(low);
        let records = self.records.iter().flat_map(|record| {
            let Record { row, era, target, weight } = *record;
            [pair(row, era), pair(target.to_bits(), weight.to_bits())]
        });
        let all = shape.chain(names).chain([values]).chain(records);
        all.fold(0xcbf2_9ce4_8422_2325, mix::fold)
    }
}

/// Refuses readings and panels that no sample can be read from.
fn check(panel: &Panel, reading: &Reading) -> Result<()> {
    if reading.window == 0 {
        return Err(Error::setting("window", reading.window, "at least 1"));
    }
    if panel.width() == 0 {
        return Err(Error::empty("the list of features"));
    }
    if panel.rows() >= u32::MAX as usize {
        return Err(Error::setting("rows of the panel", panel.rows(), "below 2^32 - 1"));
    }
    Ok(())
}

fn bounds(records: &[Record]) -> Arc<[usize]> {
    let changes = records.windows(2).zip(1..).filter(|(pair, _)| pair[0].era != pair[1].era);
    let inner = changes.map(|(_, at)| at);
    let first = (!records.is_empty()).then_some(0);
    first.into_iter().chain(inner).chain([records.len()]).collect()
}
