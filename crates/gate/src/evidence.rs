//! What is known of a submission when the gate decides.

use std::fmt;

use fattail_certificate::Certificate;
use fattail_evaluate::{Horizon, Scores};
use fattail_luck::Trials;

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
    /// The leak certificate.
    pub certificate: Option<&'a Certificate>,
    /// What made the submission; the certificate must be its own.
    pub procedure: Option<&'a dyn fmt::Debug>,
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
        }
    }
}
