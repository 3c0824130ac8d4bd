//! Adds up explanations tree by tree and block of rows by block of rows.
//!
//! Trees are made ready in lots whose tables fit the memory allowed; blocks of rows, sized to the
//! cache, go over a lot in parallel. Each number is added up tree by tree in the forest's order, so
//! it does not depend on the number of threads.

use std::ops::Range;

use rayon::prelude::*;

use crate::{Forest, Tree};

use super::{
    decide::{Decider, Rows},
    layout::Layout,
    plan::Plan,
    rest::{Block, Rest},
    tables::{Limits, Maker, Parts, Patterns, Tables},
};

/// Bytes of tables made ready at a time.
const LOT: usize = 64 << 20;
/// Trees looked at for a lot.
const AHEAD: usize = 256;
/// Bytes of the sums of a block.
const BLOCK: usize = 1 << 20;

/// What to do for a number of rows.
#[derive(Debug)]
pub(super) struct Work<'a, 'r> {
    pub(super) forest: &'a Forest,
    pub(super) layout: Layout,
    pub(super) rows: Rows<'r>,
    pub(super) count: usize,
}

/// A tree looked at.
struct Planned<'a> {
    tree: &'a Tree,
    plan: Plan,
    parts: Parts,
    bytes: usize,
}

/// A tree made ready.
#[derive(Debug)]
pub(super) struct Ready<'a> {
    tree: &'a Tree,
    decider: Decider,
    tables: Tables,
    rest: Option<Rest>,
}

impl<'a> Work<'a, '_> {
    /// Hands the sums of each block to `give`: the rows of `out` that the block covers, its number
    /// of rows, and its sums, place by place. Blocks come once for each lot and are added.
    pub(super) fn run(
        &self,
        out: &mut [f64],
        row: usize,
        give: impl Fn(&mut [f64], usize, &[f64]) + Sync,
    ) {
        let limits = Limits::for_rows(self.count);
        let maker = Maker::new(self.layout, self.scale());
        let mut trees = self.forest.trees.as_slice();
        while !trees.is_empty() {
            let ahead = &trees[..trees.len().min(AHEAD)];
            let planned: Vec<Planned> =
                ahead.par_iter().map(|tree| self.plan(tree, limits)).collect();
            let kept = lot(&planned);
            let ready: Vec<Ready> =
                planned[..kept].par_iter().map(|planned| self.ready(planned, &maker)).collect();
            self.add(&ready, out, row, &give);
            trees = &trees[kept..];
        }
    }

    /// All trees made ready, unless that takes more than a lot's memory. For few rows this costs
    /// more than their explanations, so whoever explains row by row keeps it.
    pub(super) fn ready_all(&self) -> Option<Vec<Ready<'a>>> {
        let (limits, maker) = (Limits::for_rows(self.count), Maker::new(self.layout, self.scale()));
        let trees = self.forest.trees.par_iter();
        let planned: Vec<Planned> = trees.map(|tree| self.plan(tree, limits)).collect();
        let fits = planned.iter().map(|tree| tree.bytes).sum::<usize>() <= LOT;
        fits.then(|| planned.par_iter().map(|planned| self.ready(planned, &maker)).collect())
    }

    /// What leaf values are multiplied with.
    fn scale(&self) -> f64 {
        if self.forest.average { 1.0 / self.forest.iterations().max(1) as f64 } else { 1.0 }
    }

    fn plan(&self, tree: &'a Tree, limits: Limits) -> Planned<'a> {
        let plan = Plan::new(tree);
        let parts = Parts::new(&plan, limits);
        let tables = parts.bytes(&plan, &self.layout, tree.width);
        let bytes = tables + Rest::bytes(&plan, &parts.rest);
        Planned { tree, plan, parts, bytes }
    }

    fn ready(&self, planned: &Planned<'a>, maker: &Maker) -> Ready<'a> {
        let Planned { tree, plan, parts, .. } = planned;
        Ready {
            tree,
            decider: Decider::new(tree),
            tables: maker.tables(tree, plan, parts),
            rest: Rest::new(tree, plan, &parts.rest, (&self.layout, self.scale())),
        }
    }

    /// Does the work for trees that are ready; as [`Work::run`].
    pub(super) fn add(
        &self,
        lot: &[Ready<'_>],
        out: &mut [f64],
        row: usize,
        give: &(impl Fn(&mut [f64], usize, &[f64]) + Sync),
    ) {
        let places = self.layout.places();
        let block = block_rows(places);
        out.par_chunks_mut(block * row).enumerate().for_each_init(
            Buffers::default,
            |buffers, (at, out)| {
                let rows = out.len() / row;
                let from = at * block;
                buffers.sums.clear();
                buffers.sums.resize(places * rows, 0.0);
                for tree in lot {
                    self.add_tree(tree, from..from + rows, buffers);
                }
                give(out, rows, &buffers.sums);
            },
        );
    }

    fn add_tree(&self, tree: &Ready<'_>, rows: Range<usize>, buffers: &mut Buffers) {
        let Buffers { sums, decisions, patterns } = buffers;
        let block = rows.len();
        tree.decider.decide(tree.tree, self.rows, rows, decisions);
        tree.tables.add(decisions, sums, block, patterns);
        if let Some(rest) = &tree.rest {
            rest.add(&Block { decisions, rows: block, layout: &self.layout }, sums);
        }
    }
}

#[derive(Default)]
struct Buffers {
    /// A row of numbers for each place.
    sums: Vec<f64>,
    /// A row of bytes for each node of a tree.
    decisions: Vec<u8>,
    patterns: Patterns,
}

fn block_rows(places: usize) -> usize {
    (BLOCK / size_of::<f64>() / places.max(1)).clamp(16, 4096)
}

/// How many trees fit, at least one.
fn lot(planned: &[Planned<'_>]) -> usize {
    let mut bytes = 0;
    let fits = planned.iter().take_while(|tree| {
        bytes += tree.bytes;
        bytes <= LOT
    });
    fits.count().max(1)
}
