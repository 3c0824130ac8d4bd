#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod breaker;
pub mod budget;
mod error;
pub mod input;

pub use breaker::{Attempt, Breaker, BreakerSettings, Refused, Status};
pub use budget::{
    Bound, Budget, BudgetSettings, Job, Level, Limit, Machine, Monitor, Permit, Plan, Pressure,
    Refusal, Sample, Source, Usage, Watch, Watcher, Why, threads,
};
pub use error::{Error, Result};
pub use input::{
    Additional, BatchLimits, BatchReport, BatchVerdict, ColumnShare, Decision, EraForm, EraRule,
    Feature, Field, Gate, GateRecipe, GateSchema, IdForm, IdRule, Kind, Missing, Policy, Presence,
    Quarantine, Reader, Record, RowVerdict, Rule, Targets, Verdict,
};
