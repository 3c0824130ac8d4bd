//! The signals that are planted in a market.
//!
//! Weights have random signs and sizes in 0.5..1.5, scaled so that `w' C w` is the square of the
//! strength asked for, with `C` the correlation of the features before binning: 1 on the diagonal, the
//! coherence within a factor, 0 across factors.

use fattail_core::Result;
use rand::{Rng, RngExt, seq::SliceRandom};
use serde::{Deserialize, Serialize};

use super::Market;
use crate::stream::{Purpose, stream};

/// A feature that carries a signal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Signal {
    /// The feature's name.
    pub feature: String,
    /// Its position in the panel.
    pub position: usize,
    /// Its weight on `(bin - 2) / sqrt(2)`, in units of the noise.
    pub weight: f64,
}

/// The truth about a [`Market`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Signals {
    /// Signals that never change.
    pub stable: Vec<Signal>,
    /// Signals whose weight is multiplied by [`Signals::sign`] of the era.
    pub flipping: Vec<Signal>,
    /// The mean sign of the regimes in the weeks that each era's target looks ahead, in -1..=1.
    pub sign: Vec<f64>,
}

impl Signals {
    pub(super) fn draw(market: &Market) -> Result<Self> {
        let mut rng = stream(market.seed, Purpose::Truth, 0);
        let mut positions: Vec<usize> = (0..market.features - market.late_features).collect();
        positions.shuffle(&mut rng);
        let (stable, rest) = positions.split_at(market.stable);
        let stable = weigh(market, stable, market.signal, &mut rng);
        let flipping = weigh(market, &rest[..market.flipping], market.flip, &mut rng);
        let weeks = market.weeks()?;
        let ahead = |era: usize| weeks[era..era + market.horizon].iter().map(|week| week.sign);
        let sign = (0..market.eras).map(|era| ahead(era).sum::<f64>() / market.horizon as f64);
        Ok(Self { stable, flipping, sign: sign.collect() })
    }
}

/// The name of feature `position`.
pub(super) fn feature_name(position: usize) -> String {
    format!("feature_{position:04}")
}

fn weigh(market: &Market, positions: &[usize], strength: f64, rng: &mut impl Rng) -> Vec<Signal> {
    let mut positions = positions.to_vec();
    positions.sort_unstable();
    let draw = |_: &usize| {
        let size = rng.random_range(0.5..1.5);
        if rng.random_bool(0.5) { size } else { -size }
    };
    let raw: Vec<f64> = positions.iter().map(draw).collect();
    let scale = strength / variance(market, &positions, &raw).sqrt();
    let signal = |(position, weight): (usize, f64)| Signal {
        feature: feature_name(position),
        position,
        weight: weight * scale,
    };
    positions.into_iter().zip(raw).map(signal).collect()
}

fn variance(market: &Market, positions: &[usize], weights: &[f64]) -> f64 {
    let own: f64 = weights.iter().map(|weight| weight * weight).sum();
    let mut factors = vec![0.0; market.factors];
    for (position, weight) in positions.iter().zip(weights) {
        factors[position % market.factors] += weight;
    }
    let shared: f64 = factors.iter().map(|sum| sum * sum).sum();
    (1.0 - market.coherence) * own + market.coherence * shared
}
