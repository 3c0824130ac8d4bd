//! Trees as programs on bit planes.
//!
//! A list of splits sends masks of rows from each node to its children, then the masks of subtrees
//! are joined to the bits of the leaves' numbers: two operations a node and about one a leaf. A
//! complete tree needs no masks: the bit of a level is selected among the planes of its nodes by the
//! bits above, `x_j = b ? x_2j : x_2j+1`, which stays in registers.
#![allow(unsafe_code)]

use super::WORDS;

/// One question of a tree, breadth first: the rows in `mask` with the bit in `plane` go to mask
/// `2 i + 1`, the others to `2 i + 2`, where `i` counts the questions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Split {
    pub(crate) plane: u32,
    pub(crate) mask: u32,
}

/// The most levels of a complete tree.
pub(crate) const LEVELS: usize = 8;

/// A tree as operations on planes.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    form: Form,
    bits: usize,
    planes: usize,
}

#[derive(Debug, Clone)]
enum Form {
    /// Splits, and the masks that make up each bit of the leaves' numbers, up to `ends`.
    Masks { splits: Vec<Split>, joins: Vec<u32>, ends: Vec<u32> },
    /// The planes of a complete tree, level by level.
    Complete(Vec<u32>),
}

impl Program {
    /// Takes the splits and for each bit the masks whose rows have it.
    ///
    /// # Panics
    /// When a split or a join asks for a mask that no split before wrote.
    pub(crate) fn masks_of(splits: Vec<Split>, bits: &[Vec<u32>]) -> Self {
        let early = |(at, split): (usize, &Split)| split.mask as usize <= 2 * at;
        assert!(splits.iter().enumerate().all(early), "a split of a mask that is not there");
        let masks = 2 * splits.len() + 1;
        assert!(bits.iter().flatten().all(|&at| (at as usize) < masks), "a join of no mask");
        let mut ends = Vec::new();
        let joins = bits.concat();
        bits.iter().fold(0, |end, list| {
            ends.push(end + list.len() as u32);
            end + list.len() as u32
        });
        let planes = splits.iter().map(|split| split.plane as usize + 1).max().unwrap_or(0);
        Self { form: Form::Masks { splits, joins, ends }, bits: bits.len(), planes }
    }

    /// Takes the planes of a complete tree, level by level; a row's number has the lowest bit of the
    /// root, set where it goes left.
    ///
    /// # Panics
    /// When the tree is not complete or has too many levels.
    pub(crate) fn complete(nodes: Vec<u32>) -> Self {
        let bits = (nodes.len() + 1).trailing_zeros() as usize;
        assert!((nodes.len() + 1).is_power_of_two() && bits <= LEVELS, "a complete tree");
        let planes = nodes.iter().map(|&plane| plane as usize + 1).max().unwrap_or(0);
        Self { form: Form::Complete(nodes), bits, planes }
    }

    /// The bits of a leaf's number.
    pub(crate) fn bits(&self) -> usize {
        self.bits
    }

    /// The planes that it needs.
    pub(super) fn planes(&self) -> usize {
        self.planes
    }

    /// The masks that it writes.
    pub(super) fn masks(&self) -> usize {
        match &self.form {
            Form::Masks { splits, .. } => 2 * splits.len() + 1,
            Form::Complete(_) => 0,
        }
    }
}

/// Some words of a plane in a register.
///
/// # Safety
/// The functions need the instructions of the type, `load` and `store` room for its words.
pub(super) trait Lane: Copy {
    /// The words of a register.
    const WORDS: usize;
    unsafe fn load(from: *const u64) -> Self;
    unsafe fn store(self, to: *mut u64);
    unsafe fn and(self, other: Self) -> Self;
    unsafe fn and_not(self, other: Self) -> Self;
    unsafe fn or(self, other: Self) -> Self;
    /// The bits of `yes` where the bit of `self` is set, else those of `no`.
    unsafe fn select(self, yes: Self, no: Self) -> Self;
}

impl Lane for u64 {
    const WORDS: usize = 1;
    #[inline(always)]
    unsafe fn load(from: *const u64) -> Self {
        // SAFETY: the caller has a word there.
        unsafe { from.read() }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut u64) {
        // SAFETY: the caller has room for a word there.
        unsafe { to.write(self) }
    }
    #[inline(always)]
    unsafe fn and(self, other: Self) -> Self {
        self & other
    }
    #[inline(always)]
    unsafe fn and_not(self, other: Self) -> Self {
        self & !other
    }
    #[inline(always)]
    unsafe fn or(self, other: Self) -> Self {
        self | other
    }
    #[inline(always)]
    unsafe fn select(self, yes: Self, no: Self) -> Self {
        no ^ (self & (yes ^ no))
    }
}

/// Runs a program, a register of rows at a time.
///
/// # Safety
/// The processor has the lane's instructions, and the slices the lengths that the program asks.
#[inline(always)]
pub(super) unsafe fn run<L: Lane>(
    program: &Program,
    planes: &[u64],
    masks: &mut [u64],
    bits: &mut [u64],
) {
    for start in (0..WORDS).step_by(L::WORDS) {
        // SAFETY: the start is that of a register inside the planes; the rest is the caller's.
        unsafe {
            let (planes, bits) = (planes.as_ptr().add(start), bits.as_mut_ptr().add(start));
            match &program.form {
                Form::Masks { splits, joins, ends } => {
                    split::<L>(splits, planes, masks.as_mut_ptr());
                    join::<L>(joins, ends, masks.as_ptr(), bits);
                }
                Form::Complete(nodes) => select::<L>(nodes, planes, bits),
            }
        }
    }
}

/// Sends the rows of each node to its children.
#[inline(always)]
unsafe fn split<L: Lane>(splits: &[Split], planes: *const u64, masks: *mut u64) {
    // SAFETY: a program's masks and planes are counted when it is made, and the caller has them.
    unsafe {
        (0..L::WORDS).for_each(|word| masks.add(word).write(u64::MAX));
        let mut children = masks.add(L::WORDS);
        for split in splits {
            let plane = L::load(planes.add(split.plane as usize * WORDS));
            let mask = L::load(masks.add(split.mask as usize * L::WORDS));
            mask.and(plane).store(children);
            mask.and_not(plane).store(children.add(L::WORDS));
            children = children.add(2 * L::WORDS);
        }
    }
}

/// Joins the masks of each bit.
#[inline(always)]
unsafe fn join<L: Lane>(joins: &[u32], ends: &[u32], masks: *const u64, bits: *mut u64) {
    let mut begin = 0;
    for (bit, &end) in ends.iter().enumerate() {
        let list = &joins[begin..end as usize];
        begin = end as usize;
        // SAFETY: a program's joins are checked when it is made; a bit has at least one.
        unsafe {
            let mask = |at: u32| L::load(masks.add(at as usize * L::WORDS));
            let Some((&first, rest)) = list.split_first() else { continue };
            let mut all = mask(first);
            for &at in rest {
                all = all.or(mask(at));
            }
            all.store(bits.add(bit * WORDS));
        }
    }
}

/// Selects the bit of each level of a complete tree by the bits above it.
#[inline(always)]
unsafe fn select<L: Lane>(nodes: &[u32], planes: *const u64, bits: *mut u64) {
    let depth = (nodes.len() + 1).trailing_zeros() as usize;
    if depth == 0 {
        return;
    }
    // SAFETY: a program's planes are counted when it is made, and the caller has them.
    unsafe {
        let level = Nodes { nodes: nodes.as_ptr(), planes };
        let mut above = [level.plane::<L>(0); LEVELS];
        above[0].store(bits);
        macro_rules! levels {
            ($($number:literal $pick:ident)*) => { $(
                if depth > $number {
                    let first = (1 << $number) - 1;
                    above[$number] = level.$pick::<L>(first, &above, $number);
                    above[$number].store(bits.add($number * WORDS));
                }
            )* };
        }
        levels!(1 pick_1 2 pick_2 3 pick_3 4 pick_4 5 pick_5 6 pick_6 7 pick_7);
    }
}

/// The planes of a tree's nodes.
#[derive(Clone, Copy)]
struct Nodes {
    nodes: *const u32,
    planes: *const u64,
}

/// `pick_k` selects among the `2^k` nodes from `first` on by the last `k` bits above the level.
macro_rules! pick {
    ($($name:ident $half:ident $size:literal)*) => { $(
        #[inline(always)]
        unsafe fn $name<L: Lane>(self, first: usize, above: &[L; LEVELS], level: usize) -> L {
            // SAFETY: the caller's, as for `plane`.
            unsafe {
                let yes = self.$half::<L>(first, above, level);
                let no = self.$half::<L>(first + (1 << ($size - 1)), above, level);
                above[level - $size].select(yes, no)
            }
        }
    )* };
}

impl Nodes {
    /// # Safety
    /// There is such a node, and its plane.
    #[inline(always)]
    unsafe fn plane<L: Lane>(self, node: usize) -> L {
        // SAFETY: the caller's.
        unsafe { L::load(self.planes.add(*self.nodes.add(node) as usize * WORDS)) }
    }

    #[inline(always)]
    unsafe fn pick_0<L: Lane>(self, first: usize, _: &[L; LEVELS], _: usize) -> L {
        // SAFETY: the caller's.
        unsafe { self.plane::<L>(first) }
    }

    pick!(pick_1 pick_0 1 pick_2 pick_1 2 pick_3 pick_2 3 pick_4 pick_3 4);
    pick!(pick_5 pick_4 5 pick_6 pick_5 6 pick_7 pick_6 7);
}
