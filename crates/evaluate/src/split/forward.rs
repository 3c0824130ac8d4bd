//! Splits that train on the past only.
//!
//! For a test block that starts at era `s`: training eras are those before `s - gap`, all of them or
//! the last few.

use std::ops::Range;

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
    /// This many eras (or times, of rows) at most, the last ones before the gap.
    Rolling(usize),
}

/// Cuts the eras into chunks of one length; every chunk but the first is predicted by a model trained
/// on eras before it. The last chunk may be shorter.
///
/// A chunk is how long a model serves before it is refitted. Each era is tested once, so chunks do not
/// overlap. With `first`, training begins at that length and the first chunk comes after it and the gap:
///
/// ```
/// use fattail_core::Eras;
/// use fattail_evaluate::{Split, WalkForward, Window};
/// let eras = Eras::from_labels((1..=200).map(|era| format!("{era:04}")))?;
/// // Refitted every 4 eras on the last 100, never on fewer.
/// let split = WalkForward { chunk: 4, window: Window::Rolling(100), first: Some(100), ..Default::default() };
/// let folds = split.folds(&eras)?;
/// assert_eq!((folds[0].train.len(), &folds[0].test[..]), (100, &[105, 106, 107, 108][..]));
/// assert!(folds.iter().all(|fold| fold.train.len() == 100));
/// # Ok::<(), fattail_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WalkForward {
    /// Eras a chunk; Numerai's benchmark models use 156, three years of weeks.
    pub chunk: usize,
    /// How much of the past to train on.
    pub window: Window,
    /// The eras that the first model trains on, the fewest of all where the window is no shorter. Nothing
    /// begins the first test chunk at era `chunk`, gap included, as the benchmark models do.
    #[serde(default)]
    pub first: Option<usize>,
    /// Whether a last chunk that is shorter is left out.
    #[serde(default)]
    pub whole: bool,
    /// How far the label looks ahead.
    pub horizon: Horizon,
    /// What the gap must ensure.
    pub rule: EmbargoRule,
}

impl Default for WalkForward {
    fn default() -> Self {
        let (window, rule) = (Window::Anchored, EmbargoRule::default());
        Self { chunk: 156, window, first: None, whole: false, horizon: Horizon::NUMERAI_20, rule }
    }
}

/// Where the test chunks lie among `count` places, the first of them `gap` after `first`, or after a chunk.
pub(super) fn chunks(
    chunk: usize,
    first: Option<usize>,
    gap: usize,
    whole: bool,
    count: usize,
) -> Result<Vec<Range<usize>>, Error> {
    if chunk == 0 || chunk >= count {
        let allowed = "at least 1 and below the number of eras, or times";
        return Err(Error::Setting { name: "chunk", given: chunk, allowed });
    }
    let start = first.map_or(chunk, |first| first.saturating_add(gap));
    if let Some(given) = first.filter(|_| start >= count) {
        let allowed = "so many eras, or times, that they and the gap leave one to test";
        return Err(Error::Setting { name: "first", given, allowed });
    }
    let chunks = (start..count).step_by(chunk).map(|at| at..count.min(at.saturating_add(chunk)));
    let chunks: Vec<_> = chunks.filter(|test| !whole || test.len() == chunk).collect();
    if chunks.is_empty() {
        let allowed = "no longer than the eras, or times, after the first training";
        return Err(Error::Setting { name: "chunk", given: chunk, allowed });
    }
    Ok(chunks)
}

impl Window {
    pub(super) fn check(self) -> Result<(), Error> {
        let (name, allowed) = ("window", "at least 1");
        if self == Self::Rolling(0) {
            Err(Error::Setting { name, given: 0, allowed })
        } else {
            Ok(())
        }
    }
}

impl Split for WalkForward {
    fn folds(&self, eras: &Eras) -> Result<Vec<Fold>> {
        let gap = self.rule.gap(&self.horizon)?;
        self.window.check()?;
        if self.first == Some(0) {
            let allowed = "at least 1 era, or nothing";
            return Err(Error::Setting { name: "first", given: 0, allowed }.into());
        }
        let chunks = chunks(self.chunk, self.first, gap, self.whole, eras.len())?;
        let folds = chunks.into_iter().enumerate().map(|(fold, test)| {
            let end = test.start.saturating_sub(gap);
            let first = match self.window {
                Window::Anchored => 0,
                Window::Rolling(length) => end.saturating_sub(length),
            };
            if end == 0 {
                let split = "a walk-forward split";
                return Err(Error::TooFewEras { split, fold, eras: eras.len(), gap }.into());
            }
            Ok(Fold { train: (first..end).collect(), test: test.collect() })
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
    fn a_first_training_length_and_whole_chunks() {
        let split = WalkForward { chunk: 10, first: Some(7), ..Default::default() };
        let folds = split.folds(&eras(35)).unwrap();
        let found: Vec<_> =
            folds.iter().map(|f| (f.train.len(), f.test[0], f.test.len())).collect();
        assert_eq!(found, [(7, 12, 10), (17, 22, 10), (27, 32, 3)]);
        let whole = WalkForward { whole: true, ..split.clone() }.folds(&eras(35)).unwrap();
        assert_eq!(whole[..], folds[..2]);
        let error = |split: WalkForward| split.folds(&eras(35)).unwrap_err().to_string();
        assert!(error(WalkForward { first: Some(0), ..split.clone() }).contains("'first' is 0"));
        // 30 and the gap of 5 leave none of 35 to test; 29 leave one.
        assert!(error(WalkForward { first: Some(30), ..split.clone() }).contains("'first' is 30,"));
        let last = WalkForward { first: Some(29), ..split.clone() }.folds(&eras(35)).unwrap();
        assert_eq!((last.len(), &last[0].test[..]), (1, &[34][..]));
        let long = WalkForward { chunk: 24, whole: true, ..split };
        assert!(error(long).contains("'chunk' is 24"));
    }

    #[test]
    fn settings_written_before_a_field_came_are_read() {
        let text = r#"{"chunk":10,"window":"anchored","horizon":{"days":20,"lag_days":2,
            "data_lag_days":2,"era_days":5},"rule":"real_time"}"#;
        let read: WalkForward = serde_json::from_str(text).unwrap();
        assert_eq!(read, WalkForward { chunk: 10, ..Default::default() });
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
