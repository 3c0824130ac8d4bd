//! Masks of dropout that are a pure function of a seed and a position: nothing is saved, the backward pass draws
//! the same mask again, and any number of threads draws the same one.
//!
//! ```text
//! key(row)          = the upper half of splitmix64(seed + splitmix64(site x 2^48 + row))
//! hash(row, column) = lowbias32(key(row) + column)
//! mask(row, column) = 1 / (1 - rate) if hash >= rate x 2^32, else 0
//! ```
//!
//! SplitMix64: Steele, Lea & Flood 2014, "Fast splittable pseudorandom number generators"; lowbias32: Wellons
//! 2018, a mixer of 32 bits found by search for least bias; inverted dropout: Srivastava et al. 2014.
//! A NaN that is dropped becomes zero. Cost: 9 instructions a vector.

use pulp::Simd;

/// Dropout of a share of values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dropout {
    /// Values with a smaller hash, as a signed number, are dropped; 2^31 is taken off so that it fits.
    bound: i32,
    scale: f32,
    seed: u64,
}

impl Dropout {
    /// Dropout at this rate, none where the rate is zero. The rate must lie in 0 to 1, without 1.
    #[must_use]
    pub fn new(rate: f32, seed: u64) -> Option<Self> {
        let cut = (f64::from(rate) * 4_294_967_296.0) as i64;
        let is_rate = rate > 0.0 && rate < 1.0 && cut > 0;
        // The cast is exact: cut - 2^31 lies in -2^31 to 2^31.
        is_rate.then(|| Self { bound: (cut - (1 << 31)) as i32, scale: 1.0 / (1.0 - rate), seed })
    }

    /// What a value at this place is multiplied by: zero, or one over the share that is kept.
    #[must_use]
    pub fn mask(&self, site: u32, row: u64, column: u32) -> f32 {
        let hash = mix(self.row_key(site, row).wrapping_add(column));
        if ((hash ^ (1 << 31)) as i32) < self.bound { 0.0 } else { self.scale }
    }

    /// The key of a row of a site, to which columns are added.
    #[inline(always)]
    pub(crate) fn row_key(&self, site: u32, row: u64) -> u32 {
        let place = split_mix((u64::from(site) << 48).wrapping_add(row));
        (split_mix(self.seed.wrapping_add(place)) >> 32) as u32
    }

    /// The values where the mask of these keys is not zero, scaled.
    #[inline(always)]
    pub(crate) fn apply<S: Simd>(&self, simd: S, keys: S::u32s, values: S::f32s) -> S::f32s {
        let hash = simd.xor_u32s(keys, shift(simd, keys, 16));
        let hash = simd.mul_u32s(hash, simd.splat_u32s(MIX[0]));
        let hash = simd.xor_u32s(hash, shift(simd, hash, 15));
        let hash = simd.mul_u32s(hash, simd.splat_u32s(MIX[1]));
        let hash = simd.xor_u32s(hash, shift(simd, hash, 16));
        let hash = simd.xor_u32s(hash, simd.splat_u32s(1 << 31));
        let is_dropped =
            simd.less_than_i32s(simd.transmute_i32s_u32s(hash), simd.splat_i32s(self.bound));
        let scaled = simd.mul_f32s(values, simd.splat_f32s(self.scale));
        simd.select_f32s(is_dropped, simd.splat_f32s(0.0), scaled)
    }

    /// Multiplies a row by its mask.
    #[inline(always)]
    pub(crate) fn apply_row<S: Simd>(&self, simd: S, site: u32, row: u64, values: &mut [f32]) {
        let key = self.row_key(site, row);
        let mut columns = [0_u32; 16];
        for (column, lane) in (0..).zip(&mut columns) {
            *lane = column;
        }
        let first = S::as_simd_u32s(&columns).0[0];
        let mut keys = simd.add_u32s(simd.splat_u32s(key), first);
        let (whole, rest) = S::as_mut_simd_f32s(values);
        for value in whole.iter_mut() {
            *value = self.apply(simd, keys, *value);
            keys = simd.add_u32s(keys, simd.splat_u32s(S::F32_LANES as u32));
        }
        if !rest.is_empty() {
            let dropped = self.apply(simd, keys, simd.partial_load_f32s(rest));
            simd.partial_store_f32s(rest, dropped);
        }
    }
}

/// The multipliers of lowbias32.
const MIX: [u32; 2] = [0x7feb_352d, 0x846c_a68b];

#[inline(always)]
fn shift<S: Simd>(simd: S, hash: S::u32s, by: u32) -> S::u32s {
    simd.wrapping_dyn_shr_u32s(hash, simd.splat_u32s(by))
}

fn mix(key: u32) -> u32 {
    let hash = (key ^ (key >> 16)).wrapping_mul(MIX[0]);
    let hash = (hash ^ (hash >> 15)).wrapping_mul(MIX[1]);
    hash ^ (hash >> 16)
}

fn split_mix(state: u64) -> u64 {
    let z = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
