//! Kernels on bit planes: one bit a row, 64 rows a word, in blocks of [`BLOCK`] rows.
//!
//! `below` asks `code < limit` of every row, `member` asks whether a code is in a set, `split` sends
//! the rows of a node to its children, `join` collects the bits of the leaves' numbers, `spread`
//! turns bit planes into one byte a row, `add` looks the leaves' values up. Sums keep the order of the trees, so
//! every level gives the same bits.
//!
//! Unsafe: intrinsics behind run-time detection, and indices that the plan has checked once instead
//! of every row again.
#![allow(unsafe_code)]

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod program;
mod ranks;

pub(crate) use program::{LEVELS, Program, Split};
pub(crate) use ranks::Ranks;

/// Rows of a block.
pub(crate) const BLOCK: usize = 1024;
/// Words of a plane.
pub(crate) const WORDS: usize = BLOCK / 64;

/// What the processor can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    /// Nothing special.
    Scalar,
    /// AVX2.
    Avx2,
    /// AVX-512 with byte operations.
    Avx512,
}

impl Level {
    /// The levels of this processor, the best one last.
    pub(crate) fn available() -> Vec<Self> {
        let mut levels = vec![Self::Scalar];
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx2") {
                levels.push(Self::Avx2);
            }
            if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw") {
                levels.push(Self::Avx512);
            }
        }
        levels
    }

    /// The best level of this processor.
    pub(crate) fn best() -> Self {
        Self::available().last().copied().unwrap_or(Self::Scalar)
    }
}

/// Calls a kernel of a level. A level other than scalar exists only where [`Level::available`]
/// found its instructions, which is what the intrinsics ask.
macro_rules! dispatch {
    ($level:expr, $name:ident($($argument:expr),*)) => {
        match $level {
            Level::Scalar => scalar::$name($($argument),*),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the level was detected.
            Level::Avx2 => unsafe { avx2::$name($($argument),*) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the level was detected.
            Level::Avx512 => unsafe { avx512::$name($($argument),*) },
            #[cfg(not(target_arch = "x86_64"))]
            _ => scalar::$name($($argument),*),
        }
    };
}

/// Sets the bit of every row whose code is below `limit`.
pub(crate) fn below(level: Level, codes: &[u8], limit: u16, plane: &mut [u64]) {
    debug_assert_eq!(codes.len(), plane.len() * 64);
    match limit {
        0 => plane.fill(0),
        256.. => plane.fill(u64::MAX),
        _ => dispatch!(level, below(codes, (limit - 1) as u8, plane)),
    }
}

/// Asks for bytes that are read soon: a column is a new place in memory, which the processor does not
/// foresee.
pub(crate) fn fetch(bytes: &[u8]) {
    #[cfg(target_arch = "x86_64")]
    for line in bytes.chunks(64) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: every x86-64 processor has it, and it reads nothing.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = bytes;
}

/// Sets the bit of every row whose code is in `set`.
pub(crate) fn member(codes: &[u8], set: &[u64; 4], plane: &mut [u64]) {
    for (word, codes) in plane.iter_mut().zip(codes.chunks_exact(64)) {
        let bit = |code: u8| set[usize::from(code >> 6)] >> (code & 63) & 1;
        *word = codes.iter().rev().fold(0, |word, &code| word << 1 | bit(code));
    }
}

/// Writes for each value the number of thresholds below it.
pub(crate) fn rank(level: Level, ranks: &Ranks, values: &[f32], out: &mut [u32]) {
    debug_assert_eq!(values.len(), out.len());
    dispatch!(level, rank(ranks, values, out));
}

/// Turns up to eight planes, lowest bit first, into a byte a row.
pub(crate) fn spread(level: Level, planes: &[&[u64]], out: &mut [u8]) {
    assert!(planes.len() <= 8 && planes.iter().all(|plane| plane.len() * 64 == out.len()));
    dispatch!(level, spread(planes, out));
}

/// Adds the values of some trees to the rows' sums, tree by tree: `numbers` holds [`BLOCK`] bytes a
/// tree, `tables` the values by number, `out` every `stride`-th value of the rows.
///
/// # Panics
/// When a table does not have 256 entries and an index is beyond it, as indexing a slice does.
pub(crate) fn add(tables: &[&[f64]], numbers: &[u8], out: &mut [f64], stride: usize) {
    let mut done = 0;
    while tables.len() - done >= 8 {
        add_some::<8>(&tables[done..], &numbers[done * BLOCK..], out, stride);
        done += 8;
    }
    while done < tables.len() {
        add_some::<1>(&tables[done..], &numbers[done * BLOCK..], out, stride);
        done += 1;
    }
}

/// Rows whose sums grow side by side, so that no addition waits for the one before.
const ABREAST: usize = 4;

#[inline(always)]
fn add_some<const TREES: usize>(tables: &[&[f64]], numbers: &[u8], out: &mut [f64], stride: usize) {
    let rows = out.len().div_ceil(stride);
    assert!(numbers.len() >= TREES * BLOCK && rows <= BLOCK);
    let tables: [&[f64]; TREES] = std::array::from_fn(|at| tables[at]);
    // SAFETY: the row is below BLOCK and there are BLOCK numbers a tree; the plan fills a table up
    // to the power of two that its bits can reach.
    let value = |tree: usize, row: usize| unsafe {
        let number = usize::from(*numbers.get_unchecked(tree * BLOCK + row));
        debug_assert!(number < tables[tree].len());
        *tables[tree].get_unchecked(number)
    };
    let mut row = 0;
    if stride == 1 {
        for sums in out.chunks_exact_mut(ABREAST) {
            let mut total: [f64; ABREAST] = std::array::from_fn(|lane| sums[lane]);
            for tree in 0..TREES {
                (0..ABREAST).for_each(|lane| total[lane] += value(tree, row + lane));
            }
            sums.copy_from_slice(&total);
            row += ABREAST;
        }
    }
    for sum in out[row * stride..].iter_mut().step_by(stride) {
        *sum = (0..TREES).fold(*sum, |sum, tree| sum + value(tree, row));
        row += 1;
    }
}

/// A node of a walk; a leaf points to itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step {
    /// Where the codes of the column begin.
    pub(crate) codes: u32,
    /// Codes below it go to the first child.
    pub(crate) limit: u32,
    pub(crate) next: [u32; 2],
}

/// The leaf of each row: where the walk from step 0 ends. Steps from `leaves` on are leaves.
///
/// # Panics
/// When the codes are fewer than the steps ask for.
pub(crate) fn walk(steps: &[Step], leaves: usize, codes: &[u8], out: &mut [u32]) {
    debug_assert!(steps.iter().all(|step| {
        step.codes as usize + BLOCK <= codes.len()
            && step.next.iter().all(|&next| (next as usize) < steps.len())
    }));
    const LANES: usize = 8;
    assert!(out.len().is_multiple_of(LANES) && out.len() <= BLOCK);
    for (group, out) in out.chunks_exact_mut(LANES).enumerate() {
        let mut at = [0u32; LANES];
        while at.iter().any(|&at| (at as usize) < leaves) {
            for (lane, at) in at.iter_mut().enumerate() {
                // SAFETY: the plan made the steps: children are steps, codes are columns of a block.
                unsafe {
                    let step = steps.get_unchecked(*at as usize);
                    let code = *codes.get_unchecked(step.codes as usize + group * LANES + lane);
                    *at = *step.next.get_unchecked(usize::from(u32::from(code) >= step.limit));
                }
            }
        }
        for (out, at) in out.iter_mut().zip(at) {
            *out = at - leaves as u32;
        }
    }
}

/// Runs a tree on all rows of a block: `bits` takes the planes of the leaves' numbers, lowest bit
/// first. `masks` is scratch.
///
/// # Panics
/// When `bits` or `planes` are too short.
pub(crate) fn run(
    level: Level,
    program: &Program,
    planes: &[u64],
    masks: &mut Vec<u64>,
    bits: &mut [u64],
) {
    assert!(planes.len() >= program.planes() * WORDS, "the planes of the program");
    assert!(bits.len() >= program.bits() * WORDS, "room for the bits");
    if masks.len() < program.masks() * WORDS {
        masks.resize(program.masks() * WORDS, 0);
    }
    dispatch!(level, run(program, planes, masks, bits));
}

/// A node for single rows, in 16 bytes: the left child is at `first`, the right one beside it. A leaf
/// has an infinite threshold and itself as first child.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Flat {
    pub(crate) threshold: f64,
    /// The feature, and at the highest bit whether NaN goes right.
    pub(crate) asked: u32,
    pub(crate) first: u32,
}

/// The bit of [`Flat::asked`] that sends NaN right.
pub(crate) const NAN_RIGHT: u32 = 1 << 31;
/// Trees that go down together.
pub(crate) const TOGETHER: usize = 8;

/// Goes from some nodes down to leaves, all of them a step at a time: while one waits for memory, the
/// others step.
pub(crate) fn descend<const NAN: bool>(nodes: &[Flat], row: &[f64], at: &mut [u32; TOGETHER]) {
    debug_assert!(nodes.iter().all(|node| {
        ((node.asked & !NAN_RIGHT) as usize) < row.len() && (node.first as usize) < nodes.len()
    }));
    let mut moved = true;
    while moved {
        moved = false;
        for at in at.iter_mut() {
            // SAFETY: the layout made the nodes: children are nodes, features those of the forest,
            // whose number the row has.
            let (node, x) = unsafe {
                let node = nodes.get_unchecked(*at as usize);
                (node, *row.get_unchecked((node.asked & !NAN_RIGHT) as usize))
            };
            let mut right = x > node.threshold;
            if NAN {
                right |= x.is_nan() & (node.asked & NAN_RIGHT != 0);
            }
            let next = node.first + u32::from(right);
            moved |= next != *at;
            *at = next;
        }
    }
}

/// The twins without intrinsics.
mod scalar {
    use super::{Program, Ranks, program};

    pub(super) fn below(codes: &[u8], last: u8, plane: &mut [u64]) {
        for (word, codes) in plane.iter_mut().zip(codes.chunks_exact(64)) {
            *word = codes.iter().rev().fold(0, |word, &code| word << 1 | u64::from(code <= last));
        }
    }

    pub(super) fn rank(ranks: &Ranks, values: &[f32], out: &mut [u32]) {
        for (out, &value) in out.iter_mut().zip(values) {
            *out = ranks.of(value);
        }
    }

    pub(super) fn run(program: &Program, planes: &[u64], masks: &mut [u64], bits: &mut [u64]) {
        // SAFETY: `super::run` asked for the lengths.
        unsafe { program::run::<u64>(program, planes, masks, bits) }
    }

    pub(super) fn spread(planes: &[&[u64]], out: &mut [u8]) {
        out.fill(0);
        for (bit, plane) in planes.iter().enumerate() {
            for (word, out) in plane.iter().zip(out.chunks_exact_mut(64)) {
                for (row, out) in out.iter_mut().enumerate() {
                    *out |= ((word >> row & 1) << bit) as u8;
                }
            }
        }
    }
}
