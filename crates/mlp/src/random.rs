//! Randomness without state: starting weights from a counter, dropout masks as a pure function.
//!
//! Starting weights are SplitMix64 (Steele, Lea & Flood 2014). A dropout mask hashes the 32-bit
//! counter `row * width + unit` with two words derived from key and layer: two multiply-xorshift
//! rounds with the constants of `lowbias32` (Wellons 2018, "Prospecting for hash functions"), one
//! word added before each. Sixteen rows at a time it is a handful of vector instructions, and no
//! mask is ever stored. The counter wraps at 2^32 units a layer and batch.
//!
//! A unit is dropped when the upper 24 bits of its hash are below `rate * 2^24`; a kept one is
//! scaled by `1 / (1 - rate)`. Cost: about ten integer operations a unit and row.

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::lanes::{LANES, Wide};
use crate::{Error, Result};

/// SplitMix64 over a counter.
#[derive(Debug)]
pub(super) struct Stream {
    state: u64,
}

/// The multipliers of `lowbias32`.
const FACTORS: [u32; 2] = [0x7feb_352d, 0x846c_a68b];
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

impl Stream {
    pub(super) fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(GOLDEN);
        scramble(self.state)
    }

    /// Uniform from 0 to below 1.
    pub(super) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

fn scramble(state: u64) -> u64 {
    let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The dropout of one layer in one batch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dropout {
    first: u32,
    second: u32,
    threshold: u32,
    scale: f32,
    /// Units in a row.
    width: u32,
    /// From a unit of a block's first row to the same unit of each of its rows.
    rows: [u32; LANES],
}

impl Dropout {
    #[inline(always)]
    pub(super) fn new(key: u64, layer: usize, width: usize, rate: f64) -> Self {
        let layer = scramble((layer as u64).wrapping_add(1).wrapping_mul(GOLDEN));
        let word = scramble(scramble(key.wrapping_add(GOLDEN)) ^ layer);
        let width = width as u32;
        let mut rows = [0_u32; LANES];
        for (lane, start) in rows.iter_mut().enumerate() {
            *start = (lane as u32).wrapping_mul(width);
        }
        Self {
            first: word as u32,
            second: (word >> 32) as u32,
            threshold: (rate * f64::from(1 << 24)) as u32,
            scale: (1.0 / (1.0 - rate)) as f32,
            width,
            rows,
        }
    }

    #[inline(always)]
    fn one(&self, row: usize, unit: usize) -> f32 {
        let x = (row as u32).wrapping_mul(self.width).wrapping_add(unit as u32);
        let x = x.wrapping_add(self.first);
        let x = (x ^ (x >> 16)).wrapping_mul(FACTORS[0]);
        let x = (x ^ (x >> 15)).wrapping_add(self.second).wrapping_mul(FACTORS[1]);
        let x = x ^ (x >> 16);
        if (x >> 8) < self.threshold { 0.0 } else { self.scale }
    }

    /// [`Dropout::one`] of a unit in sixteen rows from `row` on.
    #[inline(always)]
    pub(super) fn lanes<S: Simd, const N: usize>(
        &self,
        Wide(simd): Wide<S, N>,
        row: usize,
        unit: usize,
    ) -> [S::f32s; N] {
        let start = (row as u32).wrapping_mul(self.width).wrapping_add(unit as u32);
        let start = simd.splat_u32s(start.wrapping_add(self.first));
        let xor_shift =
            |x, by| simd.xor_u32s(x, simd.wrapping_dyn_shr_u32s(x, simd.splat_u32s(by)));
        let scale = simd.splat_f32s(self.scale);
        let mut out = [scale; N];
        for (out, rows) in out.iter_mut().zip(S::as_simd_u32s(&self.rows).0) {
            let x = simd.add_u32s(start, *rows);
            let x = simd.mul_u32s(xor_shift(x, 16), simd.splat_u32s(FACTORS[0]));
            let x = simd.add_u32s(xor_shift(x, 15), simd.splat_u32s(self.second));
            let x = xor_shift(simd.mul_u32s(x, simd.splat_u32s(FACTORS[1])), 16);
            // 24 bits compare alike with and without a sign.
            let x = simd.transmute_i32s_u32s(simd.wrapping_dyn_shr_u32s(x, simd.splat_u32s(8)));
            let threshold = simd.transmute_i32s_u32s(simd.splat_u32s(self.threshold));
            let dropped = simd.less_than_i32s(x, threshold);
            *out = simd.select_f32s(dropped, simd.splat_f32s(0.0), scale);
        }
        out
    }
}

/// The dropout mask that [`Kernel::gradient`](super::Kernel::gradient) uses in hidden layer `layer`
/// (from 0) for `key`: rows x width values, row by row, each 0 or `1 / (1 - rate)`. Another
/// implementation that multiplies by it trains alike.
///
/// ```
/// let mask = fattail_mlp::mask(7, 0, 100, 8, 0.5)?;
/// assert!(mask.iter().all(|&value| value == 0.0 || value == 2.0));
/// assert!((300..500).contains(&mask.iter().filter(|&&value| value == 0.0).count()));
/// # Ok::<(), fattail_mlp::Error>(())
/// ```
///
/// # Errors
/// When the rate is not from 0 to below 1.
pub fn mask(key: u64, layer: usize, rows: usize, width: usize, rate: f64) -> Result<Vec<f32>> {
    if !(0.0..1.0).contains(&rate) {
        let allowed = "from 0 to below 1";
        return Err(Error::Setting { name: "rate", value: rate.to_string(), allowed });
    }
    let dropout = Dropout::new(key, layer, width, rate);
    let mut mask = vec![0.0; rows * width];
    mask.par_chunks_mut(ROWS * width.max(1)).enumerate().for_each(|(number, out)| {
        pulp::Arch::new().dispatch(Mask { dropout, from: number * ROWS, width, out });
    });
    Ok(mask)
}

/// Rows of a task.
const ROWS: usize = 64;

/// A plain loop that the compiler makes vectors of.
struct Mask<'a> {
    dropout: Dropout,
    from: usize,
    width: usize,
    out: &'a mut [f32],
}

impl WithSimd for Mask<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for (row, out) in (self.from..).zip(self.out.chunks_exact_mut(self.width)) {
            for (unit, value) in out.iter_mut().enumerate() {
                *value = self.dropout.one(row, unit);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lanes::Lanes;
    use crate::lanes::Task;
    use crate::lanes::tests::everywhere;

    #[derive(Clone, Copy)]
    struct Agree;

    impl Task for Agree {
        type Output = ();

        fn run<S: Simd, const N: usize>(self, wide: Wide<S, N>) {
            let (rows, width) = (48, 11);
            let all = mask(3, 1, rows, width, 0.3).unwrap();
            let dropout = Dropout::new(3, 1, width, 0.3);
            let mut out = Lanes::ZERO;
            for row in (0..rows).step_by(LANES) {
                for unit in 0..width {
                    wide.store(&mut out, dropout.lanes(wide, row, unit));
                    for (lane, value) in out.0.iter().enumerate() {
                        assert_eq!(*value, all[(row + lane) * width + unit]);
                    }
                }
            }
        }
    }

    #[test]
    fn lanes_agree_with_the_mask() {
        everywhere(Agree);
    }

    /// Share of dropped units, and correlation of neighbours along units, rows, layers and keys:
    /// each within five standard errors of what independent draws would give.
    #[test]
    fn drops_are_independent() {
        let (rows, width, rate) = (20_000, 16, 0.1);
        let drops = |key, layer| -> Vec<f64> {
            let mask = mask(key, layer, rows, width, rate).unwrap();
            mask.iter().map(|&value| f64::from(u8::from(value == 0.0)) - rate).collect()
        };
        let base = drops(1, 0);
        let count = base.len() as f64;
        let deviation = rate * (1.0 - rate);
        let mean = base.iter().sum::<f64>() / count;
        assert!(mean.abs() < 5.0 * (deviation / count).sqrt(), "{mean}");
        let correlation = |a: &[f64], b: &[f64]| {
            let sum: f64 = a.iter().zip(b).map(|(a, b)| a * b).sum();
            (sum / (count * deviation)).abs() * count.sqrt()
        };
        for lag in [1, 2, 15, 16, 17, 32, 256] {
            assert!(correlation(&base, &base[lag..]) < 5.0, "lag {lag}");
        }
        for (key, layer) in [(1, 1), (1, 2), (2, 0), (3, 0), (1 << 32, 0), (u64::MAX, 0)] {
            assert!(correlation(&base, &drops(key, layer)) < 5.0, "key {key} layer {layer}");
        }
    }

    /// The first 16 rows are all that a mini-batch sees: over many keys each unit is dropped as
    /// often as it should be, and pairs of units together as often as independence says.
    #[test]
    fn short_masks_are_independent_over_keys() {
        let (keys, rate) = (40_000_u64, 0.25);
        let mut alone = [0.0_f64; 64];
        let mut together = [0.0_f64; 64];
        for key in 0..keys {
            let mask = mask(key, 0, 8, 8, rate).unwrap();
            for unit in 0..64 {
                let dropped = mask[unit] == 0.0;
                alone[unit] += f64::from(u8::from(dropped));
                together[unit] += f64::from(u8::from(dropped && mask[(unit + 1) % 64] == 0.0));
            }
        }
        let near = |sum: f64, share: f64| {
            let error = (share * (1.0 - share) / keys as f64).sqrt();
            (sum / keys as f64 - share).abs() < 5.0 * error
        };
        assert!(alone.iter().all(|&sum| near(sum, rate)), "{alone:?}");
        assert!(together.iter().all(|&sum| near(sum, rate * rate)), "{together:?}");
    }

    #[test]
    fn a_rate_out_of_range_is_refused() {
        for rate in [1.0, -0.5, f64::NAN] {
            assert!(mask(0, 0, 1, 1, rate).is_err());
        }
        assert_eq!(mask(0, 0, 2, 2, 0.0).unwrap(), [1.0; 4]);
    }
}
