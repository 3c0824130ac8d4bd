//! A wave of text, read in parallel: chunks begin where a line does, and where that was not where a record
//! does, the chunk is read again.

use fattail_mend::{Block, Reader};
use rayon::prelude::*;

/// Chunks are not smaller than this.
const CHUNK: usize = 1 << 20;
/// So many chunks a thread even the work out.
const CHUNKS_A_THREAD: usize = 4;

/// What was read from a wave.
pub(crate) struct Wave {
    pub(crate) blocks: Vec<Block>,
    /// The refused rows as they are, end to end.
    pub(crate) aside: Vec<u8>,
    /// Where the next record begins.
    pub(crate) end: usize,
    /// Whether the file ends there.
    pub(crate) last: bool,
}

impl Wave {
    /// Reads the records that begin in `text[..limit]`.
    pub(crate) fn read(reader: &Reader<'_>, text: &[u8], limit: usize, last: bool) -> Self {
        let blocks = read(reader, text, limit, last);
        let refused = blocks.iter().flat_map(|block| &block.refused);
        let aside =
            refused.flat_map(|refused| &text[refused.start..refused.next]).copied().collect();
        let end = blocks.last().map_or(0, |block| block.next);
        Self { blocks, aside, end, last }
    }
}

/// Reads the records that begin in `text[..limit]`, in order.
fn read(reader: &Reader<'_>, text: &[u8], limit: usize, last: bool) -> Vec<Block> {
    let starts = starts(reader, text, limit);
    let read = |(start, end): (usize, usize)| reader.read(text, start..end, last);
    let ranges: Vec<(usize, usize)> =
        starts.iter().copied().zip(starts[1..].iter().copied().chain([limit])).collect();
    let mut blocks: Vec<Block> =
        ranges.par_iter().with_max_len(1).map(|&range| read(range)).collect();
    for at in 1..blocks.len() {
        let start = blocks[at - 1].next;
        if start != ranges[at].0 {
            blocks[at] = read((start, ranges[at].1.max(start)));
        }
    }
    blocks
}

/// Where chunks begin: behind a record end, if no quote is open there.
fn starts(reader: &Reader<'_>, text: &[u8], limit: usize) -> Vec<usize> {
    let chunks = (limit / CHUNK).clamp(1, CHUNKS_A_THREAD * rayon::current_num_threads());
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
        let layout = detect(&text[..100_000], &[], &Known::default());
        let (dialect, columns) = (&layout.dialect, &layout.columns[..]);
        let reader =
            Reader { dialect, columns, policy: Policy::repair(), declared: false, texts: false };
        let body = &text[layout.body..];
        let blocks = read(&reader, body, body.len(), true);
        assert!(blocks.len() > 1);
        assert_eq!(blocks.iter().map(|block| block.rows).sum::<usize>(), 150_000);
        let whole = reader.read(body, 0..body.len(), true);
        let joined: Vec<_> =
            blocks.iter().flat_map(|block| block.notes.len().to_be_bytes()).collect();
        assert!(joined.iter().all(|&byte| byte == 0) && whole.notes.is_empty());
        assert_eq!(blocks.iter().map(|block| block.lines).sum::<u64>(), whole.lines);
    }
}
