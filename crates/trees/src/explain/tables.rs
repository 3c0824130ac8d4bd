//! Explanations of many rows by tables, for the parts of a tree that are shallow enough.
//!
//! What a leaf pays to its features depends on a row only by the pattern of passing features. A
//! group is a part of the tree whose patterns, one bit for each feature on the path to it and one
//! for each node in it, are few: it has a table of them for every feature, in which the leaves are
//! already summed up. A row then costs one look-up a group and feature.
//! Cost: `2^bits` entries a group and feature; a row, the sum over groups of their features.

use crate::{Child, Tree};

use super::{
    kernel::Kernel,
    layout::Layout,
    plan::{Arrow, Plan},
};

/// How many bits a pattern may have.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Of a group with several nodes.
    pub(super) merge: u32,
    /// Of a leaf, or a node with its two leaves.
    pub(super) single: u32,
}

impl Limits {
    /// The most that a pattern's type holds.
    const BITS: u32 = 12;
    /// The deepest root of a group.
    const DEPTH: u32 = 64;

    /// Tables no longer than the rows make worthwhile.
    pub(super) fn for_rows(rows: usize) -> Self {
        let worth = (rows / 4).max(1).ilog2();
        Self { merge: worth.min(8), single: worth.min(Self::BITS) }
    }

    fn allow(&self, arrow: &Arrow) -> bool {
        let bits = arrow.slots + arrow.nodes;
        let limit = if arrow.nodes <= 1 { self.single.max(self.merge) } else { self.merge };
        bits <= limit && arrow.depth <= Self::DEPTH
    }
}

/// The parts of a tree: roots of groups, and leaves that are in none.
#[derive(Debug)]
pub(super) struct Parts {
    /// Whether the tree is one group.
    whole: bool,
    /// Positions of the arrows to the groups.
    groups: Vec<usize>,
    /// Positions of the arrows to other leaves.
    pub(super) rest: Vec<usize>,
}

impl Parts {
    pub(super) fn new(plan: &Plan, limits: Limits) -> Self {
        let nodes = plan.arrows.len() / 2;
        let mut parts = Self { whole: false, groups: Vec::new(), rest: Vec::new() };
        if nodes <= limits.merge as usize {
            return Self { whole: nodes > 0, ..parts };
        }
        let mut at = 0;
        while let Some(arrow) = plan.arrows.get(at) {
            if limits.allow(arrow) {
                parts.groups.push(at);
                at = arrow.end as usize;
                continue;
            }
            if matches!(arrow.child, Child::Leaf(_)) {
                parts.rest.push(at);
            }
            at += 1;
        }
        parts
    }

    /// An upper bound of the bytes of the tables.
    pub(super) fn bytes(&self, plan: &Plan, layout: &Layout, width: usize) -> usize {
        let group = |bits: usize| {
            let terms = if layout.pairs { bits * (bits + 1) / 2 } else { bits };
            (width * terms * size_of::<f64>()) << bits
        };
        let whole = if self.whole { group(plan.arrows.len() / 2) } else { 0 };
        let bits = |&at: &usize| plan.arrows[at].slots + plan.arrows[at].nodes;
        whole + self.groups.iter().map(|at| group(bits(at) as usize)).sum::<usize>()
    }
}

/// The tables of a tree.
#[derive(Debug)]
pub(super) struct Tables {
    steps: Vec<Step>,
    depth: usize,
}

#[derive(Debug)]
enum Step {
    /// Extends the pattern of a path.
    Down(Down),
    /// Adds a group's tables.
    Add(Group),
}

/// An arrow, as patterns need it.
#[derive(Debug, Clone, Copy)]
struct Down {
    node: u32,
    left: bool,
    depth: u32,
    slot: u32,
    repeated: bool,
}

#[derive(Debug)]
struct Group {
    /// Arrows on the path to it.
    depth: u32,
    /// Slots on the path to it: the low bits of the pattern.
    slots: u32,
    /// Its nodes: the other bits.
    nodes: Vec<u32>,
    /// A place for each table.
    places: Vec<usize>,
    /// The tables, one after another.
    tables: Vec<f64>,
}

/// Patterns of path slots, for each depth of a path.
#[derive(Debug, Default)]
pub(super) struct Patterns {
    levels: Vec<u16>,
    group: Vec<u16>,
}

/// What tables are made with.
#[derive(Debug)]
pub(super) struct Maker {
    layout: Layout,
    /// What leaf values are multiplied with.
    scale: f64,
    few: Kernel<4>,
    many: Kernel<8>,
}

impl Maker {
    pub(super) fn new(layout: Layout, scale: f64) -> Self {
        Self { layout, scale, few: Kernel::new(), many: Kernel::new() }
    }

    pub(super) fn tables(&self, tree: &Tree, plan: &Plan, parts: &Parts) -> Tables {
        let mut steps = Vec::new();
        if parts.whole {
            steps.push(Step::Add(self.group(tree, plan, None)));
        }
        let wanted = plan.on_the_way(parts.groups.iter().copied());
        let mut groups = parts.groups.iter().copied().peekable();
        for (at, arrow) in plan.arrows.iter().enumerate().filter(|(at, _)| wanted[*at]) {
            steps.push(Step::Down(Down::new(arrow)));
            if groups.next_if_eq(&at).is_some() {
                steps.push(Step::Add(self.group(tree, plan, Some(at))));
            }
        }
        let depth = |at: &usize| plan.arrows[*at].depth as usize;
        Tables { steps, depth: parts.groups.iter().map(depth).max().unwrap_or(0) }
    }

    fn group(&self, tree: &Tree, plan: &Plan, root: Option<usize>) -> Group {
        let range = match root {
            Some(at) => at + 1..plan.arrows[at].end as usize,
            None => 0..plan.arrows.len(),
        };
        let (depth, slots) =
            root.map_or((0, 0), |at| (plan.arrows[at].depth, plan.arrows[at].slots));
        let mut nodes: Vec<u32> =
            plan.arrows[range.clone()].iter().map(|arrow| arrow.node).collect();
        nodes.sort_unstable();
        nodes.dedup();
        let mut group = Group { depth, slots, nodes, places: vec![], tables: vec![] };
        let is_leaf = |at: &usize| matches!(plan.arrows[*at].child, Child::Leaf(_));
        let leaves: Vec<usize> = range.clone().chain(root).filter(is_leaf).collect();
        let paths: Vec<_> = leaves.iter().map(|&at| plan.path(at)).collect();
        group.places = self.places(tree, &paths);
        group.tables = vec![0.0; group.places.len() << group.bits()];
        let patterns = group.leaf_patterns(plan, &leaves, range.start);
        for ((&leaf, path), patterns) in leaves.iter().zip(&paths).zip(&patterns) {
            self.add_leaf(&mut group, tree, plan.arrows[leaf].child, (path, patterns));
        }
        group
    }

    /// The places that a group adds to, sorted.
    fn places(&self, tree: &Tree, paths: &[Vec<(u32, f64)>]) -> Vec<usize> {
        let mut single: Vec<usize> = paths.iter().flat_map(|p| self.layout.of_path(p)).collect();
        single.sort_unstable();
        single.dedup();
        let outputs = tree.output..tree.output + tree.width;
        let stride = self.layout.stride();
        outputs.flat_map(|output| single.iter().map(move |at| output * stride + at)).collect()
    }

    fn add_leaf(
        &self,
        group: &mut Group,
        tree: &Tree,
        leaf: Child,
        (path, patterns): (&[(u32, f64)], &[u16]),
    ) {
        let Child::Leaf(leaf) = leaf else { return };
        let terms = match path.len() {
            0..=8 => self.few.terms(path, self.layout.pairs),
            _ => self.many.terms(path, self.layout.pairs),
        };
        let places = self.layout.of_path(path);
        for (at, value) in tree.leaf(leaf as usize).iter().enumerate() {
            let output = (tree.output + at) * self.layout.stride();
            for (term, place) in terms.chunks_exact(1 << path.len()).zip(&places) {
                let Ok(table) = group.places.binary_search(&(output + place)) else { continue };
                let table = &mut group.tables[table << patterns.len().ilog2()..][..patterns.len()];
                for (entry, &pattern) in table.iter_mut().zip(patterns) {
                    *entry += self.scale * value * term[pattern as usize];
                }
            }
        }
    }
}

impl Tables {
    /// Adds the explanations of `rows` rows. `decisions` and `sums` hold a row of numbers for each
    /// node and place, `block` apart.
    pub(super) fn add(
        &self,
        decisions: &[u8],
        sums: &mut [f64],
        block: usize,
        scratch: &mut Patterns,
    ) {
        scratch.levels.resize((self.depth + 1) * block, 0);
        scratch.levels[..block].fill(0);
        for step in &self.steps {
            match step {
                Step::Down(down) => {
                    let (above, here) = scratch.levels.split_at_mut(down.depth as usize * block);
                    let above = &above[above.len() - block..];
                    down.extend(
                        above,
                        &decisions[down.node as usize * block..],
                        &mut here[..block],
                    );
                }
                Step::Add(group) => {
                    scratch.group.clear();
                    let from = group.depth as usize * block;
                    scratch.group.extend_from_slice(&scratch.levels[from..from + block]);
                    for (bit, &node) in (group.slots..).zip(&group.nodes) {
                        let decisions = &decisions[node as usize * block..][..block];
                        for (pattern, &left) in scratch.group.iter_mut().zip(decisions) {
                            *pattern |= u16::from(left) << bit;
                        }
                    }
                    group.add(&scratch.group, sums, block);
                }
            }
        }
    }
}

impl Down {
    fn new(arrow: &Arrow) -> Self {
        let &Arrow { node, left, depth, slot, repeated, .. } = arrow;
        Self { node, left, depth, slot, repeated }
    }

    /// The patterns after the arrow: a slot's bit stays set while all of its rules pass.
    fn extend(&self, above: &[u16], decisions: &[u8], out: &mut [u16]) {
        let (flip, slot) = (u8::from(!self.left), self.slot);
        let rows = out.iter_mut().zip(above).zip(decisions);
        if self.repeated {
            rows.for_each(|((out, above), left)| {
                *out = above & !(u16::from(left ^ flip ^ 1) << slot);
            });
        } else {
            rows.for_each(|((out, above), left)| *out = above | u16::from(left ^ flip) << slot);
        }
    }
}

impl Group {
    fn bits(&self) -> usize {
        self.slots as usize + self.nodes.len()
    }

    /// For each leaf, the pattern of its path for every pattern of the group.
    fn leaf_patterns(&self, plan: &Plan, leaves: &[usize], from: usize) -> Vec<Vec<u16>> {
        let all = 1usize << self.bits();
        let low = (1u16 << self.slots) - 1;
        let mut levels: Vec<Vec<u16>> = vec![(0..all).map(|at| at as u16 & low).collect()];
        let mut found = Vec::with_capacity(leaves.len());
        let last = leaves.last().map_or(0, |last| last + 1);
        for (at, arrow) in plan.arrows.iter().enumerate().take(last).skip(from) {
            let Ok(bit) = self.nodes.binary_search(&arrow.node) else { continue };
            let bit = self.slots as usize + bit;
            let decisions: Vec<u8> = (0..all).map(|pattern| (pattern >> bit & 1) as u8).collect();
            levels.truncate((arrow.depth - self.depth) as usize);
            let mut here = vec![0; all];
            if let Some(above) = levels.last() {
                Down::new(arrow).extend(above, &decisions, &mut here);
            }
            levels.push(here);
            if leaves.contains(&at) {
                found.extend(levels.last().cloned());
            }
        }
        if self.nodes.is_empty() { levels } else { found }
    }

    fn add(&self, patterns: &[u16], sums: &mut [f64], block: usize) {
        match self.bits() {
            0 => {}
            1 => self.add_sized::<{ 1 << 1 }>(patterns, sums, block),
            2 => self.add_sized::<{ 1 << 2 }>(patterns, sums, block),
            3 => self.add_sized::<{ 1 << 3 }>(patterns, sums, block),
            4 => self.add_sized::<{ 1 << 4 }>(patterns, sums, block),
            5 => self.add_sized::<{ 1 << 5 }>(patterns, sums, block),
            6 => self.add_sized::<{ 1 << 6 }>(patterns, sums, block),
            7 => self.add_sized::<{ 1 << 7 }>(patterns, sums, block),
            8 => self.add_sized::<{ 1 << 8 }>(patterns, sums, block),
            9 => self.add_sized::<{ 1 << 9 }>(patterns, sums, block),
            10 => self.add_sized::<{ 1 << 10 }>(patterns, sums, block),
            11 => self.add_sized::<{ 1 << 11 }>(patterns, sums, block),
            12 => self.add_sized::<{ 1 << 12 }>(patterns, sums, block),
            bits => unreachable!("limits allow {} bits, this group has {bits}", Limits::BITS),
        }
    }

    /// The length of a table is a constant, so that a masked pattern needs no check of its bounds.
    fn add_sized<const LENGTH: usize>(&self, patterns: &[u16], sums: &mut [f64], block: usize) {
        let (tables, _) = self.tables.as_chunks::<LENGTH>();
        for (table, &place) in tables.iter().zip(&self.places) {
            let sums = &mut sums[place * block..][..block];
            for (sum, &pattern) in sums.iter_mut().zip(patterns) {
                *sum += table[pattern as usize & (LENGTH - 1)];
            }
        }
    }
}
