//! Parquet in and out.

mod columns;
mod file;
mod keys;
mod kind;
mod numbers;
mod read;
mod stream;
mod write;

pub(crate) use read::parquet_names;
pub use read::read_parquet;
pub use stream::PanelStream;
pub use write::write_parquet;
