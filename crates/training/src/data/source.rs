//! Where the features of a row come from: a packed matrix, or the panel's columns.
//!
//! The packed matrix is row-major `f32`, one row after another, so that a sample is one or two
//! cache lines: it takes 4 bytes a value. Columns take nothing beyond the panel and cost a cache line
//! a value. Missing values are refused before either is read. Cost of packing: rows x columns, in
//! blocks of rows, on all threads.

use fattail_core::{ColumnData, Panel};
use rayon::prelude::*;

use crate::mix;

/// Rows that are packed together: a block of a few hundred columns stays in the cache.
const BLOCK: usize = 128;

/// The features of a panel's rows.
#[derive(Debug)]
pub(super) enum Source {
    /// Row after row.
    Packed(Vec<f32>),
    /// Column after column.
    Columns(Vec<Column>),
}

impl Source {
    /// Packs the panel where it takes at most `memory` bytes.
    pub(super) fn new(panel: &Panel, memory: u64) -> Self {
        let columns: Vec<Column> =
            (0..panel.width()).map(|position| Column::new(panel, position)).collect();
        let bytes = (panel.rows() as u64).saturating_mul(panel.width() as u64).saturating_mul(4);
        if bytes <= memory { Self::Packed(pack(panel, &columns)) } else { Self::Columns(columns) }
    }

    /// Writes the rows, one after another, each of `width` values.
    pub(super) fn write(
        &self,
        rows: impl Iterator<Item = u32> + Clone,
        width: usize,
        out: &mut [f32],
    ) {
        match self {
            Self::Packed(values) => copy(values, rows, width, out),
            Self::Columns(columns) => {
                for (position, column) in columns.iter().enumerate() {
                    let slots = out[position..].iter_mut().step_by(width);
                    column.write(rows.clone(), slots);
                }
            }
        }
    }

    /// Bytes that are taken beyond the panel.
    pub(super) fn bytes(&self) -> u64 {
        match self {
            Self::Packed(values) => 4 * values.len() as u64,
            Self::Columns(_) => 0,
        }
    }

    /// A number that tells the values of so many rows from others, packed or not: of blocks of rows,
    /// and of those numbers in their order.
    pub(super) fn fingerprint(&self, rows: usize, width: usize) -> u64 {
        let block = |first: usize| {
            let last = rows.min(first + BLOCK);
            let mut values = vec![0.0f32; (last - first) * width];
            self.write(first as u32..last as u32, width, &mut values);
            let bits = values.iter().map(|value| u64::from(value.to_bits()));
            bits.fold(first as u64, mix::fold)
        };
        let blocks: Vec<u64> = (0..rows).into_par_iter().step_by(BLOCK).map(block).collect();
        blocks.into_iter().fold(rows as u64, mix::fold)
    }

    /// Whether the matrix is packed.
    pub(super) fn is_packed(&self) -> bool {
        matches!(self, Self::Packed(_))
    }
}

/// Copies rows. Narrow ones have their width known when compiled: a copy is then a load and a store or
/// two, so that many rows are under way at once.
fn copy(values: &[f32], rows: impl Iterator<Item = u32>, width: usize, out: &mut [f32]) {
    macro_rules! narrow {
        ($($width:literal)*) => {
            match width {
                $($width => copy_narrow::<$width>(values, rows, out),)*
                _ => copy_wide(values, rows, width, out),
            }
        };
    }
    narrow!(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16);
}

fn copy_narrow<const WIDTH: usize>(
    values: &[f32],
    rows: impl Iterator<Item = u32>,
    out: &mut [f32],
) {
    let (values, _) = values.as_chunks::<WIDTH>();
    let (slots, _) = out.as_chunks_mut::<WIDTH>();
    slots.iter_mut().zip(rows).for_each(|(slot, row)| *slot = values[row as usize]);
}

fn copy_wide(values: &[f32], rows: impl Iterator<Item = u32>, width: usize, out: &mut [f32]) {
    for (slot, row) in out.chunks_exact_mut(width).zip(rows) {
        let start = row as usize * width;
        slot.copy_from_slice(&values[start..start + width]);
    }
}

fn pack(panel: &Panel, columns: &[Column]) -> Vec<f32> {
    let width = panel.width();
    let mut values = vec![0.0; panel.rows() * width];
    values.par_chunks_mut(BLOCK * width).enumerate().for_each(|(block, out)| {
        let first = (block * BLOCK) as u32;
        let rows = first..first + (out.len() / width) as u32;
        for (position, column) in columns.iter().enumerate() {
            column.write(rows.clone(), out[position..].iter_mut().step_by(width));
        }
    });
    values
}

/// One feature.
#[derive(Debug)]
pub(super) enum Column {
    /// Values that lie end to end, and where the panel's rows begin in them.
    Whole(ColumnData, usize),
    /// A column that was cut into eras.
    Pieces(Panel, usize),
}

impl Column {
    fn new(panel: &Panel, position: usize) -> Self {
        match panel.feature(position).shared() {
            Some((data, first)) => Self::Whole(data, first),
            None => Self::Pieces(panel.clone(), position),
        }
    }

    fn write<'a>(&self, rows: impl Iterator<Item = u32>, slots: impl Iterator<Item = &'a mut f32>) {
        match self {
            Self::Whole(ColumnData::U8(values), first) => {
                let values = &values[*first..];
                rows.zip(slots).for_each(|(row, slot)| *slot = f32::from(values[row as usize]));
            }
            Self::Whole(ColumnData::F32(values), first) => {
                let values = &values[*first..];
                rows.zip(slots).for_each(|(row, slot)| *slot = values[row as usize]);
            }
            Self::Pieces(panel, position) => {
                let (column, eras) = (panel.feature(*position), panel.eras());
                for (row, slot) in rows.zip(slots) {
                    // Rows come from this panel, so that each has an era.
                    let era = eras.of_row(row as usize).unwrap_or_default();
                    *slot = column.era(era).get(row as usize - eras.range(era).start);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_whole_and_cut_columns_read_the_same() {
        let panel = Panel::builder()
            .eras(&["1", "2", "2", "3"])
            .unwrap()
            .feature("a", vec![1u8, 2, 3, 4])
            .feature("b", vec![0.1f32, 0.2, 0.3, 0.4])
            .build()
            .unwrap();
        let holes = panel.cut(&[0, 2]).unwrap();
        for memory in [0, 1 << 20] {
            let mut out = [0.0; 6];
            let source = Source::new(&panel, memory);
            source.write([3, 0, 2].into_iter(), 2, &mut out);
            assert_eq!(out, [4.0, 0.4, 1.0, 0.1, 3.0, 0.3]);
            let source = Source::new(&holes, memory);
            source.write([1, 0].into_iter(), 2, &mut out[..4]);
            assert_eq!(out[..4], [4.0, 0.4, 1.0, 0.1]);
            assert_eq!(source.is_packed(), memory > 0);
        }
    }
}
