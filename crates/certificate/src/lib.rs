#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod certificate;
mod certify;
mod check;
mod claim;
mod disturb;
mod error;
mod hash;
mod procedure;
mod turns;

pub use certificate::{Certificate, CostFacts, CutFacts, DataFacts, ProcedureFacts, Verdict};
pub use certify::Certifier;
pub use check::{Check, Finding, Skip, State};
pub use claim::{Claim, Side};
pub use error::{Error, Result};
pub use procedure::{Backtested, Procedure, Recipe, Refit, Run, Sealed, SealedFold};
