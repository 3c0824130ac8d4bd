//! Which rows of a block go left at each node of a tree.

use std::ops::Range;

use fattail_core::{Panel, Values};

use crate::{Missing, Node, Rule, Tree};

/// Rows to explain.
#[derive(Debug, Clone, Copy)]
pub(super) enum Rows<'a> {
    Panel(&'a Panel),
    One(&'a [f64]),
}

/// A rule, made ready for stored values.
#[derive(Debug)]
enum Test {
    /// `x <= threshold`, with the answers for NaN and, where it is missing, for zero.
    Numeric { threshold: f32, nan: bool, zero: Option<bool> },
    /// Anything else.
    Other(Rule),
}

/// A tree's rules.
#[derive(Debug)]
pub(super) struct Decider {
    tests: Vec<(usize, Test)>,
}

impl Decider {
    pub(super) fn new(tree: &Tree) -> Self {
        let tests = tree.nodes.iter().map(|node| (node.feature as usize, Test::new(node)));
        Self { tests: tests.collect() }
    }

    /// Writes a byte for each node and row: 1 where the row goes left.
    pub(super) fn decide(
        &self,
        tree: &Tree,
        rows: Rows<'_>,
        range: Range<usize>,
        out: &mut Vec<u8>,
    ) {
        let block = range.len();
        out.resize(self.tests.len() * block, 0);
        for (at, (feature, test)) in self.tests.iter().enumerate() {
            let out = &mut out[at * block..(at + 1) * block];
            match rows {
                Rows::One(row) => out[0] = u8::from(tree.nodes[at].rule.goes_left(row[*feature])),
                Rows::Panel(panel) => test.decide_panel(panel, *feature, range.clone(), out),
            }
        }
    }
}

impl Test {
    fn new(node: &Node) -> Self {
        match &node.rule {
            Rule::Categorical { .. } => Self::Other(node.rule.clone()),
            &Rule::Numeric { threshold, missing, default_left } => Self::Numeric {
                threshold: floor(threshold),
                nan: if missing == Missing::None { 0.0 <= threshold } else { default_left },
                zero: (missing == Missing::Zero).then_some(default_left),
            },
        }
    }

    fn decide_panel(&self, panel: &Panel, feature: usize, rows: Range<usize>, out: &mut [u8]) {
        let column = panel.feature(feature);
        let (mut era, mut from) = (panel.eras().of_row(rows.start), rows.start);
        while let Some(index) = era.filter(|_| from < rows.end) {
            let all = panel.eras().range(index);
            let to = all.end.min(rows.end);
            let part = &mut out[from - rows.start..to - rows.start];
            let inside = from - all.start..to - all.start;
            match column.era(index) {
                Values::U8(values) => {
                    self.decide(values[inside].iter().map(|&x| f32::from(x)), part)
                }
                Values::F32(values) => self.decide(values[inside].iter().copied(), part),
            }
            (era, from) = (Some(index + 1), to);
        }
    }

    fn decide(&self, values: impl Iterator<Item = f32>, out: &mut [u8]) {
        let rows = out.iter_mut().zip(values);
        match self {
            &Self::Numeric { threshold, nan, zero: None } => {
                rows.for_each(|(out, x)| *out = u8::from((x <= threshold) | (x.is_nan() & nan)));
            }
            &Self::Numeric { threshold, nan, zero: Some(zero) } => rows.for_each(|(out, x)| {
                let is_zero = x.abs() <= Tree::ZERO as f32;
                let numeric = (x <= threshold) | (x.is_nan() & nan);
                *out = u8::from((is_zero & zero) | (!is_zero & numeric));
            }),
            Self::Other(rule) => {
                rows.for_each(|(out, x)| *out = u8::from(rule.goes_left(x.into())))
            }
        }
    }
}

/// The largest `f32` that is not above a threshold: it cuts the `f32`s as the threshold does.
fn floor(threshold: f64) -> f32 {
    let near = threshold as f32;
    if f64::from(near) > threshold { near.next_down() } else { near }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Child;

    fn node(rule: Rule) -> Node {
        let (left, right) = (Child::Leaf(0), Child::Leaf(1));
        Node { feature: 0, rule, left, right, gain: 0.0, value: 0.0, weight: 0.0, count: 0 }
    }

    #[test]
    fn a_block_is_decided_as_the_rule_says() {
        let values =
            [f32::NAN, 0.0, -0.0, 1e-36, 1.0, 0.1, f32::INFINITY, -3.5, f32::MAX, f32::MIN];
        let thresholds = [0.1, f64::from(0.1f32), 0.0, -1e-40, f64::INFINITY, 1e300, -1e300];
        for threshold in thresholds {
            for missing in [Missing::None, Missing::Zero, Missing::Nan] {
                for default_left in [false, true] {
                    let rule = Rule::Numeric { threshold, missing, default_left };
                    let mut out = [9; 10];
                    Test::new(&node(rule.clone())).decide(values.iter().copied(), &mut out);
                    let plain = values.map(|x| u8::from(rule.goes_left(x.into())));
                    assert_eq!(out, plain, "{rule:?}");
                }
            }
        }
    }
}
