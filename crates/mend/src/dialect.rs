//! How a text table is written.

use serde::{Deserialize, Serialize};

/// What parts cells, the usual first.
pub(crate) const DELIMITERS: &[u8] = b",;\t|: ^~\x01\x1f";

/// How a quote stands inside a quoted cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Escape {
    /// Twice.
    #[default]
    Doubled,
    /// Behind a backslash; twice is understood as well.
    Backslash,
}

/// What ends a record. A carriage return before a line feed belongs to the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ends {
    /// A line feed, with or without a carriage return before it.
    #[default]
    LineFeed,
    /// A carriage return, as old Macintosh files have it.
    CarriageReturn,
}

impl Ends {
    /// The byte that ends a record.
    pub fn byte(self) -> u8 {
        match self {
            Self::LineFeed => b'\n',
            Self::CarriageReturn => b'\r',
        }
    }
}

/// The characters that part cells and records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dialect {
    /// Between cells.
    pub delimiter: u8,
    /// Whether spaces behind a delimiter belong to it.
    pub padded: bool,
    /// Around cells that hold a delimiter or a record end; `None` where no byte does that.
    pub quote: Option<u8>,
    /// How a quote stands inside a quoted cell.
    pub escape: Escape,
    /// What ends a record.
    pub ends: Ends,
}

impl Default for Dialect {
    /// RFC 4180.
    fn default() -> Self {
        Self {
            delimiter: b',',
            padded: false,
            quote: Some(b'"'),
            escape: Escape::Doubled,
            ends: Ends::LineFeed,
        }
    }
}

/// What is known of a dialect before a file is looked at; `None` is found from the data.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Known {
    /// The name of the encoding, such as `utf-8` or `windows-1252`.
    pub encoding: Option<String>,
    /// Between cells.
    pub delimiter: Option<u8>,
    /// Around cells; `Some(None)` for no quotes.
    pub quote: Option<Option<u8>>,
    /// How a quote stands inside a quoted cell.
    pub escape: Option<Escape>,
    /// What ends a record.
    pub ends: Option<Ends>,
    /// Rows of names, 0 for none.
    pub header: Option<usize>,
    /// Lines before the names or the first row.
    pub preamble: Option<usize>,
    /// Lines behind the last row.
    pub footer: Option<usize>,
    /// The names of the columns; the rows of names in the file are then left out.
    pub names: Option<Vec<String>>,
    /// Before the digits of a fraction, `.` or `,`.
    pub decimal: Option<u8>,
    /// Between groups of three digits.
    pub thousands: Option<u8>,
    /// The order of day, month and year.
    pub date_order: Option<crate::DateOrder>,
}
