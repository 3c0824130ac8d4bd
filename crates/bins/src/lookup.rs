//! The codes of a whole column, faster than value by value.
//!
//! Numbers become integers in the same order. A table over equal stretches of those integers tells how
//! many bounds lie before a stretch; a branch-free search over the few bounds inside it does the rest.
//! Bounds are rounded down to `f32`, which changes no comparison with an `f32`. Categories are looked
//! up in a table, or by binary search where they are far apart.
//! Cost: three to five loads a value. The plain twin is [`Mapper::code`].

use crate::{Kind, Mapper, mapper::category, order::key};

/// A prepared [`Mapper`].
#[derive(Debug)]
pub(crate) enum Lookup {
    Numbers(Numbers),
    Table(Vec<u16>),
    Sorted(Vec<(i32, u16)>),
}

/// The largest category of a table.
const TABLE: usize = 1 << 16;

impl Lookup {
    pub(crate) fn new(mapper: &Mapper) -> Self {
        match &mapper.kind {
            Kind::Numeric { upper } => {
                let nan = mapper.code(f64::NAN) as u16;
                Self::Numbers(Numbers::new(&upper[..upper.len() - 1], nan))
            }
            Kind::Categorical { categories } => Self::categories(categories),
        }
    }

    fn categories(categories: &[i32]) -> Self {
        let known = categories.iter().zip(0_u16..).skip(1);
        let largest = categories.iter().copied().max().unwrap_or(0).max(0) as usize;
        if largest < TABLE {
            let mut table = vec![0; largest + 1];
            known.for_each(|(&category, code)| table[category as usize] = code);
            return Self::Table(table);
        }
        let mut sorted: Vec<(i32, u16)> = known.map(|(&category, code)| (category, code)).collect();
        sorted.sort_unstable();
        Self::Sorted(sorted)
    }

    /// Appends the codes of `values`, made what the column holds by `to`.
    pub(crate) fn extend<T>(&self, values: &[f32], to: impl Fn(u16) -> T, out: &mut Vec<T>) {
        match self {
            Self::Numbers(numbers) => out.extend(values.iter().map(|&x| to(numbers.code(x)))),
            Self::Table(table) => {
                let code = |c: i32| table.get(c as usize).copied().unwrap_or(0);
                out.extend(values.iter().map(|&x| to(category(x.into()).map_or(0, code))));
            }
            Self::Sorted(sorted) => {
                let find = |c: i32| sorted.binary_search_by_key(&c, |&(category, _)| category);
                let code = |c: i32| find(c).map_or(0, |at| sorted[at].1);
                out.extend(values.iter().map(|&x| to(category(x.into()).map_or(0, code))));
            }
        }
    }
}

/// The bounds of numbers.
#[derive(Debug)]
pub(crate) struct Numbers {
    /// The key of the lowest bound, where the first stretch begins.
    base: u32,
    /// A stretch has `1 << shift` keys.
    shift: u32,
    /// Bounds before each stretch.
    before: Vec<u16>,
    /// Keys of the bounds, and padding that no key exceeds.
    bounds: Vec<u32>,
    /// The search takes the steps 1, 2, 4 ... this many.
    steps: u32,
    /// The code of NaN.
    nan: u16,
}

/// Stretches a bound at least: enough for most to hold at most one.
const STRETCHES: usize = 16;

impl Numbers {
    /// Of all bounds but the last, infinite one.
    fn new(upper: &[f64], nan: u16) -> Self {
        let mut bounds: Vec<u32> = upper.iter().map(|&bound| key(below(bound))).collect();
        let base = bounds.first().copied().unwrap_or(0);
        let width = bounds.last().map_or(0, |&last| last - base);
        let most = (bounds.len() * STRETCHES).next_power_of_two().clamp(1 << 10, 1 << 18) as u32;
        let shift = (0..32).find(|&shift| width >> shift < most).unwrap_or(31);
        let stretches = (width >> shift) as usize + 1;
        let before = |at: usize| {
            let first = base + ((at as u32) << shift);
            bounds.partition_point(|&bound| bound < first) as u16
        };
        let before: Vec<u16> = (0..stretches).map(before).collect();
        let ends = before.iter().skip(1).copied().chain([bounds.len() as u16]);
        let inside = before.iter().zip(ends).map(|(start, end)| end - start).max().unwrap_or(0);
        let steps = u16::BITS - inside.leading_zeros();
        bounds.extend(std::iter::repeat_n(u32::MAX, 1 << steps));
        Self { base, shift, before, bounds, steps, nan }
    }

    #[inline]
    fn code(&self, x: f32) -> u16 {
        let key = key(x);
        let stretch = (key.saturating_sub(self.base) >> self.shift) as usize;
        let mut at = self.before[stretch.min(self.before.len() - 1)] as usize;
        for step in (0..self.steps).rev() {
            let width = 1 << step;
            at += if self.bounds[at + width - 1] < key { width } else { 0 };
        }
        if x.is_nan() { self.nan } else { at as u16 }
    }
}

/// The largest `f32` that is no larger.
fn below(bound: f64) -> f32 {
    let near = bound as f32;
    let near = if f64::from(near) > bound { near.next_down() } else { near };
    // Both zeros are equal as numbers, their keys are not.
    if near == 0.0 { 0.0 } else { near }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fattail_trees::Missing;

    fn codes(mapper: &Mapper, values: &[f32]) -> Vec<usize> {
        let mut out = Vec::new();
        Lookup::new(mapper).extend(values, usize::from, &mut out);
        out
    }

    #[test]
    fn bounds_round_down() {
        assert_eq!(below(1.0), 1.0);
        assert_eq!(below(1.0_f64.next_down()), 1.0_f32.next_down());
        assert_eq!(below(1e300), f32::MAX);
        assert_eq!(below(-1e300), f32::NEG_INFINITY);
        assert!(below(-0.0).is_sign_positive());
        assert_eq!(below(-1e-60), (-0.0_f32).next_down());
    }

    #[test]
    fn numbers_by_hand() {
        let upper = vec![-1.5, -1e-35, 1e-35, 2.0, 2.0, f64::INFINITY];
        let mapper = Mapper::numeric(upper, Missing::Nan, [-2.0, 3.0]);
        let x = [-9.0, -1.5, -0.5, -0.0, 0.0, 1.0, 2.0, 2.1, f32::INFINITY, f32::NAN, -f32::NAN];
        let plain: Vec<usize> = x.iter().map(|&x| mapper.code(x.into())).collect();
        assert_eq!(codes(&mapper, &x), plain);
        assert_eq!(plain, [0, 0, 1, 2, 2, 3, 3, 5, 5, 6, 6]);
    }

    #[test]
    fn categories_near_and_far() {
        for far in [9, 2_000_000_000] {
            let kind = Kind::Categorical { categories: vec![-1, far, 0, 4] };
            let mapper = Mapper { kind, bins: 4, ..Mapper::constant(true, [0.0, 9.0]) };
            let x = [far as f32, 0.5, -0.5, -1.0, 4.0, 5.0, 1e9, 3e9, f32::NAN];
            assert_eq!(codes(&mapper, &x), [1, 2, 2, 0, 3, 0, 0, 0, 0]);
        }
    }
}
