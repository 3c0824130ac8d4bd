//! Ranks of a slice, with ties averaged or broken by position.
//!
//! Raw rank `r_i` = 1 + number of values below `x_i` (+ half the other values equal to it under
//! [`Ties::Average`], + the equal values before it under [`Ties::Broken`]). Uniform form
//! `u_i = (r_i - 1/2) / n`, where `n` counts the values that are not NaN.
//!
//! NaN stays NaN and is not counted; `-0.0` ties with `0.0`; infinities rank at the ends; an empty
//! slice gives an empty result.
//!
//! Cost: `O(n)` for long slices (three counting passes over 32-bit keys, after which values that
//! share a key are sorted by comparison), `O(n log n)` for short ones; no allocation once a
//! [`Ranker`] is warm.
//!
//! Reference: Kendall (1945), The treatment of ties in ranking problems, Biometrika 33(3); Knuth
//! (1998), The Art of Computer Programming 3, section 5.2.5 (radix sorting).

use crate::error::{Error, Result, same_length};
use crate::gauss::GaussTable;

/// How equal values are ranked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Ties {
    /// Equal values share the mean of their ranks.
    #[default]
    Average,
    /// Equal values are ranked in the order of their positions.
    Broken,
}

/// Ranks slices one after another in buffers that it keeps.
///
/// ```
/// use fattail_stats::{Ranker, Ties};
///
/// let mut ranker = Ranker::new();
/// let mut out = [0.0; 5];
/// ranker.uniform(&[1.0, 0.0, 1.0, 0.0, 1.0], Ties::Average, &mut out)?;
/// assert_eq!(out, [0.7, 0.2, 0.7, 0.2, 0.7]);
/// ranker.rank(&[3.0, f64::NAN, 1.0, 2.0, 2.0], Ties::Broken, &mut out)?;
/// assert_eq!(out[0], 4.0);
/// assert!(out[1].is_nan());
/// # Ok::<(), fattail_stats::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Ranker {
    /// Sorting key in the high half, position in the low half.
    packed: Vec<u64>,
    scratch: Vec<u64>,
    /// Key -> row counts of the three counting passes.
    counts: Vec<u32>,
}

impl Ranker {
    /// A ranker with empty buffers.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Writes raw ranks, from 1; returns the number of values that are not NaN.
    ///
    /// # Errors
    /// [`Error::Length`] when `out` and `values` differ in length.
    pub fn rank(&mut self, values: &[f64], ties: Ties, out: &mut [f64]) -> Result<usize> {
        self.scatter(values, ties, out, |twice, _| 0.5 * f64::from(twice))
    }

    /// Writes `(rank - 1/2) / n`; returns `n`, the number of values that are not NaN.
    ///
    /// # Errors
    /// [`Error::Length`] when `out` and `values` differ in length.
    pub fn uniform(&mut self, values: &[f64], ties: Ties, out: &mut [f64]) -> Result<usize> {
        self.scatter(values, ties, out, |twice, n| (0.5 * f64::from(twice) - 0.5) / n)
    }

    /// Writes the normal quantile of the uniform rank, read from `table`; returns `n`.
    ///
    /// # Errors
    /// [`Error::Length`] when `out` and `values` differ in length.
    pub fn gaussian(
        &mut self,
        values: &[f64],
        ties: Ties,
        table: &mut GaussTable,
        out: &mut [f64],
    ) -> Result<usize> {
        let count = values.iter().filter(|v| !v.is_nan()).count();
        table.resize(count);
        self.scatter(values, ties, out, |twice, _| table.at_twice(twice as usize))
    }

    /// The positions of the values that are not NaN, in rising order of value, equal values in
    /// order of position.
    ///
    /// # Errors
    /// [`Error::Range`] for more than `u32::MAX / 2` values.
    pub fn order(&mut self, values: &[f64]) -> Result<impl ExactSizeIterator<Item = usize> + '_> {
        self.sort(values)?;
        Ok(self.packed.iter().map(|&p| position(p)))
    }

    /// Sorts, walks over the runs of equal values and writes `form(2 * rank, n)` to their places.
    fn scatter(
        &mut self,
        values: &[f64],
        ties: Ties,
        out: &mut [f64],
        form: impl Fn(u32, f64) -> f64,
    ) -> Result<usize> {
        same_length("out", out.len(), values.len())?;
        let exact = self.sort(values)?;
        let sorted = &self.packed;
        if sorted.len() < values.len() {
            out.fill(f64::NAN);
        }
        let n = sorted.len() as f64;
        if ties == Ties::Broken {
            for (twice, &p) in (2..).step_by(2).zip(sorted) {
                out[position(p)] = form(twice, n);
            }
            return Ok(sorted.len());
        }
        let same = |a: u64, b: u64| {
            a >> 32 == b >> 32 && (exact || values[position(a)] == values[position(b)])
        };
        let mut start = 0;
        while start < sorted.len() {
            let mut end = start + 1;
            while end < sorted.len() && same(sorted[start], sorted[end]) {
                end += 1;
            }
            let shared = form((start + end + 1) as u32, n);
            for &p in &sorted[start..end] {
                out[position(p)] = shared;
            }
            start = end;
        }
        Ok(sorted.len())
    }

    /// Fills `packed` with the rows that are not NaN, sorted by value, then position; says whether
    /// the 32-bit keys alone decide equality.
    fn sort(&mut self, values: &[f64]) -> Result<bool> {
        if values.len() > (u32::MAX / 2) as usize {
            return Err(Error::Range {
                name: "values.len()",
                given: values.len() as f64,
                allowed: "at most u32::MAX / 2",
            });
        }
        self.packed.clear();
        let mut exact = true;
        for (row, &v) in values.iter().enumerate() {
            if v.is_nan() {
                continue;
            }
            let narrow = v as f32;
            exact &= f64::from(narrow) == v;
            self.packed.push(u64::from(key(narrow)) << 32 | row as u64);
        }
        if self.packed.len() < RADIX_FROM {
            self.packed.sort_unstable();
        } else {
            self.radix();
        }
        if !exact {
            self.settle(values);
        }
        Ok(exact)
    }

    /// Stable counting sort by the three digits of the key, lowest first; a digit that all values
    /// share is skipped.
    fn radix(&mut self) {
        let n = self.packed.len();
        self.scratch.resize(n, 0);
        self.counts.clear();
        self.counts.resize(DIGITS * BUCKETS, 0);
        for &p in &self.packed {
            for digit in 0..DIGITS {
                self.counts[digit * BUCKETS + bucket(p, digit)] += 1;
            }
        }
        for digit in 0..DIGITS {
            let counts = &mut self.counts[digit * BUCKETS..(digit + 1) * BUCKETS];
            if counts[bucket(self.packed[0], digit)] as usize == n {
                continue;
            }
            let mut total = 0;
            for count in counts.iter_mut() {
                total += std::mem::replace(count, total);
            }
            for &p in &self.packed {
                let slot = &mut counts[bucket(p, digit)];
                self.scratch[*slot as usize] = p;
                *slot += 1;
            }
            std::mem::swap(&mut self.packed, &mut self.scratch);
        }
    }

    /// Sorts the runs that share a rounded key by their full values, then by position.
    fn settle(&mut self, values: &[f64]) {
        for run in self.packed.chunk_by_mut(|a, b| a >> 32 == b >> 32) {
            if run.len() > 1 {
                let full = |p: u64| values[position(p)] + 0.0;
                run.sort_unstable_by(|&a, &b| full(a).total_cmp(&full(b)).then(a.cmp(&b)));
            }
        }
    }
}

/// Raw ranks of `values`, in a new vector; [`Ranker::rank`] is the form without allocation.
///
/// # Errors
/// [`Error::Range`] for more than `u32::MAX / 2` values.
pub fn rank(values: &[f64], ties: Ties) -> Result<Vec<f64>> {
    let mut out = vec![0.0; values.len()];
    Ranker::new().rank(values, ties, &mut out)?;
    Ok(out)
}

/// Uniform ranks `(rank - 1/2) / n` of `values`, in a new vector.
///
/// # Errors
/// [`Error::Range`] for more than `u32::MAX / 2` values.
pub fn uniform_rank(values: &[f64], ties: Ties) -> Result<Vec<f64>> {
    let mut out = vec![0.0; values.len()];
    Ranker::new().uniform(values, ties, &mut out)?;
    Ok(out)
}

/// Below this length a comparison sort is faster than three counting passes.
const RADIX_FROM: usize = 512;
const DIGITS: usize = 3;
const DIGIT_BITS: usize = 11;
const BUCKETS: usize = 1 << DIGIT_BITS;

/// An unsigned key in the order of the float; `-0.0` and `0.0` share one.
#[inline]
fn key(value: f32) -> u32 {
    let bits = (value + 0.0).to_bits();
    let flip = ((bits as i32 >> 31) as u32) | 0x8000_0000;
    bits ^ flip
}

#[inline]
fn bucket(packed: u64, digit: usize) -> usize {
    (packed >> (32 + digit * DIGIT_BITS)) as usize & (BUCKETS - 1)
}

#[inline]
fn position(packed: u64) -> usize {
    (packed & 0xFFFF_FFFF) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        let up = uniform_rank(&[0.0, 1.0, 2.0, 3.0, 4.0], Ties::Average).unwrap();
        assert_eq!(up, [0.1, 0.3, 0.5, 0.7, 0.9]);
        let broken = uniform_rank(&[1.0, 0.0, 1.0, 0.0, 1.0], Ties::Broken).unwrap();
        assert_eq!(broken, [0.5, 0.1, 0.7, 0.3, 0.9]);
    }

    #[test]
    fn zeros_of_both_signs_tie_and_infinities_rank() {
        let values = [0.0, -0.0, f64::NEG_INFINITY, 1e-300, f64::INFINITY, -1e-300];
        assert_eq!(rank(&values, Ties::Average).unwrap(), [3.5, 3.5, 1.0, 5.0, 6.0, 2.0]);
        assert_eq!(rank(&values, Ties::Broken).unwrap(), [3.0, 4.0, 1.0, 5.0, 6.0, 2.0]);
    }

    #[test]
    fn nothing_and_only_missing() {
        assert!(rank(&[], Ties::Average).unwrap().is_empty());
        let mut out = [0.0];
        assert_eq!(Ranker::new().rank(&[f64::NAN], Ties::Broken, &mut out), Ok(0));
        assert!(out[0].is_nan());
        let wrong = Ranker::new().rank(&[1.0, 2.0], Ties::Broken, &mut out);
        assert_eq!(wrong, Err(Error::Length { name: "out", given: 1, expected: 2 }));
    }
}
