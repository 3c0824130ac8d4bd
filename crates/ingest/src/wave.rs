//! A wave of text, read in parallel: chunks begin where a line does, and where that was not where a record
//! does, the chunk is read again.

use fattail_mend::{Block, Reader};
use rayon::prelude::*;

use crate::footer;

/// Chunks are not smaller than this.
const CHUNK: usize = 1 << 20;
/// So many chunks at most: enough to even the work out. They do not go by the number of threads, because
/// the pages of the output end where chunks do.
const MOST_CHUNKS: usize = 16;

/// A stretch of text, from a record's beginning.
#[derive(Clone, Copy)]
pub(crate) struct Stretch<'a> {
    pub(crate) text: &'a [u8],
    /// Records that begin before this are read.
    pub(crate) limit: usize,
    /// Whether the file ends where the text does.
    pub(crate) last: bool,
    /// Whether it begins within a row that is too long.
    pub(crate) open: bool,
    /// Where the lines at its end begin that are none of the table, where that is given.
    pub(crate) footer: Option<usize>,
    /// Whether there is text before it, and whether there was a row.
    pub(crate) begun: bool,
    pub(crate) rows: bool,
}

/// What was read from a wave.
pub(crate) struct Wave {
    pub(crate) blocks: Vec<Block>,
    /// The refused rows as they are, end to end.
    pub(crate) aside: Vec<u8>,
    /// Where the next record begins; before the limit where the rows took too much memory.
    pub(crate) end: usize,
    /// Whether what follows belongs to a row that is too long.
    pub(crate) open: bool,
    /// Whether the file ends there.
    pub(crate) last: bool,
    /// Bytes of text that the next wave has.
    pub(crate) next: usize,
}

impl Wave {
    /// Reads the records that begin in a stretch.
    pub(crate) fn read(reader: &Reader<'_>, stretch: Stretch<'_>) -> Self {
        let Stretch { text, last, open, footer, begun, rows, .. } = stretch;
        let end = footer.unwrap_or(text.len());
        let table = Stretch { text: &text[..end], limit: stretch.limit.min(end), ..stretch };
        let mut blocks = read(reader, table);
        let last = last && blocks.last().is_none_or(|block| block.next >= end);
        if let (true, Some(block)) = (last, blocks.last_mut()) {
            footer::add(block, text, reader.dialect.ends.byte(), end);
        }
        if last && footer.is_none() && (rows || blocks.iter().any(|block| block.rows > 0)) {
            footer::find(&mut blocks, text, begun);
        }
        let ranges = blocks.iter().flat_map(|block| &block.aside);
        let aside = ranges.flat_map(|range| &text[range.clone()]).copied().collect();
        let (end, open) = blocks.last().map_or((0, open), |block| (block.next, block.open));
        Self { blocks, aside, end, open, last, next: 0 }
    }

    /// Bytes of memory that its rows and notes take, about.
    pub(crate) fn memory(&self) -> usize {
        self.blocks.iter().map(Block::memory).sum()
    }
}

/// Reads the records that begin in a stretch, in order, and ends where those of a chunk take more memory than is
/// its part.
fn read(reader: &Reader<'_>, stretch: Stretch<'_>) -> Vec<Block> {
    let Stretch { text, limit, last, open, .. } = stretch;
    let starts = starts(reader, text, limit);
    let reader = Reader { memory: reader.memory / starts.len(), ..*reader };
    let read = |(start, end): (usize, usize), open| reader.read_on(text, start..end, last, open);
    let ranges: Vec<(usize, usize)> =
        starts.iter().copied().zip(starts[1..].iter().copied().chain([limit])).collect();
    let mut blocks: Vec<Block> =
        ranges.par_iter().with_max_len(1).map(|&range| read(range, open && range.0 == 0)).collect();
    for at in 1..blocks.len() {
        let (start, open) = (blocks[at - 1].next, blocks[at - 1].open);
        if start < ranges[at - 1].1 {
            blocks.truncate(at);
            break;
        }
        if open || start != ranges[at].0 {
            blocks[at] = read((start, ranges[at].1.max(start)), open);
        }
    }
    blocks
}

/// Where chunks begin: behind a record end, if no quote is open there.
fn starts(reader: &Reader<'_>, text: &[u8], limit: usize) -> Vec<usize> {
    let chunks = (limit / CHUNK).clamp(1, MOST_CHUNKS);
    let mut starts = vec![0];
    for at in 1..chunks {
        let target = limit / chunks * at;
        let end = memchr::memchr(reader.dialect.ends.byte(), &text[target..limit]);
        let Some(start) = end.map(|end| target + end + 1) else { break };
        if starts.last().is_some_and(|&last| start > last) && start < limit {
            starts.push(start);
        }
    }
    starts
}

#[cfg(test)]
mod tests {
    use fattail_mend::{Known, Policy, detect};

    use super::*;

    #[test]
    fn lines_inside_of_quotes_do_not_begin_records() {
        let mut text = b"id,note,size\n".to_vec();
        for row in 0..150_000 {
            let note = if row % 3 == 0 { "\"two\nlines, \"\"quoted\"\"\"" } else { "one" };
            text.extend_from_slice(format!("{row},{note},{}\n", row * 7).as_bytes());
        }
        let layout = detect(&text[..100_000], &[], &Known::default()).unwrap();
        let (dialect, columns) = (&layout.dialect, &layout.columns[..]);
        let reader =
            Reader { dialect, columns, policy: Policy::repair(), texts: false, memory: usize::MAX };
        let body = &text[layout.body..];
        let (limit, footer) = (body.len(), None);
        let (open, begun, rows) = (false, false, false);
        let stretch = Stretch { text: body, limit, last: true, open, footer, begun, rows };
        let blocks = read(&reader, stretch);
        assert!(blocks.len() > 1);
        assert_eq!(blocks.iter().map(|block| block.rows).sum::<usize>(), 150_000);
        let whole = reader.read(body, 0..body.len(), true);
        let joined: Vec<_> =
            blocks.iter().flat_map(|block| block.notes.len().to_be_bytes()).collect();
        assert!(joined.iter().all(|&byte| byte == 0) && whole.notes.is_empty());
        assert_eq!(blocks.iter().map(|block| block.lines).sum::<u64>(), whole.lines);
    }
}
