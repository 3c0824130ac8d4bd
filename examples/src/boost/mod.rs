//! What `boost` does: boosted trees from the command line, with LightGBM's names.

mod arguments;
mod convert;
mod cross;
mod explain;
mod forced;
mod model;
mod predict;
mod source;
mod train;

pub use arguments::{Given, Pairs, parameters, split};
pub use convert::{ConvertArgs, convert};
pub use cross::{CrossArgs, cross_validate};
pub use explain::{ExplainArgs, explain};
pub use predict::{PredictArgs, predict};
pub use source::SourceArgs;
pub use train::{TrainArgs, train};
pub(crate) use train::{refuse, settings, told};
