//! Where the cells of rows lie: in the text as it stands, or in a side store where the text of a cell
//! had to be put together.

/// A cell, by its first byte and the one behind its last. Places behind the end of the text lie in the
/// side store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cell {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

/// A table of cells, row by row.
#[derive(Debug, Default)]
pub(crate) struct Cells {
    pub(crate) places: Vec<Cell>,
    side: Vec<u8>,
}

/// Texts are cut into pieces that 32 bits can point into.
pub(crate) fn place(at: usize) -> u32 {
    u32::try_from(at).expect("texts are read in pieces of less than 4 GiB")
}

impl Cells {
    pub(crate) fn clear(&mut self) {
        self.places.clear();
        self.side.clear();
    }

    #[inline]
    pub(crate) fn push(&mut self, start: usize, end: usize) {
        self.places.push(Cell { start: start as u32, end: end as u32 });
    }

    /// Adds a cell whose bytes are not in the text, which is `length` bytes long.
    pub(crate) fn push_side(&mut self, length: usize, bytes: &[u8]) {
        let start = length + self.side.len();
        self.side.extend_from_slice(bytes);
        self.places.push(Cell { start: place(start), end: place(length + self.side.len()) });
    }

    /// The bytes of a cell of a text.
    #[inline]
    pub(crate) fn bytes<'a>(&'a self, text: &'a [u8], cell: Cell) -> &'a [u8] {
        let (start, end) = (cell.start as usize, cell.end as usize);
        match text.get(start..end) {
            Some(bytes) => bytes,
            None => &self.side[start - text.len()..end - text.len()],
        }
    }
}
