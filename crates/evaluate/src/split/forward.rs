//! Splits that train on the past only.
//!
//! For a test block that starts at era `s`: training eras are those before `s - gap`, all of them or
//! the last few.

use fattail_core::{Eras, Result};
use serde::{Deserialize, Serialize};

use super::{Fold, Split, runs};
use crate::{EmbargoRule, Error, Horizon};

/// Cuts the eras into `folds + 1` runs; every run but the first is a test block, trained on all eras
/// before it.
///
/// ```
/// use fattail_core::Eras;
/// use fattail_evaluate::{Expanding, Split};
/// let eras = Eras::from_labels((1..=60).map(|era| format!("{era:04}")))?;
/// let folds = Expanding { folds: 2, ..Expanding::default() }.folds(&eras)?;
/// assert_eq!((folds[0].train.len(), folds[0].test[0]), (15, 20));
/// # Ok::<(), fattail_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expanding {
    /// The number of test blocks.
    pub folds: usize,
    /// How far the label looks ahead.
    pub horizon: Horizon,
    /// What the gap must ensure.
    pub rule: EmbargoRule,
}

impl Default for Expanding {
    fn default() -> Self {
        Self { folds: 5, horizon: Horizon::NUMERAI_20, rule: EmbargoRule::default() }
    }
}

impl Split for Expanding {
    fn folds(&self, eras: &Eras) -> Result<Vec<Fold>> {
        let (gap, count) = (self.rule.gap(&self.horizon)?, self.folds.saturating_add(1));
        if self.folds == 0 || count > eras.len() {
            let allowed = "at least 1 and below the number of eras";
            return Err(Error::Setting { name: "folds", given: self.folds, allowed }.into());
        }
        let blocks = runs(eras.len(), count).skip(1).enumerate();
        let folds = blocks.map(|(fold, test)| {
            let train: Vec<usize> = (0..test.start.saturating_sub(gap)).collect();
            if train.is_empty() {
                let split = "an expanding split";
                return Err(Error::TooFewEras { split, fold, eras: eras.len(), gap }.into());
            }
            Ok(Fold { train, test: test.collect() })
        });
        folds.collect()
    }
}

/// How much of the past a walk-forward model trains on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Window {
    /// All of it.
    #[default]
    Anchored,
    /// This many eras at most, the last ones before the gap.
    Rolling(usize),
}

/// Cuts the eras into chunks of one length; every chunk but the first is predicted by a model trained
/// on eras before it. The last chunk may be shorter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WalkForward {
    /// Eras a chunk; Numerai's benchmark models use 156, three years of weeks.
    pub chunk: usize,
    /// How much of the past to train on.
    pub window: Window,
    /// How far the label looks ahead.
    pub horizon: Horizon,
    /// What the gap must ensure.
    pub rule: EmbargoRule,
}

impl Default for WalkForward {
    fn default() -> Self {
        let (window, rule) = (Window::Anchored, EmbargoRule::default());
        Self { chunk: 156, window, horizon: Horizon::NUMERAI_20, rule }
    }
}

impl Split for WalkForward {
    fn folds(&self, eras: &Eras) -> Result<Vec<Fold>> {
        let gap = self.rule.gap(&self.horizon)?;
        if self.chunk == 0 || self.chunk >= eras.len() {
            let allowed = "at least 1 and below the number of eras";
            return Err(Error::Setting { name: "chunk", given: self.chunk, allowed }.into());
        }
        if self.window == Window::Rolling(0) {
            let (name, allowed) = ("window", "at least 1 era");
            return Err(Error::Setting { name, given: 0, allowed }.into());
        }
        let folds =
            (self.chunk..eras.len()).step_by(self.chunk).enumerate().map(|(fold, start)| {
                let end = start.saturating_sub(gap);
                let first = match self.window {
                    Window::Anchored => 0,
                    Window::Rolling(length) => end.saturating_sub(length),
                };
                if end == 0 {
                    let split = "a walk-forward split";
                    return Err(Error::TooFewEras { split, fold, eras: eras.len(), gap }.into());
                }
                let test = (start..eras.len().min(start.saturating_add(self.chunk))).collect();
                Ok(Fold { train: (first..end).collect(), test })
            });
        folds.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn eras(count: usize) -> Eras {
        Eras::from_labels((1..=count).map(|era| format!("{era:04}"))).unwrap()
    }

    #[test]
    fn the_benchmark_schedule_of_numerai() {
        let split = WalkForward { rule: EmbargoRule::NumeraiBenchmark, ..Default::default() };
        let folds = split.folds(&eras(400)).unwrap();
        // Labels are one more than positions: train 1-148, purge 149-156, predict 157-312.
        assert_eq!((folds[0].train[0] + 1, folds[0].train[147] + 1), (1, 148));
        assert_eq!(folds[0].train.len(), 148);
        assert_eq!((folds[0].test[0] + 1, folds[0].test[155] + 1), (157, 312));
        assert_eq!(folds[1].test.len(), 400 - 312);
    }

    #[test]
    fn a_rolling_window_forgets() {
        let split = WalkForward { chunk: 10, window: Window::Rolling(3), ..Default::default() };
        let folds = split.folds(&eras(30)).unwrap();
        assert_eq!(folds[0].train, [2, 3, 4]);
        assert_eq!(folds[1].train, [12, 13, 14]);
    }

    #[test]
    fn too_few_eras_and_wrong_settings() {
        let error = Expanding::default().folds(&eras(20)).unwrap_err().to_string();
        assert!(error.starts_with("an expanding split with a gap of 5 eras"), "{error}");
        let walk = |chunk| WalkForward { chunk, ..Default::default() };
        assert!(walk(5).folds(&eras(20)).is_err());
        assert!(walk(0).folds(&eras(20)).is_err());
        assert!(walk(20).folds(&eras(20)).is_err());
        assert!(walk(usize::MAX).folds(&eras(20)).is_err());
        assert!(Expanding { folds: 0, ..Default::default() }.folds(&eras(20)).is_err());
    }
}
