//! Scaling era after era by what came before: the streaming form of the rolling and expanding modes.
//!
//! The window holds the last eras, or all; each era is scaled by what the window teaches. Under
//! [`Closed::Left`] the era joins the window after it was scaled, under [`Closed::Both`] before.
//! While the window is empty, an era is scaled by itself: that uses no other era, so nothing leaks.
//!
//! NaN stays NaN and teaches nothing.
//!
//! Cost: for the standard form one pass over the era; for the others a sort of the era and one pass
//! over the window. Eras that are absorbed are sorted together, when the next one is scaled. Memory is
//! the moments of the eras, or the values of the window.

use fattail_core::Result;

use crate::{
    check::{at_least_one, same_length},
    closed::Closed,
    scale::{
        method::{Method, Scale},
        window::Window,
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
    window: Window,
}

impl ScalerStream {
    /// An empty window of `length` eras, or of all.
    ///
    /// # Errors
    /// When a setting of the method is out of range or the length is 0.
    pub fn new(method: Method, length: Option<usize>, closed: Closed) -> Result<Self> {
        method.check()?;
        at_least_one("eras", length.unwrap_or(1))?;
        Ok(Self { method, length, closed, window: Window::new(method, length) })
    }

    /// Scales an era and takes it into the window.
    ///
    /// # Errors
    /// When `out` has another length.
    pub fn push(&mut self, era: &[f64], out: &mut [f64]) -> Result<()> {
        same_length("out", out.len(), era.len())?;
        self.advance(era).apply_slice(era, out)
    }

    /// Takes an era into the window without scaling it: what comes later is the same as after
    /// [`ScalerStream::push`].
    pub fn absorb(&mut self, era: &[f64]) {
        self.window.admit(era);
    }

    /// Takes an era into the window; gives the scale of its values.
    pub(crate) fn advance(&mut self, era: &[f64]) -> Scale {
        if self.closed == Closed::Both {
            if self.length == Some(1) {
                return self.method.scale_of(era);
            }
            self.window.admit(era);
            return self.window.learn();
        }
        let empty = self.window.is_empty();
        let scale = if empty { self.method.scale_of(era) } else { self.window.learn() };
        self.window.admit(era);
        scale
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
