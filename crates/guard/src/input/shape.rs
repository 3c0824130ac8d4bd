//! What single values do not show: columns that hold one value alone, columns and rows that are equal.
//!
//! Whether a column of an era could hold one value alone by chance: with `f` the largest share that one
//! value filled of a training era, the `n` values are equal with a chance of about `f^n`, and so are two
//! columns that have nothing to do with each other. Below [`CHANCE`] it is no chance.
//!
//! Equality is told by hashes `Σ k_i b_i mod 2⁶⁴` of the bits `b` of the values with odd random keys `k`, of
//! the rows for a column and of the columns for a row; columns are then compared value by value.
//!
//! Cost: two multiplications a value. Reference: Carter and Wegman (1979), Universal classes of hash
//! functions, JCSS 18.

use std::collections::HashMap;

use fattail_core::{ColumnView, Values};

/// A chance that is none.
const CHANCE: f64 = 1e-9;
/// The bits that stand for every NaN.
const NAN: u32 = 0x7fc0_0000;

/// One column of one era.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    /// Values that are not NaN.
    pub(super) given: usize,
    /// The value that it holds alone.
    pub(super) single: Option<f32>,
    hash: u64,
}

impl Look {
    /// Whether the column is wholly missing: NaN, or the value that stands for it.
    pub(super) fn is_missing(&self, bin: Option<u8>) -> bool {
        self.given == 0 || self.single.is_some() && self.single == bin.map(f32::from)
    }
}

/// Eras of some columns, one after the other.
pub(super) struct Looker<'a> {
    /// Features, then targets.
    columns: Vec<ColumnView<'a>>,
    features: usize,
    keys: Vec<u64>,
    rows: Vec<u64>,
    pub(super) looks: Vec<Look>,
}

/// A feature that equals an earlier one, or a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Equal {
    Features(usize, usize),
    Target(usize, usize),
}

/// Whether `n` values may be equal by chance where one value filled a share of at most `fullest`.
pub(super) fn by_chance(fullest: f64, n: usize) -> bool {
    fullest.powf(n as f64) >= CHANCE
}

/// Four standard deviations of a share `p` of `n`, and a small number's worth.
pub(super) fn slack(p: f64, n: usize) -> f64 {
    let n = n.max(1) as f64;
    4.0 * (p * (1.0 - p) / n).sqrt() + 4.0 / n
}

/// How often the most common value stands that is not NaN.
pub(super) fn fullest(values: Values<'_>) -> usize {
    match values {
        Values::U8(values) => {
            let mut counts = [0usize; 256];
            values.iter().for_each(|&bin| counts[usize::from(bin)] += 1);
            counts.into_iter().max().unwrap_or(0)
        }
        Values::F32(values) => {
            let given = values.iter().filter(|value| !value.is_nan());
            // Zeros of both signs are one value.
            let mut bits: Vec<u32> = given.map(|value| (value + 0.0).to_bits()).collect();
            bits.sort_unstable();
            bits.chunk_by(|a, b| a == b).map(<[u32]>::len).max().unwrap_or(0)
        }
    }
}

impl<'a> Looker<'a> {
    pub(super) fn new(features: Vec<ColumnView<'a>>, targets: Vec<ColumnView<'a>>) -> Self {
        let width = features.len();
        let mut columns = features;
        columns.extend(targets);
        let (keys, rows, looks) = (Vec::new(), Vec::new(), Vec::new());
        Self { columns, features: width, keys, rows, looks }
    }

    /// Looks at an era.
    pub(super) fn era(&mut self, era: usize) {
        let n = self.columns.first().map_or(0, |column| column.era(era).len());
        self.keys.extend((self.keys.len() as u64..n as u64).map(key));
        self.rows.clear();
        self.rows.resize(n, 0);
        self.looks.clear();
        let mut none = vec![0; if self.columns.len() > self.features { n } else { 0 }];
        for (at, column) in self.columns.iter().enumerate() {
            let rows = if at < self.features { &mut self.rows } else { &mut none };
            let ours = key(!(at as u64));
            self.looks.push(match column.era(era) {
                Values::U8(values) => look(values, |&v| f32::from(v), ours, &self.keys, rows),
                Values::F32(values) => look(values, |&v| v, ours, &self.keys, rows),
            });
        }
    }

    /// Rows among some of the era that equal an earlier one in all features.
    pub(super) fn equal_rows(&self, kept: impl Fn(usize) -> bool) -> usize {
        let rows = self.rows.iter().enumerate().filter(|(row, _)| kept(*row));
        let mut hashes: Vec<u64> = rows.map(|(_, hash)| *hash).collect();
        hashes.sort_unstable();
        hashes.windows(2).filter(|pair| pair[0] == pair[1]).count()
    }

    /// Features of the era that equal an earlier one or a target, those that hold one value alone aside.
    pub(super) fn equal_columns(&self, era: usize) -> Vec<Equal> {
        let telling = |look: &Look| look.single.is_none() && look.given > 0;
        let same = |a: usize, b: usize| {
            let (a, b) = (self.columns[a].era(era), self.columns[b].era(era));
            a.iter().zip(b.iter()).all(|(a, b)| bits(a) == bits(b))
        };
        let (mut found, mut known) = (Vec::new(), HashMap::new());
        let (features, targets) = self.looks.split_at(self.features);
        for (at, look) in features.iter().enumerate().filter(|(_, look)| telling(look)) {
            let first = *known.entry(look.hash).or_insert(at);
            if first < at && same(first, at) {
                found.push(Equal::Features(first, at));
            }
        }
        for (at, look) in targets.iter().enumerate().filter(|(_, look)| telling(look)) {
            if let Some(&feature) = known.get(&look.hash)
                && same(feature, self.features + at)
            {
                found.push(Equal::Target(feature, at));
            }
        }
        found
    }
}

fn bits(value: f32) -> u32 {
    if value.is_nan() { NAN } else { value.to_bits() }
}

fn look<T>(
    values: &[T],
    number: impl Fn(&T) -> f32,
    ours: u64,
    keys: &[u64],
    rows: &mut [u64],
) -> Look {
    let (mut hash, mut missing) = (0u64, 0);
    for ((value, key), row) in values.iter().zip(keys).zip(rows) {
        let value = number(value);
        missing += usize::from(value.is_nan());
        let bits = u64::from(bits(value));
        hash = hash.wrapping_add(key.wrapping_mul(bits));
        *row = row.wrapping_add(ours.wrapping_mul(bits));
    }
    let mut given = values.iter().map(number).filter(|value| !value.is_nan());
    let single = given.next().filter(|first| given.all(|value| value == *first));
    Look { given: values.len() - missing, single, hash }
}

/// An odd key: the finaliser of SplitMix64 (Steele, Lea and Flood 2014).
fn key(at: u64) -> u64 {
    let z = at.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z ^ (z >> 31)) | 1
}

#[cfg(test)]
mod tests {
    use fattail_core::Panel;

    use super::*;

    #[test]
    fn an_era_by_hand() {
        let panel = Panel::builder()
            .feature("bins", vec![0u8, 1, 2, 1])
            .feature("single", vec![0.5f32, f32::NAN, 0.5, 0.5])
            .feature("same", vec![0.0f32, 1.0, 2.0, 1.0])
            .feature("other", vec![0.0f32, 1.0, 2.0, 2.0])
            .target("leak", vec![0.0f32, 1.0, 2.0, 2.0])
            .build()
            .unwrap();
        let features = (0..4).map(|at| panel.feature(at)).collect();
        let mut looker = Looker::new(features, vec![panel.target().unwrap()]);
        looker.era(0);
        assert_eq!((looker.looks[1].single, looker.looks[1].given), (Some(0.5), 3));
        assert_eq!(looker.looks[0].single, None);
        assert_eq!(looker.equal_columns(0), [Equal::Features(0, 2), Equal::Target(3, 0)]);
        // NaN and 0.5 differ, and so do 1 and 2.
        assert_eq!(looker.equal_rows(|_| true), 0);
        let mut looker = Looker::new(vec![panel.feature(0)], Vec::new());
        looker.era(0);
        assert_eq!((looker.equal_rows(|_| true), looker.equal_rows(|row| row < 3)), (1, 0));
    }

    #[test]
    fn the_fullest_value() {
        assert_eq!(fullest(Values::U8(&[1, 2, 2, 3])), 2);
        assert_eq!(fullest(Values::F32(&[0.0, -0.0, f32::NAN, f32::NAN, f32::NAN, 1.0])), 2);
        assert_eq!(fullest(Values::F32(&[f32::NAN])), 0);
        assert!(by_chance(0.99, 300) && by_chance(1.0, 1 << 20) && !by_chance(0.3, 300));
    }
}
