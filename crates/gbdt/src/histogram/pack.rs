//! Columns packed for the kernels: joint codes of few-bin columns, eight lanes a word, eight words a row.
//!
//! Columns with bins r_0, r_1, ... share a lane while the product of their bins is at most 128; the
//! joint code is `c_0 + r_0 (c_1 + r_1 (c_2 + ...))`. Three columns of 5 bins make 125 codes. A column
//! of up to 256 bins has a lane of its own; one of more keeps its 16-bit codes. Words of a row lie
//! together, 64 bytes of them, so that a node with few rows reads no byte of the others.
//! Cost: rows x columns bytes read, rows x lanes bytes kept.

use std::ops::Range;

use fattail_bins::{BinnedColumn, Codes};
use rayon::prelude::*;

use super::{
    Cell,
    kernel::{self, LANES, Rows, TILE, Tile, WORDS},
};

/// Up to this many rows, columns are counted one by one: at most [`TILE`].
const FEW: usize = 96;

/// The most joint codes of several columns.
const JOINT: usize = 128;

/// A column in a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Member {
    /// The feature.
    pub(crate) feature: usize,
    /// Its bins.
    pub(crate) bins: usize,
}

/// Columns that share a byte.
#[derive(Debug, Clone, Default)]
struct Lane {
    members: Vec<Member>,
    cells: usize,
    /// Where the bin of each member is in the lane's part of a histogram, code by code.
    places: Vec<u16>,
}

/// The columns of a word, or one of 16-bit codes, in the order of their bins in a histogram.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    lanes: Vec<Lane>,
    /// The columns.
    pub(crate) members: Vec<Member>,
    /// Bins of all of them.
    pub(crate) bins: usize,
}

/// Where the codes of some groups are.
#[derive(Debug, Clone)]
enum Codebook<'a> {
    /// As many words a row as there are groups.
    Words(Vec<u64>),
    Wide(&'a [u16]),
}

/// Groups whose codes lie together.
#[derive(Debug, Clone)]
pub(crate) struct Block<'a> {
    codebook: Codebook<'a>,
    groups: Range<usize>,
    /// Bins of all groups.
    pub(crate) bins: usize,
}

/// The columns of a tree, packed.
#[derive(Debug, Clone)]
pub(crate) struct Pack<'a> {
    /// The groups, in the order of their bins in a histogram.
    pub(crate) groups: Vec<Group>,
    /// The blocks, in the same order.
    pub(crate) blocks: Vec<Block<'a>>,
    /// Where the bins of each feature start in a node's histogram; none for features left out.
    pub(crate) starts: Vec<Option<usize>>,
    /// Bins of all columns.
    pub(crate) bins: usize,
}

impl<'a> Pack<'a> {
    /// Packs some of the features.
    pub(crate) fn new(columns: &'a [BinnedColumn], features: &[usize], rows: usize) -> Self {
        Self::reusing(columns, features, rows, &mut Vec::new())
    }

    /// Packs some of the features into words that another pack has left.
    pub(crate) fn reusing(
        columns: &'a [BinnedColumn],
        features: &[usize],
        rows: usize,
        spare: &mut Vec<Vec<u64>>,
    ) -> Self {
        let bins = |feature: usize| columns[feature].mapper.bins;
        let (wide, narrow): (Vec<usize>, Vec<usize>) =
            features.iter().partition(|&&feature| matches!(columns[feature].codes, Codes::U16(_)));
        let mut lanes = lanes(&narrow, bins);
        lanes.iter_mut().for_each(Lane::place);
        let words = lanes.len().div_ceil(LANES);
        // As even as can be: a kernel of seven and one of six lanes beat one of eight and one of five.
        let size = lanes.len().div_ceil(words.max(1)).max(1);
        let mut groups: Vec<Group> = lanes.chunks(size).map(Group::new).collect();
        let blocks = groups.chunks(WORDS).enumerate().map(|(at, groups)| Block {
            codebook: Codebook::Words(words_of(
                columns,
                groups,
                rows,
                spare.pop().unwrap_or_default(),
            )),
            groups: at * WORDS..at * WORDS + groups.len(),
            bins: groups.iter().map(|group| group.bins).sum(),
        });
        let mut blocks: Vec<Block<'a>> = blocks.collect();
        for feature in wide {
            let Codes::U16(codes) = &columns[feature].codes else { continue };
            let member = Member { feature, bins: bins(feature) };
            let at = groups.len();
            blocks.push(Block {
                codebook: Codebook::Wide(codes),
                groups: at..at + 1,
                bins: member.bins,
            });
            groups.push(Group { lanes: Vec::new(), members: vec![member], bins: member.bins });
        }
        let (mut starts, mut at) = (vec![None; columns.len()], 0);
        for member in groups.iter().flat_map(|group| &group.members) {
            starts[member.feature] = Some(at);
            at += member.bins;
        }
        Self { groups, blocks, starts, bins: at }
    }

    /// The memory of the words.
    pub(crate) fn into_words(self) -> impl Iterator<Item = Vec<u64>> {
        // The first block takes the last ones.
        self.blocks.into_iter().rev().filter_map(|block| match block.codebook {
            Codebook::Words(words) => Some(words),
            Codebook::Wide(_) => None,
        })
    }

    /// Bytes that packing columns with so many bins takes.
    pub(crate) fn bytes(bins: impl Iterator<Item = usize>, rows: usize) -> usize {
        let bins: Vec<usize> = bins.filter(|&bins| bins <= 256).collect();
        let features: Vec<usize> = (0..bins.len()).collect();
        let lanes = lanes(&features, |feature| bins[feature]).len();
        lanes.div_ceil(LANES) * 8 * rows
    }
}

/// Puts features into lanes: those of similar width share best, for narrow ones would fill up lanes of
/// wide ones.
fn lanes(features: &[usize], bins: impl Fn(usize) -> usize) -> Vec<Lane> {
    let mut lanes: Vec<Lane> = Vec::new();
    let mut order: Vec<usize> = features.to_vec();
    order.sort_by_key(|&feature| bins(feature).next_power_of_two());
    for feature in order {
        let member = Member { feature, bins: bins(feature) };
        match lanes.last_mut() {
            Some(lane) if lane.cells * member.bins <= JOINT => {
                lane.cells *= member.bins;
                lane.members.push(member);
            }
            _ => lanes.push(Lane { members: vec![member], cells: member.bins, places: Vec::new() }),
        }
    }
    lanes
}

/// The words of some groups, row by row, in place of `words`.
fn words_of(
    columns: &[BinnedColumn],
    groups: &[Group],
    rows: usize,
    mut words: Vec<u64>,
) -> Vec<u64> {
    let width = groups.len();
    let length = rows * width;
    // Growing would take more than that.
    if words.capacity() < length {
        words = Vec::with_capacity(length);
    }
    words.resize(length, 0);
    words.par_chunks_mut(width * TILE).enumerate().for_each(|(tile, words)| {
        let mut codes = [0u8; TILE];
        let codes = &mut codes[..words.len() / width];
        for (at, group) in groups.iter().enumerate() {
            for (lane, shift) in group.lanes.iter().zip((0..).step_by(8)) {
                lane.codes(columns, tile * TILE, codes);
                for (word, &code) in words[at..].iter_mut().step_by(width).zip(&*codes) {
                    let code = u64::from(code) << shift;
                    *word = if shift == 0 { code } else { *word | code };
                }
            }
        }
    });
    words
}

impl Group {
    fn new(lanes: &[Lane]) -> Self {
        let members: Vec<Member> = lanes.iter().flat_map(|lane| lane.members.clone()).collect();
        let bins = members.iter().map(|member| member.bins).sum();
        Self { lanes: lanes.to_vec(), members, bins }
    }
}

impl Lane {
    /// Fills in the places.
    fn place(&mut self) {
        for code in 0..self.cells {
            let (mut rest, mut start) = (code, 0);
            for member in &self.members {
                self.places.push((start + rest % member.bins) as u16);
                rest /= member.bins;
                start += member.bins;
            }
        }
    }

    /// The joint codes of the rows from `start` on.
    fn codes(&self, columns: &[BinnedColumn], start: usize, out: &mut [u8]) {
        out.fill(0);
        for member in self.members.iter().rev() {
            let Codes::U8 { values, start: first } = &columns[member.feature].codes else {
                unreachable!("columns of 16-bit codes have no lane")
            };
            let values = &values[first + start..][..out.len()];
            // A lane of one column may have 256 bins; its factor does not count.
            let bins = member.bins as u8;
            for (code, &value) in out.iter_mut().zip(values) {
                *code = code.wrapping_mul(bins).wrapping_add(value);
            }
        }
    }
}

impl Block<'_> {
    /// Adds rows to the histogram of the block's columns. `groups` are those of the pack.
    pub(crate) fn build<C: Cell>(
        &self,
        groups: &[Group],
        rows: Rows<'_>,
        gradients: &[C],
        histogram: &mut [C],
    ) {
        match &self.codebook {
            Codebook::Wide(codes) => kernel::accumulate_wide(codes, rows, gradients, histogram),
            Codebook::Words(words) => {
                let groups = &groups[self.groups.clone()];
                let lanes = groups.iter().flat_map(|group| &group.lanes);
                if gradients.len() <= FEW {
                    build_few(groups, words, rows, gradients, histogram);
                } else if lanes.map(|lane| lane.cells).max().unwrap_or(0) <= 128 {
                    build::<C, 128>(groups, words, rows, gradients, histogram);
                } else {
                    build::<C, 256>(groups, words, rows, gradients, histogram);
                }
            }
        }
    }
}

/// Adds a tile's worth of rows, or less, to the histograms of single columns: joint ones would cost more
/// to clear and to take apart than they save.
fn build_few<C: Cell>(
    groups: &[Group],
    words: &[u64],
    rows: Rows<'_>,
    gradients: &[C],
    mut histogram: &mut [C],
) {
    kernel::with_tile(|tile| {
        let count = gradients.len();
        gather(groups.len(), words, rows, count, tile);
        for (group, words) in groups.iter().zip(&*tile) {
            for (lane, shift) in group.lanes.iter().zip((0..).step_by(8)) {
                let bins = lane.members.iter().map(|member| member.bins).sum();
                let (own, rest) = std::mem::take(&mut histogram).split_at_mut(bins);
                lane.add(&words[..count], shift, gradients, own);
                histogram = rest;
            }
        }
    });
}

impl Lane {
    /// Adds rows to the histograms of the members. The lane's codes are `shift` bits up in the words.
    fn add<C: Cell>(&self, words: &[u64], shift: u32, gradients: &[C], histogram: &mut [C]) {
        match self.members.len() {
            1 => self.add_to::<C, 1>(words, shift, gradients, histogram),
            2 => self.add_to::<C, 2>(words, shift, gradients, histogram),
            3 => self.add_to::<C, 3>(words, shift, gradients, histogram),
            4 => self.add_to::<C, 4>(words, shift, gradients, histogram),
            5 => self.add_to::<C, 5>(words, shift, gradients, histogram),
            6 => self.add_to::<C, 6>(words, shift, gradients, histogram),
            _ => self.add_to::<C, 7>(words, shift, gradients, histogram),
        }
    }

    #[inline(always)]
    fn add_to<C: Cell, const M: usize>(
        &self,
        words: &[u64],
        shift: u32,
        gradients: &[C],
        histogram: &mut [C],
    ) {
        let (places, _) = self.places.as_chunks::<M>();
        for (&word, &gradient) in words.iter().zip(gradients) {
            for &place in &places[usize::from((word >> shift) as u8)] {
                histogram[usize::from(place)].add(gradient);
            }
        }
    }
}

/// Fills joint histograms tile by tile and takes those of the single columns from them.
fn build<C: Cell, const S: usize>(
    groups: &[Group],
    words: &[u64],
    rows: Rows<'_>,
    gradients: &[C],
    mut histogram: &mut [C],
) {
    C::with_scratch(groups.len() * LANES * S, |scratch| {
        let (cells, _) = scratch.as_chunks_mut::<S>();
        let (cells, _) = cells.as_chunks_mut::<LANES>();
        for (group, cells) in groups.iter().zip(&mut *cells) {
            let lanes = group.lanes.iter().zip(cells);
            lanes.for_each(|(lane, cells)| cells[..lane.cells].fill(C::default()));
        }
        kernel::with_tile(|tile| {
            for (at, gradients) in gradients.chunks(TILE).enumerate() {
                let count = gradients.len();
                gather(groups.len(), words, rows.part(at * TILE, count), count, tile);
                for ((group, words), cells) in groups.iter().zip(&*tile).zip(&mut *cells) {
                    accumulate(group.lanes.len(), &words[..count], gradients, cells);
                }
            }
        });
        for (group, cells) in groups.iter().zip(cells) {
            for (lane, cells) in group.lanes.iter().zip(cells) {
                let bins = lane.members.iter().map(|member| member.bins).sum();
                let (own, rest) = std::mem::take(&mut histogram).split_at_mut(bins);
                marginalise(&lane.members, &mut cells[..lane.cells], own);
                histogram = rest;
            }
        }
    });
}

fn gather(width: usize, words: &[u64], rows: Rows<'_>, count: usize, tile: &mut Tile) {
    match width {
        1 => kernel::gather::<1>(words, rows, count, tile),
        2 => kernel::gather::<2>(words, rows, count, tile),
        3 => kernel::gather::<3>(words, rows, count, tile),
        4 => kernel::gather::<4>(words, rows, count, tile),
        5 => kernel::gather::<5>(words, rows, count, tile),
        6 => kernel::gather::<6>(words, rows, count, tile),
        7 => kernel::gather::<7>(words, rows, count, tile),
        _ => kernel::gather::<8>(words, rows, count, tile),
    }
}

fn accumulate<C: Cell, const S: usize>(
    lanes: usize,
    words: &[u64],
    gradients: &[C],
    cells: &mut [[C; S]; LANES],
) {
    match lanes {
        1 => first::<C, 1, S>(words, gradients, cells),
        2 => first::<C, 2, S>(words, gradients, cells),
        3 => first::<C, 3, S>(words, gradients, cells),
        4 => first::<C, 4, S>(words, gradients, cells),
        5 => first::<C, 5, S>(words, gradients, cells),
        6 => first::<C, 6, S>(words, gradients, cells),
        7 => first::<C, 7, S>(words, gradients, cells),
        _ => first::<C, 8, S>(words, gradients, cells),
    }
}

/// The kernel on the first `L` lanes.
#[inline(always)]
fn first<C: Cell, const L: usize, const S: usize>(
    words: &[u64],
    gradients: &[C],
    cells: &mut [[C; S]; LANES],
) {
    if let Some(cells) = cells.first_chunk_mut::<L>() {
        kernel::accumulate(words, gradients, cells);
    }
}

/// Adds the sums of a joint histogram over all columns but one, for each column in turn.
fn marginalise<C: Cell>(members: &[Member], mut cells: &mut [C], mut histogram: &mut [C]) {
    for member in members {
        let (own, rest) = histogram.split_at_mut(member.bins);
        let others = cells.len() / member.bins;
        for other in 0..others {
            let mut sum = C::default();
            for (bin, slot) in own.iter_mut().enumerate() {
                let cell = cells[other * member.bins + bin];
                slot.add(cell);
                sum.add(cell);
            }
            // Reading is ahead of writing: the cells before `other * bins` are done with.
            cells[other] = sum;
        }
        cells = &mut cells[..others];
        histogram = rest;
    }
}
