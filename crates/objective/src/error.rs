//! What can be wrong with labels, and with the name of an objective or a metric.

/// Why an objective does not bind or a metric has no value.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is nothing to learn from.
    #[error("there are no rows")]
    NoRows,
    /// A slice of another length than the targets.
    #[error("{what} has {given} values, expected are {expected}")]
    Length {
        /// What the slice holds.
        what: &'static str,
        /// Its length.
        given: usize,
        /// The length that fits.
        expected: usize,
    },
    /// A label out of range.
    #[error("label {value} at row {row} is out of range for '{by}', allowed is {allowed}")]
    Label {
        /// The objective or metric.
        by: &'static str,
        /// The label.
        value: f32,
        /// Its row.
        row: usize,
        /// The range.
        allowed: String,
    },
    /// A class that was not declared.
    #[error("label {value} at row {row} is class number {}, declared are {classes} classes", value + 1.0)]
    MoreClasses {
        /// The label.
        value: f32,
        /// Its row.
        row: usize,
        /// The classes declared.
        classes: usize,
    },
    /// Every known label is the same, so there is nothing to learn.
    #[error("every one of {known} known labels is {value}: a constant target teaches nothing")]
    ConstantTarget {
        /// The label.
        value: f32,
        /// The rows whose label is known.
        known: usize,
    },
    /// No label is known.
    #[error("none of {rows} rows has a known label and a positive weight")]
    NothingKnown {
        /// The rows.
        rows: usize,
    },
    /// Survival times that are all censored.
    #[error("none of {known} known times is an event")]
    NoEvents {
        /// The rows whose time is known.
        known: usize,
    },
    /// A weight out of range.
    #[error("weight {value} at row {row} is out of range, allowed is {allowed}")]
    Weight {
        /// The weight.
        value: f32,
        /// Its row.
        row: usize,
        /// The range.
        allowed: &'static str,
    },
    /// All weights are zero.
    #[error("all of {rows} weights are zero")]
    ZeroWeights {
        /// The rows.
        rows: usize,
    },
    /// A ranking without queries.
    #[error("'{by}' needs eras (queries), none are given")]
    NoEras {
        /// The objective or metric.
        by: &'static str,
    },
    /// Bounds of eras that are not `0, .., rows` in increasing order.
    #[error("the era bound {bound} at position {position} is out of place among {rows} rows")]
    EraBounds {
        /// The bound.
        bound: usize,
        /// Its position.
        position: usize,
        /// The rows.
        rows: usize,
    },
    /// An objective or metric nobody knows.
    #[error("unknown {kind} '{name}'{}", .nearest.as_ref().map(|name| format!(", did you mean '{name}'?")).unwrap_or_default())]
    UnknownName {
        /// `objective` or `metric`.
        kind: &'static str,
        /// The name asked for.
        name: String,
        /// The nearest name that exists.
        nearest: Option<String>,
    },
    /// Two settings that exclude each other.
    #[error("settings '{first}' and '{second}' exclude each other")]
    Contradiction {
        /// One setting.
        first: &'static str,
        /// The other.
        second: &'static str,
    },
    /// An objective for one target that was given several, or too few.
    #[error("'{by}' takes {allowed} target columns, given are {given}")]
    Targets {
        /// The objective or metric.
        by: &'static str,
        /// The number given.
        given: usize,
        /// The number allowed.
        allowed: &'static str,
    },
    /// A metric that has no value here.
    #[error("metric '{metric}' is not defined: {reason}")]
    Undefined {
        /// The metric.
        metric: String,
        /// Why.
        reason: &'static str,
    },
}

impl From<Error> for fattail_core::Error {
    fn from(error: Error) -> Self {
        Self::other(error)
    }
}
