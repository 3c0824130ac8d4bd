//! What scores, splits and backtests refuse.

/// The result of the kernels of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An input that this crate refuses; trait methods answer it inside [`fattail_core::Error::Other`].
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Two slices that belong together differ in length.
    #[error("'{name}' has {given} values, expected {expected}")]
    Length {
        /// The argument.
        name: &'static str,
        /// Its length.
        given: usize,
        /// The length it must have.
        expected: usize,
    },
    /// Too few rows for a score.
    #[error("a score needs at least {least} rows, there are {given}")]
    TooFewRows {
        /// The rows given.
        given: usize,
        /// The least number.
        least: usize,
    },
    /// Too many rows without a partner.
    #[error(
        "'{name}' and its partners share {shared} of {rows} rows, at least {least} of 100 are needed"
    )]
    Overlap {
        /// The side that loses too many rows.
        name: &'static str,
        /// Rows that are known on all sides.
        shared: usize,
        /// Rows of this side.
        rows: usize,
        /// The least share, in percent.
        least: u8,
    },
    /// More top and bottom rows than there are.
    #[error("top and bottom {given} of {rows} rows: allowed is 1 to half of the rows")]
    TopBottom {
        /// Rows asked for on each side.
        given: usize,
        /// Rows there are.
        rows: usize,
    },
    /// Neutralisation without a feature.
    #[error("neutralisation needs at least one feature")]
    NoFeatures,
    /// A series without spread where one is needed.
    #[error("'{name}' is constant")]
    Constant {
        /// The series.
        name: &'static str,
    },
    /// A value that is NaN where none may be.
    #[error("'{name}' is NaN at row {row}")]
    Missing {
        /// The argument.
        name: &'static str,
        /// The row.
        row: usize,
    },
    /// An id that stands twice.
    #[error("id '{id}' stands twice in '{name}'")]
    DuplicateId {
        /// The argument.
        name: &'static str,
        /// The id.
        id: String,
    },
    /// Stakes without a total to divide by.
    #[error("stakes sum to {total}, allowed is any finite sum but 0")]
    StakeTotal {
        /// Their sum.
        total: f64,
    },
    /// Stakes that cannot be normalised.
    #[error("stakes sum to {sum} after normalisation, expected 1")]
    Stakes {
        /// Their sum.
        sum: f64,
    },
    /// A number of folds, eras or days out of its range.
    #[error("setting '{name}' is {given}, allowed is {allowed}")]
    Setting {
        /// The setting.
        name: &'static str,
        /// Its value.
        given: usize,
        /// The range.
        allowed: &'static str,
    },
    /// Too few eras for a split.
    #[error(
        "{split} with a gap of {gap} eras leaves nothing to train on in fold {fold}: {eras} eras are too few"
    )]
    TooFewEras {
        /// The split.
        split: &'static str,
        /// The fold, from 0.
        fold: usize,
        /// The eras there are.
        eras: usize,
        /// The gap.
        gap: usize,
    },
    /// A fold without a training row.
    #[error("{split} leaves nothing to train on in fold {fold}")]
    NothingToTrain {
        /// The split.
        split: &'static str,
        /// The fold, from 0.
        fold: usize,
    },
    /// More splits than anyone fits.
    #[error("{tests} of {groups} groups make more than {most} splits, each of which is a fit")]
    Combinations {
        /// The groups.
        groups: usize,
        /// The groups that a split tests.
        tests: usize,
        /// The most splits.
        most: usize,
    },
    /// Splits of something else than the eras of a panel.
    #[error("the splits hold {given} eras, the panel has {expected}")]
    OtherEras {
        /// The eras of the splits.
        given: usize,
        /// The eras of the panel.
        expected: usize,
    },
    /// A label that ends before it begins.
    #[error("the label of row {row} begins at {start} and ends at {end}, before it begins")]
    Span {
        /// The row.
        row: usize,
        /// Its start.
        start: i64,
        /// Its end.
        end: i64,
    },
    /// A row that is not there.
    #[error("there is no row {row} among {rows} rows")]
    Row {
        /// The row.
        row: usize,
        /// The rows there are.
        rows: usize,
    },
    /// A metric that a backtest did not score.
    #[error("the backtest has no scores of '{metric}'")]
    NoMetric {
        /// The metric.
        metric: String,
    },
    /// A learner that does not hand out its fits one after another.
    #[error("the learner did not hand out the fit of fold {fold} in its turn")]
    LostFit {
        /// The fold whose fit was due, from 0.
        fold: usize,
    },
    /// A rule that leaves less than the time until a score is known.
    #[error("a gap of {gap} eras is too short for a ledger: scores are known after {known} eras")]
    LedgerGap {
        /// The gap of the rule.
        gap: usize,
        /// Eras until a score is known.
        known: usize,
    },
    /// Scores recorded twice or out of order.
    #[error("scores of era {era} come after those of era {last}: eras are recorded once, in order")]
    LedgerOrder {
        /// The era.
        era: usize,
        /// The last era recorded.
        last: usize,
    },
    /// A stored read of scores that were not known.
    #[error(
        "read {read} at era {era} saw scores of era {latest}, which are known after {gap} eras if recorded"
    )]
    LedgerRead {
        /// The read, from 0.
        read: usize,
        /// The era at which something was decided.
        era: usize,
        /// The latest era that it claims to have seen.
        latest: usize,
        /// Eras until a score is known.
        gap: usize,
    },
    /// A setting of the ledger's means out of range.
    #[error("setting '{name}' is {given}, allowed is {allowed}")]
    Number {
        /// The setting.
        name: &'static str,
        /// Its value.
        given: f64,
        /// The range.
        allowed: &'static str,
    },
    /// A fold that trains on what it tests.
    #[error("fold {fold} trains and tests on era {era}")]
    FoldOverlap {
        /// The fold, from 0.
        fold: usize,
        /// The position of the era.
        era: usize,
    },
    /// A fold that trains on an era whose label is too near one that it tests.
    #[error("fold {fold} trains on era {train} and tests era {test}: {gap} eras must lie between")]
    FoldGap {
        /// The fold, from 0.
        fold: usize,
        /// The era that it trains on.
        train: usize,
        /// The era that it tests.
        test: usize,
        /// The gap of rule and horizon.
        gap: usize,
    },
    /// Folds whose test eras do not increase.
    #[error("fold {fold} tests era {era} after era {previous}: test eras increase over the folds")]
    FoldOrder {
        /// The fold, from 0.
        fold: usize,
        /// The era out of place.
        era: usize,
        /// The era before it.
        previous: usize,
    },
    /// Scores of other eras than those predicted.
    #[error("the score at place {place} is of {given}, the prediction of {expected}")]
    ScoreEra {
        /// The place, from 0.
        place: usize,
        /// The era of the score.
        given: String,
        /// The era predicted.
        expected: String,
    },
    /// A model that answers with another number of predictions.
    #[error("fold {fold}: the model gave {given} predictions for {expected} rows")]
    PredictionLength {
        /// The fold, from 0.
        fold: usize,
        /// Predictions given.
        given: usize,
        /// Rows there are.
        expected: usize,
    },
    /// A prediction that is NaN or infinite.
    #[error("fold {fold}: the prediction is {value} in era '{era}' at row {row} of the era")]
    PredictionNotFinite {
        /// The fold, from 0.
        fold: usize,
        /// The era.
        era: String,
        /// The row inside the era.
        row: usize,
        /// The value.
        value: f32,
    },
    /// A kernel of the statistics room refuses.
    #[error(transparent)]
    Stats(#[from] fattail_stats::Error),
}

impl Error {
    /// Whether the values of one era are at fault, so that its score is not defined and those of other
    /// eras may be. Wrong lengths, columns and settings are not of this kind.
    pub(crate) fn is_of_era(&self) -> bool {
        use fattail_stats::Error as Stats;
        match self {
            Self::TooFewRows { .. }
            | Self::Overlap { .. }
            | Self::Missing { .. }
            | Self::Constant { .. } => true,
            Self::TopBottom { given, .. } => *given > 0,
            Self::Stats(error) => matches!(
                error,
                Stats::NotFinite { .. } | Stats::TooShort { .. } | Stats::NoConvergence { .. }
            ),
            _ => false,
        }
    }
}

impl From<Error> for fattail_core::Error {
    fn from(error: Error) -> Self {
        Self::other(error)
    }
}

/// Refuses a length that is not the expected one.
pub(crate) fn same_length(name: &'static str, given: usize, expected: usize) -> Result<()> {
    if given == expected { Ok(()) } else { Err(Error::Length { name, given, expected }) }
}
