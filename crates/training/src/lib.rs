#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod average;
mod checkpoint;
mod data;
mod diagnosis;
mod engine;
mod error;
mod event;
mod exact;
mod memory;
mod mix;
mod policy;
mod run;
mod settings;
mod snapshot;

pub use average::Average;
pub use data::{Buffer, Holdout, Order, Plan, Portion, Reading, Samples};
pub use diagnosis::{Curvature, Spectrum, Thresholds};
pub use engine::{Batch, Engine, Fault, Footprint, Outcome, Probe, Update};
pub use error::{Error, Result};
pub use event::{Event, Response, Symptom};
pub use memory::{Budget, Extent};
pub use policy::{Action, Policies};
pub use run::{Desk, Entry, Epoch, Log, Run, Sink, Stopped, predict};
pub use settings::Training;
pub use snapshot::{Counters, Named, Snapshot};
