//! Leak certificates: the pipeline of the command line, and pipelines that leak.

mod config;
mod leaks;
mod table;
mod workflow;

pub use config::{Config, SplitChoice};
pub use leaks::{Case, Leak, LeakCase, asset_panel};
pub use table::{Tried, try_all};
pub use workflow::{Blend, Learning, Workflow};
