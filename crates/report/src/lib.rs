#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod certificate;
mod chart;
mod drift;
mod error;
mod evidence;
mod facts;
mod figure;
mod gate;
mod html;
mod json;
mod markdown;
mod model;
mod number;
mod overfitting;
mod picture;
mod sheet;
mod table;
mod tear;
mod text;
mod verdict;

pub use certificate::{CertificateCheck, CertificateFacts, CheckState};
pub use chart::LineChart;
pub use drift::{DriftFlag, DriftMap, DriftThreshold};
pub use error::{Error, Result};
pub use gate::{Bound, GateCheck, GateOutcome};
pub use model::{
    Benchmark, Coefficient, DataFacts, Difference, FileLink, MetricReport, ModelReport, Report,
    Scored, Setting, SplitFacts,
};
pub use overfitting::Overfitting;
pub use sheet::Sheet;
pub use table::Table;
