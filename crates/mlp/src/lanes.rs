//! Sixteen rows side by side, in a processor's registers: what runs along the lanes.
//!
//! Values lie in memory as [`Lanes`], one a row of the block, and are worked on as `N` registers of
//! the processor at hand ([`Wide`]: two on AVX2, one on AVX-512, four on NEON, sixteen plain numbers
//! elsewhere). Products are added in one rounding where the processor can, and in two where that
//! would be a function call. Functions here are inlined into the caller that was compiled for the
//! processor; each is a loop over registers whose length is a constant.
//!
//! Reference for the exponential: Cephes' `expf` (Moshier 1992).

use pulp::{Arch, Simd, WithSimd};

/// Rows in a block.
pub(super) const LANES: usize = 16;

/// One value for each row of a block.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C, align(64))]
pub(super) struct Lanes(pub [f32; LANES]);

impl Lanes {
    pub(super) const ZERO: Self = Self([0.0; LANES]);
}

/// A processor whose `N` registers hold a block's lanes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wide<S: Simd, const N: usize>(pub S);

/// Work on a block's lanes, compiled for each kind of processor; `run` must be inlined.
pub(super) trait Task {
    type Output;

    fn run<S: Simd, const N: usize>(self, wide: Wide<S, N>) -> Self::Output;
}

/// Does a task on a processor.
#[inline(always)]
pub(super) fn on<T: Task>(arch: Arch, task: T) -> T::Output {
    arch.dispatch(On(task))
}

struct On<T>(T);

impl<T: Task> WithSimd for On<T> {
    type Output = T::Output;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> T::Output {
        match S::F32_LANES {
            16 => self.0.run(Wide::<S, 1>(simd)),
            8 => self.0.run(Wide::<S, 2>(simd)),
            4 => self.0.run(Wide::<S, 4>(simd)),
            _ => self.0.run(Wide::<S, 16>(simd)),
        }
    }
}

impl<S: Simd, const N: usize> Wide<S, N> {
    #[inline(always)]
    pub(super) fn splat(self, value: f32) -> [S::f32s; N] {
        [self.0.splat_f32s(value); N]
    }

    #[inline(always)]
    pub(super) fn load(self, lanes: &Lanes) -> [S::f32s; N] {
        match S::as_simd_f32s(&lanes.0).0.first_chunk() {
            Some(registers) => *registers,
            None => self.splat(0.0),
        }
    }

    #[inline(always)]
    pub(super) fn store(self, lanes: &mut Lanes, values: [S::f32s; N]) {
        if let Some(registers) = S::as_mut_simd_f32s(&mut lanes.0).0.first_chunk_mut() {
            *registers = values;
        }
    }

    #[inline(always)]
    pub(super) fn add(self, mut a: [S::f32s; N], b: [S::f32s; N]) -> [S::f32s; N] {
        for at in 0..N {
            a[at] = self.0.add_f32s(a[at], b[at]);
        }
        a
    }

    #[inline(always)]
    pub(super) fn subtract(self, mut a: [S::f32s; N], b: [S::f32s; N]) -> [S::f32s; N] {
        for at in 0..N {
            a[at] = self.0.sub_f32s(a[at], b[at]);
        }
        a
    }

    #[inline(always)]
    pub(super) fn multiply(self, mut a: [S::f32s; N], b: [S::f32s; N]) -> [S::f32s; N] {
        for at in 0..N {
            a[at] = self.0.mul_f32s(a[at], b[at]);
        }
        a
    }

    #[inline(always)]
    pub(super) fn divide(self, mut a: [S::f32s; N], b: [S::f32s; N]) -> [S::f32s; N] {
        for at in 0..N {
            a[at] = self.0.div_f32s(a[at], b[at]);
        }
        a
    }

    /// `a * b + c`.
    #[inline(always)]
    pub(super) fn add_product(
        self,
        a: [S::f32s; N],
        b: [S::f32s; N],
        mut c: [S::f32s; N],
    ) -> [S::f32s; N] {
        for at in 0..N {
            c[at] = self.0.mul_add_e_f32s(a[at], b[at], c[at]);
        }
        c
    }

    #[inline(always)]
    pub(super) fn root(self, mut a: [S::f32s; N]) -> [S::f32s; N] {
        for value in &mut a {
            *value = self.0.sqrt_f32s(*value);
        }
        a
    }

    /// `b` where `a` is above `limit`, else `c`.
    #[inline(always)]
    pub(super) fn where_above(
        self,
        a: [S::f32s; N],
        limit: f32,
        b: [S::f32s; N],
        mut c: [S::f32s; N],
    ) -> [S::f32s; N] {
        let limit = self.0.splat_f32s(limit);
        for at in 0..N {
            let above = self.0.greater_than_f32s(a[at], limit);
            c[at] = self.0.select_f32s(above, b[at], c[at]);
        }
        c
    }

    /// The sum along the lanes, as a tree.
    #[inline(always)]
    pub(super) fn total(self, mut values: [S::f32s; N]) -> f32 {
        let mut width = N;
        while width > 1 {
            width /= 2;
            for at in 0..width {
                values[at] = self.0.add_f32s(values[at], values[at + width]);
            }
        }
        self.0.reduce_sum_f32s(values[0])
    }

    /// `1 / (1 + exp(-z))`; NaN stays NaN.
    #[inline(always)]
    pub(super) fn sigmoid(self, z: [S::f32s; N]) -> [S::f32s; N] {
        let one = self.splat(1.0);
        let minus = self.subtract(self.splat(0.0), z);
        self.divide(one, self.add(one, self.exponential(minus)))
    }

    /// `exp(x)` for x cut to [-87, 88], within 2 units in the last place: `x = n ln 2 + f`, a
    /// polynomial for `exp(f)`, and n written into the exponent's bits.
    #[inline(always)]
    fn exponential(self, x: [S::f32s; N]) -> [S::f32s; N] {
        // Adding 1.5 x 2^23 rounds to an integer and leaves it in the lowest bits.
        const ROUND: f32 = 12_582_912.0;
        const LN_2_HIGH: f32 = 0.693_359_4;
        const LN_2_LOW: f32 = -2.121_944_4e-4;
        const COEFFICIENTS: [f32; 6] =
            [1.987_569_1e-4, 1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5];
        let x = self.where_above(x, 88.0, self.splat(88.0), x);
        let minus = self.subtract(self.splat(0.0), x);
        let x = self.where_above(minus, 87.0, self.splat(-87.0), x);
        let shifted = self.add_product(x, self.splat(std::f32::consts::LOG2_E), self.splat(ROUND));
        let n = self.subtract(shifted, self.splat(ROUND));
        let f = self.add_product(n, self.splat(-LN_2_HIGH), x);
        let f = self.add_product(n, self.splat(-LN_2_LOW), f);
        let mut sum = self.splat(COEFFICIENTS[0]);
        for coefficient in &COEFFICIENTS[1..] {
            sum = self.add_product(sum, f, self.splat(*coefficient));
        }
        let fraction = self.add_product(sum, self.multiply(f, f), f);
        self.multiply(self.add(fraction, self.splat(1.0)), self.power(shifted))
    }

    /// 2 to the integer in a value's lowest bits.
    #[inline(always)]
    fn power(self, mut values: [S::f32s; N]) -> [S::f32s; N] {
        let (shift, one) = (self.0.splat_u32s(23), self.0.splat_u32s(0x3f80_0000));
        for value in &mut values {
            let bits = self.0.transmute_u32s_f32s(*value);
            let bits = self.0.add_u32s(self.0.wrapping_dyn_shl_u32s(bits, shift), one);
            *value = self.0.transmute_f32s_u32s(bits);
        }
        values
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Does a task on each kind of processor that this machine has.
    pub(crate) fn everywhere(task: impl Task<Output = ()> + Copy) {
        let mut all = vec![Arch::new(), Arch::Scalar];
        #[cfg(target_arch = "x86_64")]
        all.extend(pulp::x86::V3::try_new().map(Arch::V3));
        for arch in all {
            on(arch, task);
        }
    }

    #[derive(Clone, Copy)]
    struct Exponential;

    impl Task for Exponential {
        type Output = ();

        fn run<S: Simd, const N: usize>(self, wide: Wide<S, N>) {
            let mut out = Lanes::ZERO;
            let mut x = -87.0_f32;
            while x < 88.0 {
                wide.store(&mut out, wide.exponential(wide.splat(x)));
                let exact = f64::from(x).exp();
                let unit = f64::from(f32::EPSILON) * exact;
                assert!((f64::from(out.0[3]) - exact).abs() <= 2.0 * unit, "{x}: {out:?} {exact}");
                x += 0.013_7;
            }
            let mut z = Lanes([f32::NAN; LANES]);
            (z.0[0], z.0[1], z.0[2]) = (f32::INFINITY, f32::NEG_INFINITY, 0.0);
            wide.store(&mut out, wide.sigmoid(wide.load(&z)));
            assert_eq!((out.0[0], out.0[2]), (1.0, 0.5));
            assert!(out.0[1] < 1e-37 && out.0[15].is_nan());
        }
    }

    #[test]
    fn the_exponential_is_within_two_units() {
        everywhere(Exponential);
    }

    #[derive(Clone, Copy)]
    struct Arithmetic;

    impl Task for Arithmetic {
        type Output = ();

        fn run<S: Simd, const N: usize>(self, wide: Wide<S, N>) {
            let mut lanes = Lanes::ZERO;
            for (lane, value) in lanes.0.iter_mut().enumerate() {
                *value = lane as f32 - 5.0;
            }
            let values = wide.load(&lanes);
            assert_eq!(wide.total(values), 40.0);
            let mut out = Lanes::ZERO;
            let square = wide.multiply(values, values);
            let kept = wide.where_above(values, 2.0, wide.root(square), wide.splat(-1.0));
            wide.store(&mut out, wide.add_product(kept, wide.splat(2.0), values));
            for (lane, value) in lanes.0.iter().enumerate() {
                let kept = if *value > 2.0 { *value } else { -1.0 };
                assert_eq!(out.0[lane], 2.0 * kept + value);
            }
        }
    }

    #[test]
    fn registers_agree_with_plain_numbers() {
        everywhere(Arithmetic);
    }
}
