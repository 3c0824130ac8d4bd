//! What happens to all rows alike: regimes and factor returns, week by week.
//!
//! The regime is a Markov chain of two states: calm (sign 1, volatility 1) and stressed (sign -1,
//! volatility `stress`). Factor returns are Student with the tail of the noise, times the volatility.

use fattail_core::Result;
use rand::RngExt;
use rand_distr::Distribution;

use super::Market;
use crate::{
    noise::UnitStudent,
    stream::{Purpose, stream},
};

/// One week of the market.
#[derive(Debug, Clone)]
pub(super) struct Week {
    /// The sign of the flipping signals.
    pub(super) sign: f64,
    /// The volatility.
    pub(super) volatility: f64,
    /// The return of each factor.
    pub(super) factors: Vec<f64>,
}

impl Market {
    /// The weeks that some era's target looks at.
    pub(super) fn weeks(&self) -> Result<Vec<Week>> {
        let student = UnitStudent::new(self.tail)?;
        let scale = self.factor_risk / (self.factors as f64).sqrt();
        let mut calm = true;
        let week = |index| {
            let mut rng = stream(self.seed, Purpose::Weeks, index);
            calm = calm == rng.random_bool(self.persistence);
            let (sign, volatility) = if calm { (1.0, 1.0) } else { (-1.0, self.stress) };
            let factors = (0..self.factors).map(|_| volatility * scale * student.sample(&mut rng));
            Week { sign, volatility, factors: factors.collect() }
        };
        Ok((0..self.eras + self.long_horizon - 1).map(week).collect())
    }
}
