//! The eras of a panel: labels in natural order and the rows of each.
//!
//! Labels are compared naturally: runs of digits as numbers, the rest as text, so that
//! `era2 < era10`, `0009 < 0010` and `2024-09-30 < 2024-10-01`. `eraX`, which stands for live rows,
//! comes after every numbered era.

use std::{cmp::Ordering, ops::Range, sync::Arc};

use crate::{Error, Result};

/// The eras of a panel, in order. Clones share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Eras {
    labels: Arc<[Arc<str>]>,
    /// Where each era starts among the panel's rows, and the number of rows at the end.
    starts: Arc<[usize]>,
}

impl Eras {
    /// Eras from one label a row.
    ///
    /// # Errors
    /// When a label comes again later or out of natural order.
    pub fn from_labels<S: AsRef<str>>(rows: impl IntoIterator<Item = S>) -> Result<Self> {
        let mut runs: Vec<(Arc<str>, usize)> = Vec::new();
        for row in rows {
            let label = row.as_ref();
            match runs.last_mut() {
                Some((last, length)) if **last == *label => *length += 1,
                _ => runs.push((label.into(), 1)),
            }
        }
        Self::from_runs(runs)
    }

    /// Eras from labels and the number of rows of each.
    ///
    /// # Errors
    /// When labels do not increase in natural order or an era has no rows.
    pub fn from_runs(runs: impl IntoIterator<Item = (Arc<str>, usize)>) -> Result<Self> {
        let (mut labels, mut starts): (Vec<Arc<str>>, _) = (Vec::new(), vec![0usize]);
        let mut row = 0;
        for (label, length) in runs {
            if let Some(last) = labels.last()
                && natural_order(last, &label) != Ordering::Less
            {
                let (era, previous) = (label.to_string(), last.to_string());
                return Err(Error::UnsortedEras { era, previous, row });
            }
            if length == 0 {
                return Err(Error::empty(format!("era '{label}'")));
            }
            row += length;
            labels.push(label);
            starts.push(row);
        }
        Ok(Self { labels: labels.into(), starts: starts.into() })
    }

    /// The number of eras.
    #[must_use]
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The number of rows in all eras.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.starts[self.len()]
    }

    /// The label of era `index`.
    ///
    /// # Panics
    /// When `index` is not below [`Eras::len`], as indexing a slice does.
    #[must_use]
    pub fn label(&self, index: usize) -> &str {
        &self.labels[index]
    }

    /// The labels, in order.
    pub fn labels(&self) -> impl ExactSizeIterator<Item = &str> + DoubleEndedIterator {
        self.labels.iter().map(|label| &**label)
    }

    /// The rows of era `index`.
    ///
    /// # Panics
    /// When `index` is not below [`Eras::len`], as indexing a slice does.
    #[must_use]
    pub fn range(&self, index: usize) -> Range<usize> {
        self.starts[index]..self.starts[index + 1]
    }

    /// The rows of each era, in order.
    pub fn ranges(&self) -> impl ExactSizeIterator<Item = Range<usize>> + DoubleEndedIterator + '_ {
        self.starts.windows(2).map(|pair| pair[0]..pair[1])
    }

    /// The position of an era, by its label.
    ///
    /// # Errors
    /// When no era has the label.
    pub fn position(&self, label: &str) -> Result<usize> {
        self.labels.binary_search_by(|known| natural_order(known, label)).map_err(|_| {
            Error::UnknownColumn { kind: "era", name: label.to_owned(), nearest: None }
        })
    }

    /// The era that holds `row`.
    #[must_use]
    pub fn of_row(&self, row: usize) -> Option<usize> {
        (row < self.rows()).then(|| self.starts.partition_point(|&start| start <= row) - 1)
    }

    /// Where each era starts.
    pub(crate) fn starts(&self) -> Arc<[usize]> {
        Arc::clone(&self.starts)
    }

    /// Some of the eras, by increasing positions.
    ///
    /// # Errors
    /// When positions do not increase or leave the eras.
    pub fn cut(&self, eras: &[usize]) -> Result<Self> {
        self.check(eras)?;
        Self::from_runs(eras.iter().map(|&e| (Arc::clone(&self.labels[e]), self.range(e).len())))
    }

    fn check(&self, eras: &[usize]) -> Result<()> {
        for (position, &index) in eras.iter().enumerate() {
            let increasing = position == 0 || eras[position - 1] < index;
            if index >= self.len() || !increasing {
                return Err(Error::EraIndex { index, position, eras: self.len() });
            }
        }
        Ok(())
    }
}

/// Compares runs of digits as numbers and the rest as text: the order of era labels.
///
/// ```
/// assert!(fattail_core::natural_order("era2", "era10").is_lt());
/// ```
#[must_use]
pub fn natural_order(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.as_bytes(), b.as_bytes());
    while let (Some(&x), Some(&y)) = (a.first(), b.first()) {
        let order = if x.is_ascii_digit() && y.is_ascii_digit() {
            digits(&mut a).cmp_numbers(digits(&mut b))
        } else {
            (a, b) = (&a[1..], &b[1..]);
            x.cmp(&y)
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    a.len().cmp(&b.len())
}

/// A run of digits.
struct Digits<'a>(&'a [u8]);

fn digits<'a>(text: &mut &'a [u8]) -> Digits<'a> {
    let end = text.iter().position(|b| !b.is_ascii_digit()).unwrap_or(text.len());
    let (run, rest) = text.split_at(end);
    *text = rest;
    Digits(run)
}

impl Digits<'_> {
    /// By value; equal values by length, so that distinct labels never compare equal.
    fn cmp_numbers(&self, other: Digits<'_>) -> Ordering {
        let strip = |run: &[u8]| run.iter().position(|&b| b != b'0').unwrap_or(run.len());
        let (x, y) = (&self.0[strip(self.0)..], &other.0[strip(other.0)..]);
        (x.len(), x, self.0.len()).cmp(&(y.len(), y, other.0.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn natural_order_reads_numbers() {
        for pair in
            [("era2", "era10"), ("0009", "0010"), ("era999", "eraX"), ("2024-09-30", "2024-10-01")]
        {
            assert_eq!(natural_order(pair.0, pair.1), Ordering::Less, "{pair:?}");
            assert_eq!(natural_order(pair.1, pair.0), Ordering::Greater, "{pair:?}");
        }
        assert_ne!(natural_order("01", "1"), Ordering::Equal);
        assert_eq!(natural_order("a", "a"), Ordering::Equal);
    }

    #[test]
    fn unsorted_eras_are_refused_with_place() {
        let error = Eras::from_labels(["2", "2", "1"]).unwrap_err();
        assert_eq!(error.to_string(), "eras are not sorted: era '1' follows era '2' at row 2");
        assert!(Eras::from_labels(["1", "2", "1"]).is_err());
    }

    #[test]
    fn positions_and_ranges() {
        let eras = Eras::from_labels(["1", "1", "2", "10"]).unwrap();
        assert_eq!((eras.len(), eras.rows()), (3, 4));
        assert_eq!(eras.range(0), 0..2);
        assert_eq!(eras.position("10").unwrap(), 2);
        assert!(eras.position("3").is_err());
        assert_eq!((eras.of_row(1), eras.of_row(3), eras.of_row(4)), (Some(0), Some(2), None));
        assert!(eras.cut(&[1, 1]).is_err());
        assert_eq!(eras.cut(&[0, 2]).unwrap().rows(), 3);
    }
}
