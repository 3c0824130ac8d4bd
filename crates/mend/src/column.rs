//! The columns of a table: a name, a kind, the markers of its missing values, and the shape of its cells.

use serde::{Deserialize, Serialize};

use crate::{
    cell::{DAY, DateOrder, NumberForm, boolean, date, time, told_clock, told_day},
    shape::Shape,
};

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// True or false.
    Boolean,
    /// Whole numbers, of 32 bits or, where `wide`, of 64.
    Integer {
        /// How they are written.
        form: NumberForm,
        /// Whether they need 64 bits.
        wide: bool,
    },
    /// Numbers.
    Float {
        /// How they are written.
        form: NumberForm,
    },
    /// Days.
    Date {
        /// The order of day, month and year.
        order: DateOrder,
    },
    /// Days and times.
    Timestamp {
        /// The order of day, month and year.
        order: DateOrder,
        /// Whether the texts tell their zone.
        zoned: bool,
    },
    /// Times of day.
    Time,
    /// Anything.
    Text {
        /// Whether a few texts make up the column.
        category: bool,
    },
}

impl Kind {
    /// Text of no kind.
    pub const TEXT: Self = Self::Text { category: false };

    /// Whether any text fits.
    pub fn is_text(self) -> bool {
        matches!(self, Self::Text { .. })
    }

    /// Reads a cell; `None` where it does not fit.
    pub(crate) fn read(self, cell: &[u8]) -> Option<Value> {
        match self {
            Self::Boolean => boolean(cell).map(Value::Boolean),
            Self::Integer { form, wide } => {
                let value = form.read_integer(cell)?;
                (wide || i32::try_from(value).is_ok()).then_some(Value::Integer(value))
            }
            Self::Float { form } => form.read(cell).map(Value::Float),
            Self::Date { order } => {
                let moment = date(cell, order)?;
                moment.micros.is_none().then_some(Value::Integer(moment.days.into()))
            }
            // A day without a time among timestamps is its midnight.
            Self::Timestamp { order, .. } => Some(Value::Integer(date(cell, order)?.timestamp())),
            Self::Time => time(cell).map(Value::Integer),
            Self::Text { .. } => Some(Value::Text),
        }
    }

    /// A value as it is written in a log; nothing where it is missing.
    pub(crate) fn told(self, value: Value) -> Option<String> {
        match (value, self) {
            (Value::Missing | Value::Text, _) => None,
            (Value::Boolean(value), _) => Some(value.to_string()),
            (Value::Float(value), _) => Some(value.to_string()),
            (Value::Integer(value), Self::Date { .. }) => Some(told_day(value)),
            (Value::Integer(value), Self::Timestamp { .. }) => {
                let (day, clock) = (value.div_euclid(DAY), value.rem_euclid(DAY));
                Some(format!("{}T{}", told_day(day), told_clock(clock)))
            }
            (Value::Integer(value), Self::Time) => Some(told_clock(value)),
            (Value::Integer(value), _) => Some(value.to_string()),
        }
    }
}

/// What a cell says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Value {
    Missing,
    Boolean(bool),
    /// A number, days since 1970, microseconds since 1970 or since midnight.
    Integer(i64),
    Float(f64),
    Text,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Its name, no other column's.
    pub name: String,
    /// What it holds.
    pub kind: Kind,
    /// Texts that stand for a missing value in this column, beside the empty one. None are found in columns of
    /// text, where they have to be given.
    #[serde(default)]
    pub missing: Vec<String>,
    /// What its cells look like; alignment of ragged rows goes by it.
    #[serde(default)]
    pub shape: Shape,
    /// Whether the kind was asked for: a value of a wider kind is then a misfit.
    #[serde(skip)]
    pub declared: bool,
}

impl Column {
    /// A column of which only name and kind are known.
    pub fn new(name: impl Into<String>, kind: Kind) -> Self {
        let (missing, shape) = (Vec::new(), Shape::default());
        Self { name: name.into(), kind, missing, shape, declared: false }
    }

    /// Whether a text stands for a missing value here.
    pub(crate) fn is_missing(&self, cell: &[u8]) -> bool {
        self.missing.iter().any(|known| known.as_bytes() == cell)
    }

    /// How badly a cell would stand in this column: 0 where it fits.
    pub(crate) fn strangeness(&self, cell: &[u8]) -> f32 {
        if cell.is_empty() || self.is_missing(cell) {
            return if self.shape.may_be_empty() { 0.0 } else { 0.6 };
        }
        if !self.shape.may_be_filled() {
            return if crate::cell::is_marker(cell) { 0.0 } else { 1.5 };
        }
        match self.kind.is_text() {
            true if crate::cell::is_marker(cell) => 0.3,
            true => self.shape.strangeness(cell),
            false if self.kind.read(cell).is_none() => {
                if crate::cell::is_marker(cell) {
                    0.3
                } else {
                    2.0
                }
            }
            false if self.shape.has_pattern(cell) => 0.0,
            false => 0.2,
        }
    }

    /// Whether few texts would fit, so that one which fits is meant.
    pub(crate) fn is_telling(&self) -> bool {
        self.shape.may_be_filled() && (!self.kind.is_text() || self.shape.is_telling())
    }
}
