//! The rules by name, and a rule judged.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Enough eras have a score.
    Eras,
    /// The series that other rules read are defined in nearly all eras.
    Defined,
    /// The mean score is high enough.
    Mean,
    /// The mean score is surely high enough.
    SureMean,
    /// The Sharpe ratio is high enough.
    Sharpe,
    /// The drawdown is small enough.
    Drawdown,
    /// The exposure to features is small enough.
    Exposure,
    /// The predictions are not the benchmark's.
    Benchmark,
    /// The Sharpe ratio is above what the best of so many trials has by luck.
    DeflatedSharpe,
    /// A leak certificate of this very procedure, data, folds and claim passed.
    Certificate,
    /// Two correlations agree.
    Agreement,
}

impl Rule {
    /// All rules, in the order in which they are judged.
    pub const ALL: [Self; 11] = [
        Self::Eras,
        Self::Defined,
        Self::Mean,
        Self::SureMean,
        Self::Sharpe,
        Self::Drawdown,
        Self::Exposure,
        Self::Benchmark,
        Self::DeflatedSharpe,
        Self::Certificate,
        Self::Agreement,
    ];

    /// Its name, as an override gives it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Eras => "eras",
            Self::Defined => "defined",
            Self::Mean => "mean",
            Self::SureMean => "sure_mean",
            Self::Sharpe => "sharpe",
            Self::Drawdown => "drawdown",
            Self::Exposure => "exposure",
            Self::Benchmark => "benchmark",
            Self::DeflatedSharpe => "deflated_sharpe",
            Self::Certificate => "certificate",
            Self::Agreement => "agreement",
        }
    }

    /// The rule of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.name() == name)
    }
}

/// Which side of a threshold is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// More than it.
    Above,
    /// It or more.
    AtLeast,
    /// It or less.
    AtMost,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A rule judged, or one of its conditions: a rule with several has a line each, and one override for all.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// The rule.
    pub rule: Rule,
    /// Whether it lets the submission through.
    pub passed: bool,
    /// The figure; NaN where it is not known.
    #[serde(with = "fattail_core::null")]
    pub figure: f64,
    /// The threshold; NaN where the rule has none.
    #[serde(with = "fattail_core::null")]
    pub threshold: f64,
    /// Which side of it is allowed.
    pub bound: Bound,
    /// The comparison in words.
    pub note: String,
}

impl Judged {
    /// A figure against a threshold; a figure that is not finite never passes.
    pub(crate) fn compared(
        rule: Rule,
        figure: f64,
        bound: Bound,
        threshold: f64,
        what: &str,
    ) -> Self {
        let (inside, words) = match bound {
            Bound::Above => (figure > threshold, "above"),
            Bound::AtLeast => (figure >= threshold, "at least"),
            Bound::AtMost => (figure <= threshold, "at most"),
        };
        let told = if figure.is_finite() { format!("{figure:.4}") } else { "not defined".into() };
        let note = format!("{what} is {told}, must be {words} {threshold:.4}");
        Self { rule, passed: inside && figure.is_finite(), figure, threshold, bound, note }
    }

    /// One that blocks, as what it asks for is not known.
    pub(crate) fn unknown(
        rule: Rule,
        bound: Bound,
        threshold: f64,
        note: impl Into<String>,
    ) -> Self {
        Self { rule, passed: false, figure: f64::NAN, threshold, bound, note: note.into() }
    }
}
