//! Label spans of rows, and the purge of training rows whose labels meet test labels.
//!
//! The label of row i is made of what happens in `[start_i, end_i]`, **both ends counted in**: labels that
//! touch overlap. Times are whole numbers of any unit, or positions of eras. With an embargo h, row i is not
//! trained on when for some test row j
//!
//! `start_j <= end_i  and  start_i <= end_j + h`:
//!
//! the spans meet, or i begins after the label of j has ended, by h at most. The published embargo is
//! defined by test block, a maximal run of test rows in time: i goes when `t1 < start_i <= t1 + h`, with t1
//! the last end of the block. It is the same set, because a row that begins after a block begins after all of
//! its rows, and between the ends of a block's labels it meets the longest of them.
//!
//! Rows may come in any order; several may begin at one time.
//! Cost: `O((n + m) log m)` for n candidates and m test rows.
//! Reference: López de Prado (2018), Advances in Financial Machine Learning, sections 7.4.1 and 7.4.2.

use std::ops::RangeInclusive;

use fattail_core::Eras;

use crate::error::{Error, Result, same_length};
use crate::{EmbargoRule, Horizon};

/// The label span of each row, both ends counted in.
///
/// ```
/// use fattail_evaluate::Spans;
/// // Four rows, labels of three days, two, two and one.
/// let spans = Spans::new(vec![1, 3, 5, 8], vec![3, 4, 6, 8])?;
/// // Row 0 ends on the day on which row 1 begins.
/// assert_eq!(spans.purge(&[0, 2, 3], &[1], 0)?, [2, 3]);
/// // Row 2 begins one day after row 1 has ended.
/// assert_eq!(spans.purge(&[0, 2, 3], &[1], 1)?, [3]);
/// # Ok::<(), fattail_evaluate::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spans {
    starts: Vec<i64>,
    ends: Vec<i64>,
}

impl Spans {
    /// Spans from the first and last time of each row.
    ///
    /// # Errors
    /// When lengths differ or a row ends before it begins.
    pub fn new(starts: Vec<i64>, ends: Vec<i64>) -> Result<Self> {
        same_length("ends", ends.len(), starts.len())?;
        match (0..starts.len()).find(|&row| starts[row] > ends[row]) {
            Some(row) => Err(Error::Span { row, start: starts[row], end: ends[row] }),
            None => Ok(Self { starts, ends }),
        }
    }

    /// Spans of the rows of a panel, counted in eras: from a row's era to the last one that the gap of the
    /// rule keeps apart from it. A purge by them is that of the splits of eras.
    ///
    /// # Errors
    /// When an era has no days or the label has none.
    pub fn of_eras(eras: &Eras, rule: EmbargoRule, horizon: &Horizon) -> Result<Self> {
        let gap = rule.gap(horizon)?;
        Ok(Self::reaching(eras, |_| gap))
    }

    /// The same with a horizon of its own for each row, such as those of targets that are mixed.
    ///
    /// # Errors
    /// When there is not one horizon a row, an era has no days or a label has none.
    pub fn of_horizons(eras: &Eras, rule: EmbargoRule, horizons: &[Horizon]) -> Result<Self> {
        same_length("horizons", horizons.len(), eras.rows())?;
        let gaps: Vec<usize> = horizons.iter().map(|h| rule.gap(h)).collect::<Result<_>>()?;
        Ok(Self::reaching(eras, |row| gaps[row]))
    }

    fn reaching(eras: &Eras, gap: impl Fn(usize) -> usize) -> Self {
        let rows =
            eras.ranges().zip(0_i64..).flat_map(|(rows, era)| rows.map(move |row| (row, era)));
        let (starts, ends) =
            rows.map(|(row, era)| (era, era.saturating_add_unsigned(gap(row) as u64))).unzip();
        Self { starts, ends }
    }

    /// The number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.starts.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }

    /// The span of a row, if there is such a row.
    #[must_use]
    pub fn get(&self, row: usize) -> Option<RangeInclusive<i64>> {
        Some(*self.starts.get(row)?..=*self.ends.get(row)?)
    }

    /// The first row of `train` whose label meets one of `test`, with the first row of `test` that it meets;
    /// none where no labels meet. It finds what leaks in folds from elsewhere.
    ///
    /// ```
    /// use fattail_evaluate::Spans;
    /// let spans = Spans::new(vec![1, 3, 5, 8], vec![3, 4, 6, 8])?;
    /// assert_eq!(spans.first_overlap(&[3, 2, 0], &[1])?, Some((0, 1)));
    /// assert_eq!(spans.first_overlap(&[3, 2], &[1])?, None);
    /// # Ok::<(), fattail_evaluate::Error>(())
    /// ```
    ///
    /// # Errors
    /// When a row is not there.
    pub fn first_overlap(&self, train: &[usize], test: &[usize]) -> Result<Option<(usize, usize)>> {
        self.check_rows(train, test)?;
        let reach = Reach::of(self, test, 0);
        let (starts, ends) = (&self.starts, &self.ends);
        let met = train.iter().find(|&&row| reach.meets(starts[row], ends[row]));
        Ok(met.and_then(|&row| {
            let meets = |&&test: &&usize| starts[test] <= ends[row] && starts[row] <= ends[test];
            Some((row, *test.iter().find(meets)?))
        }))
    }

    fn check_rows(&self, train: &[usize], test: &[usize]) -> Result<()> {
        let rows = self.len();
        match train.iter().chain(test).find(|&&row| row >= rows) {
            Some(&row) => Err(Error::Row { row, rows }),
            None => Ok(()),
        }
    }

    pub(super) fn starts(&self) -> &[i64] {
        &self.starts
    }

    pub(super) fn ends(&self) -> &[i64] {
        &self.ends
    }

    /// The rows of `train` that the labels of `test` leave, in the order given: see the head of the module.
    /// A row of `test` meets itself, so none of them stays.
    ///
    /// # Errors
    /// When a row is not there.
    pub fn purge(&self, train: &[usize], test: &[usize], embargo: u64) -> Result<Vec<usize>> {
        self.check_rows(train, test)?;
        let reach = Reach::of(self, test, embargo);
        let stays = |&row: &usize| !reach.meets(self.starts[row], self.ends[row]);
        Ok(train.iter().copied().filter(stays).collect())
    }
}

/// How far the labels of test rows reach that begin by a given time.
pub(super) struct Reach {
    /// Starts, sorted, and the last end of all up to there, with the embargo.
    steps: Vec<(i64, i64)>,
}

impl Reach {
    pub(super) fn of(spans: &Spans, test: &[usize], embargo: u64) -> Self {
        let far =
            |&row: &usize| (spans.starts[row], spans.ends[row].saturating_add_unsigned(embargo));
        let mut steps: Vec<(i64, i64)> = test.iter().map(far).collect();
        steps.sort_unstable();
        let mut last = i64::MIN;
        for (_, end) in &mut steps {
            last = last.max(*end);
            *end = last;
        }
        Self { steps }
    }

    /// Whether one of the labels meets the span.
    pub(super) fn meets(&self, start: i64, end: i64) -> bool {
        let begun = self.steps.partition_point(|&(test, _)| test <= end);
        begun > 0 && start <= self.steps[begun - 1].1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_counted_in() {
        let spans = Spans::new(vec![0, 10, 20, 20, 31], vec![10, 19, 30, 25, 31]).unwrap();
        assert_eq!(spans.purge(&[0, 1, 4], &[2], 0).unwrap(), [0, 1, 4]);
        assert_eq!(spans.purge(&[0, 1, 4], &[2], 1).unwrap(), [0, 1]);
        assert_eq!(spans.purge(&[4, 3, 0], &[1], 0).unwrap(), [4, 3]);
        assert_eq!(spans.purge(&[4, 3, 0], &[], 9).unwrap(), [4, 3, 0]);
        assert_eq!(spans.purge(&[2, 2, 0], &[2], 0).unwrap(), [0]);
        assert_eq!(spans.get(1), Some(10..=19));
    }

    #[test]
    fn the_ends_of_time_do_not_overflow() {
        let spans = Spans::new(vec![i64::MIN, i64::MAX], vec![i64::MIN, i64::MAX]).unwrap();
        assert_eq!(spans.purge(&[0], &[1], u64::MAX).unwrap(), [0]);
        assert_eq!(spans.purge(&[1], &[0], u64::MAX).unwrap(), Vec::<usize>::new());
    }

    #[test]
    fn wrong_spans_are_refused_with_their_row() {
        let error = Spans::new(vec![0, 5], vec![0, 4]).unwrap_err().to_string();
        assert_eq!(error, "the label of row 1 begins at 5 and ends at 4, before it begins");
        assert!(Spans::new(vec![0], vec![]).is_err());
        let spans = Spans::new(vec![0], vec![0]).unwrap();
        assert_eq!(
            spans.purge(&[], &[1], 0).unwrap_err().to_string(),
            "there is no row 1 among 1 rows"
        );
    }

    #[test]
    fn horizons_of_rows() {
        let eras = Eras::from_labels(["1", "1", "2", "3"]).unwrap();
        let horizons =
            [Horizon::NUMERAI_20, Horizon::NUMERAI_60, Horizon::NUMERAI_20, Horizon::NUMERAI_20];
        let spans = Spans::of_horizons(&eras, EmbargoRule::RealTime, &horizons).unwrap();
        assert_eq!(
            (spans.get(0), spans.get(1), spans.get(3)),
            (Some(0..=5), Some(0..=13), Some(2..=7))
        );
        assert!(Spans::of_horizons(&eras, EmbargoRule::RealTime, &horizons[1..]).is_err());
        let same = Spans::of_eras(&eras, EmbargoRule::RealTime, &Horizon::NUMERAI_20).unwrap();
        assert_eq!(same.get(1), Some(0..=5));
    }
}
