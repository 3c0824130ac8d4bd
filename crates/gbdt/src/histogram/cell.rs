//! What a histogram adds up: a gradient, a hessian and a count, packed into integers.
//!
//! With n rows, `b` is the number of bits of n. A gradient becomes `round(g / unit)`, the unit being
//! a power of two such that n of the largest gradients cannot overflow:
//!
//! | cell | fields | bits of a gradient | bits of a hessian |
//! |---|---|---|---|
//! | `[u64; 1]`, hessians all 1 | gradient above `b`, count below | `63 - 2 b`, at most 38 | none |
//! | `[u64; 2]` | gradient; hessian above `b`, count below | `51 - b`, at most 38 | `64 - 2 b`, at most 38 |
//! | `[f64; 3]` | gradient, hessian, count | exact | exact |
//!
//! Sums of integers are exact and wrap in two's complement, so order does not matter and a difference
//! of sums is the sum of the difference. Sums stay below 2^51 units, so `f64` holds them, and their sums
//! and differences, exactly. 160,000 rows of one word leave 27 bits to a gradient, 2.7 million leave 19; an
//! `f32` has 24.
//! Reference: Shi et al. (2022), quantized training of gradient boosting decision trees, who take 2
//! to 5 bits and round at random.

use std::cell::RefCell;

/// The sums of some rows.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Sums {
    /// Sum of gradients.
    pub(crate) g: f64,
    /// Sum of hessians.
    pub(crate) h: f64,
    /// Rows.
    pub(crate) n: f64,
}

impl Sums {
    pub(crate) fn plus(self, other: Self) -> Self {
        Self { g: self.g + other.g, h: self.h + other.h, n: self.n + other.n }
    }

    pub(crate) fn minus(self, other: Self) -> Self {
        Self { g: self.g - other.g, h: self.h - other.h, n: self.n - other.n }
    }
}

/// Between numbers and the integers of a cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Scale {
    /// Gradient of one integer step.
    g: f64,
    /// Hessian of one integer step.
    h: f64,
    /// Steps of a gradient of 1 and of a hessian of 1; steps are powers of two, so these are exact.
    steps: (f64, f64),
    /// Bits of a count.
    bits: u32,
}

/// Bits of a gradient at most: with those of a count, which are 13 where there is room for so many, sums of
/// the largest stay below 2^51.
const FINEST: u32 = 38;

impl Scale {
    /// For `rows` rows with gradients of at most `2^g` and hessians of at most `2^h` in size.
    pub(crate) fn new<C: Cell>(rows: usize, g: i32, h: i32) -> Self {
        let bits = usize::BITS - rows.leading_zeros();
        let (fine_g, fine_h) = C::fineness(bits);
        let step = |largest: i32, fine: u32| 2f64.powi(largest - fine as i32);
        let (g, h) = (step(g, fine_g), step(h, fine_h));
        Self { g, h, steps: (g.recip(), h.recip()), bits }
    }
}

/// The least power of two that none of the values exceeds, as its exponent.
pub(crate) fn exponent(values: &[f32]) -> i32 {
    let largest = values.iter().fold(0f32, |largest, value| largest.max(value.abs()));
    if !(largest > 0.0 && largest.is_finite()) {
        return 0;
    }
    // From the bits, for a logarithm rounds. What is below the least normal number counts as that.
    let bits = largest.max(f32::MIN_POSITIVE).to_bits();
    (bits >> 23) as i32 - 127 + i32::from(bits & 0x7f_ffff > 0)
}

/// Adds up gradients.
pub(crate) trait Cell: Copy + Default + Send + Sync + std::fmt::Debug + 'static {
    /// Whether sums do not depend on their order.
    const EXACT: bool;

    /// Bits of gradients and hessians when counts have `bits`.
    fn fineness(bits: u32) -> (u32, u32);

    /// One row.
    fn encode(scale: &Scale, g: f32, h: f32) -> Self;

    /// What has been added up.
    fn decode(self, scale: &Scale) -> Sums;

    /// Adds.
    fn add(&mut self, other: Self);

    /// Takes away.
    fn subtract(&mut self, other: Self);

    /// The integers of cells, where they are integers.
    fn integers(cells: &mut [Self]) -> Option<&mut [u64]>;

    /// Lends the thread's scratch, `length` cells with whatever is in them: nodes are many and small,
    /// and fresh memory for each costs more than its use.
    fn with_scratch<T>(length: usize, with: impl FnOnce(&mut [Self]) -> T) -> T;
}

/// The scratch of each thread, by kind of cell.
macro_rules! scratch {
    ($cell:ty) => {
        fn with_scratch<T>(length: usize, with: impl FnOnce(&mut [Self]) -> T) -> T {
            thread_local! {
                static SCRATCH: RefCell<Vec<$cell>> = const { RefCell::new(Vec::new()) };
            }
            SCRATCH.with_borrow_mut(|scratch| {
                if scratch.len() < length {
                    scratch.resize(length, <$cell>::default());
                }
                with(&mut scratch[..length])
            })
        }
    };
}

/// 1.5 * 2^52.
const MAGIC: f64 = 6_755_399_441_055_744.0;

/// The nearest integer to `x`, ties to even, for sizes below 2^51: adding 1.5 * 2^52 leaves it in the
/// low bits. Unlike a cast it needs no instruction beyond SSE2.
fn round(x: f64) -> i64 {
    (x + MAGIC).to_bits().wrapping_sub(MAGIC.to_bits()) as i64
}

/// The number of an integer below 2^51 in size: [`round`] backwards, and as good for vectors.
#[inline(always)]
fn number(x: i64) -> f64 {
    debug_assert!(x.unsigned_abs() < 1 << 51);
    f64::from_bits(MAGIC.to_bits().wrapping_add(x as u64)) - MAGIC
}

impl Cell for [u64; 1] {
    scratch!([u64; 1]);

    const EXACT: bool = true;

    fn fineness(bits: u32) -> (u32, u32) {
        ((63 - 2 * bits.min(31)).min(FINEST), 0)
    }

    #[inline(always)]
    fn encode(scale: &Scale, g: f32, _: f32) -> Self {
        let g = round(f64::from(g) * scale.steps.0);
        [((g as u64) << scale.bits).wrapping_add(1)]
    }

    #[inline(always)]
    fn decode(self, scale: &Scale) -> Sums {
        let n = number((self[0] & ((1 << scale.bits) - 1)) as i64);
        Sums { g: number(self[0] as i64 >> scale.bits) * scale.g, h: n, n }
    }

    #[inline(always)]
    fn add(&mut self, other: Self) {
        self[0] = self[0].wrapping_add(other[0]);
    }

    #[inline(always)]
    fn subtract(&mut self, other: Self) {
        self[0] = self[0].wrapping_sub(other[0]);
    }

    fn integers(cells: &mut [Self]) -> Option<&mut [u64]> {
        Some(cells.as_flattened_mut())
    }
}

impl Cell for [u64; 2] {
    scratch!([u64; 2]);

    const EXACT: bool = true;

    fn fineness(bits: u32) -> (u32, u32) {
        ((51 - bits.min(31)).min(FINEST), (64 - 2 * bits.min(31)).min(FINEST))
    }

    #[inline(always)]
    fn encode(scale: &Scale, g: f32, h: f32) -> Self {
        let (g, h) = (round(f64::from(g) * scale.steps.0), round(f64::from(h) * scale.steps.1));
        // A hessian of exactly the bound would need one step more than there is.
        let h = (h as u64).min(u64::MAX >> (2 * scale.bits));
        [g as u64, (h << scale.bits).wrapping_add(1)]
    }

    #[inline(always)]
    fn decode(self, scale: &Scale) -> Sums {
        Sums {
            g: number(self[0] as i64) * scale.g,
            h: number((self[1] >> scale.bits) as i64) * scale.h,
            n: number((self[1] & ((1 << scale.bits) - 1)) as i64),
        }
    }

    #[inline(always)]
    fn add(&mut self, other: Self) {
        self[0] = self[0].wrapping_add(other[0]);
        self[1] = self[1].wrapping_add(other[1]);
    }

    #[inline(always)]
    fn subtract(&mut self, other: Self) {
        self[0] = self[0].wrapping_sub(other[0]);
        self[1] = self[1].wrapping_sub(other[1]);
    }

    fn integers(cells: &mut [Self]) -> Option<&mut [u64]> {
        Some(cells.as_flattened_mut())
    }
}

impl Cell for [f64; 3] {
    scratch!([f64; 3]);

    const EXACT: bool = false;

    fn fineness(_: u32) -> (u32, u32) {
        (0, 0)
    }

    #[inline(always)]
    fn encode(_: &Scale, g: f32, h: f32) -> Self {
        [f64::from(g), f64::from(h), 1.0]
    }

    #[inline(always)]
    fn decode(self, _: &Scale) -> Sums {
        Sums { g: self[0], h: self[1], n: self[2] }
    }

    #[inline(always)]
    fn add(&mut self, other: Self) {
        self.iter_mut().zip(other).for_each(|(sum, value)| *sum += value);
    }

    #[inline(always)]
    fn subtract(&mut self, other: Self) {
        self.iter_mut().zip(other).for_each(|(sum, value)| *sum -= value);
    }

    fn integers(_: &mut [Self]) -> Option<&mut [u64]> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sums<C: Cell>(rows: &[(f32, f32)]) -> Sums {
        let (g, h): (Vec<f32>, Vec<f32>) = rows.iter().copied().unzip();
        let scale = Scale::new::<C>(rows.len(), exponent(&g), exponent(&h));
        let mut sum = C::default();
        for &(g, h) in rows {
            sum.add(C::encode(&scale, g, h));
        }
        sum.decode(&scale)
    }

    #[test]
    fn sums_by_hand() {
        let rows = [(0.5, 1.0), (-0.25, 1.0), (1.0, 1.0)];
        let expected = Sums { g: 1.25, h: 3.0, n: 3.0 };
        assert_eq!(sums::<[u64; 1]>(&rows), expected);
        assert_eq!(sums::<[u64; 2]>(&rows), expected);
        assert_eq!(sums::<[f64; 3]>(&rows), expected);
    }

    #[test]
    fn negative_sums_do_not_spoil_counts() {
        let rows = vec![(-1.0, 0.25); 1000];
        let expected = Sums { g: -1000.0, h: 250.0, n: 1000.0 };
        assert_eq!(sums::<[u64; 2]>(&rows), expected);
        assert_eq!(sums::<[u64; 1]>(&rows), Sums { h: 1000.0, ..expected });
    }

    #[test]
    fn rounding_is_to_the_nearest_even() {
        let cases = [
            (0.5, 0),
            (1.5, 2),
            (-0.5, 0),
            (-1.5, -2),
            (2.4, 2),
            (-2.6, -3),
            (1e12, 1_000_000_000_000),
        ];
        for (x, expected) in cases {
            assert_eq!(round(x), expected, "{x}");
        }
    }

    #[test]
    fn exponents_by_hand() {
        let next = f32::from_bits(64f32.to_bits() + 1);
        let of = |x: f32| exponent(&[0.0, -x, x / 2.0]);
        assert_eq!([1.0, 0.75, 64.0, next, 3e-5, 0.0].map(of), [0, 0, 6, 7, -15, 0]);
        assert_eq!(exponent(&[f32::from_bits(1)]), -126);
        assert_eq!(exponent(&[f32::MAX]), 128);
    }

    #[test]
    fn integers_become_numbers() {
        let largest = (1 << 51) - 1;
        for x in [0, 1, -1, 12_345, -987_654_321, largest, -largest] {
            assert_eq!(number(x), x as f64, "{x}");
            assert_eq!(round(number(x)), x, "{x}");
        }
    }

    #[test]
    fn sums_of_the_largest_are_exact() {
        // Around the number of rows from which there are fewer bits.
        for rows in [1, 255, 4095, 4096, 8191, 8192, 100_000] {
            for g in [1.0, -1.0] {
                let expected =
                    Sums { g: f64::from(g) * rows as f64, h: rows as f64, n: rows as f64 };
                assert_eq!(sums::<[u64; 1]>(&vec![(g, 1.0); rows]), expected, "{rows}");
                let found = sums::<[u64; 2]>(&vec![(g, 1.0); rows]);
                assert_eq!((found.g, found.n), (expected.g, expected.n), "{rows}");
                // Of a hessian at the bound a step is missing.
                assert!((found.h / expected.h - 1.0).abs() < 1e-6, "{rows}: {}", found.h);
            }
        }
    }

    #[test]
    fn a_difference_of_sums_is_the_sum_of_the_difference() {
        let scale = Scale::new::<[u64; 1]>(5, 0, 0);
        let rows = [-1.0, 0.7, 0.3, -0.2, 1.0].map(|g| <[u64; 1]>::encode(&scale, g, 1.0));
        let (mut all, mut some, mut rest) = ([0], [0], [0]);
        rows.iter().for_each(|&row| all.add(row));
        rows[..2].iter().for_each(|&row| some.add(row));
        rows[2..].iter().for_each(|&row| rest.add(row));
        all.subtract(some);
        assert_eq!(all, rest);
    }
}
