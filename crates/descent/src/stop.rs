//! When to stop: functions of the losses so far, oldest first, smaller being better.
//!
//! | rule | stops when |
//! |---|---|
//! | patience | the last `rounds` losses are none of them below the best before them by more than `min_delta` |
//! | flat | the last `rounds` losses differ by at most `tolerance` times the largest of them in size |
//! | diverging | each of the last `rounds` losses is above the best by more than `factor` times the scale, which is the size of the best plus the way from the first loss to it |
//! | non-finite | the last loss is NaN or infinite |
//!
//! NaN is never better and never flat. Histories that are too short stop nothing. Cost: one pass.

use fattail_core::{Error, Result};
use serde::{Deserialize, Serialize};

/// A rule that ends a walk downhill.
///
/// ```
/// use fattail_descent::{Reason, Stop};
/// let rule = Stop::Patience { rounds: 2, min_delta: 0.0 };
/// assert_eq!(rule.observe(&[1.0, 0.5, 0.6]), None);
/// let reason = rule.observe(&[1.0, 0.5, 0.6, 0.5]).unwrap();
/// assert_eq!(reason, Reason::NoImprovement { rounds: 2, best: 0.5, at: 1 });
/// assert_eq!(reason.to_string(), "no improvement in 2 rounds: the best loss is 0.5, in round 1");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "rule", rename_all = "snake_case")]
pub enum Stop {
    /// Stops without improvement.
    Patience {
        /// Losses without improvement that are borne.
        rounds: usize,
        /// How much smaller a loss must be to be better.
        min_delta: f64,
    },
    /// Stops when nothing moves any more.
    Flat {
        /// The losses looked at.
        rounds: usize,
        /// How much they may differ, as a share of their size.
        tolerance: f64,
    },
    /// Stops when the loss runs away.
    Diverging {
        /// The losses looked at.
        rounds: usize,
        /// How far above the best they must be.
        factor: f64,
    },
    /// Stops at the first loss that is not a number.
    NonFinite,
}

/// Why a walk ended.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "reason", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reason {
    /// No loss was better for too long.
    #[error("no improvement in {rounds} rounds: the best loss is {best}, in round {at}")]
    NoImprovement {
        /// The rounds without.
        rounds: usize,
        /// The best loss.
        best: f64,
        /// Its round, the first being 0.
        at: usize,
    },
    /// The loss stands still.
    #[error("the loss is flat: it moved by {spread} in {rounds} rounds")]
    Flat {
        /// The rounds looked at.
        rounds: usize,
        /// How much the losses differ.
        spread: f64,
    },
    /// The loss runs away.
    #[error("the loss diverges: it is {last}, the best was {best}")]
    Diverging {
        /// The last loss.
        last: f64,
        /// The best one.
        best: f64,
    },
    /// The loss is not a number.
    #[error("the loss is not finite in round {round}")]
    NonFinite {
        /// The round, the first being 0.
        round: usize,
    },
}

impl Stop {
    /// Answers whether the settings are in range.
    ///
    /// # Errors
    /// Names the setting, its value and what is allowed.
    pub fn check(&self) -> Result<()> {
        let (rounds, least, name, number) = match *self {
            Self::Patience { rounds, min_delta } => (rounds, 1, "min_delta", min_delta),
            Self::Flat { rounds, tolerance } => (rounds, 2, "tolerance", tolerance),
            Self::Diverging { rounds, factor } => (rounds, 1, "factor", factor),
            Self::NonFinite => return Ok(()),
        };
        if rounds < least {
            return Err(Error::setting("rounds", rounds, "at least 1, for flat at least 2"));
        }
        if !(number >= 0.0 && number.is_finite()) {
            return Err(Error::setting(name, number, "finite and not negative"));
        }
        Ok(())
    }

    /// Whether the losses so far end the walk, and why.
    #[must_use]
    pub fn observe(&self, history: &[f64]) -> Option<Reason> {
        match *self {
            Self::Patience { rounds, min_delta } => patience(history, rounds, min_delta),
            Self::Flat { rounds, tolerance } => flat(history, rounds, tolerance),
            Self::Diverging { rounds, factor } => diverging(history, rounds, factor),
            Self::NonFinite => history
                .last()
                .filter(|loss| !loss.is_finite())
                .map(|_| Reason::NonFinite { round: history.len() - 1 }),
        }
    }

    /// The first reason that any of `rules` gives.
    #[must_use]
    pub fn any(rules: &[Self], history: &[f64]) -> Option<Reason> {
        rules.iter().find_map(|rule| rule.observe(history))
    }
}

fn patience(history: &[f64], rounds: usize, min_delta: f64) -> Option<Reason> {
    let (mut best, mut at, mut since) = (f64::INFINITY, 0, 0);
    for (round, &loss) in history.iter().enumerate() {
        if loss < best - min_delta {
            (best, at, since) = (loss, round, 0);
        } else {
            since += 1;
        }
    }
    (since >= rounds).then_some(Reason::NoImprovement { rounds: since, best, at })
}

fn flat(history: &[f64], rounds: usize, tolerance: f64) -> Option<Reason> {
    let last = tail(history, rounds)?;
    let low = last.iter().copied().fold(f64::INFINITY, f64::min);
    let high = last.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let spread = high - low;
    let known = last.iter().all(|loss| loss.is_finite());
    let still = spread <= tolerance * low.abs().max(high.abs());
    (known && still).then_some(Reason::Flat { rounds, spread })
}

fn diverging(history: &[f64], rounds: usize, factor: f64) -> Option<Reason> {
    let last = tail(history, rounds)?;
    let best =
        history.iter().copied().filter(|loss| loss.is_finite()).fold(f64::INFINITY, f64::min);
    let first = history.iter().copied().find(|loss| loss.is_finite())?;
    let limit = best + factor * (best.abs() + (first - best));
    let away = last.iter().all(|&loss| loss > limit);
    away.then(|| Reason::Diverging { last: last[last.len() - 1], best })
}

fn tail(history: &[f64], rounds: usize) -> Option<&[f64]> {
    let start = history.len().checked_sub(rounds.max(1))?;
    Some(&history[start..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flat_and_diverging_by_hand() {
        let flat = Stop::Flat { rounds: 3, tolerance: 1e-3 };
        assert_eq!(flat.observe(&[9.0, 1.0, 1.0]), None);
        assert!(matches!(flat.observe(&[1.0, 1.0005, 1.0]), Some(Reason::Flat { .. })));
        assert_eq!(flat.observe(&[1.0, f64::NAN, 1.0]), None);
        let away = Stop::Diverging { rounds: 2, factor: 1.0 };
        // The best is 1, the way to it 1: the limit is 3.
        assert_eq!(away.observe(&[2.0, 1.0, 4.0]), None);
        let reason = away.observe(&[2.0, 1.0, 4.0, f64::INFINITY]).unwrap();
        assert_eq!(reason, Reason::Diverging { last: f64::INFINITY, best: 1.0 });
    }

    #[test]
    fn small_gains_are_no_improvement() {
        let rule = Stop::Patience { rounds: 2, min_delta: 0.1 };
        assert_eq!(rule.observe(&[]), None);
        let reason = rule.observe(&[1.0, 0.95, 0.92]).unwrap();
        assert_eq!(reason, Reason::NoImprovement { rounds: 2, best: 1.0, at: 0 });
        assert_eq!(rule.observe(&[1.0, 0.95, 0.89]), None);
    }

    #[test]
    fn rules_together_and_their_checks() {
        let rules = [Stop::NonFinite, Stop::Patience { rounds: 1, min_delta: 0.0 }];
        assert_eq!(Stop::any(&rules, &[f64::NAN]), Some(Reason::NonFinite { round: 0 }));
        assert!(Stop::Flat { rounds: 1, tolerance: 0.0 }.check().is_err());
        assert!(Stop::Patience { rounds: 1, min_delta: f64::NAN }.check().is_err());
        assert!(rules.iter().all(|rule| rule.check().is_ok()));
    }
}
