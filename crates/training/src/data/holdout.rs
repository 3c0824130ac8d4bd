//! Eras held out of training, with a gap before them.
//!
//! The last H eras are held out, the `gap` eras before them are in neither part, since a target that
//! looks ahead reaches into later eras (purging); the rest trains. Cost: one pass over the samples.
//! Reference: López de Prado (2018), Advances in Financial Machine Learning, 7.4.

use std::ops::Range;

use fattail_core::{Error, Result};
use serde::{Deserialize, Serialize};

use super::Samples;

/// How many of the eras are held out.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Portion {
    /// A share of them, rounded, at least one.
    Share(f64),
    /// So many.
    Eras(usize),
}

/// The last eras of what is trained on, by which the best weights are chosen.
///
/// ```
/// use fattail_training::{Holdout, Portion};
/// let holdout = Holdout { portion: Portion::Share(0.2), gap: 4 };
/// assert_eq!(holdout.cut(100)?, (0..76, 80..100));
/// assert!(holdout.cut(5)?.0.is_empty());
/// # Ok::<(), fattail_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Holdout {
    /// How many eras.
    pub portion: Portion,
    /// Eras before them that are left out.
    pub gap: usize,
}

impl Holdout {
    /// Answers whether the settings are in range.
    ///
    /// # Errors
    /// Names the setting, its value and what is allowed.
    pub fn check(&self) -> Result<()> {
        match self.portion {
            Portion::Share(share) if !(share > 0.0 && share < 1.0) => {
                Err(Error::setting("holdout share", share, "between 0 and 1, both excluded"))
            }
            Portion::Eras(0) => Err(Error::setting("holdout eras", 0, "at least 1")),
            _ => Ok(()),
        }
    }

    /// The eras to train on and those held out, of `eras` in all; the first may be none.
    ///
    /// # Errors
    /// When a setting is out of range.
    pub fn cut(&self, eras: usize) -> Result<(Range<usize>, Range<usize>)> {
        self.check()?;
        let held = match self.portion {
            Portion::Share(share) => ((share * eras as f64).round() as usize).max(1),
            Portion::Eras(held) => held,
        };
        let start = eras.saturating_sub(held);
        Ok((0..start.saturating_sub(self.gap), start..eras))
    }

    /// The samples to train on and those held out.
    ///
    /// # Errors
    /// When a setting is out of range or one of the two is empty.
    pub fn split(&self, samples: &Samples) -> Result<(Samples, Samples)> {
        let (train, held) = self.cut(samples.eras())?;
        let what = |name: &str| {
            let (eras, gap) = (samples.eras(), self.gap);
            format!("{name} of {eras} eras with a gap of {gap} and {} held out", held.len())
        };
        let parts = (samples.part(train), samples.part(held.clone()));
        if parts.0.is_empty() {
            return Err(Error::empty(what("the training part")));
        }
        if parts.1.is_empty() {
            return Err(Error::empty(what("the holdout")));
        }
        Ok(parts)
    }
}
