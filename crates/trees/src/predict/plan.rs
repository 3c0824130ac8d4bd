//! A forest laid out for blocks of rows: columns of codes, bit planes, and an engine for each tree.
//!
//! A tree asks all its questions of all rows (bit slices: cost per row about its leaves / 90, in
//! cycles) or walks each row down (cost per row about its depth times 2). Trees whose levels each ask
//! one question (oblivious trees) read their leaves' numbers off the planes.
//! Reference: Ye, Zhou, Zou, Gao, Zhang 2018, RapidScorer, KDD (bit masks of leaves, many rows at
//! once); Dorogush, Ershov, Gulin 2018, CatBoost (oblivious trees).

use std::{collections::VecDeque, ops::Range};

use super::{
    lanes::{BLOCK, LEVELS, Program, Split, Step},
    question::{Features, Key, Kind, Question, ask, features},
};
use crate::{Child, Forest, Node, Rule, Tree};

/// Leaves of the largest tree that bit slices take.
const MOST_SLICED: usize = 4096;

/// The layout of a forest.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) features: Features,
    pub(crate) columns: Vec<Column>,
    /// The questions to the columns, column by column: one plane each.
    pub(crate) questions: Vec<Question>,
    pub(crate) trees: Vec<Layout>,
}

/// A column of codes and what is asked of it.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    pub(crate) key: Key,
    pub(crate) planes: Range<usize>,
    /// Where its codes are kept for walks.
    pub(crate) slot: Option<usize>,
}

/// A tree laid out.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    pub(crate) engine: Engine,
    /// The leaf of each number.
    pub(crate) order: Vec<u32>,
    /// The values of each number, up to the power of two that the bits can reach.
    pub(crate) table: Vec<f64>,
}

/// How the leaf of a row is found.
#[derive(Debug, Clone)]
pub(crate) enum Engine {
    /// By its bits: the planes of the levels, lowest bit first.
    Levels(Vec<u32>),
    /// By masks of rows.
    Slices(Program),
    /// Row by row on codes.
    Walk { steps: Vec<Step>, leaves: usize },
    /// Row by row on values.
    Plain,
}

impl Engine {
    /// The bits of a leaf's number, when planes tell it.
    pub(crate) fn bits(&self) -> Option<usize> {
        match self {
            Self::Levels(planes) => Some(planes.len()),
            Self::Slices(program) => Some(program.bits()),
            Self::Walk { .. } | Self::Plain => None,
        }
    }
}

/// What a tree is laid out as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Sliced,
    Walked,
    Plain,
}

type Asked = Vec<(Key, Question)>;

impl Plan {
    /// Lays a checked forest out; `form` replaces the choice by cost.
    pub(crate) fn new(forest: &Forest, form: Option<Form>) -> Self {
        let features = features(forest);
        let asks = |tree: &Tree| -> Asked {
            tree.nodes.iter().map(|node| ask(&features, node.feature, &node.rule)).collect()
        };
        let asked: Vec<Asked> = forest.trees.iter().map(asks).collect();
        let fresh = share_of_fresh(&asked);
        let trees = forest.trees.iter();
        let forms: Vec<Form> = trees.map(|tree| choose(tree, fresh, form)).collect();
        let questions = collect(&asked, &forms, Form::Sliced);
        let mut walked: Vec<Key> =
            collect(&asked, &forms, Form::Walked).into_iter().map(|(key, _)| key).collect();
        walked.dedup();
        let columns = columns(&questions, &walked);
        let layouts = forest.trees.iter().zip(&asked).zip(&forms).map(|((tree, asked), form)| {
            let plane = |at: usize| questions.binary_search(&asked[at]).unwrap_or(0) as u32;
            match form {
                Form::Sliced => slice(tree, &plane),
                Form::Walked => walk(tree, asked, &walked),
                Form::Plain => Layout::in_order(tree, Engine::Plain),
            }
        });
        let trees = layouts.collect();
        let questions = questions.into_iter().map(|(_, question)| question).collect();
        Self { features, columns, questions, trees }
    }

    /// Bytes that walks keep codes in.
    pub(crate) fn slots(&self) -> usize {
        self.columns.iter().filter(|column| column.slot.is_some()).count()
    }
}

/// The share of questions that no other node asks.
fn share_of_fresh(asked: &[Asked]) -> f64 {
    let mut all: Vec<&(Key, Question)> = asked.iter().flatten().collect();
    let nodes = all.len().max(1);
    all.sort_unstable();
    all.dedup();
    all.len() as f64 / nodes as f64
}

/// The cheaper engine. The constants are cycles a row, measured.
fn choose(tree: &Tree, fresh: f64, form: Option<Form>) -> Form {
    let categorical =
        || tree.nodes.iter().any(|node| matches!(node.rule, Rule::Categorical { .. }));
    let sliced = 0.4 + tree.nodes.len() as f64 * (0.012 + 0.03 * fresh);
    let may_slice = tree.leaves() <= MOST_SLICED;
    let slice = match form {
        Some(form) => form == Form::Sliced,
        None => tree.nodes.is_empty() || sliced <= 2.0 * average_depth(tree) || categorical(),
    };
    match (slice && may_slice, form == Some(Form::Plain) || categorical()) {
        (true, _) => Form::Sliced,
        (false, true) => Form::Plain,
        (false, false) => Form::Walked,
    }
}

fn average_depth(tree: &Tree) -> f64 {
    let mut depths = vec![0u32; tree.nodes.len()];
    let mut total = 0.0;
    for (at, node) in tree.nodes.iter().enumerate() {
        for child in [node.left, node.right] {
            match child {
                Child::Node(child) => depths[child as usize] = depths[at] + 1,
                Child::Leaf(_) => total += f64::from(depths[at] + 1),
            }
        }
    }
    total / tree.leaves() as f64
}

/// The distinct questions of the trees of a form, sorted.
fn collect(asked: &[Asked], forms: &[Form], form: Form) -> Asked {
    let of_form = asked.iter().zip(forms).filter(|(_, other)| **other == form);
    let mut all: Asked = of_form.flat_map(|(asked, _)| asked).cloned().collect();
    all.sort_unstable();
    all.dedup();
    all
}

fn columns(questions: &[(Key, Question)], walked: &[Key]) -> Vec<Column> {
    let mut keys: Vec<Key> = questions.iter().map(|(key, _)| *key).chain(walked.to_vec()).collect();
    keys.sort_unstable();
    keys.dedup();
    let column = |key: Key| Column {
        key,
        planes: questions.partition_point(|(other, _)| *other < key)
            ..questions.partition_point(|(other, _)| *other <= key),
        slot: walked.binary_search(&key).ok(),
    };
    keys.into_iter().map(column).collect()
}

impl Layout {
    /// Numbers that are the leaves.
    fn in_order(tree: &Tree, engine: Engine) -> Self {
        let order = (0..tree.leaves() as u32).collect();
        Self { engine, order, table: tree.values.clone() }
    }

    fn ordered(tree: &Tree, engine: Engine, order: Vec<u32>) -> Self {
        let reach = 1 << engine.bits().unwrap_or(0);
        let mut table: Vec<f64> =
            order.iter().flat_map(|&leaf| tree.leaf(leaf as usize)).copied().collect();
        table.resize(reach * tree.width, 0.0);
        Self { engine, order, table }
    }
}

/// Lays a tree out in bit slices.
fn slice(tree: &Tree, plane: &dyn Fn(usize) -> u32) -> Layout {
    if let Some((planes, order)) = levels(tree, plane) {
        return Layout::ordered(tree, Engine::Levels(planes), order);
    }
    if let Some(layout) = complete(tree, plane) {
        return layout;
    }
    let ranges = numbers(tree);
    let mut order = vec![0; tree.leaves()];
    let bits = (usize::BITS - (tree.leaves() - 1).leading_zeros()) as usize;
    let (mut splits, mut joins) = (Vec::new(), vec![Vec::new(); bits]);
    let mut line = VecDeque::from_iter((!tree.nodes.is_empty()).then_some((0, 0)));
    while let Some((at, mask)) = line.pop_front() {
        let node: &Node = &tree.nodes[at];
        let next = 2 * splits.len() as u32 + 1;
        splits.push(Split { plane: plane(at), mask });
        let middle = match (node.left, node.right) {
            (Child::Node(left), _) => ranges[left as usize].end,
            (_, Child::Node(right)) => ranges[right as usize].start,
            _ => ranges[at].start + 1,
        };
        let halves = halves(&ranges[at], middle);
        for (child, numbers, mask) in [
            (node.left, &halves[0], next), //
            (node.right, &halves[1], next + 1),
        ] {
            for (bit, list) in joins.iter_mut().enumerate() {
                if has_bit(numbers, bit) && !has_bit(&ranges[at], bit) {
                    list.push(mask);
                }
            }
            match child {
                Child::Node(child) => line.push_back((child as usize, mask)),
                Child::Leaf(leaf) => order[numbers.start] = leaf,
            }
        }
    }
    Layout::ordered(tree, Engine::Slices(Program::masks_of(splits, &joins)), order)
}

/// Whether all numbers of a range have a bit.
fn has_bit(numbers: &Range<usize>, bit: usize) -> bool {
    numbers.start >> bit & 1 == 1 && numbers.start >> bit == (numbers.end - 1) >> bit
}

/// The numbers of the leaves below each node, from left to right.
fn numbers(tree: &Tree) -> Vec<Range<usize>> {
    let mut sizes = vec![0usize; tree.nodes.len()];
    for (at, node) in tree.nodes.iter().enumerate().rev() {
        sizes[at] = size(&sizes, node.left) + size(&sizes, node.right);
    }
    let mut ranges = vec![0..tree.leaves(); tree.nodes.len()];
    for (at, node) in tree.nodes.iter().enumerate() {
        let middle = ranges[at].start + size(&sizes, node.left);
        let halves = halves(&ranges[at], middle);
        for (child, range) in [node.left, node.right].into_iter().zip(halves) {
            if let Child::Node(child) = child {
                ranges[child as usize] = range;
            }
        }
    }
    ranges
}

fn halves(range: &Range<usize>, middle: usize) -> [Range<usize>; 2] {
    [range.start..middle, middle..range.end]
}

fn size(sizes: &[usize], child: Child) -> usize {
    match child {
        Child::Node(node) => sizes[node as usize],
        Child::Leaf(_) => 1,
    }
}

/// The planes of an oblivious tree, lowest bit first, and the leaf of each number: a bit is set where
/// the row goes left.
fn levels(tree: &Tree, plane: &dyn Fn(usize) -> u32) -> Option<(Vec<u32>, Vec<u32>)> {
    let mut level = vec![(if tree.nodes.is_empty() { Child::Leaf(0) } else { Child::Node(0) }, 0)];
    let mut planes = Vec::new();
    if !tree.leaves().is_power_of_two() {
        return None;
    }
    while let Child::Node(first) = level[0].0 {
        let asked = plane(first as usize);
        let mut next = Vec::with_capacity(2 * level.len());
        for &(child, number) in &level {
            let Child::Node(at) = child else { return None };
            if plane(at as usize) != asked {
                return None;
            }
            let node = &tree.nodes[at as usize];
            next.extend([(node.left, number | 1 << planes.len()), (node.right, number)]);
        }
        planes.push(asked);
        level = next;
    }
    let mut order = vec![0; level.len()];
    for (child, number) in level {
        let Child::Leaf(leaf) = child else { return None };
        order[number] = leaf;
    }
    Some((planes, order))
}

/// A tree that is nearly complete: where a leaf comes early, the planes below it do not matter and
/// its values stand several times.
fn complete(tree: &Tree, plane: &dyn Fn(usize) -> u32) -> Option<Layout> {
    let mut level = vec![if tree.nodes.is_empty() { Child::Leaf(0) } else { Child::Node(0) }];
    let mut planes = Vec::new();
    while level.iter().any(|child| matches!(child, Child::Node(_))) {
        if level.len() > tree.leaves() || planes.len() + 1 == 1 << LEVELS {
            return None;
        }
        let below = |&child: &Child| match child {
            Child::Node(at) => [tree.nodes[at as usize].left, tree.nodes[at as usize].right],
            Child::Leaf(_) => [child; 2],
        };
        planes.extend(
            level
                .iter()
                .map(|child| match child {
                    Child::Node(at) => plane(*at as usize),
                    Child::Leaf(_) => planes[0],
                })
                .collect::<Vec<u32>>(),
        );
        level = level.iter().flat_map(below).collect();
    }
    let bits = level.len().trailing_zeros();
    let mut order = vec![0; level.len()];
    for (path, child) in level.into_iter().enumerate() {
        // A path has the root at its highest bit and left as 0.
        let number = ((!path as u32) << (31 - bits) << 1).reverse_bits() & ((1 << bits) - 1);
        let Child::Leaf(leaf) = child else { return None };
        order[number as usize] = leaf;
    }
    Some(Layout::ordered(tree, Engine::Slices(Program::complete(planes)), order))
}

/// Lays a tree out for walks on codes.
fn walk(tree: &Tree, asked: &Asked, walked: &[Key]) -> Layout {
    let nodes = tree.nodes.len() as u32;
    let target = |child: Child| match child {
        Child::Node(node) => node,
        Child::Leaf(leaf) => nodes + leaf,
    };
    let mut steps = Vec::with_capacity(2 * tree.leaves());
    for (node, (key, question)) in tree.nodes.iter().zip(asked) {
        let slot = walked.binary_search(key).unwrap_or(0);
        let limit = if let Question::Below { rank, .. } = question { u32::from(*rank) } else { 0 };
        let next = [target(node.left), target(node.right)];
        steps.push(Step { codes: (slot * BLOCK) as u32, limit, next });
    }
    let leaves = nodes..nodes + tree.leaves() as u32;
    steps.extend(leaves.map(|at| Step { codes: 0, limit: 256, next: [at; 2] }));
    debug_assert!(walked.iter().all(|key| key.kind != Kind::Category));
    Layout::in_order(tree, Engine::Walk { steps, leaves: nodes as usize })
}
