//! CSV and TSV in: typed and clean. What is broken is refused with its line, not repaired.

mod column;
mod read;

pub(crate) use read::csv_names;
pub use read::read_csv;
