//! The rows of each series in a long table, where a key at every row says whose it is.
//!
//! Cost: one pass to group; memory is one number a row. A series is gathered, worked on and written
//! back before the next one, so no more than one is in hand at a time.

use std::{collections::HashMap, hash::Hash};

use fattail_core::{Error, Result};

use super::number::Number;
use crate::check::same_length;

/// Rows by series: series in order of first appearance, rows of a series in order.
///
/// ```
/// use fattail_prepare::{Groups, Rolling, Stat};
///
/// let groups = Groups::from_keys(["a", "b", "a", "b"])?;
/// let mut out = [0.0; 4];
/// groups.apply(&[1.0, 10.0, 3.0, 30.0], &mut out, |x, out| {
///     Rolling::new(2).apply(x, &[Stat::Mean], &mut [out])
/// })?;
/// assert_eq!(out[2..], [2.0, 20.0]);
/// # Ok::<(), fattail_core::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Groups {
    rows: Vec<u32>,
    ends: Vec<usize>,
}

impl Groups {
    /// Groups rows by their keys.
    ///
    /// # Errors
    /// Beyond `u32::MAX` rows.
    pub fn from_keys<K: Hash + Eq>(keys: impl IntoIterator<Item = K>) -> Result<Self> {
        let mut known = HashMap::new();
        let mut counts: Vec<usize> = Vec::new();
        let mut series = Vec::new();
        for key in keys {
            let next = counts.len();
            let at = *known.entry(key).or_insert(next);
            if at == next {
                counts.push(0);
            }
            counts[at] += 1;
            series.push(at as u32);
        }
        fits(series.len())?;
        let ends: Vec<usize> = counts
            .iter()
            .scan(0, |end, count| {
                *end += count;
                Some(*end)
            })
            .collect();
        let mut next: Vec<usize> = ends.iter().zip(&counts).map(|(end, n)| end - n).collect();
        let mut rows = vec![0; series.len()];
        for (row, &at) in series.iter().enumerate() {
            let slot = &mut next[at as usize];
            rows[*slot] = row as u32;
            *slot += 1;
        }
        Ok(Self { rows, ends })
    }

    /// The number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows.len()
    }

    /// The rows of each series.
    pub fn iter(&self) -> impl Iterator<Item = &[u32]> {
        let starts = [0].into_iter().chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| &self.rows[start..end])
    }

    /// Applies `f(series, out)` to each series of `x`.
    ///
    /// # Errors
    /// When a length differs, and what `f` refuses.
    pub fn apply<T: Number>(
        &self,
        x: &[T],
        out: &mut [T],
        mut f: impl FnMut(&[T], &mut [T]) -> Result<()>,
    ) -> Result<()> {
        same_length("x", x.len(), self.rows())?;
        same_length("out", out.len(), self.rows())?;
        let (mut gathered, mut made) = (Vec::new(), Vec::new());
        for rows in self.iter() {
            gathered.clear();
            gathered.extend(rows.iter().map(|&row| x[row as usize]));
            made.clear();
            made.resize(rows.len(), T::default());
            f(&gathered, &mut made)?;
            for (&row, &value) in rows.iter().zip(&made) {
                out[row as usize] = value;
            }
        }
        Ok(())
    }
}

/// Refuses more rows than a `u32` counts.
fn fits(rows: usize) -> Result<()> {
    if u32::try_from(rows).is_ok() {
        return Ok(());
    }
    Err(Error::setting("rows", rows, "at most 4294967295"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_many_rows_are_refused() {
        assert!(fits(u32::MAX as usize).is_ok());
        let error = fits(u32::MAX as usize + 1).unwrap_err().to_string();
        assert_eq!(error, "setting 'rows' is 4294967296, allowed is at most 4294967295");
    }
}
