//! Market bars to features; every feature of a bar is known when the bar closes.
//!
//! Let `o, h, l, c, v` be open, high, low, close and volume. Close change `c_t / c_{t-1} - 1`, log
//! return `ln(c_t / c_{t-1})`, price range `(h - l) / c`, volume-weighted average price of the typical
//! price `(h + l + c) / 3` and the distance `c / vwap - 1`, momentum `c_t / c_{t-k} - 1`, rolling mean
//! and standard deviation of the close change, volume change `v_t / v_{t-1} - 1`, exponentially
//! weighted mean and standard deviation of the close change, true range
//! `max(h, c_{t-1}) - min(l, c_{t-1})` and its mean over the window.
//!
//! Missing values, and rows before a window is full, are NaN; a change from zero is NaN or infinite.
//! Where the close before is missing, as at the first bar, the true range is `h - l`.
//!
//! Cost: a few passes over the bars.
//!
//! Reference: Wilder (1978), New Concepts in Technical Trading Systems (true range).

use fattail_core::Result;
use serde::{Deserialize, Serialize};

use crate::{
    check::{at_least_one, same_length},
    rolling::{Change, Decay, Ewm, Lag, Recipe, Rolling, Stat, vwap},
};

/// Market bars, column by column, in order of time.
#[derive(Debug, Clone, Copy)]
pub struct Bars<'a> {
    /// First prices.
    pub open: &'a [f64],
    /// Greatest prices.
    pub high: &'a [f64],
    /// Least prices.
    pub low: &'a [f64],
    /// Last prices.
    pub close: &'a [f64],
    /// Volumes.
    pub volume: &'a [f64],
}

/// What is made of bars.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct BarSettings {
    /// Bars in the windows, at least 1.
    pub window: usize,
    /// Bars over which momentum is taken.
    pub momentum: Vec<usize>,
    /// Span of the exponential weights.
    pub span: f64,
}

impl Default for BarSettings {
    fn default() -> Self {
        Self { window: 20, momentum: vec![3, 5], span: 20.0 }
    }
}

/// Names and values of the features of each bar.
///
/// ```
/// use fattail_prepare::{BarSettings, Bars, bar_features};
///
/// let (low, high) = ([9.0, 10.0, 11.0], [11.0, 12.0, 13.0]);
/// let (close, volume) = ([10.0, 11.0, 12.1], [5.0, 10.0, 5.0]);
/// let bars = Bars { open: &close, high: &high, low: &low, close: &close, volume: &volume };
/// let settings = BarSettings { window: 2, ..BarSettings::default() };
/// let features = bar_features(&bars, &settings)?;
/// assert_eq!(features[0].0, "close_change");
/// assert!((features[0].1[2] - 0.1).abs() < 1e-12);
/// # Ok::<(), fattail_core::Error>(())
/// ```
///
/// # Errors
/// When a setting is out of range or a length differs.
pub fn bar_features(bars: &Bars<'_>, settings: &BarSettings) -> Result<Vec<(String, Vec<f64>)>> {
    check(bars, settings)?;
    let window = Rolling::new(settings.window);
    let change = momentum(bars.close, 1)?;
    let mut features = vec![
        ("log_return".into(), change.iter().map(|r| r.ln_1p()).collect()),
        ("open_to_close".into(), ratios(bars.close, bars.open)),
        ("price_range".into(), price_range(bars)),
    ];
    let average = typical_vwap(bars, &window)?;
    features.push((format!("close_to_vwap_{}", settings.window), ratios(bars.close, &average)));
    features.push((format!("vwap_{}", settings.window), average));
    for &periods in &settings.momentum {
        features.push((format!("momentum_{periods}"), momentum(bars.close, periods)?));
    }
    let recipe = Recipe::Window(window, vec![Stat::Mean, Stat::Std]);
    features.extend(recipe.make("close_change", &change, &[])?);
    let ewm = Ewm { decay: Decay::Span(settings.span), ..Ewm::default() };
    features.extend(Recipe::Ewm(ewm).make("close_change", &change, &[])?);
    features.push(("volume_change".into(), momentum(bars.volume, 1)?));
    let ranges = true_range(bars);
    features.extend(Recipe::Window(window, vec![Stat::Mean]).make("true_range", &ranges, &[])?);
    features.push(("true_range".into(), ranges));
    features.insert(0, ("close_change".into(), change));
    Ok(features)
}

fn check(bars: &Bars<'_>, settings: &BarSettings) -> Result<()> {
    at_least_one("window", settings.window)?;
    settings.momentum.iter().try_for_each(|&periods| at_least_one("momentum", periods))?;
    let rows = bars.close.len();
    let columns =
        [("open", bars.open), ("high", bars.high), ("low", bars.low), ("volume", bars.volume)];
    columns.iter().try_for_each(|(name, column)| same_length(name, column.len(), rows))
}

fn momentum(x: &[f64], periods: usize) -> Result<Vec<f64>> {
    let mut out = vec![0.0; x.len()];
    Lag { periods, change: Change::Momentum }.apply(x, &mut out)?;
    Ok(out)
}

fn ratios(above: &[f64], below: &[f64]) -> Vec<f64> {
    above.iter().zip(below).map(|(a, b)| a / b - 1.0).collect()
}

fn price_range(bars: &Bars<'_>) -> Vec<f64> {
    let ends = bars.high.iter().zip(bars.low);
    ends.zip(bars.close).map(|((high, low), close)| (high - low) / close).collect()
}

fn typical_vwap(bars: &Bars<'_>, window: &Rolling) -> Result<Vec<f64>> {
    let ends = bars.high.iter().zip(bars.low);
    let typical: Vec<f64> =
        ends.zip(bars.close).map(|((high, low), close)| (high + low + close) / 3.0).collect();
    let mut out = vec![0.0; typical.len()];
    vwap(&typical, bars.volume, window, &mut out)?;
    Ok(out)
}

fn true_range(bars: &Bars<'_>) -> Vec<f64> {
    let before = std::iter::once(f64::NAN).chain(bars.close.iter().copied());
    let ends = bars.high.iter().zip(bars.low);
    let range = |((high, low), close): ((&f64, &f64), f64)| {
        // `max` and `min` of floats leave out a NaN: the close before may be missing, nothing else.
        if high.is_nan() || low.is_nan() { f64::NAN } else { high.max(close) - low.min(close) }
    };
    ends.zip(before).map(range).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn true_range_by_hand() {
        let (low, high, close) = ([1.0, 5.0, 2.0], [2.0, 6.0, 3.0], [1.5, 5.5, 2.5]);
        let bars = Bars { open: &close, high: &high, low: &low, close: &close, volume: &close };
        assert_eq!(true_range(&bars), [1.0, 4.5, 3.5]);
        let holes = Bars { low: &[1.0, f64::NAN, 2.0], close: &[1.5, f64::NAN, 2.5], ..bars };
        let found = true_range(&holes);
        assert!(found[0] == 1.0 && found[1].is_nan() && found[2] == 1.0);
        let found = true_range(&Bars { high: &[2.0, 6.0, f64::NAN], ..bars });
        assert!(found[..2] == [1.0, 4.5] && found[2].is_nan());
    }

    #[test]
    fn lengths_and_settings_are_checked() {
        let bars = Bars { open: &[], high: &[1.0], low: &[1.0], close: &[1.0], volume: &[1.0] };
        assert!(bar_features(&bars, &BarSettings::default()).is_err());
        let whole = Bars { open: &[1.0], ..bars };
        assert!(bar_features(&whole, &BarSettings::default()).is_ok());
        assert!(bar_features(&whole, &BarSettings { window: 0, ..Default::default() }).is_err());
        let none = BarSettings { momentum: vec![0], ..Default::default() };
        assert!(bar_features(&whole, &none).is_err());
    }
}
