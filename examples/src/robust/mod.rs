//! The robust training run on market bars: rank target, Huber loss, warm-up, clipping, norms.
//!
//! [`Series`] are the bars, [`Split`] makes a training and a test part of them, [`Scaling`] and
//! [`RecipeArgs::learner`] are fitted on the first alone, [`Verdict`] sets the model beside the constant
//! predictor on the second, [`leave`] writes everything down.

mod arguments;
mod curve;
mod features;
mod judge;
mod leave;
mod record;
mod scaling;
mod series;
mod split;
mod train;

pub use arguments::{BarArgs, RecipeArgs, SplitArgs};
pub use curve::learning_curve;
pub use features::{FEATURES, TARGET, panel_of};
pub use judge::{Errors, Gain, Verdict};
pub use leave::{LAST_GOOD, expect_place, leave, log_beside};
pub use record::{Course, Facts, Record, Summary};
pub use scaling::{FeatureScale, Scaling};
pub use series::Series;
pub use split::{Parts, Split};
pub use train::{Trained, Trainer};
