//! A tree as the explanations walk it: its arrows in preorder, with shares of the cover.
//!
//! A path's distinct features have slots, in the order in which the path first asks about them. The
//! share of an arrow is the part of the training rows at the node above that took it; `off` is the
//! product of the shares of a slot's arrows: the weight of the path when the feature is unknown.

use crate::{Child, Tree};

/// An arrow from a node to a child.
#[derive(Debug, Clone)]
pub(super) struct Arrow {
    /// The node that it leaves.
    pub(super) node: u32,
    /// Whether it is the node's left one.
    pub(super) left: bool,
    /// Where it leads.
    pub(super) child: Child,
    /// The position of the arrow above, unless it leaves the root.
    pub(super) above: Option<u32>,
    /// Arrows on the path, this one included.
    pub(super) depth: u32,
    /// The slot of the node's feature on the path.
    pub(super) slot: u32,
    /// The feature.
    pub(super) feature: u32,
    /// Whether an arrow above has the same slot.
    pub(super) repeated: bool,
    /// Slots of the path, this one included.
    pub(super) slots: u32,
    /// Part of the cover.
    pub(super) share: f64,
    /// Product of the shares of the slot's arrows down to this one.
    pub(super) off: f64,
    /// The same without this arrow; 1 when it is the slot's first.
    pub(super) off_above: f64,
    /// Nodes at and below the child.
    pub(super) nodes: u32,
    /// The position after the arrows at and below the child.
    pub(super) end: u32,
}

/// The arrows of a tree.
#[derive(Debug)]
pub(super) struct Plan {
    /// Parents before children, the whole of a child's part before its sibling.
    pub(super) arrows: Vec<Arrow>,
}

impl Plan {
    pub(super) fn new(tree: &Tree) -> Self {
        let cover = Cover::new(tree);
        let mut walk = Walk::new(tree);
        if !tree.nodes.is_empty() {
            walk.push_children(0, 0);
        }
        while let Some(next) = walk.open.pop() {
            walk.step(&next, &cover);
        }
        walk.close(0);
        Self { arrows: walk.arrows }
    }

    /// The features on the path to a position, in the order of their slots, with their `off`.
    pub(super) fn path(&self, position: usize) -> Vec<(u32, f64)> {
        let last = &self.arrows[position];
        let mut path = vec![(0, f64::NAN); last.slots as usize];
        let mut at = Some(position);
        while let Some(position) = at {
            let arrow = &self.arrows[position];
            let place = &mut path[arrow.slot as usize];
            // The lowest arrow of a slot holds the product of them all.
            if place.1.is_nan() {
                *place = (arrow.feature, arrow.off);
            }
            at = arrow.above.map(|above| above as usize);
        }
        path
    }

    /// Marks the arrows on the paths to `positions`.
    pub(super) fn on_the_way(&self, positions: impl IntoIterator<Item = usize>) -> Vec<bool> {
        let mut marked = vec![false; self.arrows.len()];
        for position in positions {
            let mut at = Some(position as u32);
            while let Some(position) = at.filter(|&position| !marked[position as usize]) {
                marked[position as usize] = true;
                at = self.arrows[position as usize].above;
            }
        }
        marked
    }
}

/// An arrow still to be walked.
struct Open {
    node: u32,
    left: bool,
    depth: u32,
}

struct Walk<'a> {
    tree: &'a Tree,
    open: Vec<Open>,
    arrows: Vec<Arrow>,
    /// Positions of the arrows from the root to here.
    path: Vec<usize>,
    /// The features of the tree, sorted.
    features: Vec<u32>,
    /// Slot and `off` of each of them on the path, if it is on it.
    current: Vec<Option<(u32, f64)>>,
    /// What `current` held before each arrow of the path.
    before: Vec<(usize, Option<(u32, f64)>)>,
}

impl<'a> Walk<'a> {
    fn new(tree: &'a Tree) -> Self {
        let mut features: Vec<u32> = tree.nodes.iter().map(|node| node.feature).collect();
        features.sort_unstable();
        features.dedup();
        let current = vec![None; features.len()];
        let arrows = Vec::with_capacity(2 * tree.nodes.len());
        Self { tree, open: vec![], arrows, path: vec![], features, current, before: vec![] }
    }

    fn push_children(&mut self, node: u32, depth: u32) {
        for left in [false, true] {
            self.open.push(Open { node, left, depth: depth + 1 });
        }
    }

    fn step(&mut self, next: &Open, cover: &Cover) {
        self.close(next.depth as usize - 1);
        let node = &self.tree.nodes[next.node as usize];
        let child = if next.left { node.left } else { node.right };
        let share = cover.share(node.left, node.right, next.left);
        let local = self.features.partition_point(|&feature| feature < node.feature);
        let above = self.path.last().copied();
        let slots = above.map_or(0, |above| self.arrows[above].slots);
        let known = self.current[local];
        let (slot, off) = known.map_or((slots, share), |(slot, off)| (slot, off * share));
        self.before.push((local, known));
        self.current[local] = Some((slot, off));
        self.path.push(self.arrows.len());
        self.arrows.push(Arrow {
            node: next.node,
            left: next.left,
            child,
            above: above.map(|above| above as u32),
            depth: next.depth,
            slot,
            feature: node.feature,
            repeated: known.is_some(),
            slots: slots + u32::from(known.is_none()),
            share,
            off,
            off_above: known.map_or(1.0, |(_, off)| off),
            nodes: 0,
            end: 0,
        });
        if let Child::Node(below) = child {
            self.push_children(below, next.depth);
        }
    }

    /// Leaves the arrows of the path below `depth`.
    fn close(&mut self, depth: usize) {
        while self.path.len() > depth {
            let (Some(at), Some((local, known))) = (self.path.pop(), self.before.pop()) else {
                break;
            };
            self.current[local] = known;
            let end = self.arrows.len();
            self.arrows[at].end = end as u32;
            self.arrows[at].nodes = ((end - at - 1) / 2) as u32;
        }
    }
}

/// Training rows of every node and leaf, or hessians where the tree has no counts.
pub(super) struct Cover {
    nodes: Vec<f64>,
    leaves: Vec<f64>,
}

impl Cover {
    /// Sums from the leaves, so that a node has what its children have.
    pub(super) fn new(tree: &Tree) -> Self {
        let counts = tree.counts.iter().any(|&count| count > 0);
        let leaves: Vec<f64> = match counts {
            true => tree.counts.iter().map(|&count| count as f64).collect(),
            false => tree.weights.iter().map(|weight| weight.max(0.0)).collect(),
        };
        let mut cover = Self { nodes: vec![0.0; tree.nodes.len()], leaves };
        for (at, node) in tree.nodes.iter().enumerate().rev() {
            cover.nodes[at] = cover.of(node.left) + cover.of(node.right);
        }
        cover
    }

    pub(super) fn of(&self, child: Child) -> f64 {
        match child {
            Child::Node(node) => self.nodes[node as usize],
            Child::Leaf(leaf) => self.leaves[leaf as usize],
        }
    }

    /// The left or right share of a node's cover; halves where it has none.
    pub(super) fn share(&self, left: Child, right: Child, is_left: bool) -> f64 {
        let (left, right) = (self.of(left), self.of(right));
        let sum = left + right;
        if sum.is_nan() || sum <= 0.0 || sum.is_infinite() {
            return 0.5;
        }
        if is_left { left / sum } else { right / sum }
    }

    /// The part of the cover that each leaf has.
    pub(super) fn leaf_shares(&self, tree: &Tree) -> Vec<f64> {
        let (mut nodes, mut leaves) = (vec![0.0; tree.nodes.len()], vec![1.0; tree.leaves()]);
        if let Some(root) = nodes.first_mut() {
            *root = 1.0;
        }
        for (at, node) in tree.nodes.iter().enumerate() {
            for (child, is_left) in [(node.left, true), (node.right, false)] {
                let share = nodes[at] * self.share(node.left, node.right, is_left);
                match child {
                    Child::Node(node) => nodes[node as usize] = share,
                    Child::Leaf(leaf) => leaves[leaf as usize] = share,
                }
            }
        }
        leaves
    }
}
