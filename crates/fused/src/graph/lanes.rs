//! Arithmetic on a few neighbouring columns at a time, and the choice of the instruction set.
//!
//! A row of any width is cut into blocks of 16, 8, 4 and 1 columns, some of 32, which the compiler turns into vector registers; each
//! block's code is compiled once for each instruction set and chosen at run time. Sums over lanes are trees of a fixed shape.

use pulp::{Arch, Simd, WithSimd};

/// What is done to a block of neighbouring columns.
pub(super) trait Columns {
    /// Works on the columns `first..first + LANES` of the width.
    fn columns<const LANES: usize>(&mut self, first: usize);
}

/// Cuts `width` columns into blocks.
#[inline(always)]
pub(super) fn sweep(width: usize, work: &mut impl Columns) {
    sweep_from(0, width, work);
}

/// The same with blocks of 32 first, for work that keeps one block in registers.
#[inline(always)]
pub(super) fn sweep_wide(width: usize, work: &mut impl Columns) {
    let mut first = 0;
    while first + 32 <= width {
        work.columns::<32>(first);
        first += 32;
    }
    sweep_from(first, width, work);
}

#[inline(always)]
fn sweep_from(mut first: usize, width: usize, work: &mut impl Columns) {
    while first + 16 <= width {
        work.columns::<16>(first);
        first += 16;
    }
    if first + 8 <= width {
        work.columns::<8>(first);
        first += 8;
    }
    if first + 4 <= width {
        work.columns::<4>(first);
        first += 4;
    }
    while first < width {
        work.columns::<1>(first);
        first += 1;
    }
}

/// Work that is compiled for each instruction set.
pub(super) trait Kernel {
    /// Does it with the vectors at hand; everything that is called must be inlined.
    fn run<S: Simd>(self, simd: S);
}

struct Dispatched<K>(K);

impl<K: Kernel> WithSimd for Dispatched<K> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        self.0.run(simd);
    }
}

/// Runs with the widest instruction set of this processor.
pub(super) fn dispatch(kernel: impl Kernel) {
    Arch::new().dispatch(Dispatched(kernel));
}

/// The lanes that begin at a place of a slice.
#[inline(always)]
pub(super) fn load<const LANES: usize>(values: &[f32], at: usize) -> [f32; LANES] {
    let mut lanes = [0.0; LANES];
    lanes.copy_from_slice(&values[at..at + LANES]);
    lanes
}

/// Writes lanes to a place of a slice.
#[inline(always)]
pub(super) fn store<const LANES: usize>(lanes: [f32; LANES], values: &mut [f32], at: usize) {
    values[at..at + LANES].copy_from_slice(&lanes);
}

#[inline(always)]
pub(super) fn add<const LANES: usize>(mut left: [f32; LANES], right: [f32; LANES]) -> [f32; LANES] {
    for lane in 0..LANES {
        left[lane] += right[lane];
    }
    left
}

#[inline(always)]
pub(super) fn multiply<const LANES: usize>(
    mut left: [f32; LANES],
    right: [f32; LANES],
) -> [f32; LANES] {
    for lane in 0..LANES {
        left[lane] *= right[lane];
    }
    left
}

#[inline(always)]
pub(super) fn scale<const LANES: usize>(mut lanes: [f32; LANES], factor: f32) -> [f32; LANES] {
    for lane in &mut lanes {
        *lane *= factor;
    }
    lanes
}

/// `yes` where `z` is positive, else `no`: also for NaN.
#[inline(always)]
pub(super) fn where_positive<const LANES: usize>(
    z: [f32; LANES],
    yes: [f32; LANES],
    no: [f32; LANES],
) -> [f32; LANES] {
    let mut out = no;
    for lane in 0..LANES {
        out[lane] = if z[lane] > 0.0 { yes[lane] } else { no[lane] };
    }
    out
}

/// Rows of lanes whose sums are made together: left in registers, the compiler would break the products up instead.
#[derive(Debug)]
pub(super) struct Rows([[f32; FOLD]; ROWS]);

/// Rows that are summed together.
pub(super) const ROWS: usize = 16;
const FOLD: usize = 8;

impl Rows {
    #[inline(always)]
    pub(super) fn new() -> Self {
        Self([[0.0; FOLD]; ROWS])
    }

    /// Keeps a row; of 16 lanes the upper half is added to the lower.
    #[inline(always)]
    pub(super) fn set<const LANES: usize>(&mut self, row: usize, lanes: [f32; LANES]) {
        let mut folded = [0.0; FOLD];
        let kept = LANES.min(FOLD);
        folded[..kept].copy_from_slice(&lanes[..kept]);
        for lane in FOLD..LANES {
            folded[lane - FOLD] += lanes[lane];
        }
        self.0[row] = folded;
    }

    /// The sum of a row: halves onto halves.
    #[inline(always)]
    pub(super) fn sum(&self, row: usize) -> f32 {
        let lanes = self.0[row];
        let four =
            [lanes[0] + lanes[4], lanes[1] + lanes[5], lanes[2] + lanes[6], lanes[3] + lanes[7]];
        (four[0] + four[2]) + (four[1] + four[3])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Seen(Vec<(usize, usize)>);

    impl Columns for Seen {
        fn columns<const LANES: usize>(&mut self, first: usize) {
            self.0.push((first, LANES));
        }
    }

    #[test]
    fn blocks_cover_every_column_once() {
        for width in 1..70 {
            let (mut narrow, mut wide) = (Seen(Vec::new()), Seen(Vec::new()));
            sweep(width, &mut narrow);
            sweep_wide(width, &mut wide);
            for seen in [narrow, wide] {
                let mut next = 0;
                for (first, lanes) in seen.0 {
                    assert_eq!(first, next);
                    next += lanes;
                }
                assert_eq!(next, width);
            }
        }
    }

    #[test]
    fn nan_is_not_positive() {
        let z = [f32::NAN, 1.0, -1.0, 0.0];
        assert_eq!(where_positive(z, [1.0; 4], [2.0; 4]), [2.0, 1.0, 2.0, 2.0]);
    }

    #[test]
    fn rows_of_any_lanes_are_summed() {
        let mut rows = Rows::new();
        rows.set(0, [1.0; 16]);
        rows.set(1, [3.0]);
        rows.set(2, [1.0, 2.0, 4.0, 8.0]);
        rows.set(3, [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0]);
        assert_eq!([0, 1, 2, 3].map(|row| rows.sum(row)), [16.0, 3.0, 15.0, 255.0]);
    }
}
