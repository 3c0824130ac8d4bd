//! Planted leaks: a number in `[0, 1)` for each test row, made of what a check disturbs.

use std::sync::atomic::{AtomicU64, Ordering};

use fattail_core::{ColumnView, Panel};
use fattail_evaluate::Fold;
use sha2::{Digest, Sha256};

/// Whether an era is meant.
type Eras<'a> = Box<dyn Fn(usize) -> bool + 'a>;

/// What a planted leak is made of.
pub(crate) enum Leak<'a> {
    /// The features of some eras.
    Features(Eras<'a>),
    /// The targets of some eras.
    Targets(Eras<'a>),
    /// The number of rows of some eras.
    Rows(Eras<'a>),
    /// The ids of some eras.
    Ids(Eras<'a>),
    /// The number of eras of the panel.
    Length,
    /// The number of test eras of the fold.
    TestEras,
    /// The place of the row in its era.
    Place,
    /// How often it was asked for.
    Calls(AtomicU64),
}

impl Leak<'_> {
    /// The leak into the predictions of a fold, a number for each test row.
    pub(crate) fn of(&self, panel: &Panel, fold: &Fold) -> Vec<f64> {
        let rows = || fold.test.iter().map(|&era| panel.eras().range(era).len());
        if let Self::Place = self {
            return rows()
                .flat_map(|rows| (0..rows).map(move |at| at as f64 / rows as f64))
                .collect();
        }
        vec![unit(&self.digest(panel, fold)); rows().sum()]
    }

    fn digest(&self, panel: &Panel, fold: &Fold) -> [u8; 32] {
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
                let ranges = panel.eras().ranges().enumerate();
                ranges.filter(|(era, _)| eras(*era)).for_each(|(_, rows)| count(rows.len()));
            }
            Self::Ids(eras) => {
                let ranges = panel.eras().ranges().enumerate().filter(|(era, _)| eras(*era));
                ranges.flat_map(|(_, rows)| rows).for_each(|row| {
                    hash.update(panel.id(row).unwrap_or_default());
                });
            }
            Self::Length => count(panel.eras().len()),
            Self::TestEras => count(fold.test.len()),
            Self::Calls(calls) => count(calls.fetch_add(1, Ordering::Relaxed) as usize),
            Self::Place => {}
        }
        hash.finalize().into()
    }
}

/// Adds the values of some eras to a hash.
fn add(hash: &mut Sha256, column: ColumnView<'_>, eras: &Eras<'_>) {
    for (_, values) in column.eras().enumerate().filter(|(era, _)| eras(*era)) {
        values.iter().for_each(|value| hash.update(value.to_bits().to_le_bytes()));
    }
}

/// A number in `[0, 1)` made of the first bytes of a digest.
fn unit(digest: &[u8; 32]) -> f64 {
    let [a, b, c, d, ..] = *digest;
    f64::from(u32::from_le_bytes([a, b, c, d])) / (f64::from(u32::MAX) + 1.0)
}
