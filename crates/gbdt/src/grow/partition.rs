//! Rows of a node into those of its children, in order.
//!
//! Blocks of rows are partitioned in parallel, then put together, left before right; the order of rows
//! stays, so nodes keep their rows sorted by era. Cost: one table look-up and two copies a row.

use rayon::prelude::*;

use super::table::Question;

/// Rows of a block.
const BLOCK: usize = 1 << 14;

/// Sorts `rows` into left and right, keeping their order, and answers how many go left. `scratch` is
/// as long as `rows`.
pub(crate) fn partition(rows: &mut [u32], scratch: &mut [u32], question: Question<'_>) -> usize {
    match question {
        Question::Narrow(table, codes) => {
            by(rows, scratch, |row| table[usize::from(codes[row as usize])])
        }
        Question::Wide(..) => by(rows, scratch, |row| question.goes_left(row as usize)),
    }
}

fn by(rows: &mut [u32], scratch: &mut [u32], left: impl Fn(u32) -> bool + Sync) -> usize {
    if rows.len() <= BLOCK || rayon::current_num_threads() == 1 {
        let lefts = block(rows, scratch, &left);
        rows.copy_from_slice(scratch);
        rows[lefts..].reverse();
        return lefts;
    }
    let blocks = rows.par_chunks(BLOCK).zip(scratch.par_chunks_mut(BLOCK));
    let lefts: Vec<usize> = blocks.map(|(rows, out)| block(rows, out, &left)).collect();
    let total = lefts.iter().sum();
    let mut parts = Vec::with_capacity(lefts.len());
    let (mut to_left, mut to_right) = rows.split_at_mut(total);
    for (from, &count) in scratch.chunks(BLOCK).zip(&lefts) {
        let (own_left, rest) = to_left.split_at_mut(count);
        let (own_right, others) = to_right.split_at_mut(from.len() - count);
        (to_left, to_right) = (rest, others);
        parts.push((from, own_left, own_right));
    }
    parts.into_par_iter().for_each(|(from, left, right)| {
        let (lefts, rights) = from.split_at(left.len());
        left.copy_from_slice(lefts);
        right.copy_from_slice(rights);
        right.reverse();
    });
    total
}

/// Writes the rows that go left from the front of `out` and the others, backwards, from its end.
#[inline(always)]
fn block(rows: &[u32], out: &mut [u32], left: &impl Fn(u32) -> bool) -> usize {
    let (mut front, mut back) = (0, rows.len());
    for &row in rows {
        let goes_left = usize::from(left(row));
        // Without a branch: both ends are written, and the one that does not count is written again.
        out[front] = row;
        out[back - 1] = row;
        front += goes_left;
        back -= 1 - goes_left;
    }
    front
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_stays_and_nothing_is_lost() {
        let codes: Vec<u8> =
            (0..100_000u32).map(|row| (row.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let table: [bool; 256] = std::array::from_fn(|bin| bin % 3 == 0);
        for length in [0, 1, 2, 1000, BLOCK, BLOCK + 1, 100_000] {
            let mut rows: Vec<u32> = (0..length as u32).collect();
            let mut scratch = vec![0; length];
            let expected: (Vec<u32>, Vec<u32>) =
                rows.iter().partition(|&&row| table[usize::from(codes[row as usize])]);
            let lefts = partition(&mut rows, &mut scratch, Question::Narrow(&table, &codes));
            assert_eq!((&rows[..lefts], &rows[lefts..]), (&*expected.0, &*expected.1), "{length}");
        }
    }
}
