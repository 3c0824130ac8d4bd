#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod bars;
mod check;
mod closed;
mod features;
mod history;
mod missing;
mod neutralise;
mod rolling;
mod scale;
mod select;
mod target;
mod ties;
mod winsorise;

pub use bars::{BarSettings, Bars, bar_features};
pub use closed::Closed;
pub use missing::{AllTwosToMissing, Fill, FittedImpute, Impute, all_twos};
pub use neutralise::{
    FittedNeutralise, Neutralise, Neutralised, NeutralisedModel, Subject, neutralise,
};
pub use rolling::{
    Change, Decay, Ewm, EwmStream, FittedRollingFeatures, Groups, Lag, LagStream, Number, Recipe,
    Rolling, RollingFeatures, RollingStream, Stat, VwapStream, vwap,
};
pub use scale::{
    FittedScaler, Method, Mode, Output, QuantileNormal, Quantiles, Robust, Scale, Scaler,
    ScalerStream, Spread,
};
pub use select::{
    Keep, SelectDistinct, SelectImportant, SelectStable, Selected, Stability, era_correlations,
};
pub use target::{
    EmpiricalTarget, ExpandingRank, FittedEmpiricalTarget, FittedExpandingRank, LeakyGlobalRank,
    PerEraRank,
};
pub use winsorise::{FittedWinsorise, Winsorise};
