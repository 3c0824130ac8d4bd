//! Twelve leaks that pipelines of the field were built with, and the same pipelines without them.
//!
//! A case is a panel, its folds and a procedure, as it leaks or as it should be; both run the same code but for the
//! place where the leak sits. They are what the certificate has to be good at, and `certify --leaks` shows it.

mod before;
mod decide;
mod market;
mod shared;

use std::{fmt, sync::Mutex};

use fattail::{
    Panel, Predict, Result,
    certificate::{Check, Procedure, Run, SealedFold},
    evaluate::{Expanding, Fold, Split},
    linear::Ridge,
};

pub use market::asset_panel;

/// A leak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leak {
    /// Features are scaled by the mean and deviation of all rows, test rows among them.
    ScalerOnAllRows,
    /// The target is its rank among the rows of all eras.
    GlobalRankTarget,
    /// A feature holds what the next era brings.
    FutureFeature,
    /// A feature is the mean target of its category over all rows.
    TargetEncoding,
    /// The last training labels reach into the test eras.
    OverlappingLabels,
    /// Boosting stops where the test eras are predicted best.
    EarlyStoppingOnTest,
    /// The penalty is the one that scores best on the test eras.
    TuningOnTest,
    /// Models are weighted by their scores on the test eras, and no read of a score is reported.
    EnsembleOnTest,
    /// Rows of training eras stand in test eras again, under other ids.
    DuplicateRows,
    /// Only those learn that will still be there at the end. The certificate sees it because the pipeline looks for
    /// them itself; in a file from which they were taken before, it sees nothing.
    Survivorship,
    /// Rows are sorted by their target, and their place is a feature.
    SortedOrder,
    /// Folds in several threads share a buffer.
    SharedState,
}

impl Leak {
    /// All twelve.
    pub const ALL: [Self; 12] = [
        Self::ScalerOnAllRows,
        Self::GlobalRankTarget,
        Self::FutureFeature,
        Self::TargetEncoding,
        Self::OverlappingLabels,
        Self::EarlyStoppingOnTest,
        Self::TuningOnTest,
        Self::EnsembleOnTest,
        Self::DuplicateRows,
        Self::Survivorship,
        Self::SortedOrder,
        Self::SharedState,
    ];

    /// Its name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ScalerOnAllRows => "scaler-on-all-rows",
            Self::GlobalRankTarget => "global-rank-target",
            Self::FutureFeature => "future-feature",
            Self::TargetEncoding => "target-encoding",
            Self::OverlappingLabels => "overlapping-labels",
            Self::EarlyStoppingOnTest => "early-stopping-on-test",
            Self::TuningOnTest => "tuning-on-test",
            Self::EnsembleOnTest => "ensemble-on-test",
            Self::DuplicateRows => "duplicate-rows",
            Self::Survivorship => "survivorship",
            Self::SortedOrder => "sorted-order",
            Self::SharedState => "shared-state",
        }
    }
}

impl Leak {
    /// The checks that are there for it; each of them finds it.
    #[must_use]
    pub fn caught_by(self) -> &'static [Check] {
        match self {
            // Eras of the market hold the same bins: a shorter panel has the same scaler.
            Self::ScalerOnAllRows => &[Check::FutureValues, Check::TestRows],
            Self::GlobalRankTarget
            | Self::TargetEncoding
            | Self::EarlyStoppingOnTest
            | Self::TuningOnTest
            | Self::EnsembleOnTest => &[Check::Labels],
            Self::FutureFeature => &[Check::FutureValues],
            Self::OverlappingLabels => &[Check::Folds, Check::Labels],
            Self::DuplicateRows => &[Check::Copies],
            Self::Survivorship => &[Check::Prefix, Check::FutureIds],
            Self::SortedOrder => &[Check::Order, Check::RowOrder],
            Self::SharedState => &[Check::Threads],
        }
    }
}

/// A panel, its folds, and a procedure that leaks or does not.
#[derive(Debug)]
pub struct Case {
    /// The panel.
    pub panel: Panel,
    /// The folds.
    pub folds: Vec<Fold>,
    /// What is certified.
    pub procedure: LeakCase,
}

/// A pipeline with a leak, or its twin without.
pub struct LeakCase {
    leak: Leak,
    leaks: bool,
    /// What [`Leak::SharedState`] shares.
    buffer: Mutex<Vec<f32>>,
}

impl fmt::Debug for LeakCase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LeakCase({}, leaks: {})", self.leak.name(), self.leaks)
    }
}

impl Case {
    /// A leak, or its twin that does not leak, on a synthetic market.
    ///
    /// # Errors
    /// Never but by a fault of the market.
    pub fn new(leak: Leak, leaks: bool, seed: u64) -> Result<Self> {
        let panel = asset_panel(seed)?;
        let panel = match (leak, leaks) {
            (Leak::DuplicateRows, true) => market::duplicated(&panel)?,
            (Leak::SortedOrder, true) => market::sorted(&panel)?,
            (Leak::GlobalRankTarget, _) => panel.with_target(market::RETURN)?,
            _ => panel,
        };
        let mut folds = Expanding { folds: 3, ..Expanding::default() }.folds(panel.eras())?;
        if leak == Leak::OverlappingLabels && leaks {
            for Fold { train, test } in &mut folds {
                *train = (0..test[0]).collect();
            }
        }
        let procedure = LeakCase { leak, leaks, buffer: Mutex::default() };
        Ok(Self { panel, folds, procedure })
    }
}

impl Procedure for LeakCase {
    fn run(&self, panel: &Panel, folds: &[Fold]) -> Result<Run> {
        let leaks = self.leaks;
        match self.leak {
            Leak::ScalerOnAllRows => before::scaler(panel, folds, leaks),
            Leak::GlobalRankTarget => before::global_rank(panel, folds, leaks),
            Leak::FutureFeature => before::future_feature(panel, folds, leaks),
            Leak::TargetEncoding => before::target_encoding(panel, folds, leaks),
            Leak::Survivorship => before::survivors(panel, folds, leaks),
            Leak::EarlyStoppingOnTest => decide::early_stopping(panel, folds, leaks),
            Leak::TuningOnTest => decide::tuning(panel, folds, leaks),
            Leak::EnsembleOnTest => decide::ensemble(panel, folds, leaks),
            Leak::SortedOrder => before::place(panel, folds, leaks),
            Leak::SharedState => shared::shifted(panel, folds, leaks.then_some(&self.buffer)),
            Leak::OverlappingLabels | Leak::DuplicateRows => {
                each(panel, folds, |fold| fold.predict(&fit(&ridge(), fold.train())?))
            }
        }
    }
}

/// A ridge regression that sees features as they come.
fn ridge() -> Ridge {
    Ridge { penalties: vec![0.1], standardise: false, ..Ridge::default() }
}

/// Fits a learner, its model boxed.
fn fit<L>(learner: &L, train: &Panel) -> Result<Box<dyn Predict>>
where
    L: fattail::Fit,
    L::Fitted: Predict + 'static,
{
    Ok(Box::new(learner.fit(train)?))
}

/// Predicts fold by fold.
fn each(
    panel: &Panel,
    folds: &[Fold],
    predict: impl Fn(&SealedFold<'_>) -> Result<Vec<f32>>,
) -> Result<Run> {
    let folds = folds.iter().enumerate();
    let predictions = folds.map(|(number, fold)| predict(&SealedFold::new(panel, number, fold)?));
    Ok(Run { predictions: predictions.collect::<Result<_>>()?, reads: Vec::new() })
}
