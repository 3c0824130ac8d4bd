//! The check of values: bounds laid out for a loop without branches, and the plain definition.
//!
//! A value `v` of a column with bounds `[l, h]` is good when
//!
//! `(l <= v <= h) ∧ (whole ∨ free) ∧ (normal ∨ tiny) ∨ (NaN ∧ nan)`
//!
//! where `free`, `tiny`, `nan` say what the column allows, and `whole` is
//! `bits((v + M) - M) = bits(v)` with `M = 3·2²²`, which holds for whole numbers of `0..2²²` and not for
//! `-0.0`. Columns whose values are no range of bins and no range of numbers are looked up after it.
//!
//! [`fault`] is the definition: it names the rule, and is asked only once the loop has said no.
//!
//! Cost: a dozen instructions a value, eight or four values at a time.

use super::{Feature, Field, Kind, Rule};

/// Whole numbers below 2²² lie one unit in the last place apart once this is added.
const MAGIC: f32 = 12_582_912.0;
const MAGNITUDE: u32 = 0x7fff_ffff;
const INFINITY: u32 = 0x7f80_0000;
const SUBNORMALS: u32 = 0x007f_ffff;
/// Whole numbers up to it are exact in `f32`.
const EXACT: u64 = 1 << 24;

/// What one column allows, each flag 0 or 1.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Check {
    low: f32,
    high: f32,
    free: u32,
    tiny: u32,
    nan: u32,
    /// Whether a value inside must be looked up, too.
    listed: bool,
}

/// The checks of all features, one array a part.
#[derive(Debug, Clone, Default)]
pub(crate) struct Kernel {
    low: Vec<f32>,
    high: Vec<f32>,
    free: Vec<u32>,
    tiny: Vec<u32>,
    nan: Vec<u32>,
    /// 1 where a value must be looked up.
    list: Vec<u32>,
    listed: Vec<usize>,
}

impl Check {
    pub(crate) fn of(feature: &Feature) -> Self {
        let nan = u32::from(feature.missing.observed > 0.0);
        match &feature.kind {
            Kind::Bins { allowed } => {
                let ends = [allowed.first(), allowed.last()].map(|bin| bin.copied().unwrap_or(0));
                let listed = usize::from(ends[1] - ends[0]) + 1 != allowed.len();
                let [low, high] = ends.map(f32::from);
                Self { low, high, free: 0, tiny: 0, nan, listed }
            }
            Kind::Set { allowed } => {
                let [low, high] =
                    [allowed.first(), allowed.last()].map(|end| end.copied().unwrap_or(f32::NAN));
                Self { low, high, free: 1, tiny: 1, nan, listed: true }
            }
            Kind::Number { low, high, subnormal } => {
                let tiny = u32::from(*subnormal);
                Self { low: *low, high: *high, free: 1, tiny, nan, listed: false }
            }
        }
    }

    /// Whether all values of a column are good.
    pub(crate) fn admits(self, feature: &Feature, values: &[f32]) -> bool {
        let Self { low, high, free, tiny, nan, listed } = self;
        let bad =
            values.iter().fold(0, |bad, &value| bad | bad_bit(value, low, high, free, tiny, nan));
        bad == 0 && (!listed || values.iter().all(|&value| fault(feature, value).is_none()))
    }
}

impl Kernel {
    pub(crate) fn of(features: &[Feature]) -> Self {
        let mut kernel = Self::default();
        for (position, feature) in features.iter().enumerate() {
            let Check { low, high, free, tiny, nan, listed } = Check::of(feature);
            kernel.low.push(low);
            kernel.high.push(high);
            kernel.free.push(free);
            kernel.tiny.push(tiny);
            kernel.nan.push(nan);
            kernel.list.push(u32::from(listed));
            if listed {
                kernel.listed.push(position);
            }
        }
        kernel
    }

    /// The number of a field, where it is one that rounding hides nothing of and the bounds admit; all
    /// others are for [`Field::admit`], which defines what is right.
    pub(crate) fn quick(&self, at: usize, field: Field<'_>) -> Option<f32> {
        let (value, faithful) = match field {
            Field::Missing => (f32::NAN, true),
            Field::Integer(whole) => (whole as f32, whole.unsigned_abs() <= EXACT),
            Field::Number(number) => {
                let value = number as f32;
                let rounds = self.free[at] == 1 && value.is_normal();
                (value, rounds || f64::from(value) == number)
            }
            _ => return None,
        };
        let (low, high, free) = (self.low[at], self.high[at], self.free[at]);
        let bad = bad_bit(value, low, high, free, self.tiny[at], self.nan[at]) | self.list[at];
        (faithful && bad == 0).then_some(value)
    }

    /// Whether all values of a row as wide as the features are good.
    pub(crate) fn admits(&self, features: &[Feature], row: &[f32]) -> bool {
        let n = row.len();
        let (low, high) = (&self.low[..n], &self.high[..n]);
        let (free, tiny, nan) = (&self.free[..n], &self.tiny[..n], &self.nan[..n]);
        let mut bad = 0;
        for i in 0..n {
            bad |= bad_bit(row[i], low[i], high[i], free[i], tiny[i], nan[i]);
        }
        let known = |&at: &usize| fault(&features[at], row[at]).is_none();
        bad == 0 && self.listed.iter().all(known)
    }
}

#[inline(always)]
fn bad_bit(value: f32, low: f32, high: f32, free: u32, tiny: u32, nan: u32) -> u32 {
    let bits = value.to_bits();
    let magnitude = bits & MAGNITUDE;
    let inside = u32::from(value >= low) & u32::from(value <= high);
    let whole = u32::from(((value + MAGIC) - MAGIC).to_bits() == bits) | free;
    let normal = u32::from(magnitude.wrapping_sub(1) >= SUBNORMALS) | tiny;
    let missing = u32::from(magnitude > INFINITY) & nan;
    ((inside & whole & normal) | missing) ^ 1
}

/// The rule that a value of a column breaks.
pub(crate) fn fault(feature: &Feature, value: f32) -> Option<Rule> {
    if value.is_nan() {
        return (feature.missing.observed <= 0.0).then_some(Rule::Missing);
    }
    if value.is_infinite() {
        return Some(Rule::Infinite);
    }
    let signed_zero = value == 0.0 && value.is_sign_negative();
    match &feature.kind {
        Kind::Bins { .. } if value.fract() != 0.0 => Some(Rule::Fraction),
        Kind::Bins { .. } | Kind::Set { .. } if signed_zero => Some(Rule::NegativeZero),
        Kind::Bins { allowed } => {
            let known = allowed.iter().any(|&bin| f32::from(bin) == value);
            (!known).then_some(Rule::UnknownBin)
        }
        Kind::Set { allowed } => (!allowed.contains(&value)).then_some(Rule::UnknownValue),
        Kind::Number { subnormal, .. } if value.is_subnormal() && !subnormal => {
            Some(Rule::Subnormal)
        }
        Kind::Number { low, .. } if value < *low => Some(Rule::Below),
        Kind::Number { high, .. } => (value > *high).then_some(Rule::Above),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Missing;

    fn column(kind: Kind, observed: f64) -> Feature {
        Feature {
            name: "x".into(),
            kind,
            missing: Missing { observed, high: 1.0, ..Missing::default() },
            fullest: 1.0,
            twin: false,
        }
    }

    fn columns() -> Vec<Feature> {
        let number = |low, high, subnormal| Kind::Number { low, high, subnormal };
        vec![
            column(Kind::Bins { allowed: vec![0, 1, 2, 3, 4] }, 0.0),
            column(Kind::Bins { allowed: vec![0, 2, 255] }, 0.0),
            column(Kind::Bins { allowed: vec![2] }, 0.0),
            column(Kind::Set { allowed: vec![0.0, 0.25, 1.0] }, 0.0),
            column(Kind::Set { allowed: vec![-1.5] }, 0.1),
            column(number(-1.0, 2.0, false), 0.0),
            column(number(-1.0, 2.0, true), 0.5),
            column(number(3.0, 3.0, false), 0.0),
            column(number(f32::MIN, f32::MAX, false), 0.0),
        ]
    }

    fn values() -> impl Strategy<Value = f32> {
        let near = prop::sample::select(vec![
            0.0,
            -0.0,
            1.0,
            2.0,
            3.0,
            4.0,
            5.0,
            255.0,
            256.0,
            0.25,
            0.5,
            -1.0,
            -1.5,
            1e-40,
            -1e-45,
            f32::MIN_POSITIVE,
            f32::NAN,
            -f32::NAN,
            f32::INFINITY,
            f32::NEG_INFINITY,
            f32::MAX,
            f32::MIN,
            4_194_303.5,
            12_582_912.0,
            2.000_000_2,
            3.999_999_8,
        ]);
        prop_oneof![near, any::<u32>().prop_map(f32::from_bits), -3.0f32..6.0]
    }

    fn fields() -> impl Strategy<Value = Field<'static>> {
        let whole = prop_oneof![-5i64..300, any::<i64>(), (1i64 << 24) - 2..(1 << 24) + 3];
        prop_oneof![
            Just(Field::Missing),
            Just(Field::Truth(true)),
            Just(Field::Text("2")),
            whole.prop_map(Field::Integer),
            values().prop_map(|value| Field::Number(f64::from(value))),
            any::<u64>().prop_map(|bits| Field::Number(f64::from_bits(bits))),
            (-2.0f64..5.0).prop_map(Field::Number),
            prop::sample::select(vec![1e-60, 1e300, 2.000_000_01, 0.25 + 1e-12])
                .prop_map(Field::Number),
        ]
    }

    proptest! {
        #[test]
        fn the_loop_says_what_the_definition_says(row in prop::collection::vec(values(), 9)) {
            let columns = columns();
            let kernel = Kernel::of(&columns);
            let faults: Vec<bool> =
                columns.iter().zip(&row).map(|(column, &value)| fault(column, value).is_some()).collect();
            prop_assert_eq!(kernel.admits(&columns, &row), !faults.contains(&true), "{:?}", row);
            for ((column, &value), &bad) in columns.iter().zip(&row).zip(&faults) {
                prop_assert_eq!(Check::of(column).admits(column, &[value]), !bad, "{:?} {}", column, value);
            }
        }

        #[test]
        fn quick_fields_are_those_that_the_definition_admits(
            fields in prop::collection::vec(fields(), 9),
        ) {
            let columns = columns();
            let kernel = Kernel::of(&columns);
            for (at, (column, &field)) in columns.iter().zip(&fields).enumerate() {
                if let Some(value) = kernel.quick(at, field) {
                    let bits = field.admit(column).map(f32::to_bits);
                    prop_assert_eq!(bits, Ok(value.to_bits()), "{:?} {:?}", column, field);
                } else if let (Field::Number(number), Kind::Number { .. }) = (field, &column.kind) {
                    // Slow only where it must be: refused, or no faithful normal number.
                    let plain = (number as f32).is_normal() && field.admit(column).is_ok();
                    prop_assert!(!plain, "{:?} {:?}", column, field);
                }
            }
        }
    }
}
