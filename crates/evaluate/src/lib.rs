#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod align;
mod backtest;
mod churn;
mod curve;
mod era_churn;
mod error;
mod horizon;
mod ledger;
mod mean;
mod metric;
mod null;
mod outcome;
mod score;
mod scores;
mod split;
mod summary;
mod tearsheet;

pub use align::{Aligned, Keyed, align};
pub use backtest::{
    PathBacktest, PathRun, PathSpread, backtest, backtest_paths, score_predictions,
};
pub use churn::{
    churn, max_churn, max_turnover, neutral_churn, neutral_churn_penalty, top_bottom_churn,
    turnover,
};
pub use curve::{cumulative, drawdown};
pub use era_churn::era_churns;
pub use error::{Error, Result};
pub use horizon::{EmbargoRule, Horizon};
pub use ledger::{Known, Ledger, Read};
pub use mean::EraMean;
pub use metric::{
    AbsoluteError, Alpha, ContributionTo, CorrelationWith, FeatureNeutralCorr,
    FeatureNeutralSpearman, HuberError, MaxExposure, MeanExposure, Named, NeutralContribution,
    NeutralCorrelation, PearsonCorr, PortfolioContribution, SpearmanCorr, SquaredError,
    TieBrokenRankCorr,
};
pub use outcome::{Backtest, FoldRun, Predictions};
pub use score::{
    Contribution, Corr, EraScorer, TargetScale, alpha, correlation_contribution,
    correlation_with_others, correlation_with_stake_weighted, exposure_dissimilarity,
    feature_exposures, feature_neutral_corr, feature_neutral_spearman, max_feature_correlation,
    meta_portfolio_contribution, neutral_contribution, neutral_correlation, neutralize,
    neutralized_weights, numerai_corr, pearson_corr, spearman_corr, stake_weighted,
    tie_broken_rank_corr,
};
pub use scores::{EraScore, Scores};
pub use split::{
    Blocked, Combinations, Cpcv, CpcvRows, Expanding, Fold, Given, Nested, NestedFold, PurgedKFold,
    PurgedRows, Spans, Split, WalkForward, WalkForwardRows, Window,
};
pub use summary::Summary;
pub use tearsheet::{
    Autocorrelation, Distribution, Drawdown, Drawdowns, ExposurePath, FeatureExposure, Information,
    LagCorrelation, Lagged, Part, Quantile, QuantilePoint, QuantileSpreads, QuantileTurnover,
    Rolling, TargetColumn, TargetQuantiles, TearSettings, TearSheet, quantile_means,
};
