//! Scalers: how a column is scaled, by which rows, and era after era.

mod method;
mod quantile;
mod radix;
mod scaler;
mod sort;
mod stream;
mod window;

pub use method::{Method, Robust, Scale, Spread};
pub use quantile::{Output, QuantileNormal, Quantiles};
pub use scaler::{FittedScaler, Mode, Scaler};
pub(crate) use sort::{merged, sort};
pub use stream::ScalerStream;
