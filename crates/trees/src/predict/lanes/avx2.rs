//! The kernels with AVX2, 32 rows an instruction.
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::{
    Program, Ranks,
    program::{self, Lane},
};

#[target_feature(enable = "avx2")]
pub(super) fn below(codes: &[u8], last: u8, plane: &mut [u64]) {
    let last = _mm256_set1_epi8(last as i8);
    let bits = |codes: __m256i| {
        let low = _mm256_cmpeq_epi8(_mm256_min_epu8(codes, last), codes);
        _mm256_movemask_epi8(low) as u32
    };
    for (word, codes) in plane.iter_mut().zip(codes.chunks_exact(64)) {
        // SAFETY: the chunk has 64 bytes.
        let (first, second) = unsafe {
            let codes = codes.as_ptr().cast::<__m256i>();
            (_mm256_loadu_si256(codes), _mm256_loadu_si256(codes.add(1)))
        };
        *word = u64::from(bits(first)) | u64::from(bits(second)) << 32;
    }
}

#[target_feature(enable = "avx2,popcnt")]
pub(super) fn rank(ranks: &Ranks, values: &[f32], out: &mut [u32]) {
    if ranks.pivots.is_empty() {
        return super::scalar::rank(ranks, values, out);
    }
    let (pivots, padded) = (&ranks.pivots, &ranks.padded);
    for (out, &value) in out.iter_mut().zip(values) {
        let value = _mm256_set1_ps(value);
        let bucket = below_of_16(&pivots[..16], value);
        let start = 16 * bucket as usize;
        *out = 16 * bucket + below_of_16(&padded[start..start + 16], value);
    }
}

/// How many of 16 thresholds are below a value.
#[inline]
#[target_feature(enable = "avx2,popcnt")]
fn below_of_16(thresholds: &[f32], value: __m256) -> u32 {
    debug_assert_eq!(thresholds.len(), 16);
    // SAFETY: there are 16 thresholds.
    let (first, second) = unsafe {
        (_mm256_loadu_ps(thresholds.as_ptr()), _mm256_loadu_ps(thresholds.as_ptr().add(8)))
    };
    let mask = |thresholds| _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_LT_OQ>(thresholds, value));
    (mask(first) | mask(second) << 8).count_ones()
}

#[target_feature(enable = "avx2")]
pub(super) fn run(program: &Program, planes: &[u64], masks: &mut [u64], bits: &mut [u64]) {
    // SAFETY: `super::run` asked for the lengths.
    unsafe { program::run::<__m256i>(program, planes, masks, bits) }
}

#[target_feature(enable = "avx2")]
pub(super) fn spread(planes: &[&[u64]], out: &mut [u8]) {
    match planes.len() {
        0 => out.fill(0),
        1 => spread_some::<1>(planes, out),
        2 => spread_some::<2>(planes, out),
        3 => spread_some::<3>(planes, out),
        4 => spread_some::<4>(planes, out),
        5 => spread_some::<5>(planes, out),
        6 => spread_some::<6>(planes, out),
        7 => spread_some::<7>(planes, out),
        _ => spread_some::<8>(planes, out),
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn spread_some<const BITS: usize>(planes: &[&[u64]], out: &mut [u8]) {
    // Byte j of a half takes byte j / 8 of the 32 bits, of which it tests bit j % 8.
    let source = _mm256_setr_epi8(
        0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, //
        2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3,
    );
    let test = _mm256_set1_epi64x(0x8040_2010_0804_0201_u64 as i64);
    let planes: [&[u64]; BITS] = std::array::from_fn(|bit| planes[bit]);
    for (at, out) in out.chunks_exact_mut(32).enumerate() {
        let mut number = _mm256_setzero_si256();
        for bit in (0..BITS).rev() {
            // SAFETY: a plane has a bit for each byte of `out`, so 32 bits for each chunk.
            let word = unsafe { planes[bit].as_ptr().cast::<i32>().add(at).read() };
            let bytes = _mm256_shuffle_epi8(_mm256_set1_epi32(word), source);
            let set = _mm256_cmpeq_epi8(_mm256_and_si256(bytes, test), test);
            number = _mm256_sub_epi8(_mm256_add_epi8(number, number), set);
        }
        // SAFETY: the chunk has 32 bytes.
        unsafe { _mm256_storeu_si256(out.as_mut_ptr().cast(), number) };
    }
}

impl Lane for __m256i {
    const WORDS: usize = 4;
    #[inline(always)]
    unsafe fn load(from: *const u64) -> Self {
        // SAFETY: the caller has the words there, and the instructions.
        unsafe { _mm256_loadu_si256(from.cast()) }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut u64) {
        // SAFETY: the caller has room for the words there, and the instructions.
        unsafe { _mm256_storeu_si256(to.cast(), self) }
    }
    #[inline(always)]
    unsafe fn and(self, other: Self) -> Self {
        // SAFETY: the caller has the instructions.
        unsafe { _mm256_and_si256(self, other) }
    }
    #[inline(always)]
    unsafe fn and_not(self, other: Self) -> Self {
        // SAFETY: the caller has the instructions.
        unsafe { _mm256_andnot_si256(other, self) }
    }
    #[inline(always)]
    unsafe fn or(self, other: Self) -> Self {
        // SAFETY: the caller has the instructions.
        unsafe { _mm256_or_si256(self, other) }
    }
    #[inline(always)]
    unsafe fn select(self, yes: Self, no: Self) -> Self {
        // SAFETY: the caller has the instructions.
        unsafe { _mm256_xor_si256(no, _mm256_and_si256(self, _mm256_xor_si256(yes, no))) }
    }
}
