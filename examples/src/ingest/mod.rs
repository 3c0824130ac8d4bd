//! What `ingest` puts together: files and settings from the command line, the run over all of them, the
//! summary a person reads.

mod all;
mod args;
mod told;

pub use all::{All, all};
pub use args::IngestArgs;
pub use told::{page, told};
