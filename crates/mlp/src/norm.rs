//! Layer norm over the units of a block, forward and backward.
//!
//! With n units, for each row: `m = sum z / n`, `v = sum (z - m)^2 / n`, `s = 1 / sqrt(v + 1e-5)`,
//! `x = (z - m) s`, and the output `g x + b`. Backward, with y' the slopes of the output and
//! `x' = g y'`:
//!
//! ```text
//! g' = sum_rows y' x      b' = sum_rows y'
//! z' = s (x' - mean x' - x mean(x' x))
//! ```
//!
//! The variance is taken in a second pass, which keeps digits that `mean z^2 - m^2` loses. Sums run
//! over at most some hundred units and stay in `f32`, as in PyTorch. NaN in a unit of a row makes
//! the row NaN and no other. Cost: about 12 operations a unit and row, both ways.
//! Reference: Ba, Kiros & Hinton (2016), Layer normalization, eq. 4.

use pulp::Simd;

use super::lanes::{Lanes, Wide};

const EPSILON: f32 = 1e-5;

/// Units become `(z - mean) / deviation`; answers one over the deviation.
#[inline(always)]
pub(super) fn normalize<S: Simd, const N: usize>(
    wide: Wide<S, N>,
    units: &mut [Lanes],
) -> [S::f32s; N] {
    let share = wide.splat(1.0 / units.len() as f32);
    let mut sum = wide.splat(0.0);
    for unit in &*units {
        sum = wide.add(sum, wide.load(unit));
    }
    let mean = wide.multiply(sum, share);
    let mut square = wide.splat(0.0);
    for unit in &*units {
        let gap = wide.subtract(wide.load(unit), mean);
        square = wide.add_product(gap, gap, square);
    }
    let variance = wide.add_product(square, share, wide.splat(EPSILON));
    let inverse = wide.divide(wide.splat(1.0), wide.root(variance));
    for unit in units {
        let gap = wide.subtract(wide.load(unit), mean);
        wide.store(unit, wide.multiply(gap, inverse));
    }
    inverse
}

/// The slopes `x'` of the normalised units become those of the units before.
#[inline(always)]
pub(super) fn normalize_back<S: Simd, const N: usize>(
    wide: Wide<S, N>,
    slope: &mut [Lanes],
    normalized: &[Lanes],
    inverse: &Lanes,
) {
    let share = 1.0 / slope.len() as f32;
    let (mut sum, mut along) = (wide.splat(0.0), wide.splat(0.0));
    for (slope, unit) in slope.iter().zip(normalized) {
        let slope = wide.load(slope);
        sum = wide.add(sum, slope);
        along = wide.add_product(slope, wide.load(unit), along);
    }
    let mean = wide.multiply(sum, wide.splat(share));
    let along = wide.multiply(along, wide.splat(-share));
    let inverse = wide.load(inverse);
    for (slope, unit) in slope.iter_mut().zip(normalized) {
        let gap = wide.subtract(wide.load(slope), mean);
        let gap = wide.add_product(wide.load(unit), along, gap);
        wide.store(slope, wide.multiply(gap, inverse));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lanes::LANES;
    use crate::lanes::Task;
    use crate::lanes::tests::everywhere;

    #[derive(Clone, Copy)]
    struct ByHand;

    impl Task for ByHand {
        type Output = ();

        fn run<S: Simd, const N: usize>(self, wide: Wide<S, N>) {
            // 1, 3: mean 2, variance 1.
            let mut units = [Lanes([1.0; LANES]), Lanes([3.0; LANES])];
            units[0].0[5] = f32::NAN;
            let mut inverse = Lanes::ZERO;
            let found = normalize(wide, &mut units);
            wide.store(&mut inverse, found);
            assert!((inverse.0[0] - 0.999_995).abs() < 1e-6);
            assert!((units[0].0[0] + 0.999_995).abs() < 1e-6);
            assert!((units[1].0[0] - 0.999_995).abs() < 1e-6);
            assert!(units[1].0[5].is_nan() && units[1].0[4].is_finite());
            // Two normalised units do not move with their inputs, but for epsilon.
            let mut slope = [Lanes([0.3; LANES]), Lanes([-0.9; LANES])];
            normalize_back(wide, &mut slope, &units, &inverse);
            assert!(slope[0].0[0].abs() < 1e-4 && slope[1].0[0].abs() < 1e-4);
            let mut units = [Lanes([7.0; LANES]); 3];
            let found = normalize(wide, &mut units);
            wide.store(&mut inverse, found);
            assert_eq!(units, [Lanes::ZERO; 3]);
            assert!((inverse.0[0] - 316.227_8).abs() < 1e-2);
        }
    }

    #[test]
    fn by_hand() {
        everywhere(ByHand);
    }
}
