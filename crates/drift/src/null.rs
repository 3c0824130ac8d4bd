//! How a p-value is made, and what a test answers.
//!
//! A permutation p-value over `B` draws is `(1 + #{T_b >= T}) / (1 + B)`: under exchangeability
//! `P(p <= a) <= a` for every `a`, and `= a` when `a (B + 1)` is whole and draws do not tie. Draws
//! within `1e-12` of `T`, relative, count as ties, which is the cautious side.
//!
//! That is over random deals. Given one seed the deals are the same each time, and the rate given them
//! lies around `a` with a standard deviation of `√(a (1 - a) / (B + 2))`: 0.7 % for 5 % and 999 deals.
//!
//! Reference: Phipson and Smyth (2010), Permutation p-values should never be zero, Statistical
//! Applications in Genetics and Molecular Biology 9(1).

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Where a p-value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Null {
    /// The limit distribution: cheap, true for many rows.
    Asymptotic,
    /// Rows dealt anew to the two samples: true for any number of rows.
    Permutation {
        /// Deals; the smallest p-value is `1 / (draws + 1)`.
        draws: u32,
        /// Same seed, same deals.
        seed: u64,
    },
    /// What the test's own page says: the exact or the limit distribution where it holds, deals
    /// elsewhere.
    Auto {
        /// Deals, where they are needed.
        draws: u32,
        /// Same seed, same deals.
        seed: u64,
    },
}

impl Default for Null {
    fn default() -> Self {
        Self::Auto { draws: 999, seed: 0 }
    }
}

/// How the p-value of an [`Outcome`] was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// All deals counted.
    Exact,
    /// By the limit distribution.
    Asymptotic,
    /// By random deals.
    Permutation,
}

/// A statistic and its p-value.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// The statistic.
    #[serde(with = "fattail_core::null")]
    pub statistic: f64,
    /// The chance of a statistic at least as large without drift.
    #[serde(with = "fattail_core::null")]
    pub p: f64,
    /// How `p` was made.
    pub method: Method,
}

/// The p-value of `observed` among the statistics of `draws` deals.
pub(crate) fn permutation_p(
    observed: f64,
    draws: u32,
    statistic: impl FnMut(u32) -> f64,
) -> Result<f64> {
    checked_draws(draws)?;
    let floor = tie_floor(observed);
    let above = (0..draws).map(statistic).filter(|&drawn| drawn >= floor).count();
    Ok((1 + above) as f64 / (1.0 + f64::from(draws)))
}

/// Refuses a test without deals.
pub(crate) fn checked_draws(draws: u32) -> Result<()> {
    if draws == 0 { Err(Error::setting("draws", draws, "at least 1")) } else { Ok(()) }
}

/// The least statistic that counts as at least `observed`.
pub(crate) fn tie_floor(observed: f64) -> f64 {
    observed - 1e-12 * observed.abs()
}
