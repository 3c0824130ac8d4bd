#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod arrays;
mod error;
mod file;
mod footer;
mod journal;
mod output;
mod place;
mod properties;
mod repairs;
mod run;
mod schema;
mod settings;
mod source;
mod summary;
mod table;
mod wave;

pub use error::{Error, Result};
pub use fattail_mend::{
    Column, Confidence, DateOrder, Dialect, Ends, Escape, Kind, Known, NumberForm, Policy, Risk,
    Rule,
};
pub use place::output_name;
pub use schema::{Evolution, Schema};
pub use settings::{Codec, Ingest};
pub use source::Compression;
pub use summary::{ColumnSummary, Counts, Summary};
