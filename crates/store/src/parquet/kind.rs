//! What a column of a Parquet file holds, as far as panels care.

use parquet::{
    basic::{ConvertedType, LogicalType, TimeUnit, Type},
    schema::types::ColumnDescriptor,
};

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Bool,
    I32,
    U32,
    I64,
    U64,
    F32,
    F64,
    Text,
    Date,
    Timestamp(Unit),
    /// Nested, decimal, fixed-length, 96-bit.
    Other,
}

/// What a timestamp counts since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Milli,
    Micro,
    Nano,
}

impl Kind {
    pub(super) fn of(column: &ColumnDescriptor) -> Self {
        if column.path().parts().len() != 1 || column.max_rep_level() != 0 {
            return Self::Other;
        }
        match column.physical_type() {
            Type::BOOLEAN => Self::Bool,
            Type::FLOAT => Self::F32,
            Type::DOUBLE => Self::F64,
            Type::INT32 => int32(column),
            Type::INT64 => int64(column),
            Type::BYTE_ARRAY if column.converted_type() != ConvertedType::DECIMAL => Self::Text,
            _ => Self::Other,
        }
    }

    /// Whether the column holds numbers.
    pub(super) fn is_number(self) -> bool {
        !matches!(self, Self::Text | Self::Date | Self::Timestamp(_) | Self::Other)
    }

    /// Whether the column may hold bins.
    pub(super) fn is_discrete(self) -> bool {
        matches!(self, Self::Bool | Self::I32 | Self::U32 | Self::I64 | Self::U64)
    }

    /// Whether the column can label eras or rows.
    pub(super) fn is_key(self) -> bool {
        !matches!(self, Self::Bool | Self::F32 | Self::F64 | Self::Other)
    }
}

fn int32(column: &ColumnDescriptor) -> Kind {
    match column.converted_type() {
        ConvertedType::DATE => Kind::Date,
        ConvertedType::DECIMAL | ConvertedType::TIME_MILLIS => Kind::Other,
        ConvertedType::UINT_8 | ConvertedType::UINT_16 | ConvertedType::UINT_32 => Kind::U32,
        _ => Kind::I32,
    }
}

fn int64(column: &ColumnDescriptor) -> Kind {
    if let Some(LogicalType::Timestamp(timestamp)) = column.logical_type_ref() {
        return Kind::Timestamp(match timestamp.unit {
            TimeUnit::MILLIS => Unit::Milli,
            TimeUnit::MICROS => Unit::Micro,
            TimeUnit::NANOS => Unit::Nano,
        });
    }
    if let Some(LogicalType::Time(_)) = column.logical_type_ref() {
        return Kind::Other;
    }
    match column.converted_type() {
        ConvertedType::TIMESTAMP_MILLIS => Kind::Timestamp(Unit::Milli),
        ConvertedType::TIMESTAMP_MICROS => Kind::Timestamp(Unit::Micro),
        ConvertedType::DECIMAL | ConvertedType::TIME_MICROS => Kind::Other,
        ConvertedType::UINT_64 => Kind::U64,
        _ => Kind::I64,
    }
}
