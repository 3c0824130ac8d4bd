#![doc = include_str!("../README.md")]
#![deny(unsafe_code)]

mod artifacts;
mod atomic;
mod batch;
mod beside;
mod csv;
mod error;
mod features;
mod guard;
mod ipc;
mod libsvm;
mod map;
mod options;
mod panel;
mod parquet;
mod pieces;
mod plan;
mod predictions;
mod read;
mod rows;
mod shown;
mod spill;
mod submission;

pub use artifacts::Artifacts;
pub use atomic::{write_atomic, write_json};
pub use batch::{panel_from_batches, panel_to_batch};
pub use beside::{read_queries, read_weights};
pub use csv::read_csv;
pub use error::{Error, Place, Result};
pub use features::read_feature_sets;
pub use ipc::{MappedPanel, open_ipc, write_ipc, write_mapped};
pub use libsvm::read_libsvm;
pub use options::{EraChoice, Features, Filter, Missing, ReadOptions, Targets, TextForm};
pub use parquet::{PanelStream, read_parquet, write_parquet};
pub use pieces::PieceLimit;
pub use predictions::{join, read_predictions, write_predictions};
pub use read::{read, read_names};
pub use spill::{Spill, SpillKey};
pub use submission::{
    Submission, SubmissionError, check_submission, read_submission, write_submission,
};
