//! Columns of blocks as Arrow arrays: the values stay where they are.

use std::sync::Arc;

use arrow::{
    array::{
        ArrayRef, BooleanArray, Date32Array, Float64Array, Int32Array, Int64Array, StringArray,
        Time64MicrosecondArray, TimestampMicrosecondArray,
    },
    buffer::{BooleanBuffer, Buffer, MutableBuffer, NullBuffer, OffsetBuffer, ScalarBuffer},
    datatypes::{DataType, Field, TimeUnit},
    error::ArrowError,
    util::bit_util,
};
use fattail_mend::{Column, Data, Filled, Kind};

/// The field that a column is written as. Narrow integers get their width when all are known.
pub(crate) fn field(column: &Column, texts: bool) -> Field {
    let kind = if texts { Kind::TEXT } else { column.kind };
    let kind = match kind {
        Kind::Boolean => DataType::Boolean,
        Kind::Integer { wide: false, .. } => DataType::Int32,
        Kind::Integer { .. } => DataType::Int64,
        Kind::Float { .. } => DataType::Float64,
        Kind::Date { .. } => DataType::Date32,
        Kind::Timestamp { zoned, .. } => {
            DataType::Timestamp(TimeUnit::Microsecond, zoned.then(|| "UTC".into()))
        }
        Kind::Time => DataType::Time64(TimeUnit::Microsecond),
        Kind::Text { .. } => DataType::Utf8,
    };
    Field::new(&column.name, kind, true)
}

/// A column of a block as an array of a field.
pub(crate) fn array(field: &Field, filled: Filled) -> Result<ArrayRef, ArrowError> {
    let rows = filled.data.len();
    let nulls = nulls(rows, &filled.missing);
    Ok(match (filled.data, field.data_type()) {
        (Data::Booleans(values), _) => {
            Arc::new(BooleanArray::new(BooleanBuffer::from(values), nulls))
        }
        (Data::Narrow(values), DataType::Date32) => {
            Arc::new(Date32Array::new(values.into(), nulls))
        }
        (Data::Narrow(values), _) => Arc::new(Int32Array::new(values.into(), nulls)),
        (Data::Wide(values), DataType::Time64(_)) => {
            Arc::new(Time64MicrosecondArray::new(values.into(), nulls))
        }
        (Data::Wide(values), DataType::Timestamp(_, zone)) => {
            let array = TimestampMicrosecondArray::new(values.into(), nulls);
            Arc::new(array.with_timezone_opt(zone.clone()))
        }
        (Data::Wide(values), _) => Arc::new(Int64Array::new(values.into(), nulls)),
        (Data::Floats(values), _) => Arc::new(Float64Array::new(values.into(), nulls)),
        (Data::Texts { ends, bytes }, _) => Arc::new(texts(ends, bytes, nulls)?),
    })
}

fn texts(
    mut ends: Vec<i32>,
    bytes: Vec<u8>,
    nulls: Option<NullBuffer>,
) -> Result<StringArray, ArrowError> {
    ends.insert(0, 0);
    let offsets = OffsetBuffer::new(ScalarBuffer::from(ends));
    StringArray::try_new(offsets, Buffer::from_vec(bytes), nulls)
}

fn nulls(rows: usize, missing: &[u32]) -> Option<NullBuffer> {
    if missing.is_empty() {
        return None;
    }
    let mut bits = MutableBuffer::new_null(rows);
    let bytes = bits.as_slice_mut();
    bytes.fill(0xff);
    for &row in missing {
        bit_util::unset_bit(bytes, row as usize);
    }
    Some(NullBuffer::new(BooleanBuffer::new(bits.into(), 0, rows)))
}
