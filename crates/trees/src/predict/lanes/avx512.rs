//! The kernels with AVX-512, 64 rows an instruction.
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::{
    Program, Ranks,
    program::{self, Lane},
};

#[target_feature(enable = "avx512f,avx512bw")]
pub(super) fn below(codes: &[u8], last: u8, plane: &mut [u64]) {
    let last = _mm512_set1_epi8(last as i8);
    for (word, codes) in plane.iter_mut().zip(codes.chunks_exact(64)) {
        // SAFETY: the chunk has 64 bytes.
        let codes = unsafe { _mm512_loadu_si512(codes.as_ptr().cast()) };
        *word = _mm512_cmple_epu8_mask(codes, last);
    }
}

#[target_feature(enable = "avx512f,avx512bw,popcnt")]
pub(super) fn rank(ranks: &Ranks, values: &[f32], out: &mut [u32]) {
    if ranks.pivots.is_empty() {
        return super::scalar::rank(ranks, values, out);
    }
    let (pivots, padded) = (&ranks.pivots, &ranks.padded);
    for (out, &value) in out.iter_mut().zip(values) {
        let value = _mm512_set1_ps(value);
        let bucket = below_of_16(&pivots[..16], value);
        let start = 16 * bucket as usize;
        *out = 16 * bucket + below_of_16(&padded[start..start + 16], value);
    }
}

/// How many of 16 thresholds are below a value.
#[inline]
#[target_feature(enable = "avx512f,popcnt")]
fn below_of_16(thresholds: &[f32], value: __m512) -> u32 {
    debug_assert_eq!(thresholds.len(), 16);
    // SAFETY: there are 16 thresholds.
    let thresholds = unsafe { _mm512_loadu_ps(thresholds.as_ptr()) };
    u32::from(_mm512_cmp_ps_mask::<_CMP_LT_OQ>(thresholds, value)).count_ones()
}

#[target_feature(enable = "avx512f,avx512bw,avx2")]
pub(super) fn run(program: &Program, planes: &[u64], masks: &mut [u64], bits: &mut [u64]) {
    // SAFETY: `super::run` asked for the lengths.
    unsafe { program::run::<__m512i>(program, planes, masks, bits) }
}

#[target_feature(enable = "avx512f,avx512bw")]
pub(super) fn spread(planes: &[&[u64]], out: &mut [u8]) {
    for (at, out) in out.chunks_exact_mut(64).enumerate() {
        let mut number = _mm512_setzero_si512();
        for (bit, plane) in planes.iter().enumerate() {
            let one = _mm512_maskz_set1_epi8(plane[at], 1_i8 << bit);
            number = _mm512_or_si512(number, one);
        }
        // SAFETY: the chunk has 64 bytes.
        unsafe { _mm512_storeu_si512(out.as_mut_ptr().cast(), number) };
    }
}

impl Lane for __m512i {
    const WORDS: usize = 8;
    #[inline(always)]
    unsafe fn load(from: *const u64) -> Self {
        // SAFETY: the caller has the words there, and the instructions.
        unsafe { _mm512_loadu_si512(from.cast()) }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut u64) {
        // SAFETY: the caller has room for the words there, and the instructions.
        unsafe { _mm512_storeu_si512(to.cast(), self) }
    }
    #[inline(always)]
    unsafe fn and(self, other: Self) -> Self {
        // SAFETY: the caller has the instructions.
        unsafe { _mm512_and_si512(self, other) }
    }
    #[inline(always)]
    unsafe fn and_not(self, other: Self) -> Self {
        // SAFETY: the caller has the instructions.
        unsafe { _mm512_andnot_si512(other, self) }
    }
    #[inline(always)]
    unsafe fn or(self, other: Self) -> Self {
        // SAFETY: the caller has the instructions.
        unsafe { _mm512_or_si512(self, other) }
    }
    #[inline(always)]
    unsafe fn select(self, yes: Self, no: Self) -> Self {
        // SAFETY: the caller has the instructions.
        unsafe { _mm512_ternarylogic_epi64::<0xCA>(self, yes, no) }
    }
}
