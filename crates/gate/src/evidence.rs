//! What is known of a submission when the gate decides.

use std::fmt;

use fattail_certificate::{Certificate, Claim};
use fattail_core::Panel;
use fattail_evaluate::{Fold, Horizon, Scores};
use fattail_luck::Trials;

use crate::Undefined;

/// What is known of a submission: out-of-sample scores of the model that made it, and what else speaks for it.
///
/// What a rule asks for and is not here blocks.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    /// The scores that decide, era by era, such as CORR; they must have been known.
    pub scores: &'a Scores,
    /// How far labels look ahead: scores of overlapping labels say less.
    pub horizon: Horizon,
    /// The same eras by another correlation, such as Spearman's.
    pub second: Option<&'a Scores>,
    /// The largest feature exposure of each era.
    pub exposure: Option<&'a Scores>,
    /// The correlation of the predictions with the benchmark's in each era.
    pub benchmark: Option<&'a Scores>,
    /// What was tried before this was chosen.
    pub trials: Option<&'a Trials>,
    /// The leak certificate. It must be that of the procedure, the panel, the folds and the claim below, all of
    /// which the rule asks for.
    pub certificate: Option<&'a Certificate>,
    /// What made the submission.
    pub procedure: Option<&'a dyn fmt::Debug>,
    /// The data that the scores were made on.
    pub panel: Option<&'a Panel>,
    /// The folds that the scores were made in: each test era has a score, and nothing else has.
    pub folds: Option<&'a [Fold]>,
    /// What the procedure must claim not to have seen.
    pub claim: Option<&'a Claim>,
}

impl<'a> Evidence<'a> {
    /// Scores and nothing else.
    #[must_use]
    pub fn of(scores: &'a Scores, horizon: Horizon) -> Self {
        Self {
            scores,
            horizon,
            second: None,
            exposure: None,
            benchmark: None,
            trials: None,
            certificate: None,
            procedure: None,
            panel: None,
            folds: None,
            claim: None,
        }
    }
}

/// The series of an evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Series {
    Scores,
    Second,
    Exposure,
    Benchmark,
}

impl Series {
    pub(crate) const ALL: [Self; 4] = [Self::Scores, Self::Second, Self::Exposure, Self::Benchmark];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Scores => "scores",
            Self::Second => "second",
            Self::Exposure => "exposure",
            Self::Benchmark => "benchmark",
        }
    }

    pub(crate) fn of<'a>(self, evidence: &Evidence<'a>) -> Option<&'a Scores> {
        match self {
            Self::Scores => Some(evidence.scores),
            Self::Second => evidence.second,
            Self::Exposure => evidence.exposure,
            Self::Benchmark => evidence.benchmark,
        }
    }

    /// The largest share of eras without a value.
    pub(crate) fn limit(self, undefined: &Undefined) -> f64 {
        match self {
            Self::Scores | Self::Second => undefined.scores,
            Self::Exposure => undefined.exposure,
            Self::Benchmark => undefined.benchmark,
        }
    }
}
