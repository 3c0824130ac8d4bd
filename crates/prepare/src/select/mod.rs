//! Feature selection: what is kept is learnt on train and applied anywhere.

mod correlations;
mod importance;
mod steps;

pub use correlations::{Keep, Stability, era_correlations};
pub use importance::SelectImportant;
pub use steps::{SelectDistinct, SelectStable, Selected};
