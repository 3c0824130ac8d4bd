//! Explanations row by row, for the leaves that are too deep for tables and for few rows.
//!
//! Walks a tree in preorder and keeps the product of the path's factors at each quadrature point.
//! Cost a row: `N` operations an arrow and `N |F|` a leaf; a path whose weight is zero is left out.

use crate::{Child, Tree};

use super::{
    kernel::{Kernel, dot, times},
    layout::Layout,
    plan::{Arrow, Plan},
};

/// The rest of a tree, with as many points as its paths need.
#[derive(Debug)]
pub(super) enum Rest {
    Points4(Walk<4>),
    Points8(Walk<8>),
    Points12(Walk<12>),
    Points16(Walk<16>),
    Points32(Walk<32>),
    /// Exact up to 128 features on a path; beyond, the error is far below rounding.
    Points64(Walk<64>),
}

impl Rest {
    /// The walk to `leaves`, positions of arrows; none when there are none.
    pub(super) fn new(
        tree: &Tree,
        plan: &Plan,
        leaves: &[usize],
        with: (&Layout, f64),
    ) -> Option<Self> {
        let slots = leaves.iter().map(|&at| plan.arrows[at].slots).max()?;
        Some(match slots {
            0..=8 => Self::Points4(Walk::new(tree, plan, leaves, with)),
            9..=16 => Self::Points8(Walk::new(tree, plan, leaves, with)),
            17..=24 => Self::Points12(Walk::new(tree, plan, leaves, with)),
            25..=32 => Self::Points16(Walk::new(tree, plan, leaves, with)),
            33..=64 => Self::Points32(Walk::new(tree, plan, leaves, with)),
            _ => Self::Points64(Walk::new(tree, plan, leaves, with)),
        })
    }

    /// An upper bound of the bytes of the walk to `leaves`.
    pub(super) fn bytes(plan: &Plan, leaves: &[usize]) -> usize {
        let slots = leaves.iter().map(|&at| plan.arrows[at].slots as usize).max().unwrap_or(0);
        let points = slots.div_ceil(2).next_power_of_two().clamp(4, 64);
        plan.arrows.len() * (size_of::<Step<0>>() + 3 * points * size_of::<f64>())
    }

    /// Adds the explanations of a block's first `rows`, laid out as for [`Tables::add`]
    /// (super::tables::Tables::add).
    pub(super) fn add(&self, block: &Block<'_>, sums: &mut [f64]) {
        match self {
            Self::Points4(walk) => walk.add(block, sums),
            Self::Points8(walk) => walk.add(block, sums),
            Self::Points12(walk) => walk.add(block, sums),
            Self::Points16(walk) => walk.add(block, sums),
            Self::Points32(walk) => walk.add(block, sums),
            Self::Points64(walk) => walk.add(block, sums),
        }
    }
}

/// Decisions of a block of rows and where their sums go.
#[derive(Debug, Clone, Copy)]
pub(super) struct Block<'a> {
    pub(super) decisions: &'a [u8],
    pub(super) rows: usize,
    pub(super) layout: &'a Layout,
}

#[derive(Debug)]
pub(super) struct Walk<const N: usize> {
    kernel: Box<Kernel<N>>,
    steps: Vec<Step<N>>,
    /// Scaled values of the leaves.
    values: Vec<f64>,
    width: usize,
    output: usize,
    depth: usize,
    /// The places of the features, or pairs, on the paths.
    places: Vec<usize>,
}

/// An arrow with its factors.
#[derive(Debug)]
struct Step<const N: usize> {
    node: u32,
    left: u8,
    depth: u32,
    slot: u32,
    slots: u32,
    feature: u32,
    leaf: Option<u32>,
    repeated: bool,
    /// Where the steps go on when this one's path has no weight.
    end: u32,
    share: f64,
    off: f64,
    /// The change of the product when the slot's rules pass, above and here.
    passes: [f64; N],
    /// The change when they passed above and fail here.
    fails: [f64; N],
    /// The ratio of the slot when its rules pass.
    ratio: [f64; N],
}

/// A slot's state: whether its rules pass, and the last step that asked.
type Slot = (bool, u32);

struct State<const N: usize> {
    /// Sums of a row, place by place, those of the walk's outputs.
    sums: Vec<f64>,
    products: Vec<[f64; N]>,
    slots: Vec<Slot>,
    /// Steps of the path, each with its slot's state before it.
    path: Vec<(u32, Slot)>,
}

impl<const N: usize> Walk<N> {
    fn new(tree: &Tree, plan: &Plan, leaves: &[usize], (layout, scale): (&Layout, f64)) -> Self {
        let kernel = Box::new(Kernel::new());
        let wanted = plan.on_the_way(leaves.iter().copied());
        let mut kept = vec![0; plan.arrows.len() + 1];
        for at in 0..plan.arrows.len() {
            kept[at + 1] = kept[at] + u32::from(wanted[at]);
        }
        let arrows = plan.arrows.iter().zip(&wanted).filter(|(_, wanted)| **wanted);
        let steps =
            arrows.map(|(arrow, _)| step(&kernel, arrow, kept[arrow.end as usize])).collect();
        let depth = leaves.iter().map(|&at| plan.arrows[at].depth as usize).max().unwrap_or(0);
        let values = tree.values.iter().map(|value| scale * value).collect();
        let paths = leaves.iter().flat_map(|&at| layout.of_path(&plan.path(at)));
        let mut places: Vec<usize> = paths.collect();
        places.sort_unstable();
        places.dedup();
        let Tree { width, output, .. } = *tree;
        Self { kernel, steps, values, width, output, depth, places }
    }

    fn add(&self, block: &Block<'_>, sums: &mut [f64]) {
        let stride = block.layout.stride();
        let mut state = State {
            sums: vec![0.0; self.width * stride],
            products: vec![self.kernel.weights; self.depth + 1],
            slots: vec![(true, 0); self.depth],
            path: Vec::with_capacity(self.depth),
        };
        for row in 0..block.rows {
            self.walk(block, row, &mut state);
            for at in 0..self.width {
                for place in self.places.iter().map(|place| at * stride + place) {
                    let sum = &mut sums[(self.output * stride + place) * block.rows + row];
                    *sum += std::mem::take(&mut state.sums[place]);
                }
            }
        }
    }

    fn walk(&self, block: &Block<'_>, row: usize, state: &mut State<N>) {
        state.path.clear();
        let mut at = 0;
        while let Some(step) = self.steps.get(at) {
            state.back_to(step.depth as usize - 1, &self.steps);
            let left = block.decisions[step.node as usize * block.rows + row];
            if !state.go(step, at as u32, left == step.left) {
                at = step.end as usize;
                continue;
            }
            if let Some(leaf) = step.leaf {
                let values = &self.values[leaf as usize * self.width..][..self.width];
                self.pay(block.layout, state, step, values);
            }
            at += 1;
        }
    }

    /// Adds what a leaf pays to the features on its path.
    fn pay(&self, layout: &Layout, state: &mut State<N>, step: &Step<N>, values: &[f64]) {
        let State { sums, products, slots, .. } = state;
        let product = &products[step.depth as usize];
        let fails = dot(product, &self.kernel.fails);
        let slots = &slots[..step.slots as usize];
        let mut put = |place: usize, part: f64| {
            for (at, value) in values.iter().enumerate() {
                sums[at * layout.stride() + place] += value * part;
            }
        };
        for (at, &(passes, last)) in slots.iter().enumerate() {
            let last = &self.steps[last as usize];
            let part = if passes { dot(product, &last.ratio) } else { fails };
            put(layout.single(last.feature), part);
            if !layout.pairs {
                continue;
            }
            let ratio = if passes { &last.ratio } else { &self.kernel.fails };
            let product = times(product, ratio);
            for &(passes, other) in &slots[..at] {
                let other = &self.steps[other as usize];
                let ratio = if passes { &other.ratio } else { &self.kernel.fails };
                put(layout.pair(last.feature, other.feature), 0.5 * dot(&product, ratio));
            }
        }
    }
}

fn step<const N: usize>(kernel: &Kernel<N>, arrow: &Arrow, end: u32) -> Step<N> {
    // A new slot passes above with the factor 1.
    let above = kernel.passing(arrow.off_above);
    let over = |factors: [f64; N]| std::array::from_fn(|at| factors[at] / above[at]);
    Step {
        node: arrow.node,
        left: u8::from(arrow.left),
        depth: arrow.depth,
        slot: arrow.slot,
        slots: arrow.slots,
        feature: arrow.feature,
        leaf: if let Child::Leaf(leaf) = arrow.child { Some(leaf) } else { None },
        repeated: arrow.repeated,
        end,
        share: arrow.share,
        off: arrow.off,
        passes: over(kernel.passing(arrow.off)),
        fails: over(kernel.failing(arrow.off)),
        ratio: kernel.ratio(arrow.off),
    }
}

impl<const N: usize> State<N> {
    fn back_to(&mut self, depth: usize, steps: &[Step<N>]) {
        while self.path.len() > depth {
            let Some((step, before)) = self.path.pop() else { break };
            self.slots[steps[step as usize].slot as usize] = before;
        }
    }

    /// Follows a step; answers whether its path has any weight.
    fn go(&mut self, step: &Step<N>, at: u32, agrees: bool) -> bool {
        let before = self.slots[step.slot as usize];
        let passed = !step.repeated || before.0;
        let passes = passed && agrees;
        if !passes && step.off <= 0.0 {
            return false;
        }
        let depth = step.depth as usize;
        let above = self.products[depth - 1];
        self.products[depth] = match (passed, passes) {
            (_, true) => times(&above, &step.passes),
            (true, false) => times(&above, &step.fails),
            (false, false) => above.map(|product| product * step.share),
        };
        self.slots[step.slot as usize] = (passes, at);
        self.path.push((at, before));
        true
    }
}
