//! The inner loops: rows into joint histograms.
//!
//! A word holds up to eight lanes of one byte, a lane the joint code of one or several columns. For
//! every lane `l` of row `i`: `histogram[l][code_l(i)] += gradient(i)`. Eight independent adds a word
//! hide each other's latency, and a joint code of three columns of 5 bins makes one add do the work of
//! three. Masks and array sizes let the compiler drop the bounds checks.
//!
//! Rows come in tiles: the words of a tile are brought together first, so that misses overlap, and lie
//! in the cache when their histograms are built, one word after the other.
//! Cost: one add for each row and lane.

use std::cell::RefCell;

use super::Cell;

/// Lanes of a word.
pub(crate) const LANES: usize = 8;

/// Words of a row that lie together: a cache line.
pub(crate) const WORDS: usize = 8;

/// Rows of a tile: its words and the histogram of one of them fit the second cache.
pub(crate) const TILE: usize = 1024;

/// The rows of a node: all from a position on, in order, or some, by their positions.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Rows<'a> {
    /// All of them from a position on.
    From(usize),
    /// Those at these positions.
    At(&'a [u32]),
}

impl<'a> Rows<'a> {
    /// The rows from `start` on, `length` of them.
    pub(crate) fn part(self, start: usize, length: usize) -> Self {
        match self {
            Self::From(first) => Self::From(first + start),
            Self::At(rows) => Self::At(&rows[start..start + length]),
        }
    }
}

/// The words of a tile, word by word.
pub(crate) type Tile = [[u64; TILE]; WORDS];

/// Lends the thread's tile, with whatever is in it.
pub(crate) fn with_tile<T>(with: impl FnOnce(&mut Tile) -> T) -> T {
    thread_local! {
        static SCRATCH: RefCell<Box<Tile>> = RefCell::new(Box::new([[0; TILE]; WORDS]));
    }
    SCRATCH.with_borrow_mut(|tile| with(tile))
}

/// Brings the words of up to [`TILE`] rows together. `words` holds `W` of them a row.
#[inline(never)]
pub(crate) fn gather<const W: usize>(words: &[u64], rows: Rows<'_>, count: usize, tile: &mut Tile) {
    let (words, _) = words.as_chunks::<W>();
    match rows {
        Rows::From(start) => {
            for (at, row) in words[start..start + count].iter().enumerate() {
                put(row, at, tile);
            }
        }
        Rows::At(rows) => {
            for (at, &row) in rows.iter().enumerate().take(count) {
                put(&words[row as usize], at, tile);
            }
        }
    }
}

#[inline(always)]
fn put<const W: usize>(row: &[u64; W], at: usize, tile: &mut Tile) {
    for (slots, &word) in tile.iter_mut().zip(row) {
        slots[at & (TILE - 1)] = word;
    }
}

/// Adds rows to the histograms of `L` lanes of `S` cells.
#[inline(never)]
pub(crate) fn accumulate<C: Cell, const L: usize, const S: usize>(
    words: &[u64],
    gradients: &[C],
    histogram: &mut [[C; S]; L],
) {
    for (&word, &gradient) in words.iter().zip(gradients) {
        for lane in 0..L {
            histogram[lane][(word >> (8 * lane)) as usize & (S - 1)].add(gradient);
        }
    }
}

/// Adds rows to the histogram of one column of 16-bit codes.
pub(crate) fn accumulate_wide<C: Cell>(
    codes: &[u16],
    rows: Rows<'_>,
    gradients: &[C],
    histogram: &mut [C],
) {
    match rows {
        Rows::From(start) => {
            for (&code, &gradient) in codes[start..].iter().zip(gradients) {
                histogram[usize::from(code)].add(gradient);
            }
        }
        Rows::At(rows) => {
            for (&row, &gradient) in rows.iter().zip(gradients) {
                histogram[usize::from(codes[row as usize])].add(gradient);
            }
        }
    }
}
