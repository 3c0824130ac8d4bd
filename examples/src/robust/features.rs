//! Five features of a bar and the return that follows it.
//!
//! Features of bar `t`, all known when it closes: log return `ln(c_t / c_{t-1})`; volatility, the
//! standard deviation of the last 20 close changes; price range `(h - l) / c`; volume change
//! `ln(v_t / v_{t-1})`; momentum `c_t / c_{t-5} - 1`. Target: `ln(c_{t+k} / c_t)` with horizon `k`.
//!
//! Features whose window is not full, and changes from or to a volume of zero, are NaN or infinite here:
//! [`Scaling`](super::Scaling) puts the training median in their place. The last `k` targets are NaN:
//! not known. Cost: a few passes over the bars. Reference: see [`bar_features`].

use fattail::{
    Panel,
    prepare::{BarSettings, Change, Lag, bar_features},
};

use super::Series;
use crate::Outcome;

/// Bars in the window of the volatility.
const WINDOW: usize = 20;
/// Bars of the momentum.
const MOMENTUM: usize = 5;
/// The features, in order.
pub const FEATURES: [&str; 5] =
    ["log_return", "close_change_std_20", "price_range", "volume_change", "momentum_5"];
/// The target.
pub const TARGET: &str = "future_return";

/// The panel of a series: one era a bar, five features, the return over the next `horizon` bars.
///
/// ```
/// use fattail_examples::robust::{Series, panel_of};
/// use fattail_testing::Bars;
/// let series = Series::draw(&Bars { bars: 100, ..Bars::default() })?;
/// let panel = panel_of(&series, 5)?;
/// assert_eq!((panel.rows(), panel.width()), (100, 5));
/// let target = panel.target()?.to_f32();
/// assert!(target[94].is_finite() && target[95].is_nan());
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// ```
///
/// # Errors
/// When the horizon is 0.
pub fn panel_of(series: &Series, horizon: usize) -> Outcome<Panel> {
    let bars = series.bars();
    let settings =
        BarSettings { window: WINDOW, momentum: vec![MOMENTUM], ..BarSettings::default() };
    let mut made = bar_features(&bars, &settings)?;
    let mut panel = Panel::builder().era_runs(series.eras.clone());
    for name in FEATURES {
        // The features that the room makes are named as they are asked for.
        let values = made.iter_mut().find(|(made, _)| made == name).map(|(_, values)| values);
        let mut values = std::mem::take(values.ok_or_else(|| format!("no feature '{name}'"))?);
        if name == "volume_change" {
            values.iter_mut().for_each(|change| *change = change.ln_1p());
        }
        panel = panel.feature(name, narrow(&values));
    }
    let target = future_return(bars.close, horizon)?;
    Ok(panel.target(TARGET, narrow(&target)).build()?)
}

/// `ln(c_{t+k} / c_t)`, NaN where it is not known yet.
fn future_return(close: &[f64], horizon: usize) -> Outcome<Vec<f64>> {
    let log: Vec<f64> = close.iter().map(|price| price.ln()).collect();
    let mut past = vec![0.0; log.len()];
    Lag { periods: horizon, change: Change::Difference }.apply(&log, &mut past)?;
    let known = past.iter().skip(horizon).copied();
    Ok(known.chain(std::iter::repeat(f64::NAN)).take(log.len()).collect())
}

fn narrow(values: &[f64]) -> Vec<f32> {
    values.iter().map(|&value| value as f32).collect()
}
