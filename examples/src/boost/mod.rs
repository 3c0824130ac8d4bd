//! What `boost` does: boosted trees from the command line, with LightGBM's names.

mod arguments;
mod beside;
mod columns;
mod convert;
mod cross;
mod explain;
mod file;
mod forced;
mod learner;
mod metrics;
mod model;
mod predict;
mod source;
mod task;
mod train;
mod watch;

pub use arguments::{Given, Pairs, parameters, split};
pub use columns::{Label, Part};
pub use convert::{ConvertArgs, convert};
pub use cross::{CrossArgs, cross_validate};
pub use explain::{ExplainArgs, explain};
pub(crate) use learner::{refuse, settings, told};
pub use predict::{PredictArgs, predict};
pub use source::{Source, SourceArgs};
pub use train::{TrainArgs, train};
