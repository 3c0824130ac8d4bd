//! A rate that falls when scores stop to improve.
//!
//! A loss is better than the best so far when it is below it by more than `min_delta`. After more
//! than `patience` losses in a row that are not, the rate is multiplied by `factor`, and for the next
//! `cooldown` losses nothing is counted. NaN is never better. Cost: one pass over the history.
//! Reference: torch's `ReduceLROnPlateau`, mode `min`, threshold mode `abs`.

use fattail_core::{Error, Result};
use serde::{Deserialize, Serialize};

use super::rate;

/// A rate that depends on the losses seen, smaller being better. Its state is the history that the
/// caller hands in.
///
/// ```
/// use fattail_descent::Plateau;
/// let plateau = Plateau { start: 1.0, patience: 1, ..Plateau::default() };
/// assert_eq!(plateau.rate(&[0.9, 0.8, 0.8]), 1.0);
/// assert_eq!(plateau.rate(&[0.9, 0.8, 0.8, 0.8]), 0.1);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Plateau {
    /// The rate before any reduction.
    pub start: f64,
    /// What a reduction multiplies by.
    pub factor: f64,
    /// Losses without improvement that are borne.
    pub patience: usize,
    /// How much smaller a loss must be to be better.
    pub min_delta: f64,
    /// Losses after a reduction that are not counted.
    pub cooldown: usize,
    /// The smallest rate, not above `start`.
    pub minimum: f64,
}

impl Default for Plateau {
    fn default() -> Self {
        Self { start: 1e-3, factor: 0.1, patience: 10, min_delta: 1e-4, cooldown: 0, minimum: 0.0 }
    }
}

impl Plateau {
    /// Answers whether the settings are in range.
    ///
    /// # Errors
    /// Names the setting, its value and what is allowed.
    pub fn check(&self) -> Result<()> {
        rate("start", self.start)?;
        rate("min_delta", self.min_delta)?;
        rate("minimum", self.minimum)?;
        if self.minimum > self.start {
            return Err(Error::setting("minimum", self.minimum, "at most the start"));
        }
        if self.factor > 0.0 && self.factor < 1.0 {
            return Ok(());
        }
        Err(Error::setting("factor", self.factor, "between 0 and 1, both excluded"))
    }

    /// The rate after the losses of `history`, oldest first.
    #[must_use]
    pub fn rate(&self, history: &[f64]) -> f64 {
        let (mut rate, mut best, mut bad, mut cooling) = (self.start, f64::INFINITY, 0, 0);
        for &loss in history {
            if loss < best - self.min_delta {
                (best, bad) = (loss, 0);
            } else {
                bad += 1;
            }
            if cooling > 0 {
                (cooling, bad) = (cooling - 1, 0);
            }
            if bad > self.patience {
                rate = rate.min((rate * self.factor).max(self.minimum));
                (cooling, bad) = (self.cooldown, 0);
            }
        }
        rate
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cooldown_and_floor() {
        let plateau = Plateau {
            start: 1.0,
            factor: 0.5,
            patience: 0,
            cooldown: 1,
            minimum: 0.3,
            ..Plateau::default()
        };
        assert_eq!(plateau.rate(&[]), 1.0);
        assert_eq!(plateau.rate(&[1.0, 1.0]), 0.5);
        assert_eq!(plateau.rate(&[1.0, 1.0, 1.0]), 0.5);
        assert_eq!(plateau.rate(&[1.0, 1.0, 1.0, f64::NAN]), 0.3);
        assert!(Plateau { factor: 1.0, ..plateau }.check().is_err());
    }

    #[test]
    fn a_floor_above_the_start_is_refused_and_never_raises() {
        let upside_down = Plateau { start: 0.1, minimum: 0.3, patience: 0, ..Plateau::default() };
        assert_eq!(
            upside_down.check().unwrap_err().to_string(),
            "setting 'minimum' is 0.3, allowed is at most the start"
        );
        assert_eq!(upside_down.rate(&[1.0, 1.0, 1.0]), 0.1);
        assert!(Plateau { start: 0.3, ..upside_down }.check().is_ok());
    }
}
