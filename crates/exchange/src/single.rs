//! Numeric rules in single precision, for formats whose thresholds are f32.
//!
//! For every f32 `x` and f64 `t`: `x <= t` exactly when `x <= f`, `f` the largest f32 that is not above
//! `t`; and exactly when `x < g`, `g` the f32 next above `f`.

use fattail_trees::{Missing, Rule, Tree};

/// A numeric rule over f32 whose missing value is NaN: left are those with `x <= threshold`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Single {
    pub(crate) threshold: f32,
    pub(crate) default_left: bool,
}

impl Single {
    /// The same rule over f32, if there is one: see [`missing_left`].
    pub(crate) fn new(threshold: f64, missing: Missing, default_left: bool) -> Option<Self> {
        let default_left = missing_left(threshold, missing, default_left)?;
        Some(Self { threshold: at_most(threshold), default_left })
    }

    /// The smallest number that goes right, a finite one: so the largest f32 always goes right.
    pub(crate) fn above(self) -> f32 {
        self.threshold.next_up().min(f32::MAX)
    }
}

/// Whether NaN goes left, of a rule for a format in which NaN alone is missing.
///
/// Where zero is missing, there is such a rule only if zero goes the way the threshold would send it.
pub(crate) fn missing_left(threshold: f64, missing: Missing, default_left: bool) -> Option<bool> {
    match missing {
        Missing::Nan => Some(default_left),
        Missing::None => Some(0.0 <= threshold),
        Missing::Zero if default_left => (threshold >= Tree::ZERO).then_some(true),
        Missing::Zero => (threshold < -Tree::ZERO).then_some(false),
    }
}

/// The largest f32 that is not above `x`, infinite where all finite ones are above or below.
fn at_most(x: f64) -> f32 {
    let near = x as f32;
    if f64::from(near) > x { near.next_down() } else { near }
}

/// The rule that sends left what is below `bound`, for numbers that are f32.
pub(crate) fn below(bound: f32, default_left: bool) -> Rule {
    let threshold = f64::from(bound.next_down());
    Rule::Numeric { threshold, missing: Missing::Nan, default_left }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn thresholds_around_zero() {
        let above = |t: f64| Single::new(t, Missing::Nan, false).unwrap().above();
        assert_eq!(above(0.0), f32::from_bits(1));
        assert_eq!(above(-0.0), f32::from_bits(1));
        assert_eq!(above(1e-60), f32::from_bits(1));
        assert_eq!(above(-1e-60), 0.0);
        assert_eq!(above(1e300), f32::MAX);
        assert_eq!(above(f64::NEG_INFINITY), f32::MIN);
        assert_eq!(above(f64::INFINITY), f32::MAX);
        assert_eq!(above(2.5), 2.5f32.next_up());
    }

    #[test]
    fn below_zero_is_the_first_negative() {
        for zero in [0.0, -0.0] {
            let rule = below(zero, true);
            assert!(!rule.goes_left(0.0) && !rule.goes_left(-0.0) && rule.goes_left(f64::NAN));
            assert!(rule.goes_left(f64::from(-f32::from_bits(1))));
        }
    }

    #[test]
    fn a_missing_zero_must_go_the_natural_way() {
        assert!(Single::new(1.5, Missing::Zero, true).is_some());
        assert!(Single::new(1.5, Missing::Zero, false).is_none());
        assert!(Single::new(-1.5, Missing::Zero, false).is_some());
        assert!(Single::new(0.0, Missing::Zero, true).is_none());
        assert!(!Single::new(-1.5, Missing::None, true).unwrap().default_left);
    }

    proptest! {
        #[test]
        fn the_single_rule_is_the_rule(bits: u64, x: u32, near: bool, which in 0..3) {
            let t = f64::from_bits(bits);
            let x = if near { (t as f32).to_bits().wrapping_add(x % 3) } else { x };
            let (t, x) = (if near { f64::from(t as f32) } else { t }, f32::from_bits(x));
            // The last f32 is the one that a bound of single precision cannot tell from infinity.
            prop_assume!(!t.is_nan() && x.is_finite() && x.abs() < f32::MAX);
            let missing = [Missing::None, Missing::Zero, Missing::Nan][which as usize];
            for default_left in [false, true] {
                let rule = Rule::Numeric { threshold: t, missing, default_left };
                let Some(single) = Single::new(t, missing, default_left) else { continue };
                let left = rule.goes_left(f64::from(x));
                prop_assert_eq!(left, x <= single.threshold);
                prop_assert_eq!(left, x < single.above());
                prop_assert_eq!(left, below(single.above(), default_left).goes_left(f64::from(x)));
                prop_assert_eq!(rule.goes_left(f64::NAN), single.default_left);
            }
        }
    }
}
