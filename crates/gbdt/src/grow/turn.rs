//! In which order leaves are split.

use std::cmp::Ordering;

use super::leaf::Leaf;

/// A leaf whose best split wins something.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Turn {
    /// Its place among the leaves.
    pub(super) at: usize,
    pub(super) depth: usize,
    /// What its best split wins, and about which feature that asks.
    pub(super) gain: f64,
    pub(super) feature: usize,
}

impl Turn {
    /// Those of leaves that may be split.
    pub(super) fn all<C>(leaves: &[Leaf<'_, C>]) -> impl Iterator<Item = Self> {
        let turn = |(at, leaf): (usize, &Leaf<'_, C>)| {
            let best = leaf.best.as_ref()?;
            Some(Self { at, depth: leaf.depth, gain: best.gain, feature: best.feature })
        };
        leaves.iter().enumerate().filter_map(turn).filter(|turn| turn.gain > 0.0)
    }

    /// Shallower ones come first where it goes by level, then those that win more, then earlier features.
    pub(super) fn order(&self, other: &Self, by_level: bool) -> Ordering {
        let by_depth = if by_level { self.depth.cmp(&other.depth) } else { Ordering::Equal };
        let by_gain = other.gain.total_cmp(&self.gain);
        by_depth.then(by_gain).then(self.feature.cmp(&other.feature)).then(self.at.cmp(&other.at))
    }

    /// The first of some.
    pub(super) fn first(turns: impl Iterator<Item = Self>, by_level: bool) -> Option<usize> {
        turns.min_by(|a, b| a.order(b, by_level)).map(|turn| turn.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_gain_then_feature_then_place() {
        let turn = |at, depth, gain, feature| Turn { at, depth, gain, feature };
        let turns = [
            turn(0, 2, 1.0, 0),
            turn(1, 3, 4.0, 5),
            turn(2, 1, 3.0, 1),
            turn(3, 3, 4.0, 2),
            turn(4, 3, 4.0, 2),
        ];
        let sorted = |by_level: bool| {
            let mut sorted = turns;
            sorted.sort_by(|a, b| a.order(b, by_level));
            sorted.map(|turn| turn.at)
        };
        assert_eq!(sorted(false), [3, 4, 1, 2, 0]);
        assert_eq!(sorted(true), [2, 0, 3, 4, 1]);
        assert_eq!(Turn::first(turns.into_iter(), true), Some(2));
        assert_eq!(Turn::first(std::iter::empty(), false), None);
    }
}
