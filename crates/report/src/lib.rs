#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod chart;
mod error;
mod facts;
mod figure;
mod html;
mod json;
mod markdown;
mod model;
mod number;
mod picture;
mod sheet;
mod table;
mod text;
mod verdict;

pub use chart::LineChart;
pub use error::{Error, Result};
pub use model::{
    Coefficient, DataFacts, Difference, FileLink, MetricReport, ModelReport, Report, Scored,
    Setting, SplitFacts,
};
pub use sheet::Sheet;
pub use table::Table;
