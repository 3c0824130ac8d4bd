//! Parquet in and out.

mod file;
mod keys;
mod kind;
mod numbers;
mod read;
mod write;

pub(crate) use read::parquet_names;
pub use read::read_parquet;
pub use write::write_parquet;
