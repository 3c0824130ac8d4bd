//! Planted leaks: a number in `[0, 1)` for each test row, made of what a check disturbs.

use std::sync::atomic::{AtomicU64, Ordering};

use fattail_core::{ColumnView, Panel};
use fattail_evaluate::Fold;
use sha2::{Digest, Sha256};

/// What a planted leak is made of. Lists say which eras are meant.
pub(crate) enum Leak {
    /// The features of some eras.
    Features(Vec<bool>),
    /// The targets of some eras.
    Targets(Vec<bool>),
    /// The number of rows of some eras.
    Rows(Vec<bool>),
    /// The ids of some eras.
    Ids(Vec<bool>),
    /// The number of eras of the panel.
    Length,
    /// The number of test eras of the fold.
    TestEras,
    /// The place of the row in its era.
    Place,
    /// How often it was asked for.
    Calls(AtomicU64),
}

impl Leak {
    /// The leak into the predictions of a fold, a number for each test row.
    pub(crate) fn of(&self, panel: &Panel, fold: &Fold) -> Vec<f64> {
        let rows = || fold.test.iter().map(|&era| panel.eras().range(era).len());
        if let Self::Place = self {
            return rows()
                .flat_map(|rows| (0..rows).map(move |at| at as f64 / rows as f64))
                .collect();
        }
        let digest = self.digest(panel, fold);
        // One number a row: two digests that differ cannot be near in all of them.
        (0..rows().sum()).map(|at: usize| unit(digest, at as u64)).collect()
    }

    /// The first bytes of a digest of what is meant.
    fn digest(&self, panel: &Panel, fold: &Fold) -> u64 {
        let mut hash = Sha256::new();
        let mut count = |n: usize| hash.update((n as u64).to_le_bytes());
        match self {
            Self::Features(eras) => {
                for at in 0..panel.width() {
                    add(&mut hash, panel.feature(at), eras);
                }
            }
            Self::Targets(eras) => {
                if let Ok(target) = panel.target() {
                    add(&mut hash, target, eras);
                }
            }
            Self::Rows(eras) => {
                let ranges = panel.eras().ranges().zip(eras);
                ranges.filter(|(_, meant)| **meant).for_each(|(rows, _)| count(rows.len()));
            }
            Self::Ids(eras) => {
                let ranges = panel.eras().ranges().zip(eras).filter(|(_, meant)| **meant);
                ranges.flat_map(|(rows, _)| rows).for_each(|row| {
                    hash.update(panel.id(row).unwrap_or_default());
                });
            }
            Self::Length => count(panel.eras().len()),
            Self::TestEras => count(fold.test.len()),
            Self::Calls(calls) => count(calls.fetch_add(1, Ordering::Relaxed) as usize),
            Self::Place => {}
        }
        let [a, b, c, d, e, f, g, h, ..]: [u8; 32] = hash.finalize().into();
        u64::from_le_bytes([a, b, c, d, e, f, g, h])
    }
}

/// Adds the values of some eras to a hash.
fn add(hash: &mut Sha256, column: ColumnView<'_>, eras: &[bool]) {
    for (values, _) in column.eras().zip(eras).filter(|(_, meant)| **meant) {
        values.iter().for_each(|value| hash.update(value.to_bits().to_le_bytes()));
    }
}

/// A number in `[0, 1)` made of a digest and a row (the finaliser of Steele, Lea and Flood's SplitMix).
fn unit(digest: u64, row: u64) -> f64 {
    let mut z = digest.wrapping_add(row.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}
