#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod arrays;
mod builder;
mod bytes;
mod column;
mod era;
mod eras;
mod error;
mod ids;
pub mod null;
mod panel;
mod pipeline;
mod progress;
mod schema;
mod shared;
mod traits;

pub use builder::PanelBuilder;
pub use bytes::parse_bytes;
pub use column::{ColumnData, ColumnView, Values};
pub use era::Era;
pub use eras::{Eras, natural_order};
pub use error::{Error, Result};
pub use ids::{Ids, IdsBuilder};
pub use panel::Panel;
pub use pipeline::{FittedPipeline, Pipeline, Preparation};
pub use progress::{Observer, Progress, silent};
pub use schema::{FeatureSets, Schema, nearest};
pub use shared::Shared;
pub use traits::{Fit, Metric, Predict, Transform};
