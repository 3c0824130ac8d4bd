//! Averages of weights: one set that stands for many.
//!
//! With w_t the weights and m the average: exponential `m <- m + (1 - decay) (w_t - m)` every `every`
//! steps, beginning with m = w at the first of them; tail `m <- m + (w_e - m) / n` at the end of each
//! epoch e from `from_epoch` on, the n-th of them. Sums in f64, kept as f32, so that a resumed run
//! goes on from the same bits. Cost: a copy of the weights each time. Reference: Polyak and Juditsky
//! (1992), Acceleration of stochastic approximation by averaging; Izmailov et al. (2018), Averaging
//! weights leads to wider optima and better generalization, alg. 1.

use fattail_core::{Error, Result};
use serde::{Deserialize, Serialize};

/// Which weights a run returns and judges.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(tag = "average", rename_all = "snake_case")]
pub enum Average {
    /// Those of the last step.
    #[default]
    None,
    /// An average in which older weights count less and less.
    Ema {
        /// What is kept of the average each time.
        decay: f64,
        /// Steps between the weights that are averaged.
        every: u64,
    },
    /// The mean of those at the ends of epochs.
    Tail {
        /// The first epoch whose weights count.
        from_epoch: u64,
    },
}

impl Average {
    /// Answers whether the settings are in range.
    ///
    /// # Errors
    /// Names the setting, its value and what is allowed.
    pub fn check(&self) -> Result<()> {
        match *self {
            Self::Ema { decay, .. } if !(decay > 0.0 && decay < 1.0) => {
                Err(Error::setting("decay", decay, "between 0 and 1, both excluded"))
            }
            Self::Ema { every: 0, .. } => Err(Error::setting("every", 0, "at least 1")),
            _ => Ok(()),
        }
    }

    /// Whether weights are due after step `step`, counted from 1.
    pub(crate) fn due_after_step(&self, step: u64) -> bool {
        matches!(*self, Self::Ema { every, .. } if step.is_multiple_of(every))
    }

    /// Whether weights are due at the end of an epoch.
    pub(crate) fn due_after_epoch(&self, epoch: u64) -> bool {
        matches!(*self, Self::Tail { from_epoch } if epoch >= from_epoch)
    }
}

/// An average so far.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Mean {
    /// The average, in the order of a snapshot's weights.
    pub(crate) weights: Option<Vec<f32>>,
    /// How many were averaged.
    pub(crate) count: u64,
}

impl Mean {
    /// Takes weights in.
    pub(crate) fn add(&mut self, kind: &Average, weights: &[f32]) {
        self.count += 1;
        let share = match *kind {
            Average::Ema { decay, .. } => 1.0 - decay,
            _ => 1.0 / self.count as f64,
        };
        match &mut self.weights {
            Some(mean) if mean.len() == weights.len() => {
                for (mean, &weight) in mean.iter_mut().zip(weights) {
                    let way = f64::from(weight) - f64::from(*mean);
                    *mean = (f64::from(*mean) + share * way) as f32;
                }
            }
            mean => *mean = Some(weights.to_vec()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn averages_by_hand() {
        let (mut tail, mut ema) = (Mean::default(), Mean::default());
        let kind = Average::Ema { decay: 0.75, every: 2 };
        for weight in [1.0, 2.0, 6.0] {
            tail.add(&Average::Tail { from_epoch: 0 }, &[weight]);
            ema.add(&kind, &[weight]);
        }
        assert_eq!(tail.weights, Some(vec![3.0]));
        // 1, then 1 + 0.25, then 1.25 + 0.25 * 4.75.
        assert_eq!(ema.weights, Some(vec![2.4375]));
        assert!(kind.due_after_step(4) && !kind.due_after_step(3) && !kind.due_after_epoch(3));
        assert!(Average::Ema { decay: 1.0, every: 1 }.check().is_err());
    }
}
