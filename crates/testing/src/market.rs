//! A Numerai-shaped market whose signals are known.
//!
//! Row `i` of era `e` has factor loadings `z_ik ~ N(0, 1)` and features
//! `x_ij = bin(sqrt(c) z_{i, j mod K} + sqrt(1 - c) n_ij)`, with `c` the coherence, `K` the number of
//! factors and `bin` the equal bins 0..4 of the era. With `u = (x - 2) / sqrt(2)`, the return over the
//! weeks `e .. e + H` is
//!
//! `r_i = sum_j (a_j + s_e b_j) u_ij + sum_k f_ek z_ik + v_e t_i`
//!
//! where `a` are the stable weights, `b` the flipping ones, `s_e` the mean sign of the regimes of those
//! weeks, `f_ek` the factor returns summed over them, `v_e` their volatility and `t_i` Student noise of
//! unit variance. Labels of neighbouring eras share weeks, so per-era scores are autocorrelated up to
//! lag `H - 1`. The target is `r` ranked within the era and cut at 5, 25, 75 and 95 %.
//!
//! NaN only in the long target: rows whose weeks are not over at the end of the market, and a share of
//! the rest. Cost: eras x rows x features normals. Reference: Numerai's data documentation, v5; the
//! regimes are Hamilton (1989), A new approach to the economic analysis of nonstationary time series.

mod era;
mod truth;
mod weeks;

use std::sync::Arc;

use fattail_core::{Eras, Error, IdsBuilder, Panel, Result};
use serde::{Deserialize, Serialize};

use self::era::{EraDraw, EraRows};
pub use self::truth::{Signal, Signals};

/// Settings of a synthetic market; [`Market::panel`] draws it.
///
/// ```
/// use fattail_testing::Market;
///
/// let market = Market { eras: 12, rows: 100, ..Market::default() };
/// let panel = market.panel()?;
/// assert_eq!((panel.eras().label(0), panel.eras().len(), panel.rows()), ("0001", 12, 1200));
/// assert_eq!(market.signals()?.stable.len(), market.stable);
/// # Ok::<(), fattail_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Market {
    /// Number of eras (weeks).
    pub eras: usize,
    /// Rows of each era.
    pub rows: usize,
    /// Number of features.
    pub features: usize,
    /// Number of factors; feature `j` loads on factor `j mod factors`.
    pub factors: usize,
    /// Correlation of two features of one factor before binning, in 0..=1.
    pub coherence: f64,
    /// Features whose relation to the target never changes.
    pub stable: usize,
    /// Features whose relation turns round with the regime.
    pub flipping: usize,
    /// Standard deviation of the stable signal in units of the noise; about the correlation of the
    /// best model with the return.
    pub signal: f64,
    /// The same of the flipping signal.
    pub flip: f64,
    /// The same of the factor returns.
    pub factor_risk: f64,
    /// Weeks that the target looks ahead.
    pub horizon: usize,
    /// Weeks that the auxiliary target looks ahead.
    pub long_horizon: usize,
    /// Probability that a regime lasts one week more.
    pub persistence: f64,
    /// Volatility of factors and noise in the second regime, in units of the first.
    pub stress: f64,
    /// Degrees of freedom of the noise, above 2.
    pub tail: f64,
    /// Features, the last ones, that are missing (2 in every row) at first.
    pub late_features: usize,
    /// Eras in which they are missing.
    pub missing_eras: usize,
    /// Correlation of the meta model with the stable signal, in 0..=1.
    pub meta: f64,
    /// Share of rows whose long target is unknown, in 0..=1.
    pub unknown: f64,
    /// Seed; same settings and seed, same bits.
    pub seed: u64,
}

impl Default for Market {
    fn default() -> Self {
        Self {
            eras: 240,
            rows: 500,
            features: 40,
            factors: 5,
            coherence: 0.3,
            stable: 8,
            flipping: 4,
            signal: 0.025,
            flip: 0.02,
            factor_risk: 0.03,
            horizon: 4,
            long_horizon: 12,
            persistence: 0.97,
            stress: 2.0,
            tail: 3.0,
            late_features: 2,
            missing_eras: 24,
            meta: 0.6,
            unknown: 0.02,
            seed: 0,
        }
    }
}

impl Market {
    /// Name of the main target.
    pub const TARGET: &'static str = "target";
    /// Name of the auxiliary target, which looks further ahead and has unknown values.
    pub const LONG_TARGET: &'static str = "target_long";
    /// Name of the extra column with a meta model's predictions, uniform ranks within the era.
    pub const META_MODEL: &'static str = "meta_model";
    /// Name of the extra column with the return that the target ranks.
    pub const RETURN: &'static str = "return";

    /// Draws the market.
    ///
    /// # Errors
    /// When a setting is out of its range; named with value and range.
    pub fn panel(&self) -> Result<Panel> {
        let signals = self.signals()?;
        let weeks = self.weeks()?;
        let draw = EraDraw::new(self, &signals, &weeks)?;
        let mut all = EraRows::default();
        for era in 0..self.eras {
            draw.era(era, &mut all)?;
        }
        self.assemble(all)
    }

    /// Which features carry a signal, and how strongly.
    ///
    /// # Errors
    /// When a setting is out of its range.
    pub fn signals(&self) -> Result<Signals> {
        self.validate()?;
        Signals::draw(self)
    }

    fn assemble(&self, rows: EraRows) -> Result<Panel> {
        let label = |era: usize| -> Arc<str> { format!("{:04}", era + 1).into() };
        let eras = Eras::from_runs((0..self.eras).map(|era| (label(era), self.rows)))?;
        let mut ids = IdsBuilder::with_capacity(eras.rows(), 16 * eras.rows());
        (0..eras.rows()).for_each(|row| ids.push(&id(self.seed, row as u64)));
        let named = rows.features.into_iter().enumerate();
        named
            .fold(Panel::builder(), |builder, (at, values)| {
                builder.feature(truth::feature_name(at), values)
            })
            .era_runs(eras)
            .ids(ids.finish())
            .target(Self::TARGET, rows.target)
            .target(Self::LONG_TARGET, rows.long_target)
            .extra(Self::META_MODEL, rows.meta_model)
            .extra(Self::RETURN, rows.returns)
            .build()
    }

    fn validate(&self) -> Result<()> {
        let counts: [(&'static str, usize); 5] = [
            ("eras", self.eras),
            ("rows", self.rows),
            ("features", self.features),
            ("factors", self.factors),
            ("horizon", self.horizon),
        ];
        for (name, value) in counts {
            refuse(value == 0, name, value, "at least 1")?;
        }
        let shares = [
            ("coherence", self.coherence),
            ("persistence", self.persistence),
            ("meta", self.meta),
            ("unknown", self.unknown),
        ];
        for (name, value) in shares {
            refuse(!(0.0..=1.0).contains(&value), name, value, "0 to 1")?;
        }
        let strengths =
            [("signal", self.signal), ("flip", self.flip), ("factor_risk", self.factor_risk)];
        for (name, value) in strengths {
            refuse(!value.is_finite() || value < 0.0, name, value, "finite and at least 0")?;
        }
        let special = self.stable.saturating_add(self.flipping).saturating_add(self.late_features);
        refuse(
            special > self.features,
            "stable + flipping + late_features",
            special,
            "at most features",
        )?;
        refuse(
            self.long_horizon < self.horizon,
            "long_horizon",
            self.long_horizon,
            "at least horizon",
        )?;
        refuse(
            !self.stress.is_finite() || self.stress <= 0.0,
            "stress",
            self.stress,
            "finite and above 0",
        )?;
        refuse(!self.tail.is_finite() || self.tail <= 2.0, "tail", self.tail, "finite and above 2")
    }
}

pub(crate) fn refuse(
    when: bool,
    name: &'static str,
    value: impl ToString,
    allowed: &'static str,
) -> Result<()> {
    if when { Err(Error::setting(name, value, allowed)) } else { Ok(()) }
}

/// `n` and 15 hexadecimal digits. Each step is a bijection of 60 bits, so no two rows share an id.
fn id(seed: u64, row: u64) -> String {
    const MASK: u64 = (1 << 60) - 1;
    let mut x = row.wrapping_add(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)) & MASK;
    for odd in [0xbf58_476d_1ce4_e5b9_u64, 0x94d0_49bb_1331_11eb] {
        x ^= x >> 30;
        x = x.wrapping_mul(odd) & MASK;
    }
    format!("n{:015x}", x ^ (x >> 31))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_the_shape() {
        let ids: std::collections::HashSet<String> = (0..10_000).map(|row| id(7, row)).collect();
        assert_eq!(ids.len(), 10_000);
        assert!(ids.iter().all(|id| id.len() == 16 && id.starts_with('n')));
    }

    #[test]
    fn settings_out_of_range_are_named() {
        let told = |market: Market| market.panel().unwrap_err().to_string();
        assert_eq!(
            told(Market { tail: 2.0, ..Market::default() }),
            "setting 'tail' is 2, allowed is finite and above 2"
        );
        assert!(told(Market { eras: 0, ..Market::default() }).contains("'eras' is 0"));
        assert!(told(Market { stable: 39, ..Market::default() }).contains("is 45"));
        assert!(told(Market { meta: f64::NAN, ..Market::default() }).contains("'meta' is NaN"));
        assert!(told(Market { long_horizon: 3, ..Market::default() }).contains("at least horizon"));
        assert!(told(Market { flip: -1.0, ..Market::default() }).contains("'flip'"));
    }
}
