//! The volume-weighted average price of the last rows: `sum(p v) / sum(v)`.
//!
//! Rows whose price or volume is NaN or infinite are missing; fewer than `min_periods` known rows, or
//! a window without volume, give NaN.
//!
//! Cost: as [`Rolling`](super::Rolling), with the same bits for the streaming form.

use fattail_core::Result;

use super::{Rolling, blocks::Blocks, number::Number, parts::Weighted};
use crate::check::same_length;

/// Writes the volume-weighted average price over `rolling`.
///
/// ```
/// use fattail_prepare::{Rolling, vwap};
///
/// let mut out = [0.0f64; 3];
/// vwap(&[10.0, 20.0, 30.0], &[1.0, 3.0, 0.0], &Rolling::new(2), &mut out)?;
/// assert!(out[0].is_nan());
/// assert_eq!(out[1..], [17.5, 20.0]);
/// # Ok::<(), fattail_core::Error>(())
/// ```
///
/// # Errors
/// When a setting is out of range or a length differs.
pub fn vwap<T: Number>(price: &[T], volume: &[T], rolling: &Rolling, out: &mut [T]) -> Result<()> {
    same_length("volume", volume.len(), price.len())?;
    same_length("out", out.len(), price.len())?;
    let mut stream = VwapStream::new(*rolling)?;
    for ((slot, price), volume) in out.iter_mut().zip(price).zip(volume) {
        *slot = T::narrow(stream.push(price.widen(), volume.widen()));
    }
    Ok(())
}

/// The volume-weighted average price of rows that come one by one.
#[derive(Debug, Clone)]
pub struct VwapStream {
    needed: usize,
    blocks: Blocks<Weighted>,
}

impl VwapStream {
    /// No rows so far.
    ///
    /// # Errors
    /// When a setting is out of range.
    pub fn new(rolling: Rolling) -> Result<Self> {
        rolling.check()?;
        Ok(Self { needed: rolling.needed(), blocks: Blocks::new(rolling.length) })
    }

    /// The average after one more row.
    pub fn push(&mut self, price: f64, volume: f64) -> f64 {
        let window = self.blocks.push((price, volume));
        if (window.count as usize) < self.needed { f64::NAN } else { window.mean() }
    }
}
