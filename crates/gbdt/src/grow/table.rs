//! Which bins of a feature go left, as a table.

use fattail_bins::{BinnedColumn, Codes};

use crate::split::Side;

/// One flag a bin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Table {
    /// Of 8-bit codes.
    Narrow(Box<[bool; 256]>),
    /// Of 16-bit codes; what is beyond goes right.
    Wide(Box<[bool]>),
}

impl Table {
    /// The table of a split of a column.
    pub(crate) fn new(column: &BinnedColumn, side: &Side) -> Self {
        let missing = column.mapper.missing_bin();
        let left = |bin: usize| side.goes_left(bin, missing);
        match column.codes {
            Codes::U8 { .. } => Self::Narrow(Box::new(std::array::from_fn(left))),
            Codes::U16(_) => Self::Wide((0..column.mapper.bins).map(left).collect()),
        }
    }

    /// Asks about each row in turn.
    #[inline(always)]
    pub(crate) fn ask<'a>(&'a self, column: &'a BinnedColumn) -> Question<'a> {
        match (self, &column.codes) {
            (Self::Narrow(table), Codes::U8 { values, start }) => {
                Question::Narrow(table, &values[*start..])
            }
            (Self::Wide(table), Codes::U16(values)) => Question::Wide(table, values),
            _ => unreachable!("a table is made for the width of its column"),
        }
    }
}

/// A table and the codes it is asked about.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Question<'a> {
    Narrow(&'a [bool; 256], &'a [u8]),
    Wide(&'a [bool], &'a [u16]),
}

impl Question<'_> {
    /// Whether a row goes left.
    #[inline(always)]
    pub(crate) fn goes_left(self, row: usize) -> bool {
        match self {
            Self::Narrow(table, codes) => table[usize::from(codes[row])],
            Self::Wide(table, codes) => {
                table.get(usize::from(codes[row])).copied().unwrap_or(false)
            }
        }
    }
}
