//! Two samples of one feature as counts of their distinct values.
//!
//! Values rise; `-0.0` and `0.0` are one value; infinities are values at the ends; NaN is counted
//! apart, as missing. A sample without rows is refused.
//!
//! Cost: one pass for bins, a sort for other numbers.

use fattail_core::Values;

use crate::error::{Error, Result, at_least};

/// Two samples of one feature as counts of their distinct values.
///
/// ```
/// use fattail_drift::Tally;
/// let tally = Tally::of_values(&[1.5, 1.5, f64::NAN], &[0.5, 1.5])?;
/// assert_eq!(tally.values(), [0.5, 1.5]);
/// assert_eq!((tally.reference(), tally.current()), (&[0, 2][..], &[1, 1][..]));
/// assert_eq!(tally.missing(), [1, 0]);
/// # Ok::<(), fattail_drift::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Tally {
    values: Vec<f64>,
    reference: Vec<u64>,
    current: Vec<u64>,
    missing: [u64; 2],
}

impl Tally {
    /// Counts two samples of bins.
    ///
    /// # Errors
    /// When a sample has no rows.
    pub fn of_bins(reference: &[u8], current: &[u8]) -> Result<Self> {
        let counted = |sample: &[u8]| {
            let mut counts = [0; 256];
            count_bins(sample, &mut counts);
            counts
        };
        Self::of_counts(&counted(reference), &counted(current))
    }

    /// Sorts and counts two samples of numbers; NaN is missing.
    ///
    /// # Errors
    /// When a sample has no rows.
    pub fn of_values<T: Copy + Into<f64>>(reference: &[T], current: &[T]) -> Result<Self> {
        sides(reference.len() as u64, current.len() as u64)?;
        let of = |sample: &[T]| sorted(sample.iter().map(|&value| value.into()));
        let (a, b) = (of(reference), of(current));
        let missing = [reference.len() - a.len(), current.len() - b.len()].map(|n| n as u64);
        Ok(Self { missing, ..merged(&a, &b) })
    }

    /// Counts two samples as a panel holds them.
    ///
    /// # Errors
    /// When a sample has no rows.
    pub fn of(reference: Values<'_>, current: Values<'_>) -> Result<Self> {
        match (reference, current) {
            (Values::U8(a), Values::U8(b)) => Self::of_bins(a, b),
            (Values::F32(a), Values::F32(b)) => Self::of_values(a, b),
            (a, b) => Self::of_values(&a.to_f64(), &b.to_f64()),
        }
    }

    /// Takes counts that are known: value `i` stands `reference[i]` and `current[i]` times.
    ///
    /// # Errors
    /// When the lengths differ or a sample has no rows.
    pub fn of_counts(reference: &[u64], current: &[u64]) -> Result<Self> {
        if reference.len() != current.len() {
            let (given, expected) = (current.len(), reference.len());
            return Err(Error::Length { name: "current", given, expected });
        }
        sides(reference.iter().sum(), current.iter().sum())?;
        let kept = (0..reference.len()).filter(|&at| reference[at] + current[at] > 0);
        let at: Vec<usize> = kept.collect();
        Ok(Self {
            values: at.iter().map(|&at| at as f64).collect(),
            reference: at.iter().map(|&at| reference[at]).collect(),
            current: at.iter().map(|&at| current[at]).collect(),
            missing: [0, 0],
        })
    }

    /// Takes rising values with the sums of each side at them, and last those of the missing.
    pub(crate) fn of_sums(values: Vec<f64>, [mut reference, mut current]: [Vec<u64>; 2]) -> Self {
        let missing = [&mut reference, &mut current].map(|side| side.pop().unwrap_or(0));
        Self { values, reference, current, missing }
    }

    /// The distinct values among numbers, rising, and how often each stands there; NaN is left out.
    pub(crate) fn distinct(numbers: impl Iterator<Item = f64>) -> (Vec<f64>, Vec<u64>) {
        let Self { values, reference, .. } = merged(&sorted(numbers), &[]);
        (values, reference)
    }

    /// The distinct values of both samples, rising.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// How often each value stands in the reference.
    #[must_use]
    pub fn reference(&self) -> &[u64] {
        &self.reference
    }

    /// How often each value stands in the current sample.
    #[must_use]
    pub fn current(&self) -> &[u64] {
        &self.current
    }

    /// Missing values of the reference and of the current sample.
    #[must_use]
    pub fn missing(&self) -> [u64; 2] {
        self.missing
    }

    /// Rows of the reference and of the current sample, missing ones included.
    #[must_use]
    pub fn rows(&self) -> [u64; 2] {
        let [a, b] = self.present();
        [a + self.missing[0], b + self.missing[1]]
    }

    /// Rows that are not missing.
    pub(crate) fn present(&self) -> [u64; 2] {
        [self.reference.iter().sum(), self.current.iter().sum()]
    }

    /// Counts of both samples together, with the missing ones last when there are any.
    pub(crate) fn pooled(&self) -> Vec<u64> {
        let mut pooled: Vec<u64> =
            self.reference.iter().zip(&self.current).map(|(a, b)| a + b).collect();
        let missing = self.missing[0] + self.missing[1];
        pooled.extend((missing > 0).then_some(missing));
        pooled
    }
}

/// Adds the bins of `sample` to `counts`. Four tables keep equal neighbours from waiting for each
/// other.
pub(crate) fn count_bins(sample: &[u8], counts: &mut [u64; 256]) {
    let mut tables = [[0_u32; 256]; 4];
    for chunk in sample.chunks(1 << 31) {
        let fours = chunk.chunks_exact(4);
        for &bin in fours.remainder() {
            tables[0][usize::from(bin)] += 1;
        }
        for four in fours {
            for (table, &bin) in tables.iter_mut().zip(four) {
                table[usize::from(bin)] += 1;
            }
        }
        for table in &mut tables {
            for (total, count) in counts.iter_mut().zip(table.iter_mut()) {
                *total += u64::from(std::mem::take(count));
            }
        }
    }
}

fn sides(reference: u64, current: u64) -> Result<()> {
    at_least("reference", "rows", reference as usize, 1)?;
    at_least("current", "rows", current as usize, 1)
}

/// Numbers in order, without NaN; `-0.0` is `0.0`.
fn sorted(numbers: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut kept: Vec<f64> =
        numbers.filter(|value| !value.is_nan()).map(|value| value + 0.0).collect();
    kept.sort_unstable_by(f64::total_cmp);
    kept
}

/// Walks over two sorted samples.
fn merged(a: &[f64], b: &[f64]) -> Tally {
    let mut tally = Tally { values: vec![], reference: vec![], current: vec![], missing: [0, 0] };
    let (mut i, mut j) = (0, 0);
    while i < a.len() || j < b.len() {
        let value = match (a.get(i), b.get(j)) {
            (Some(&x), Some(&y)) => x.min(y),
            (Some(&x), None) | (None, Some(&x)) => x,
            (None, None) => break,
        };
        let run = |from: &[f64]| from.iter().take_while(|&&x| x == value).count();
        let (here, there) = (run(&a[i..]), run(&b[j..]));
        tally.values.push(value);
        tally.reference.push(here as u64);
        tally.current.push(there as u64);
        (i, j) = (i + here, j + there);
    }
    tally
}
