//! Splits that every tree begins with.
//!
//! They are made breadth first, from the root on, whatever they win; a threshold that is not given is
//! the one that wins most. The first split that is impossible ends them: a side too small, values that
//! a monotone constraint forbids, a tree too deep or full. What follows is grown as ever.
//! Cost: the rows of a node once for each split. Reference: LightGBM 4.7, `forcedsplits_filename`.

use std::collections::VecDeque;

use fattail_core::{Error, Result, Schema};

use super::{Grower, find::Question, grower::Growing, leaf::Leaf};
use crate::{
    Constraints, ForcedSplit,
    histogram::{Cell, Sums},
    split::{EPSILON, Side, Split, Task},
};

/// The most levels of forced splits.
const LEVELS: usize = 256;

/// A split that must be made, its feature by position.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Forced {
    feature: usize,
    threshold: Option<f64>,
    left: Option<Box<Forced>>,
    right: Option<Box<Forced>>,
}

impl Forced {
    /// Finds the features in a schema.
    pub(super) fn new(constraints: &Constraints, schema: &Schema) -> Result<Option<Self>> {
        constraints.forced.as_deref().map(|split| Self::below(split, schema, 1)).transpose()
    }

    fn below(split: &ForcedSplit, schema: &Schema, level: usize) -> Result<Self> {
        if level > LEVELS {
            return Err(Error::setting("forced", format!("{level} levels"), "at most 256 levels"));
        }
        if let Some(threshold) = split.threshold.filter(|threshold| threshold.is_nan()) {
            return Err(Error::setting("threshold", threshold, "a number, or none"));
        }
        let child = |child: &Option<Box<ForcedSplit>>| {
            let child = child.as_deref().map(|child| Self::below(child, schema, level + 1));
            Ok::<_, Error>(child.transpose()?.map(Box::new))
        };
        Ok(Self {
            feature: schema.feature_position(&split.feature)?,
            threshold: split.threshold,
            left: child(&split.left)?,
            right: child(&split.right)?,
        })
    }

    /// The split of a child.
    pub(super) fn child(&self, is_left: bool) -> Option<&Self> {
        if is_left { self.left.as_deref() } else { self.right.as_deref() }
    }
}

impl<'a, C: Cell> Grower<'a, C> {
    /// Makes the forced splits.
    pub(super) fn grow_forced(&self, growing: &mut Growing<'a, C>) {
        let mut next = VecDeque::from([0]);
        while let Some(at) = next.pop_front() {
            let Some(forced) = growing.leaves[at].forced else { continue };
            let room = growing.leaves.len() < self.settings.leaves;
            let Some(split) = self.forced(growing, &growing.leaves[at], forced).filter(|_| room)
            else {
                break;
            };
            self.split(growing, at, split);
            next.extend([at, growing.leaves.len() - 1]);
        }
    }

    /// The split that is asked for, where it is possible.
    fn forced(
        &self,
        growing: &Growing<'a, C>,
        leaf: &Leaf<'a, C>,
        forced: &Forced,
    ) -> Option<Split> {
        let bins = self.binned.columns[forced.feature].mapper.bins;
        if bins < 2 || self.settings.depth.is_some_and(|depth| leaf.depth >= depth) {
            return None;
        }
        let sums = self.sums_of(growing, leaf, forced.feature);
        let question: Question = self.question(leaf, leaf.number);
        let task = self.task(leaf, &question, forced.feature);
        let side = match forced.threshold {
            Some(threshold) => self.side(&task, threshold)?,
            None => Task { floor: f64::NEG_INFINITY, ..task }.best(&sums)?.side,
        };
        made(&task, side, &sums)
    }

    /// The question whether a number is at most the threshold, or a category the one given.
    fn side(&self, task: &Task<'_>, threshold: f64) -> Option<Side> {
        let bin = self.binned.columns[task.feature].mapper.code(threshold);
        if task.is_categorical {
            return (bin > 0).then(|| Side::Categories(vec![bin as u32]));
        }
        Some(Side::Threshold { bin, default_left: true })
    }

    /// The sums of each bin of a feature over the rows of a leaf and all workers: the feature may be
    /// none that the tree has drawn.
    fn sums_of(&self, growing: &Growing<'a, C>, leaf: &Leaf<'a, C>, feature: usize) -> Vec<Sums> {
        let column = &self.binned.columns[feature];
        let mut cells = vec![C::default(); column.mapper.bins];
        for &row in &growing.rows[leaf.rows.clone()] {
            cells[column.codes.get(row as usize)].add(self.cells[row as usize]);
        }
        self.reduce(&mut cells);
        cells.into_iter().map(|cell| cell.decode(self.scale)).collect()
    }
}

/// A split by a question, unless a side is too small or values are in the wrong order.
fn made(task: &Task<'_>, side: Side, bins: &[Sums]) -> Option<Split> {
    let lefts = bins.iter().enumerate().filter(|(bin, _)| task.goes_left(&side, *bin));
    let start = Sums { h: EPSILON, ..Sums::default() };
    let left = lefts.fold(start, |sum, (_, &bin)| sum.plus(bin));
    let right = task.total.minus(left);
    let small = |sums: Sums| sums.n < task.min_rows.max(1.0) || sums.h < task.min_hessian;
    let (of_left, of_right) = task.valuer.outputs(left, right);
    if small(left) || small(right) || task.valuer.is_wrong(of_left, of_right) {
        return None;
    }
    Some(task.split(side, task.valuer.pair_gain(left, right), left, &task.valuer))
}
