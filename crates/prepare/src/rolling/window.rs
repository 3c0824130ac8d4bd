//! Statistics over the last rows of a series, several in one pass.
//!
//! At row `t` the window is rows `t - length + 1 ..= t`: it is closed on the present, and rows before
//! the first do not exist. Mean, sum, variance and standard deviation (divisor `count - ddof`), least
//! and greatest value, their distance, and the count of known values.
//!
//! NaN and infinite values are missing, as in pandas: they are not counted, and a window of fewer
//! than `min_periods` known values gives NaN.
//!
//! Cost: about ten operations a row and statistic, whatever the length; memory is one window. The
//! streaming form and the form on slices give the same bits.
//!
//! Reference: see `blocks.rs` and `parts.rs` for the algorithm; `DataFrame.rolling` of pandas 3 for
//! the meaning.

use fattail_core::{Error, Result};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{
    blocks::{Blocks, Part},
    number::Number,
    parts::{Extremes, Moments},
};
use crate::check::{at_least_one, same_length};

/// A window over the last rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rolling {
    /// Rows in the window, at least 1.
    pub length: usize,
    /// Known values that a window needs; `None` is the whole length.
    pub min_periods: Option<usize>,
    /// What is taken off the count in the divisor of the variance.
    pub ddof: usize,
}

impl Default for Rolling {
    fn default() -> Self {
        Self { length: 20, min_periods: None, ddof: 1 }
    }
}

/// A statistic of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stat {
    /// Number of known values.
    Count,
    /// Sum.
    Sum,
    /// Mean.
    Mean,
    /// Variance.
    Variance,
    /// Standard deviation.
    Std,
    /// Least value.
    Min,
    /// Greatest value.
    Max,
    /// Greatest less least value.
    Range,
}

impl Stat {
    /// The name, such as `mean`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Sum => "sum",
            Self::Mean => "mean",
            Self::Variance => "variance",
            Self::Std => "std",
            Self::Min => "min",
            Self::Max => "max",
            Self::Range => "range",
        }
    }

    fn of_extremes(self) -> bool {
        matches!(self, Self::Min | Self::Max | Self::Range)
    }
}

impl Rolling {
    /// A window of `length` rows, all of them needed.
    #[must_use]
    pub fn new(length: usize) -> Self {
        Self { length, ..Self::default() }
    }

    pub(crate) fn check(&self) -> Result<()> {
        at_least_one("length", self.length)?;
        if self.needed() > self.length {
            return Err(Error::setting("min_periods", self.needed(), "at most the length"));
        }
        Ok(())
    }

    pub(crate) fn needed(&self) -> usize {
        self.min_periods.unwrap_or(self.length)
    }

    /// Writes each statistic of `x` to its slice of `out`, in one pass.
    ///
    /// ```
    /// use fattail_prepare::{Rolling, Stat};
    ///
    /// let (mut mean, mut max) = ([0.0; 4], [0.0; 4]);
    /// let rolling = Rolling { min_periods: Some(1), ..Rolling::new(2) };
    /// let x = [1.0, 3.0, f64::NAN, 2.0];
    /// rolling.apply(&x, &[Stat::Mean, Stat::Max], &mut [&mut mean, &mut max])?;
    /// assert_eq!(mean, [1.0, 2.0, 3.0, 2.0]);
    /// assert_eq!(max, [1.0, 3.0, 3.0, 2.0]);
    /// # Ok::<(), fattail_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// When a setting is out of range or a length differs.
    pub fn apply<T: Number>(&self, x: &[T], stats: &[Stat], out: &mut [&mut [T]]) -> Result<()> {
        self.check()?;
        same_length("out", out.len(), stats.len())?;
        out.iter().try_for_each(|slice| same_length("out", slice.len(), x.len()))?;
        let extremes = stats.iter().any(|stat| stat.of_extremes());
        if !extremes {
            self.pass::<T, Moments>(x, stats, out);
        } else if stats.iter().all(|stat| stat.of_extremes()) {
            self.pass::<T, Extremes>(x, stats, out);
        } else {
            self.pass::<T, (Moments, Extremes)>(x, stats, out);
        }
        Ok(())
    }

    /// The statistics of each column: for each column, one vector a statistic. Columns are worked on
    /// in parallel.
    ///
    /// # Errors
    /// When a setting is out of range.
    pub fn columns<T: Number>(&self, columns: &[&[T]], stats: &[Stat]) -> Result<Vec<Vec<Vec<T>>>> {
        let one = |column: &&[T]| {
            // Each vector by itself: clones of a first one would be written twice.
            let mut out: Vec<Vec<T>> =
                stats.iter().map(|_| vec![T::default(); column.len()]).collect();
            let mut slices: Vec<&mut [T]> = out.iter_mut().map(Vec::as_mut_slice).collect();
            self.apply(column, stats, &mut slices).map(|()| out)
        };
        columns.par_iter().map(one).collect()
    }

    fn pass<T: Number, P: Answer>(&self, x: &[T], stats: &[Stat], out: &mut [&mut [T]]) {
        let mut blocks = Blocks::<P>::new(self.length);
        let (mut windows, mut row) = (Vec::new(), 0);
        while row < x.len() {
            let count = blocks.fill(x[row..].iter().map(|v| v.widen()), &mut windows);
            for (slice, &stat) in out.iter_mut().zip(stats) {
                self.write(&windows, stat, &mut slice[row..row + count]);
            }
            row += count;
        }
    }

    /// Decides on the statistic once, not at every row.
    fn write<T: Number, P: Answer>(&self, windows: &[P], stat: Stat, out: &mut [T]) {
        let (needed, ddof) = (self.needed() as f64, self.ddof as f64);
        macro_rules! each {
            ($($stat:ident),*) => {
                match stat {$(
                    Stat::$stat => {
                        for (slot, window) in out.iter_mut().zip(windows) {
                            let value = window.answer(Stat::$stat, ddof);
                            let known = window.count() >= needed;
                            *slot = T::narrow(if known { value } else { f64::NAN });
                        }
                    }
                )*}
            };
        }
        each!(Count, Sum, Mean, Variance, Std, Min, Max, Range);
    }
}

/// The window of a series whose values come one by one.
///
/// ```
/// use fattail_prepare::{Rolling, RollingStream, Stat};
///
/// let mut stream = RollingStream::new(Rolling::new(2))?;
/// stream.push(1.0);
/// assert!(stream.get(Stat::Mean).is_nan());
/// stream.push(3.0);
/// assert_eq!((stream.get(Stat::Mean), stream.get(Stat::Range)), (2.0, 2.0));
/// # Ok::<(), fattail_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct RollingStream {
    rolling: Rolling,
    blocks: Blocks<(Moments, Extremes)>,
    window: (Moments, Extremes),
}

impl RollingStream {
    /// A series without values so far.
    ///
    /// # Errors
    /// When a setting is out of range.
    pub fn new(rolling: Rolling) -> Result<Self> {
        rolling.check()?;
        Ok(Self { rolling, blocks: Blocks::new(rolling.length), window: Default::default() })
    }

    /// Moves the window on by one value.
    pub fn push(&mut self, value: f64) {
        self.window = self.blocks.push(value);
    }

    /// A statistic of the window.
    #[must_use]
    pub fn get(&self, stat: Stat) -> f64 {
        if Answer::count(&self.window) < self.rolling.needed() as f64 {
            return f64::NAN;
        }
        self.window.answer(stat, self.rolling.ddof as f64)
    }
}

/// A part that knows some of the statistics; of the others it answers NaN.
trait Answer: Part<Value = f64> {
    fn count(&self) -> f64;
    fn answer(&self, stat: Stat, ddof: f64) -> f64;
}

impl Answer for Moments {
    #[inline]
    fn count(&self) -> f64 {
        self.count
    }

    #[inline]
    fn answer(&self, stat: Stat, ddof: f64) -> f64 {
        match stat {
            Stat::Count => self.count,
            Stat::Sum => self.sum(),
            Stat::Mean => self.mean(),
            Stat::Variance => self.variance(ddof),
            Stat::Std => self.variance(ddof).sqrt(),
            Stat::Min | Stat::Max | Stat::Range => f64::NAN,
        }
    }
}

impl Answer for Extremes {
    #[inline]
    fn count(&self) -> f64 {
        f64::from(self.count)
    }

    #[inline]
    fn answer(&self, stat: Stat, _: f64) -> f64 {
        let value = match stat {
            Stat::Min => self.min,
            Stat::Max => self.max,
            Stat::Range => self.max - self.min,
            _ => f64::NAN,
        };
        if self.count == 0 { f64::NAN } else { value }
    }
}

impl Answer for (Moments, Extremes) {
    #[inline]
    fn count(&self) -> f64 {
        self.0.count
    }

    #[inline]
    fn answer(&self, stat: Stat, ddof: f64) -> f64 {
        if stat.of_extremes() { self.1.answer(stat, ddof) } else { self.0.answer(stat, ddof) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jump_that_has_left_leaves_nothing_behind() {
        let x = [1e12, 1.0, 2.0, 3.0, 4.0, 5.0f64];
        let (mut mean, mut std) = ([0.0; 6], [0.0; 6]);
        let rolling = Rolling { ddof: 0, ..Rolling::new(2) };
        rolling.apply(&x, &[Stat::Mean, Stat::Variance], &mut [&mut mean, &mut std]).unwrap();
        assert_eq!(mean[2..], [1.5, 2.5, 3.5, 4.5]);
        assert_eq!(std[2..], [0.25; 4]);
    }

    #[test]
    fn settings_and_lengths_are_checked() {
        let apply = |rolling: Rolling| rolling.apply(&[1.0f32], &[Stat::Sum], &mut [&mut [0.0]]);
        assert!(apply(Rolling::new(0)).is_err());
        assert!(apply(Rolling { min_periods: Some(3), ..Rolling::new(2) }).is_err());
        assert!(Rolling::new(1).apply(&[1.0f32], &[Stat::Sum], &mut []).is_err());
        assert!(Rolling::new(1).apply(&[1.0], &[Stat::Sum], &mut [&mut [0.0; 2]]).is_err());
    }
}
