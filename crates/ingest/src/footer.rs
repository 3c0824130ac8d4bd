//! Lines below the table: as many as are given, or those at the end of the file that are no rows.

use fattail_mend::{Block, Note, Refused, Rule};
use memchr::memrchr;

/// More lines than this at the end are no footer: something is wrong with them.
const MOST_LINES: usize = 64;

/// Where the last `lines` lines of a text begin; none where it does not have so many.
pub(crate) fn begin(text: &[u8], ends: u8, lines: usize) -> Option<usize> {
    let mut at = text.len();
    for _ in 0..lines {
        let before = &text[..at.checked_sub(1)?];
        at = memrchr(ends, before).map_or(0, |end| end + 1);
    }
    Some(at)
}

/// Adds the lines from `start` on, which are known to be none of the table, to the block before them.
pub(crate) fn add(block: &mut Block, text: &[u8], ends: u8, mut start: usize) {
    for line in text[start..].split_inclusive(|&byte| byte == ends) {
        block.add(Note::whole(Rule::Footer, block.lines, start as u64, line));
        block.lines += 1;
        block.aside.push(start..start + line.len());
        start += line.len();
    }
    block.next = start;
}

/// Takes refused rows at the end of the file, behind which no row comes, for lines below the table. `more` says
/// that there is text before this one: what goes on there is not known to be a footer.
pub(crate) fn find(blocks: &mut [Block], text: &[u8], more: bool) {
    let mut found: Vec<(usize, Refused)> = Vec::new();
    let all = blocks.iter().enumerate().rev();
    let all = all.flat_map(|(at, block)| block.refused.iter().rev().map(move |row| (at, *row)));
    let mut end = text.len();
    for (at, row) in all {
        let like = matches!(row.rule, Rule::Ragged | Rule::NotARow);
        if !like || !text[row.next.min(end)..end].trim_ascii().is_empty() {
            break;
        }
        end = row.start;
        found.push((at, row));
        if found.len() > MOST_LINES {
            return;
        }
    }
    if more && text[..end].trim_ascii().is_empty() {
        return;
    }
    for (at, row) in found {
        let block = &mut blocks[at];
        block.refused.pop();
        block.read -= 1;
        let notes = block.notes.iter_mut().rev();
        let own = notes.filter(|note| note.offset == row.start as u64 && note.rule == row.rule);
        own.for_each(|note| note.rule = Rule::Footer);
    }
}
