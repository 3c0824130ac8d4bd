//! The questions of a forest in the form that a block of rows answers: `code < limit`.
//!
//! A feature's distinct thresholds, rounded down to `f32`, are ranked: `x <= t_j` exactly when fewer
//! than `j + 1` thresholds are below `x`. A column of codes holds these ranks for one feature, kind of
//! missing value and default side, missing values at the end that sends them there. A code is a
//! byte; a feature with more than 255 thresholds has several columns, each for 255 of them.
//! Columns of bins are asked without ranks wherever zero is not missing.

use std::collections::BTreeMap;

use super::lanes::Ranks;
use crate::{Forest, Missing, Rule, Tree, tree::contains};

/// Thresholds of a column.
const SPAN: usize = 255;
/// The code of categories that no narrow set has, and of NaN.
const OTHER: u8 = 254;
const ABSENT: u8 = 255;

/// How a column makes codes of a feature's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// The rank of a number among 255 thresholds, the one at `first` the lowest.
    Number {
        /// 0 none, 1 zero, 2 NaN: what is missing.
        missing: u8,
        default_left: bool,
        first: u32,
    },
    /// The category.
    Category,
}

/// A column of codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) feature: u32,
    pub(crate) kind: Kind,
}

/// A question to a column: the rows that go left.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Question {
    /// Codes below `rank`, or bins below `raw`.
    Below { rank: u16, raw: u16 },
    /// Codes in the set.
    Member([u64; 4]),
    /// Categories in a set that bytes cannot tell.
    Wide { left: Box<[u32]>, default_left: bool },
}

/// The thresholds of each feature that numeric rules ask about.
pub(crate) type Features = BTreeMap<u32, Ranks>;

/// Collects and ranks the thresholds of a forest.
pub(crate) fn features(forest: &Forest) -> Features {
    let mut thresholds: BTreeMap<u32, Vec<f32>> = BTreeMap::new();
    for node in forest.trees.iter().flat_map(|tree| &tree.nodes) {
        if let Rule::Numeric { threshold, .. } = node.rule {
            thresholds.entry(node.feature).or_default().push(rounded_down(threshold));
        }
    }
    let sorted = thresholds.into_iter().map(|(feature, mut list)| {
        list.sort_by(f32::total_cmp);
        list.dedup();
        (feature, Ranks::new(list))
    });
    sorted.collect()
}

/// The largest `f32` that is not above `threshold`: `f32` values are on the same sides of both.
pub(crate) fn rounded_down(threshold: f64) -> f32 {
    let near = threshold as f32;
    let down = if f64::from(near) > threshold { near.next_down() } else { near };
    // The zeros are equal, so one of them stands for both.
    down + 0.0
}

/// The column and the question of a rule.
pub(crate) fn ask(features: &Features, feature: u32, rule: &Rule) -> (Key, Question) {
    match rule {
        Rule::Numeric { threshold, missing, default_left } => {
            let threshold = rounded_down(*threshold);
            let at = features.get(&feature).map_or(0, |ranks| ranks.position(threshold));
            let missing = match missing {
                Missing::None => 0,
                Missing::Zero => 1,
                Missing::Nan => 2,
            };
            // Without missing values the side does not matter.
            let default_left = *default_left && missing != 0;
            let kind = Kind::Number { missing, default_left, first: (at / SPAN * SPAN) as u32 };
            let rank = (at % SPAN + 1) as u16;
            (Key { feature, kind }, Question::Below { rank, raw: raw_limit(threshold) })
        }
        Rule::Categorical { left, default_left, .. } => {
            let key = Key { feature, kind: Kind::Category };
            let wide = || Question::Wide { left: left.clone(), default_left: *default_left };
            (key, narrow(left, *default_left).map_or_else(wide, Question::Member))
        }
    }
}

/// The number of bins that are not above the threshold.
fn raw_limit(threshold: f32) -> u16 {
    if threshold < 0.0 { 0 } else { threshold.min(255.0) as u16 + 1 }
}

/// The set as bits of codes, when all its categories have one.
fn narrow(left: &[u32], default_left: bool) -> Option<[u64; 4]> {
    let mut set = [0u64; 4];
    for (at, &word) in left.iter().enumerate().filter(|(_, word)| **word != 0) {
        *set.get_mut(at / 2)? |= u64::from(word) << (32 * (at % 2));
    }
    let reserved = 3 << (OTHER % 64);
    (set[3] & reserved == 0).then(|| {
        set[3] |= u64::from(default_left) << (ABSENT % 64);
        set
    })
}

impl Question {
    /// Whether a value is in the set of a wide question.
    pub(crate) fn wide(&self, x: f32) -> bool {
        match self {
            Self::Wide { left, default_left } => contains(left, *default_left, f64::from(x)),
            Self::Below { .. } | Self::Member(_) => false,
        }
    }
}

impl Key {
    /// Whether columns of bins are asked as they are.
    pub(crate) fn takes_bins(&self) -> bool {
        matches!(self.kind, Kind::Number { missing: 0 | 2, .. })
    }

    /// The code of a value.
    pub(crate) fn code(&self, ranks: Option<&Ranks>, x: f32) -> u8 {
        match (self.kind, ranks) {
            (Kind::Number { missing, default_left, first }, Some(ranks)) => {
                if absent(missing, x) {
                    return end(default_left);
                }
                shifted(ranks.of(if x.is_nan() { 0.0 } else { x }), first)
            }
            _ if x.is_nan() => ABSENT,
            // The cast saturates and cuts fractions off.
            _ => u8::try_from(x as i64).map_or(OTHER, |category| category.min(OTHER)),
        }
    }

    /// The codes of values whose ranks are known; NaN has rank 0.
    pub(crate) fn codes(&self, ranks: &Ranks, values: &[f32], known: &[u32], out: &mut [u8]) {
        let Kind::Number { missing, default_left, first } = self.kind else { return };
        if ranks.len() <= SPAN {
            out.iter_mut().zip(known).for_each(|(out, &rank)| *out = rank as u8);
        } else {
            out.iter_mut().zip(known).for_each(|(out, &rank)| *out = shifted(rank, first));
        }
        let code = if missing == 0 { shifted(ranks.of(0.0), first) } else { end(default_left) };
        let special = |x: f32| x.is_nan() || absent(missing, x);
        if values.iter().fold(false, |any, &x| any | special(x)) {
            let both = out.iter_mut().zip(values);
            both.filter(|(_, x)| special(**x)).for_each(|(out, _)| *out = code);
        }
    }
}

fn shifted(rank: u32, first: u32) -> u8 {
    rank.saturating_sub(first).min(u32::from(u8::MAX)) as u8
}

/// The code below every limit, or below none.
fn end(default_left: bool) -> u8 {
    if default_left { 0 } else { u8::MAX }
}

fn absent(missing: u8, x: f32) -> bool {
    match missing {
        0 => false,
        1 => x.is_nan() || f64::from(x.abs()) <= Tree::ZERO,
        _ => x.is_nan(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_are_rounded_down_to_f32() {
        assert_eq!(rounded_down(0.1), 0.1_f32.next_down());
        assert_eq!(rounded_down(0.5), 0.5);
        assert_eq!(rounded_down(1e300), f32::MAX);
        assert_eq!(rounded_down(-1e300), f32::NEG_INFINITY);
        assert_eq!(rounded_down(f64::INFINITY), f32::INFINITY);
        assert_eq!(rounded_down(1e-60).to_bits(), 0);
        assert_eq!(rounded_down(-0.0).to_bits(), 0);
    }

    #[test]
    fn bins_below_a_threshold() {
        assert_eq!([-0.5, 0.0, 1.5, 254.9, 255.0, 1e9].map(raw_limit), [0, 1, 2, 255, 256, 256]);
    }

    #[test]
    fn sets_of_large_categories_are_wide() {
        assert!(narrow(&[1, 0, 0, 0, 0, 0, 0, 1 << 29], true).is_some());
        assert!(narrow(&[0, 0, 0, 0, 0, 0, 0, 1 << 30], true).is_none());
        assert!(narrow(&[0; 40], false).is_some());
        assert!(narrow(&[0, 0, 0, 0, 0, 0, 0, 0, 1], false).is_none());
    }
}
