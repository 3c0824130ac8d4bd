//! CSV in: typed and clean. What is broken is refused with its line, not repaired.

mod column;
mod read;

pub use read::read_csv;
