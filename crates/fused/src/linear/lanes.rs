//! Functions of numbers, by vectors.
//!
//! - [`exp`]: x = n ln 2 + r with n an integer (added by the trick of a large constant) and |r| <= ln 2 / 2, exp(r)
//!   by the polynomial of degree 6 of Cephes' `expf`, 2^n into the exponent (Moshier 1992, Cephes mathematical
//!   library 2.2, `single/expf.c`). Between -87.3 and 88 the result is within 2 units in the last place (tested);
//!   below it is zero; above it is not defined, and nothing here asks. NaN stays NaN.
//! - [`tanh`]: Cephes' `tanhf` below 0.625, above it (1 - exp(-2x)) / (1 + exp(-2x)): within 2 units (tested).
//! - [`normal`]: Phi(x) and phi(x), with the complementary error function of Hastings 1955, "Approximations for
//!   digital computers", sheet 44 (Abramowitz & Stegun 1964, 7.1.26): Phi is within 1.5e-7.
//!
//! Cost: about 16 instructions a vector for the exponential, 30 and a division for the normal law.

use pulp::Simd;

/// Below, the exponential is no normal number any more.
const LEAST: f32 = -87.3;

/// 1.5 x 2^23: what is added to it is rounded to an integer, in the last bits.
const ROUND: f32 = 12_582_912.0;

/// ln 2 as a number of few digits, whose multiples are exact, and the rest.
const LN_2: [f32; 2] = [355.0 / 512.0, -2.121_944_4e-4];

/// Cephes' coefficients of (exp(r) - 1 - r) / r^2, highest power first.
const EXP: [f32; 6] =
    [1.987_569_1e-4, 1.398_199_9e-3, 8.333_452e-3, 0.041_665_796, 0.166_666_66, 0.5];

/// The exponential, for arguments up to 88.
#[inline(always)]
pub(crate) fn exp<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    let shifted =
        simd.mul_add_f32s(x, simd.splat_f32s(std::f32::consts::LOG2_E), simd.splat_f32s(ROUND));
    let n = simd.sub_f32s(shifted, simd.splat_f32s(ROUND));
    let r = simd.negate_mul_add_f32s(n, simd.splat_f32s(LN_2[0]), x);
    let r = simd.negate_mul_add_f32s(n, simd.splat_f32s(LN_2[1]), r);
    let mut sum = simd.splat_f32s(EXP[0]);
    for coefficient in &EXP[1..] {
        sum = simd.mul_add_f32s(sum, r, simd.splat_f32s(*coefficient));
    }
    let power = simd.add_f32s(simd.mul_add_f32s(sum, simd.mul_f32s(r, r), r), simd.splat_f32s(1.0));
    let exponent =
        simd.wrapping_dyn_shl_u32s(simd.transmute_u32s_f32s(shifted), simd.splat_u32s(23));
    let scaled = simd.transmute_f32s_u32s(simd.add_u32s(simd.transmute_u32s_f32s(power), exponent));
    simd.select_f32s(simd.less_than_f32s(x, simd.splat_f32s(LEAST)), simd.splat_f32s(0.0), scaled)
}

/// 1 / (1 + exp(-x)).
#[inline(always)]
pub(crate) fn sigmoid<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    let one = simd.splat_f32s(1.0);
    let small = exp(simd, simd.neg_f32s(simd.abs_f32s(x)));
    let of_negative = simd.div_f32s(small, simd.add_f32s(one, small));
    let is_negative = simd.less_than_f32s(x, simd.splat_f32s(0.0));
    simd.select_f32s(is_negative, of_negative, simd.sub_f32s(one, of_negative))
}

/// Cephes' coefficients of (tanh(x) - x) / x^3 by the square of x, highest power first.
const TANH: [f32; 5] = [-0.005_704_989, 0.020_639_09, -0.053_739_715, 0.133_314_42, -0.333_332_8];

/// The hyperbolic tangent.
#[inline(always)]
pub(crate) fn tanh<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    let (one, size) = (simd.splat_f32s(1.0), simd.abs_f32s(x));
    let small = exp(simd, simd.mul_f32s(size, simd.splat_f32s(-2.0)));
    let far = simd.div_f32s(simd.sub_f32s(one, small), simd.add_f32s(one, small));
    let is_negative = simd.less_than_f32s(x, simd.splat_f32s(0.0));
    let far = simd.select_f32s(is_negative, simd.neg_f32s(far), far);
    let square = simd.mul_f32s(x, x);
    let mut sum = simd.splat_f32s(TANH[0]);
    for coefficient in &TANH[1..] {
        sum = simd.mul_add_f32s(sum, square, simd.splat_f32s(*coefficient));
    }
    let near = simd.mul_add_f32s(simd.mul_f32s(sum, square), x, x);
    simd.select_f32s(simd.less_than_f32s(size, simd.splat_f32s(0.625)), near, far)
}

/// The normal law's distribution function and density.
#[inline(always)]
pub(crate) fn normal<S: Simd>(simd: S, x: S::f32s) -> (S::f32s, S::f32s) {
    let size = simd.abs_f32s(x);
    let bell = exp(simd, simd.mul_f32s(simd.mul_f32s(size, size), simd.splat_f32s(-0.5)));
    // 0.3275911 / sqrt 2: the error function's argument is x / sqrt 2. Coefficients are halved.
    let t = simd.div_f32s(
        simd.splat_f32s(1.0),
        simd.mul_add_f32s(simd.splat_f32s(0.231_641_89), size, simd.splat_f32s(1.0)),
    );
    let mut sum = simd.splat_f32s(0.530_702_7);
    for coefficient in [-0.726_576_03, 0.710_706_9, -0.142_248_36, 0.127_414_8] {
        sum = simd.mul_add_f32s(sum, t, simd.splat_f32s(coefficient));
    }
    let tail = simd.mul_f32s(simd.mul_f32s(sum, t), bell);
    let is_negative = simd.less_than_f32s(x, simd.splat_f32s(0.0));
    let below = simd.select_f32s(is_negative, tail, simd.sub_f32s(simd.splat_f32s(1.0), tail));
    (below, simd.mul_f32s(bell, simd.splat_f32s(0.398_942_3)))
}

/// Writes `values[i] = expression` by vectors; the expression may use the vector of the values themselves and
/// those of other rows, by the names given. A macro, since a closure would not be compiled for the vectors at hand.
macro_rules! map {
    ($simd:ident: $S:ty, $value:ident in $values:expr $(, $name:ident in $other:expr)* => $body:expr) => {{
        let (whole, rest) = <$S>::as_mut_simd_f32s($values);
        map!(@whole $S, whole, $value, [$($name in $other),*], $body);
        if !rest.is_empty() {
            let $value = $simd.partial_load_f32s(rest);
            $(let $name = $simd.partial_load_f32s(<$S>::as_simd_f32s($other).1);)*
            let result = $body;
            $simd.partial_store_f32s(rest, result);
        }
    }};
    (@whole $S:ty, $whole:ident, $value:ident, [], $body:expr) => {
        for value in $whole.iter_mut() {
            let $value = *value;
            *value = $body;
        }
    };
    (@whole $S:ty, $whole:ident, $value:ident, [$a:ident in $first:expr], $body:expr) => {
        for (value, &$a) in $whole.iter_mut().zip(<$S>::as_simd_f32s($first).0) {
            let $value = *value;
            *value = $body;
        }
    };
    (@whole $S:ty, $whole:ident, $value:ident, [$a:ident in $first:expr, $b:ident in $second:expr], $body:expr) => {
        let others = <$S>::as_simd_f32s($first).0.iter().zip(<$S>::as_simd_f32s($second).0);
        for (value, (&$a, &$b)) in $whole.iter_mut().zip(others) {
            let $value = *value;
            *value = $body;
        }
    };
}

/// The sum of an expression of two rows' vectors, in a fixed order; what fills the last vector counts nothing.
macro_rules! sum_of {
    ($simd:ident: $S:ty, $a:ident in $left:expr, $b:ident in $right:expr => $body:expr) => {{
        let (left, right) = (<$S>::as_simd_f32s($left), <$S>::as_simd_f32s($right));
        let mut sums = $simd.splat_f32s(0.0);
        for (&$a, &$b) in left.0.iter().zip(right.0) {
            sums = $simd.add_f32s(sums, $body);
        }
        let mut sum = $simd.reduce_sum_f32s(sums);
        let rest = left.1.len();
        if rest > 0 {
            let mut lanes = [0.0_f32; 16];
            let ($a, $b) = ($simd.partial_load_f32s(left.1), $simd.partial_load_f32s(right.1));
            let last = $body;
            $simd.partial_store_f32s(&mut lanes[..rest], last);
            sum += lanes[..rest].iter().sum::<f32>();
        }
        sum
    }};
}

pub(crate) use {map, sum_of};

/// Sum of the products of two rows, in a fixed order.
#[inline(always)]
pub(crate) fn dot<S: Simd>(simd: S, left: &[f32], right: &[f32]) -> f32 {
    sum_of!(simd: S, a in left, b in right => simd.mul_f32s(a, b))
}

/// Multiplies all values by a number.
#[inline(always)]
pub(crate) fn scale<S: Simd>(simd: S, values: &mut [f32], by: f32) {
    let by = simd.splat_f32s(by);
    map!(simd: S, value in values => simd.mul_f32s(value, by));
}

/// Adds a row to another.
#[inline(always)]
pub(crate) fn add<S: Simd>(simd: S, to: &mut [f32], from: &[f32]) {
    map!(simd: S, value in to, other in from => simd.add_f32s(value, other));
}

#[cfg(test)]
mod tests {
    use super::*;
    use pulp::{Arch, WithSimd};

    struct All<'a>(&'a mut [f32], &'a mut [f32]);

    impl WithSimd for All<'_> {
        type Output = ();

        fn with_simd<S: Simd>(self, simd: S) {
            map!(simd: S, x in self.0 => exp(simd, x));
            map!(simd: S, x in self.1 => normal(simd, x).0);
        }
    }

    /// Values of both functions by the best vectors, and without any.
    fn all(x: &[f32]) -> [(Vec<f32>, Vec<f32>); 2] {
        let mut found = [(x.to_vec(), x.to_vec()), (x.to_vec(), x.to_vec())];
        let [vectors, scalars] = &mut found;
        Arch::new().dispatch(All(&mut vectors.0, &mut vectors.1));
        All(&mut scalars.0, &mut scalars.1).with_simd(pulp::Scalar);
        found
    }

    #[test]
    fn the_exponential_is_within_two_units() {
        let x: Vec<f32> = (0..200_003).map(|at| -87.2 + 175.0 * at as f32 / 200_003.0).collect();
        for (powers, _) in all(&x) {
            for (x, power) in x.iter().zip(powers) {
                let exact = f64::from(*x).exp();
                let units = (f64::from(power) - exact).abs() / (exact * f64::from(f32::EPSILON));
                assert!(units < 2.0, "exp({x}) is {power}, {units} units off");
            }
        }
    }

    struct Tanh<'a>(&'a mut [f32]);

    impl WithSimd for Tanh<'_> {
        type Output = ();

        fn with_simd<S: Simd>(self, simd: S) {
            map!(simd: S, x in self.0 => tanh(simd, x));
        }
    }

    #[test]
    fn the_tangent_is_within_two_units() {
        let x: Vec<f32> =
            (0..200_003).map(|at| (at as f32 / 100_001.0 - 1.0).powi(3) * 12.0).collect();
        let mut found = [x.clone(), x.clone()];
        Arch::new().dispatch(Tanh(&mut found[0]));
        Tanh(&mut found[1]).with_simd(pulp::Scalar);
        for (x, found) in x.iter().zip(&found[0]).chain(x.iter().zip(&found[1])) {
            let exact = f64::from(*x).tanh();
            let unit = (exact.abs() * f64::from(f32::EPSILON)).max(f64::from(f32::MIN_POSITIVE));
            assert!((f64::from(*found) - exact).abs() < 2.0 * unit, "tanh({x}) is {found}");
        }
        let mut ends = [f32::NEG_INFINITY, -100.0, -0.0, f32::INFINITY, f32::NAN];
        Arch::new().dispatch(Tanh(&mut ends));
        assert_eq!(ends[..4], [-1.0, -1.0, -0.0, 1.0]);
        assert!(ends[4].is_nan());
    }

    #[test]
    fn the_ends_are_the_functions_limits() {
        let x = [f32::NEG_INFINITY, -1e4, 0.0, -0.0, f32::NAN];
        for (powers, shares) in all(&x) {
            assert_eq!(powers[..4], [0.0, 0.0, 1.0, 1.0]);
            assert!(powers[4].is_nan() && shares[4].is_nan());
            assert_eq!(shares[..2], [0.0, 0.0]);
            assert!((shares[2] - 0.5).abs() < 1e-7);
        }
    }
}
