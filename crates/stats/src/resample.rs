//! Bootstrap of a dependent series: block and stationary resampling, and percentile intervals.
//!
//! Moving blocks: starts uniform on `0..=n - b`, `b` rows each. Circular blocks: starts uniform on
//! `0..n`, rows taken modulo `n`. Stationary: as circular, but every next row starts a new block
//! with probability `1 / b`. Interval: the `(1 ∓ level) / 2` quantiles of the statistic over draws.
//!
//! Draw `i` depends on (seed, stream, `i`) alone. A statistic that is NaN in any draw makes both ends
//! NaN. An empty series is refused.
//!
//! Cost: `draws · (n + f)`.
//!
//! Reference: Künsch (1989), The jackknife and the bootstrap for general stationary observations,
//! Annals of Statistics 17(3); Politis and Romano (1992), A circular block-resampling procedure for
//! stationary data; Politis and Romano (1994), The stationary bootstrap, JASA 89.

use rand::Rng;

use crate::error::{Error, Result, at_least};
use crate::location::quantile_sorted;
use crate::random::{Counter, below, unit};

/// How rows of a series are drawn with their neighbours.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Blocks {
    /// Blocks of this length inside the series.
    Moving(usize),
    /// Blocks of this length on the series closed to a ring.
    Circular(usize),
    /// Blocks of random length with this mean on the ring.
    Stationary(f64),
}

/// A statistic with its percentile interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// The statistic of the series itself.
    pub estimate: f64,
    /// Lower end.
    pub lower: f64,
    /// Upper end.
    pub upper: f64,
}

impl Blocks {
    /// Fills `out` with the row numbers of one resampled series as long as `out`.
    ///
    /// # Errors
    /// [`Error::TooShort`] for no rows, [`Error::Range`] for a block length outside `1..=n`.
    pub fn indices(&self, generator: &mut impl Rng, out: &mut [usize]) -> Result<()> {
        let n = out.len();
        at_least("out", n, 1)?;
        let length = match *self {
            Self::Moving(length) | Self::Circular(length) => length as f64,
            Self::Stationary(mean) => mean,
        };
        if !(1.0..=n as f64).contains(&length) {
            return Err(Error::Range {
                name: "block",
                given: length,
                allowed: "1 to the length of the series",
            });
        }
        match *self {
            Self::Moving(length) => fill(out, length, |_| below(generator, n - length + 1)),
            Self::Circular(length) => fill(out, length, |_| below(generator, n)),
            Self::Stationary(mean) => {
                let leave = 1.0 / mean;
                fill(out, 1, |last| match last {
                    Some(last) if unit(generator) >= leave => (last + 1) % n,
                    _ => below(generator, n),
                });
            }
        }
        Ok(())
    }
}

/// The statistic `f` of `draws` resampled series of `rows` rows; `f` is handed the row numbers.
///
/// # Errors
/// Those of [`Blocks::indices`].
pub fn bootstrap(
    rows: usize,
    blocks: Blocks,
    draws: u32,
    counter: Counter,
    mut f: impl FnMut(&[usize]) -> f64,
) -> Result<Vec<f64>> {
    let mut indices = vec![0; rows];
    (0..draws)
        .map(|draw| {
            blocks.indices(&mut counter.draw(draw), &mut indices)?;
            Ok(f(&indices))
        })
        .collect()
}

/// The statistic `f` of `series` with its percentile interval at `level`.
///
/// ```
/// use fattail_stats::{Blocks, Counter, bootstrap_interval, mean};
///
/// let series: Vec<f64> = (0..60).map(|i| f64::from(i % 5)).collect();
/// let found =
///     bootstrap_interval(&series, Blocks::Stationary(4.0), 200, 0.9, Counter::new(1), mean)?;
/// assert_eq!(found.estimate, 2.0);
/// assert!(found.lower < 2.0 && found.upper > 2.0);
/// # Ok::<(), fattail_stats::Error>(())
/// ```
///
/// # Errors
/// Those of [`Blocks::indices`], and [`Error::Range`] for a `level` outside `(0, 1)` or no draws.
pub fn bootstrap_interval(
    series: &[f64],
    blocks: Blocks,
    draws: u32,
    level: f64,
    counter: Counter,
    f: impl Fn(&[f64]) -> f64,
) -> Result<Interval> {
    let refused = |name, given, allowed| Err(Error::Range { name, given, allowed });
    if !(level > 0.0 && level < 1.0) {
        return refused("level", level, "above 0 and below 1");
    }
    if draws == 0 {
        return refused("draws", 0.0, "at least 1");
    }
    let mut resampled = vec![0.0; series.len()];
    let mut found = bootstrap(series.len(), blocks, draws, counter, |rows| {
        for (slot, &row) in resampled.iter_mut().zip(rows) {
            *slot = series[row];
        }
        f(&resampled)
    })?;
    let estimate = f(series);
    if found.iter().any(|v| v.is_nan()) {
        let (lower, upper) = (f64::NAN, f64::NAN);
        return Ok(Interval { estimate, lower, upper });
    }
    found.sort_unstable_by(f64::total_cmp);
    let tail = 0.5 * (1.0 - level);
    Ok(Interval {
        estimate,
        lower: quantile_sorted(&found, tail)?,
        upper: quantile_sorted(&found, 1.0 - tail)?,
    })
}

/// Fills `out` with runs of `length` rows modulo `n`; `start` is handed the last row.
fn fill(out: &mut [usize], length: usize, mut start: impl FnMut(Option<usize>) -> usize) {
    let n = out.len();
    let mut last = None;
    for run in out.chunks_mut(length) {
        let first = start(last);
        for (i, slot) in run.iter_mut().enumerate() {
            *slot = (first + i) % n;
            last = Some(*slot);
        }
    }
}
