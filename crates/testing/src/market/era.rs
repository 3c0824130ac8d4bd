//! The rows of one era.

use fattail_core::{Error, Result};
use fattail_stats::{Ranker, Ties};
use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use super::{Market, Signal, Signals, weeks::Week};
use crate::{
    noise::UnitStudent,
    stream::{Purpose, stream},
};

/// The columns of the eras drawn so far.
#[derive(Debug, Default)]
pub(super) struct EraRows {
    pub(super) features: Vec<Vec<u8>>,
    pub(super) target: Vec<f32>,
    pub(super) long_target: Vec<f32>,
    pub(super) meta_model: Vec<f32>,
    pub(super) returns: Vec<f32>,
}

/// Draws eras of one market.
#[derive(Debug)]
pub(super) struct EraDraw<'a> {
    market: &'a Market,
    signals: &'a Signals,
    weeks: &'a [Week],
    student: UnitStudent,
}

/// What the weeks ahead of an era add up to.
struct Ahead {
    sign: f64,
    volatility: f64,
    factors: Vec<f64>,
}

/// What the rows of an era hold before any return is drawn.
struct Cross {
    /// Loadings, factor after factor.
    loadings: Vec<f64>,
    stable: Vec<f64>,
    flipping: Vec<f64>,
}

impl<'a> EraDraw<'a> {
    pub(super) fn new(market: &'a Market, signals: &'a Signals, weeks: &'a [Week]) -> Result<Self> {
        Ok(Self { market, signals, weeks, student: UnitStudent::new(market.tail)? })
    }

    /// Draws era `index` behind those in `all`.
    pub(super) fn era(&self, index: usize, all: &mut EraRows) -> Result<()> {
        let market = self.market;
        let mut rng = stream(market.seed, Purpose::Rows, index);
        let mut ranks = Ranks::new(market.rows);
        let loadings = normals(&mut rng, market.factors * market.rows);
        let start = all.target.len();
        self.features(index, &loadings, &mut rng, &mut ranks, all)?;
        let cross = Cross {
            loadings,
            stable: self.sum(&self.signals.stable, &all.features, start),
            flipping: self.sum(&self.signals.flipping, &all.features, start),
        };
        let near: Vec<f64> = self.student.sample_iter(&mut rng).take(market.rows).collect();
        let far: Vec<f64> = self.student.sample_iter(&mut rng).take(market.rows).collect();
        let share = market.horizon as f64 / market.long_horizon as f64;
        let mixed = near.iter().zip(&far).map(|(n, f)| share.sqrt() * n + (1.0 - share).sqrt() * f);
        let mixed: Vec<f64> = mixed.collect();

        let returns = self.returns(index, market.horizon, &cross, &near);
        let long_returns = self.returns(index, market.long_horizon, &cross, &mixed);
        all.target.extend(ranks.of(&returns)?.iter().map(|&rank| bucket(rank)));
        all.returns.extend(returns.iter().map(|&value| value as f32));
        let over = index + market.long_horizon < market.eras + market.horizon;
        all.long_target.extend(ranks.of(&long_returns)?.iter().map(|&rank| {
            let unknown = rng.random_bool(market.unknown);
            if over && !unknown { bucket(rank) } else { f32::NAN }
        }));
        let meta = self.meta_model(&cross.stable, &mut rng);
        all.meta_model.extend(ranks.of(&meta)?.iter().map(|&rank| rank as f32));
        Ok(())
    }

    fn features(
        &self,
        index: usize,
        loadings: &[f64],
        rng: &mut ChaCha8Rng,
        ranks: &mut Ranks,
        all: &mut EraRows,
    ) -> Result<()> {
        let market = self.market;
        all.features.resize(market.features, Vec::new());
        let (common, own) = (market.coherence.sqrt(), (1.0 - market.coherence).sqrt());
        let first_late = market.features - market.late_features;
        for (position, column) in all.features.iter_mut().enumerate() {
            let mut latent = normals(rng, market.rows);
            let factor = position % market.factors * market.rows;
            for (value, loading) in latent.iter_mut().zip(&loadings[factor..]) {
                *value = common * loading + own * *value;
            }
            if position >= first_late && index < market.missing_eras {
                column.extend(std::iter::repeat_n(2, market.rows));
            } else {
                column.extend(ranks.of(&latent)?.iter().map(|rank| (5.0 * rank) as u8));
            }
        }
        Ok(())
    }

    /// The signals' sum over the rows from `start`.
    fn sum(&self, signals: &[Signal], features: &[Vec<u8>], start: usize) -> Vec<f64> {
        let mut out = vec![0.0; self.market.rows];
        for signal in signals {
            let weight = signal.weight * std::f64::consts::FRAC_1_SQRT_2;
            for (sum, &bin) in out.iter_mut().zip(&features[signal.position][start..]) {
                *sum += weight * (f64::from(bin) - 2.0);
            }
        }
        out
    }

    fn returns(&self, era: usize, horizon: usize, cross: &Cross, noise: &[f64]) -> Vec<f64> {
        let ahead = Ahead::over(&self.weeks[era..era + horizon]);
        let rows = self.market.rows;
        let row = |i: usize| {
            let factors = ahead.factors.iter().enumerate();
            let common: f64 = factors.map(|(k, value)| value * cross.loadings[k * rows + i]).sum();
            cross.stable[i] + ahead.sign * cross.flipping[i] + common + ahead.volatility * noise[i]
        };
        (0..rows).map(row).collect()
    }

    fn meta_model(&self, stable: &[f64], rng: &mut impl Rng) -> Vec<f64> {
        let strength = self.market.signal.max(f64::MIN_POSITIVE);
        let (signal, noise) =
            (self.market.meta / strength, (1.0 - self.market.meta.powi(2)).sqrt());
        let drawn = normals(rng, stable.len());
        stable.iter().zip(drawn).map(|(value, n)| signal * value + noise * n).collect()
    }
}

impl Ahead {
    fn over(weeks: &[Week]) -> Self {
        let length = weeks.len() as f64;
        let mut factors = vec![0.0; weeks[0].factors.len()];
        for week in weeks {
            for (sum, value) in factors.iter_mut().zip(&week.factors) {
                *sum += value / length.sqrt();
            }
        }
        Self {
            sign: weeks.iter().map(|week| week.sign).sum::<f64>() / length,
            volatility: (weeks.iter().map(|week| week.volatility.powi(2)).sum::<f64>() / length)
                .sqrt(),
            factors,
        }
    }
}

/// Uniform ranks of one era after another in the same buffers.
struct Ranks {
    ranker: Ranker,
    out: Vec<f64>,
}

impl Ranks {
    fn new(rows: usize) -> Self {
        Self { ranker: Ranker::new(), out: vec![0.0; rows] }
    }

    /// `(rank - 1/2) / rows`, in 0..1.
    fn of(&mut self, values: &[f64]) -> Result<&[f64]> {
        self.ranker.uniform(values, Ties::Broken, &mut self.out).map_err(Error::other)?;
        Ok(&self.out)
    }
}

fn normals(rng: &mut impl Rng, count: usize) -> Vec<f64> {
    StandardNormal.sample_iter(rng).take(count).collect()
}

/// 5, 20, 50, 20 and 5 % of the ranks.
fn bucket(rank: f64) -> f32 {
    match rank {
        r if r < 0.05 => 0.0,
        r if r < 0.25 => 0.25,
        r if r < 0.75 => 0.5,
        r if r < 0.95 => 0.75,
        _ => 1.0,
    }
}
