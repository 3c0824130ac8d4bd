//! What `ingest` puts together: files and settings from the command line, the summary a person reads.

mod args;
mod told;

pub use args::IngestArgs;
pub use told::{page, told};
