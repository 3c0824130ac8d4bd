//! What the binaries share: where data comes from, which metrics are taken, how a failure is told.
#![forbid(unsafe_code)]

pub mod boost;
mod boosted;
pub mod certify;
mod data;
mod gatekeeper;
pub mod ingest;
mod learner;
mod memory;
mod networks;
mod outline;
pub mod robust;
mod score;
mod shell;
mod trials;
mod weekly;
mod zoo;

/// Networks make and drop large buffers every step: the system's allocator hands their pages back to the kernel
/// each time, which costs a third of a step.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

pub use boosted::{Boosted, BoostedArgs};
pub use data::{DataArgs, Source};
pub use gatekeeper::{Context, GateArgs, Gated, Gatekeeper, facts_of_certificate};
pub use learner::{Kind, Learner, Learnt, Method, Model};
pub use memory::{free_memory, size};
pub use networks::{Network, NetworkArgs, TrainedNetwork};
pub use outline::{metrics, numerai_horizon};
pub use score::{Joined, ScoreFiles, metrics_of};
pub use shell::{Bars, Outcome, Refusal, RunArgs, run, set_threads, write_out};
pub use weekly::{Failure, InputArgs, Inputs, Run, Trial, Weekly, drift, facts_of, leave, told};
pub use zoo::Zoo;
