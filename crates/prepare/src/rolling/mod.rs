//! Features that look back along a series.

mod blocks;
mod ewm;
mod features;
mod groups;
mod lag;
mod number;
mod parts;
mod vwap;
mod window;

pub use ewm::{Decay, Ewm, EwmStream};
pub use features::{FittedRollingFeatures, Recipe, RollingFeatures};
pub use groups::Groups;
pub use lag::{Change, Lag, LagStream};
pub use number::Number;
pub use vwap::{VwapStream, vwap};
pub use window::{Rolling, RollingStream, Stat};
