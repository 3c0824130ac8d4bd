//! Splits of rows by the spans of their labels, for labels of any length.
//!
//! Rows are placed by the time at which their label begins. The distinct times are cut, not the rows, so rows
//! that begin together are tested together, and the order in which rows are given does not matter: each fold
//! holds the same rows. Training rows are those that [`Spans::purge`] leaves.
//!
//! Each split also cuts the eras of a panel by the spans of its rows (`era_folds`), for labels whose horizon
//! differs from row to row: the eras themselves are cut, and an era is not trained on when any of its rows
//! must go. With one horizon the folds are those of the split of eras. They are handed to
//! [`backtest`](crate::backtest) as [`Given`](crate::Given).
//!
//! Cost: a sort of the rows, and a purge a fold. Of the rows of an era only those count whose span no other
//! one contains (one, where all have one horizon), so folds of eras cost a sort of the rows once and then as
//! much as rows of that number.
//!
//! Reference: López de Prado (2018), Advances in Financial Machine Learning, sections 7.4 and 12.4.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::ops::Range;

use fattail_core::Eras;
use serde::{Deserialize, Serialize};

use super::{
    Combinations, Fold, Spans, Window, combine::Groups, forward::chunks, runs, spans::Reach,
};
use crate::error::{Error, Result, same_length};

/// K folds of rows: each is tested once, trained on all others whose labels keep their distance.
///
/// ```
/// use fattail_evaluate::{PurgedRows, Spans};
/// // 100 daily rows whose labels take three days, in any order.
/// let starts: Vec<i64> = (0..100).map(|row| row * 37 % 100).collect();
/// let ends = starts.iter().map(|start| start + 2).collect();
/// let spans = Spans::new(starts, ends)?;
/// let folds = PurgedRows { folds: 4, embargo: 5 }.folds(&spans)?;
/// assert_eq!(folds[1].test.len(), 25);
/// // Two days go before the test rows; two and the embargo after them.
/// assert_eq!(folds[1].train.len(), 75 - 2 - 7);
/// # Ok::<(), fattail_evaluate::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PurgedRows {
    /// The number of folds.
    pub folds: usize,
    /// How long after a test label has ended no training row may begin, in the unit of the spans.
    pub embargo: u64,
}

impl Default for PurgedRows {
    fn default() -> Self {
        Self { folds: 5, embargo: 0 }
    }
}

/// [`Cpcv`](crate::Cpcv) over rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CpcvRows {
    /// The number of groups.
    pub groups: usize,
    /// The groups that a split tests.
    pub tests: usize,
    /// How long after a test label has ended no training row may begin, in the unit of the spans.
    pub embargo: u64,
}

impl Default for CpcvRows {
    fn default() -> Self {
        Self { groups: 10, tests: 3, embargo: 0 }
    }
}

/// [`WalkForward`](crate::WalkForward) over rows: chunks of times, each predicted by a model whose labels
/// have ended before it begins. For labels that are known some time after their end, the spans end then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WalkForwardRows {
    /// Times a chunk.
    pub chunk: usize,
    /// How many times of the past to train on, of those that have a row left.
    pub window: Window,
    /// The times before the first test chunk; nothing begins it at time `chunk`.
    pub first: Option<usize>,
    /// Whether a last chunk that is shorter is left out.
    pub whole: bool,
}

impl Default for WalkForwardRows {
    fn default() -> Self {
        Self { chunk: 250, window: Window::Anchored, first: None, whole: false }
    }
}

impl PurgedRows {
    /// Folds of rows, in time order.
    ///
    /// # Errors
    /// When there are fewer times than folds, or a fold has nothing to train on.
    pub fn folds(&self, spans: &Spans) -> Result<Vec<Fold>> {
        self.cut(&Places::times(spans))
    }

    /// Folds of the eras whose rows have these spans.
    ///
    /// # Errors
    /// As [`PurgedRows::folds`], and when there is not one span a row.
    pub fn era_folds(&self, eras: &Eras, spans: &Spans) -> Result<Vec<Fold>> {
        self.cut(&Places::eras(eras, spans)?)
    }

    fn cut(&self, places: &Places<'_>) -> Result<Vec<Fold>> {
        if self.folds < 2 || self.folds > places.len() {
            let allowed = "at least 2 and at most the number of eras, or times";
            return Err(Error::Setting { name: "folds", given: self.folds, allowed });
        }
        let fold = |(fold, test): (usize, Range<usize>)| {
            let split = "a purged split of rows";
            places.fold(split, fold, 0..places.len(), &[test], self.embargo)
        };
        runs(places.len(), self.folds).enumerate().map(fold).collect()
    }
}

impl CpcvRows {
    /// The splits of rows, and their paths.
    ///
    /// # Errors
    /// When a setting is out of range, or a split has nothing to train on.
    pub fn splits(&self, spans: &Spans) -> Result<Combinations> {
        self.cut(&Places::times(spans))
    }

    /// The splits of the eras whose rows have these spans, for
    /// [`backtest_paths`](crate::backtest_paths).
    ///
    /// # Errors
    /// As [`CpcvRows::splits`], and when there is not one span a row.
    pub fn era_splits(&self, eras: &Eras, spans: &Spans) -> Result<Combinations> {
        self.cut(&Places::eras(eras, spans)?)
    }

    fn cut(&self, places: &Places<'_>) -> Result<Combinations> {
        let groups = Groups::of(self.groups, self.tests, places.len())?;
        let mut all = groups.combine(|fold, test| {
            let split = "a combinatorial split of rows";
            places.fold(split, fold, 0..places.len(), test, self.embargo)
        })?;
        all.groups = (0..self.groups).map(|group| places.members(groups.range(group))).collect();
        Ok(all)
    }
}

impl WalkForwardRows {
    /// Folds of rows, in time order.
    ///
    /// # Errors
    /// When a setting is out of range, or a fold has nothing to train on.
    pub fn folds(&self, spans: &Spans) -> Result<Vec<Fold>> {
        self.cut(&Places::times(spans))
    }

    /// Folds of the eras whose rows have these spans.
    ///
    /// # Errors
    /// As [`WalkForwardRows::folds`], and when there is not one span a row.
    pub fn era_folds(&self, eras: &Eras, spans: &Spans) -> Result<Vec<Fold>> {
        self.cut(&Places::eras(eras, spans)?)
    }

    fn cut(&self, places: &Places<'_>) -> Result<Vec<Fold>> {
        self.window.check()?;
        let chunks = chunks(self.chunk, self.first, 0, self.whole, places.len())?;
        let fold = |(fold, test): (usize, Range<usize>)| {
            let split = "a walk-forward split of rows";
            let found = places.fold(split, fold, 0..test.start, &[test], 0)?;
            Ok(match self.window {
                Window::Anchored => found,
                Window::Rolling(most) => Fold { train: places.last(found.train, most), ..found },
            })
        };
        chunks.into_iter().enumerate().map(fold).collect()
    }
}

/// Places in time, and the rows of each: distinct starts of labels, or eras.
struct Places<'a> {
    /// Those of the rows; of eras, those that no other of the same era contains.
    spans: Cow<'a, Spans>,
    /// Rows by place.
    rows: Vec<usize>,
    /// Where the rows of each place begin, and their number at the end.
    begins: Vec<usize>,
    /// Whether folds are made of places instead of rows.
    whole: bool,
}

impl<'a> Places<'a> {
    fn times(spans: &'a Spans) -> Self {
        let starts = spans.starts();
        let mut rows: Vec<usize> = (0..spans.len()).collect();
        rows.sort_by_key(|&row| starts[row]);
        let new = |&at: &usize| at == 0 || starts[rows[at]] != starts[rows[at - 1]];
        let begins = (0..rows.len()).filter(new).chain([rows.len()]).collect();
        Self { spans: Cow::Borrowed(spans), rows, begins, whole: false }
    }

    fn eras(eras: &Eras, spans: &Spans) -> Result<Self> {
        same_length("spans", spans.len(), eras.rows())?;
        let (mut starts, mut ends, mut begins) = (Vec::new(), Vec::new(), vec![0]);
        let mut of_era = Vec::new();
        for rows in eras.ranges() {
            of_era.clear();
            of_era.extend(rows.map(|row| (spans.starts()[row], Reverse(spans.ends()[row]))));
            of_era.sort_unstable();
            let mut last = None;
            for &(start, Reverse(end)) in &of_era {
                // What begins no earlier and ends no later than another meets nothing that it does not.
                if last.is_none_or(|last| last < end) {
                    starts.push(start);
                    ends.push(end);
                    last = Some(end);
                }
            }
            begins.push(starts.len());
        }
        let rows = (0..starts.len()).collect();
        let spans = Cow::Owned(Spans::new(starts, ends)?);
        Ok(Self { spans, rows, begins, whole: true })
    }

    fn len(&self) -> usize {
        self.begins.len() - 1
    }

    fn rows(&self, places: Range<usize>) -> &[usize] {
        &self.rows[self.begins[places.start]..self.begins[places.end]]
    }

    /// What a fold holds of some places: the places, or their rows, increasing.
    fn members(&self, places: Range<usize>) -> Vec<usize> {
        if self.whole {
            return places.collect();
        }
        sorted(self.rows(places).to_vec())
    }

    /// Tests some runs of places and trains on what the purge leaves of `train`.
    fn fold(
        &self,
        split: &'static str,
        fold: usize,
        train: Range<usize>,
        test: &[Range<usize>],
        embargo: u64,
    ) -> Result<Fold> {
        let tested: Vec<usize> =
            test.iter().flat_map(|run| self.rows(run.clone())).copied().collect();
        let train = if self.whole {
            self.places_left(train, &Reach::of(&self.spans, &tested, embargo))
        } else {
            sorted(self.spans.purge(self.rows(train), &tested, embargo)?)
        };
        if train.is_empty() {
            return Err(Error::NothingToTrain { split, fold });
        }
        let test =
            if self.whole { test.iter().cloned().flatten().collect() } else { sorted(tested) };
        Ok(Fold { train, test })
    }

    /// The places none of whose rows must go.
    fn places_left(&self, places: Range<usize>, reach: &Reach) -> Vec<usize> {
        let (starts, ends) = (self.spans.starts(), self.spans.ends());
        let goes = |&row: &usize| reach.meets(starts[row], ends[row]);
        places.filter(|&place| !self.rows(place..place + 1).iter().any(goes)).collect()
    }

    /// What lies in the last `most` places of which something is left.
    fn last(&self, train: Vec<usize>, most: usize) -> Vec<usize> {
        let place =
            |&member: &usize| if self.whole { member as i64 } else { self.spans.starts()[member] };
        let mut places: Vec<i64> = train.iter().map(place).collect();
        places.sort_unstable();
        places.dedup();
        let Some(&from) = places.len().checked_sub(most).and_then(|at| places.get(at)) else {
            return train;
        };
        train.into_iter().filter(|member| place(member) >= from).collect()
    }
}

fn sorted(mut rows: Vec<usize>) -> Vec<usize> {
    rows.sort_unstable();
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows 0, 2 and 4 begin at time 10, 1 and 3 at time 0, 5 at time 20; labels of 5.
    fn ties() -> Spans {
        let starts = vec![10, 0, 10, 0, 10, 20];
        let ends = starts.iter().map(|start| start + 5).collect();
        Spans::new(starts, ends).unwrap()
    }

    #[test]
    fn rows_that_begin_together_are_tested_together() {
        let folds = PurgedRows { folds: 3, embargo: 0 }.folds(&ties()).unwrap();
        assert_eq!(folds[0], Fold { train: vec![0, 2, 4, 5], test: vec![1, 3] });
        assert_eq!(folds[1], Fold { train: vec![1, 3, 5], test: vec![0, 2, 4] });
        let embargo = PurgedRows { folds: 3, embargo: 5 }.folds(&ties()).unwrap();
        assert_eq!((&embargo[0].train[..], &embargo[1].train[..]), (&[5][..], &[1, 3][..]));
        assert!(PurgedRows { folds: 4, embargo: 0 }.folds(&ties()).is_err());
        let error = PurgedRows { folds: 2, embargo: 99 }.folds(&ties()).unwrap_err().to_string();
        assert_eq!(error, "a purged split of rows leaves nothing to train on in fold 0");
    }

    #[test]
    fn walking_forward_over_rows() {
        let split = WalkForwardRows { chunk: 1, ..Default::default() };
        let folds = split.folds(&ties()).unwrap();
        assert_eq!(folds[0], Fold { train: vec![1, 3], test: vec![0, 2, 4] });
        assert_eq!(folds[1], Fold { train: vec![0, 1, 2, 3, 4], test: vec![5] });
        let rolling =
            WalkForwardRows { window: Window::Rolling(1), first: Some(2), ..split.clone() };
        assert_eq!(rolling.folds(&ties()).unwrap(), [Fold { train: vec![0, 2, 4], test: vec![5] }]);
        let refusal = |split: WalkForwardRows| split.folds(&ties()).unwrap_err().to_string();
        let none = refusal(WalkForwardRows { window: Window::Rolling(0), ..split.clone() });
        assert_eq!(none, "setting 'window' is 0, allowed is at least 1");
        let late = refusal(WalkForwardRows { first: Some(3), ..split.clone() });
        assert!(late.contains("'first' is 3") && late.contains("eras, or times"), "{late}");
        let long = refusal(WalkForwardRows { chunk: 3, ..split });
        assert!(long.contains("'chunk' is 3") && long.contains("eras, or times"), "{long}");
    }

    #[test]
    fn groups_of_rows() {
        let splits = CpcvRows { groups: 3, tests: 2, embargo: 0 }.splits(&ties()).unwrap();
        assert_eq!(splits.groups(), [vec![1, 3], vec![0, 2, 4], vec![5]]);
        assert_eq!(splits.folds()[1], Fold { train: vec![0, 2, 4], test: vec![1, 3, 5] });
    }

    #[test]
    fn an_era_goes_when_any_of_its_rows_must() {
        let eras = Eras::from_labels(["1", "1", "2", "2", "3", "3", "4", "4"]).unwrap();
        let spans = Spans::new(vec![0, 0, 1, 1, 2, 2, 3, 3], vec![0, 2, 1, 1, 2, 2, 3, 3]).unwrap();
        let split = PurgedRows { folds: 4, embargo: 0 };
        let folds = split.era_folds(&eras, &spans).unwrap();
        let trains: Vec<_> = folds.iter().map(|fold| &fold.train[..]).collect();
        // The second row of the first era reaches to the third one.
        assert_eq!(trains, [&[3][..], &[2, 3], &[1, 3], &[0, 1, 2]]);
        assert_eq!(folds[2].test, [2]);
        assert!(split.era_folds(&eras, &Spans::new(vec![0], vec![0]).unwrap()).is_err());
    }
}
