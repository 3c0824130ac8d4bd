//! Binned columns: codes in the order of the panel's rows.

use std::sync::OnceLock;

use fattail_core::{ColumnData, ColumnView, Shared, Values};

use crate::{Kind, Mapper, lookup::Lookup};

/// The codes of a column.
#[derive(Debug, Clone)]
pub enum Codes {
    /// Up to 256 bins; small-integer columns of the panel are shared, not copied.
    U8 {
        /// The values.
        values: Shared<u8>,
        /// Where the first row is.
        start: usize,
    },
    /// More bins.
    U16(Shared<u16>),
}

impl Codes {
    /// The code of a row.
    ///
    /// # Panics
    /// When there is no such row, as indexing a slice does.
    #[must_use]
    pub fn get(&self, row: usize) -> usize {
        match self {
            Self::U8 { values, start } => values[start + row].into(),
            Self::U16(values) => values[row].into(),
        }
    }
}

/// A column of codes and what they stand for.
#[derive(Debug, Clone)]
pub struct BinnedColumn {
    /// What the codes stand for.
    pub mapper: Mapper,
    /// One code a row.
    pub codes: Codes,
}

/// A binned panel.
#[derive(Debug, Clone)]
pub struct Binned {
    /// The columns, in the order of the features.
    pub columns: Vec<BinnedColumn>,
    /// The number of rows.
    pub rows: usize,
}

/// The codes of constant columns, made once for all of them.
pub(crate) struct Constant {
    rows: usize,
    zeros: OnceLock<Shared<u8>>,
}

impl Constant {
    pub(crate) fn new(rows: usize) -> Self {
        Self { rows, zeros: OnceLock::new() }
    }

    fn codes(&self) -> Codes {
        let values = self.zeros.get_or_init(|| vec![0; self.rows].into()).clone();
        Codes::U8 { values, start: 0 }
    }
}

/// The codes of a column.
pub(crate) fn codes(mapper: &Mapper, view: ColumnView<'_>, constant: &Constant) -> Codes {
    if mapper.bins < 2 {
        return constant.codes();
    }
    if view.is_u8() {
        return byte_codes(mapper, view);
    }
    let lookup = Lookup::new(mapper);
    if mapper.width() == 1 {
        own(collect(view, |values, out| lookup.extend(numbers(values), |code| code as u8, out)))
    } else {
        let codes = collect(view, |values, out| lookup.extend(numbers(values), |code| code, out));
        Codes::U16(codes.into())
    }
}

/// Whether the codes of a column need memory of their own, values unseen in training aside: those of
/// small integers do not when every value up to the largest has its own bin.
pub(crate) fn is_copied(mapper: &Mapper, view: ColumnView<'_>) -> bool {
    let numeric = matches!(mapper.kind, Kind::Numeric { .. });
    let as_they_are = numeric && mapper.bins as f64 == mapper.max + 1.0;
    mapper.bins > 1 && !(view.is_u8() && as_they_are && view.contiguous().is_some())
}

fn byte_codes(mapper: &Mapper, view: ColumnView<'_>) -> Codes {
    let table: [u16; 256] = std::array::from_fn(|value| mapper.code(value as f64) as u16);
    let as_they_are = mapper.width() == 1 && is_identity(&table, view);
    match view.shared() {
        Some((ColumnData::U8(values), start)) if as_they_are => return Codes::U8 { values, start },
        _ if as_they_are => return own(collect(view, |v, out| out.extend_from_slice(bytes(v)))),
        _ => {}
    }
    let code = |&value: &u8| table[usize::from(value)];
    if mapper.width() == 1 {
        own(collect(view, |v, out| out.extend(bytes(v).iter().map(|value| code(value) as u8))))
    } else {
        Codes::U16(collect(view, |v, out| out.extend(bytes(v).iter().map(code))).into())
    }
}

/// Whether the values of a column are their own codes.
fn is_identity(table: &[u16; 256], view: ColumnView<'_>) -> bool {
    let moved: [bool; 256] = std::array::from_fn(|value| usize::from(table[value]) != value);
    let Some(first) = moved.iter().position(|&moved| moved) else { return true };
    view.eras().all(|values| {
        let Values::U8(values) = values else { return false };
        // Most blocks need but their largest value.
        values.chunks(1 << 14).all(|block| {
            let largest = block.iter().fold(0, |a, &v| v.max(a));
            usize::from(largest) < first || !block.iter().any(|&v| moved[usize::from(v)])
        })
    })
}

fn collect<T>(view: ColumnView<'_>, mut add: impl FnMut(Values<'_>, &mut Vec<T>)) -> Vec<T> {
    let mut out = Vec::with_capacity(view.len());
    view.eras().for_each(|values| add(values, &mut out));
    out
}

fn own(codes: Vec<u8>) -> Codes {
    Codes::U8 { values: codes.into(), start: 0 }
}

fn numbers(values: Values<'_>) -> &[f32] {
    match values {
        Values::F32(values) => values,
        Values::U8(_) => unreachable!("all eras of a column have one type"),
    }
}

fn bytes(values: Values<'_>) -> &[u8] {
    match values {
        Values::U8(values) => values,
        Values::F32(_) => unreachable!("all eras of a column have one type"),
    }
}
