//! Grows one tree from gradients.
//!
//! A split sorts the leaf's rows into those of its children, builds the histogram of the smaller child
//! and takes it from the parent's to get the larger one's. Nodes that can have no children get no
//! histogram. Reference: Ke et al. (2017), LightGBM; LightGBM 4.7, `serial_tree_learner.cpp`.

use fattail_bins::Binned;
use fattail_stats::{Counter, below};
use fattail_trees::Child;
use rayon::prelude::*;

use super::{
    constraint::Allowed,
    grown::{BinNode, Grown, GrownLeaf},
    leaf::Leaf,
    make::Made,
    turn::Turn,
};
use crate::{
    Criterion, Gbdt, Growth,
    histogram::{self, Cell, Pack, Reduce, Rows, Scale, Sums},
    split::{Bounds, Split, Valuer},
};

/// The rows that a tree is grown on.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Sample<'a> {
    /// All.
    All,
    /// Those at these positions, increasing.
    Some(&'a [u32]),
}

/// Leaves of a tree at most.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Room {
    /// Those that may keep their histograms.
    pub(crate) histograms: usize,
    /// All.
    pub(crate) leaves: usize,
}

impl Room {
    /// Whether no leaf needs to give its histogram away.
    pub(super) fn keeps_all(self) -> bool {
        self.histograms >= self.leaves
    }
}

/// What a tree is grown from.
pub(crate) struct Grower<'a, C> {
    pub(crate) settings: &'a Gbdt,
    pub(crate) binned: &'a Binned,
    /// The columns of the tree.
    pub(crate) pack: &'a Pack<'a>,
    pub(crate) allowed: &'a Allowed,
    /// A cell a row of the panel.
    pub(crate) cells: &'a [C],
    pub(crate) scale: &'a Scale,
    pub(crate) reduce: &'a dyn Reduce,
    /// Random numbers of the tree's nodes.
    pub(crate) random: Counter,
    /// Random numbers of the questions that an extremely random tree tries.
    pub(crate) choices: Counter,
    /// Where the folds of eras that judge splits start, and the number of rows at the end.
    pub(crate) folds: Option<&'a [u32]>,
    pub(crate) room: Room,
    /// The least gain of a split worth making ahead of its turn.
    pub(crate) worth: f64,
}

/// Memory that trees are grown in, one after the other: fresh pages for each cost a fifth of the time where
/// trees see few columns.
#[derive(Debug, Default)]
pub(crate) struct Workspace<C> {
    rows: Vec<u32>,
    scratch: Vec<u32>,
    ordered: Vec<C>,
}

impl<C> Workspace<C> {
    /// Takes the rows of a tree that needs them no more.
    pub(crate) fn recycle(&mut self, grown: &mut Grown) {
        let rows = std::mem::take(&mut grown.rows);
        if rows.capacity() > self.rows.capacity() {
            self.rows = rows;
        }
    }

    /// Room for a tree of so many rows; a list that grows by itself would take more.
    fn reserve(&mut self, rows: usize) {
        fn room<T>(list: &mut Vec<T>, rows: usize) {
            if list.capacity() < rows {
                *list = Vec::with_capacity(rows);
            }
        }
        room(&mut self.rows, rows);
        room(&mut self.scratch, rows);
        room(&mut self.ordered, rows);
    }
}

/// A growing tree.
pub(super) struct Growing<'a, C> {
    pub(super) rows: Vec<u32>,
    pub(super) scratch: Vec<u32>,
    /// Cells of a node, in the order of its rows.
    pub(super) ordered: Vec<C>,
    pub(super) leaves: Vec<Leaf<'a, C>>,
    pub(super) nodes: Vec<BinNode>,
    /// Histograms that are free.
    pub(super) pool: Vec<Vec<C>>,
    /// The least gain of a split so far.
    pub(super) least_gain: f64,
}

impl<'a, C: Cell> Grower<'a, C> {
    /// Grows a tree; its values are not shrunk.
    pub(crate) fn grow(&self, sample: Sample<'_>, workspace: &mut Workspace<C>) -> Grown {
        let mut growing = self.root(sample, workspace);
        self.grow_forced(&mut growing);
        match self.settings.growth {
            Growth::LeafWise => self.grow_leaves(&mut growing, false),
            Growth::DepthWise => self.grow_leaves(&mut growing, true),
            Growth::Oblivious => self.grow_oblivious(&mut growing),
        }
        let finished = |leaf: Leaf<'_, C>| GrownLeaf {
            rows: leaf.rows,
            values: vec![leaf.output],
            weight: leaf.sums.h,
            count: leaf.sums.n as u64,
        };
        let is_full = growing.leaves.len() >= self.settings.leaves;
        let least_gain = if is_full { growing.least_gain } else { 0.0 };
        let leaves = growing.leaves.into_iter().map(finished).collect();
        (workspace.scratch, workspace.ordered) = (growing.scratch, growing.ordered);
        Grown { nodes: growing.nodes, leaves, rows: growing.rows, least_gain, ..Grown::default() }
    }

    fn grow_leaves(&self, growing: &mut Growing<'a, C>, by_level: bool) {
        let works_ahead = self.may_work_ahead();
        while growing.leaves.len() < self.settings.leaves {
            let Some(at) = Turn::first(Turn::all(&growing.leaves), by_level) else { break };
            if growing.leaves[at].made.is_none() {
                let next = || self.next_ones(&growing.leaves, by_level);
                let chosen = if works_ahead { next() } else { vec![at] };
                self.make_all(growing, chosen);
            }
            self.commit(growing, at);
        }
        growing.forget_made();
    }

    fn root(&self, sample: Sample<'_>, workspace: &mut Workspace<C>) -> Growing<'a, C> {
        workspace.reserve(match sample {
            Sample::All => self.cells.len(),
            Sample::Some(rows) => rows.len(),
        });
        let Workspace { mut rows, mut scratch, mut ordered } = std::mem::take(workspace);
        rows.clear();
        match sample {
            Sample::All => rows.extend(0..self.cells.len() as u32),
            Sample::Some(some) => rows.extend_from_slice(some),
        }
        scratch.resize(rows.len(), 0);
        ordered.resize(rows.len(), C::default());
        let mut growing = Growing {
            scratch,
            ordered,
            rows,
            leaves: Vec::new(),
            nodes: Vec::new(),
            pool: Vec::new(),
            least_gain: f64::INFINITY,
        };
        let sums = self.sums(sample);
        let mut root = Leaf {
            rows: 0..growing.rows.len(),
            sums,
            output: Valuer::new(&self.settings.limits, 0.0).root_output(sums),
            depth: 0,
            bounds: Bounds::default(),
            histogram: None,
            best: None,
            made: None,
            path: Vec::new(),
            spans: Vec::new(),
            hopeless: Vec::new(),
            forced: self.allowed.forced(),
            number: 0,
            parent: None,
        };
        if self.may_split(&root) && self.folds.is_some() {
            gather(self.cells, &growing.rows, &mut growing.ordered);
            let found = self.find_in_leaf(&root, &growing.rows, &growing.ordered);
            root.keep(found);
        } else if self.may_split(&root) {
            let histogram = match sample {
                Sample::All => {
                    let mut histogram = vec![C::default(); self.pack.bins];
                    histogram::build(self.pack, Rows::From(0), self.cells, &mut histogram);
                    self.reduce(&mut histogram);
                    histogram
                }
                Sample::Some(_) => {
                    self.build(&growing.rows, &mut growing.ordered, &mut growing.pool)
                }
            };
            let found = self.find(&root, &histogram);
            root.keep(found);
            root.histogram = Some(histogram);
        }
        growing.leaves.push(root);
        growing
    }

    /// The sums of the sample over all workers.
    fn sums(&self, sample: Sample<'_>) -> Sums {
        let mut sum = [match sample {
            Sample::All => sum_of(self.cells, |&cell| cell),
            Sample::Some(rows) => sum_of(rows, |&row| self.cells[row as usize]),
        }];
        self.reduce(&mut sum);
        sum[0].decode(self.scale)
    }

    pub(super) fn reduce(&self, cells: &mut [C]) {
        if let Some(integers) = C::integers(cells) {
            self.reduce.sum(integers);
        }
    }

    /// Whether a leaf is deep and large enough to have children.
    pub(super) fn may_split(&self, leaf: &Leaf<'_, C>) -> bool {
        let shallow = self.settings.depth.is_none_or(|depth| leaf.depth < depth);
        // Leaves of an oblivious tree are split together, whatever they hold.
        let least = match self.settings.growth {
            Growth::Oblivious => 0,
            _ => (2 * self.settings.limits.min_data_in_leaf).max(2),
        };
        shallow && leaf.sums.n >= least as f64 && self.pack.bins > 0
    }

    /// Splits leaf `at`.
    pub(super) fn split(&self, growing: &mut Growing<'a, C>, at: usize, split: Split) {
        growing.leaves[at].best = Some(split);
        self.make_all(growing, vec![at]);
        self.commit(growing, at);
    }

    /// Puts the children of leaf `at` into the tree: it becomes the left one, the right one comes last.
    fn commit(&self, growing: &mut Growing<'a, C>, at: usize) {
        let Some(made) = growing.leaves[at].made.take() else {
            unreachable!("a leaf's children are made first")
        };
        let Made { split, table, left, right } = *made;
        let (node, new) = (growing.nodes.len(), growing.leaves.len());
        if let Some((parent, is_left)) = growing.leaves[at].parent {
            let parent = &mut growing.nodes[parent];
            let arrow = if is_left { &mut parent.left } else { &mut parent.right };
            *arrow = Child::Node(node as u32);
        }
        growing.least_gain = growing.least_gain.min(split.gain);
        growing.nodes.push(BinNode {
            split: self.recorded(split),
            table,
            left: Child::Leaf(at as u32),
            right: Child::Leaf(new as u32),
            output: growing.leaves[at].output,
        });
        growing.leaves[at] = left.of(node, true);
        growing.leaves.push(right.of(node, false));
        if self.settings.growth == Growth::Oblivious {
            return;
        }
        if self.allowed.by_value() {
            self.bound_others(growing, at);
        }
        self.evict(growing);
    }

    /// Takes histograms from the leaves that win least, where too many are kept: those of their
    /// children will be built from rows.
    fn evict(&self, growing: &mut Growing<'a, C>) {
        let gain = |leaf: &Leaf<'_, C>| leaf.best.as_ref().map_or(0.0, |split| split.gain);
        let kept = growing.leaves.iter().enumerate().filter(|(_, leaf)| leaf.histogram.is_some());
        let mut kept: Vec<(usize, f64)> = kept.map(|(at, leaf)| (at, gain(leaf))).collect();
        let count = kept.len().saturating_sub(self.room.histograms);
        if count == 0 {
            return;
        }
        kept.sort_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)));
        for &(at, _) in &kept[..count] {
            growing.pool.extend(growing.leaves[at].histogram.take());
        }
    }

    /// A split as the tree keeps it: like LightGBM, its gain has the least gain back.
    fn recorded(&self, split: Split) -> Split {
        let is_pooled = self.settings.eras.criterion == Criterion::Pooled
            && self.settings.growth != Growth::Oblivious;
        let back = if is_pooled { self.settings.limits.min_gain_to_split } else { 0.0 };
        Split { gain: split.gain + back, ..split }
    }

    /// The columns that a node sees; none for all.
    pub(super) fn columns_of_node(&self, node: usize) -> Option<Vec<bool>> {
        let share = self.settings.sampling.columns_by_node;
        if share >= 1.0 {
            return None;
        }
        let features: Vec<usize> =
            self.pack.groups.iter().flat_map(|g| &g.members).map(|m| m.feature).collect();
        let count = ((features.len() as f64 * share).round() as usize).max(1);
        let mut generator = self.random.draw(node as u32);
        let mut seen = vec![false; self.binned.columns.len()];
        let mut left = features;
        for at in 0..count.min(left.len()) {
            let chosen = at + below(&mut generator, left.len() - at);
            left.swap(at, chosen);
            seen[left[at]] = true;
        }
        Some(seen)
    }

    /// The only one of so many questions that an extremely random tree tries.
    pub(super) fn draw_choice(&self, node: usize, feature: usize, choices: usize) -> usize {
        let address = (node as u32).wrapping_mul(0x9E37_79B1) ^ feature as u32;
        let mut generator = self.choices.draw(address ^ 0x8000_0000);
        below(&mut generator, choices)
    }

    /// One question a level: the one that wins most over all leaves.
    fn grow_oblivious(&self, growing: &mut Growing<'a, C>) {
        let depth = self.settings.depth.unwrap_or(6);
        for _ in 0..depth {
            if growing.leaves.len() * 2 > self.settings.leaves {
                break;
            }
            let Some(splits) = self.find_level(&growing.leaves) else { break };
            for (at, split) in splits.into_iter().enumerate() {
                self.split(growing, at, split);
            }
        }
    }
}

/// A histogram of zeros, of those that are free or a new one.
pub(super) fn take<C: Cell>(free: &mut Vec<Vec<C>>, bins: usize) -> Vec<C> {
    let Some(mut histogram) = free.pop() else { return vec![C::default(); bins] };
    histogram.fill(C::default());
    histogram
}

/// The cells of some rows, in order.
pub(super) fn gather<C: Cell>(cells: &[C], rows: &[u32], out: &mut [C]) {
    let block = 1 << 14;
    let gather = |(rows, out): (&[u32], &mut [C])| {
        out.iter_mut().zip(rows).for_each(|(slot, &row)| *slot = cells[row as usize]);
    };
    if rows.len() <= block {
        gather((rows, out));
    } else {
        rows.par_chunks(block).zip(out.par_chunks_mut(block)).for_each(gather);
    }
}

/// The sum of cells, block by block where their order does not matter.
fn sum_of<T: Sync, C: Cell>(items: &[T], cell: impl Fn(&T) -> C + Sync) -> C {
    let add = |mut sum: C, other: C| {
        sum.add(other);
        sum
    };
    let block = if C::EXACT { 1 << 14 } else { items.len().max(1) };
    let of_block = |items: &[T]| items.iter().map(&cell).fold(C::default(), add);
    items.par_chunks(block).map(of_block).reduce(C::default, add)
}

pub(super) fn subtract<C: Cell>(from: &mut [C], cells: &[C]) {
    from.iter_mut().zip(cells).for_each(|(slot, &cell)| slot.subtract(cell));
}
