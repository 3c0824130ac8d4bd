//! Scaling era after era by what came before: the streaming form of the rolling and expanding modes.
//!
//! The window holds the last eras, or all; each era is scaled by what the window teaches. Under
//! [`Closed::Left`] the era joins the window after it was scaled, under [`Closed::Both`] before.
//! While the window is empty, an era is scaled by itself: that uses no other era, so nothing leaks.
//!
//! NaN stays NaN and teaches nothing.
//!
//! Cost: a sort of the era and one pass over the window an era; memory is the window.

use std::collections::VecDeque;

use fattail_core::Result;

use crate::{
    check::{at_least_one, same_length},
    closed::Closed,
    scale::{
        method::{Method, Scale},
        sort::{merged, sort},
    },
};

/// Scales the eras of one column as they come.
///
/// ```
/// use fattail_prepare::{Closed, Method, ScalerStream};
///
/// let mut stream = ScalerStream::new(Method::Standard, Some(1), Closed::Left)?;
/// let mut out = [0.0; 2];
/// stream.push(&[1.0, 3.0], &mut out)?;
/// assert_eq!(out, [-1.0, 1.0]);
/// stream.push(&[2.0, 4.0], &mut out)?;
/// assert_eq!(out, [0.0, 2.0]);
/// # Ok::<(), fattail_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct ScalerStream {
    method: Method,
    /// Eras in the window; `None` is all.
    length: Option<usize>,
    closed: Closed,
    /// Known values of the window, sorted.
    window: Vec<f64>,
    rows: usize,
    /// Rows and sorted known values of each era of a window that forgets.
    eras: VecDeque<(usize, Vec<f64>)>,
}

impl ScalerStream {
    /// An empty window of `length` eras, or of all.
    ///
    /// # Errors
    /// When a setting of the method is out of range or the length is 0.
    pub fn new(method: Method, length: Option<usize>, closed: Closed) -> Result<Self> {
        method.check()?;
        at_least_one("eras", length.unwrap_or(1))?;
        let (window, eras) = (Vec::new(), VecDeque::new());
        Ok(Self { method, length, closed, window, rows: 0, eras })
    }

    /// Scales an era and takes it into the window.
    ///
    /// # Errors
    /// When `out` has another length.
    pub fn push(&mut self, era: &[f64], out: &mut [f64]) -> Result<()> {
        same_length("out", out.len(), era.len())?;
        self.advance(era).apply_slice(era, out)
    }

    /// Takes an era into the window; gives the scale of its values.
    pub(crate) fn advance(&mut self, era: &[f64]) -> Scale {
        let mut sorted: Vec<f64> = era.iter().copied().filter(|v| !v.is_nan()).collect();
        sort(&mut sorted);
        if self.closed == Closed::Both {
            self.admit(sorted, era.len());
            return self.method.learn_sorted(&self.window, self.rows);
        }
        let scale = if self.rows == 0 {
            self.method.learn_sorted(&sorted, era.len())
        } else {
            self.method.learn_sorted(&self.window, self.rows)
        };
        self.admit(sorted, era.len());
        scale
    }

    fn admit(&mut self, sorted: Vec<f64>, rows: usize) {
        self.rows += rows;
        let Some(length) = self.length else {
            self.window = merged(&self.window, &sorted, &[]);
            return;
        };
        let (old_rows, old) = if self.eras.len() == length { self.eras.pop_front() } else { None }
            .unwrap_or_default();
        self.rows -= old_rows;
        self.window = merged(&self.window, &sorted, &old);
        self.eras.push_back((rows, sorted));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_lengths_are_refused() {
        assert!(ScalerStream::new(Method::Standard, Some(0), Closed::Both).is_err());
        let mut stream = ScalerStream::new(Method::Standard, None, Closed::Both).unwrap();
        assert!(stream.push(&[1.0], &mut []).is_err());
    }
}
