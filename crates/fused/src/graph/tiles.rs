//! The pieces of work that threads share: whole samples when there are many, else neighbouring nodes of one.
//!
//! The cut depends on the shape alone, never on the number of threads.

use std::ops::Range;

/// From so many samples on, each is one piece.
pub(super) const SAMPLES: usize = 16;
/// The nodes of a piece otherwise.
const NODES: usize = 32;

/// The pieces of a sample's nodes.
pub(super) fn tiles(nodes: usize, whole: bool) -> Vec<Range<usize>> {
    let step = if whole { nodes } else { NODES };
    (0..nodes).step_by(step).map(|start| start..nodes.min(start + step)).collect()
}

/// The pieces of a batch: at most [`SAMPLES`] runs of neighbouring samples.
pub(super) fn runs(batch: usize) -> Vec<Range<usize>> {
    let count = batch.min(SAMPLES);
    (0..count).map(|run| run * batch / count..(run + 1) * batch / count).collect()
}

/// Cuts a slice into pieces of the given lengths, which together are its length.
pub(super) fn split<T>(values: &mut [T], lengths: impl Iterator<Item = usize>) -> Vec<&mut [T]> {
    let mut rest = values;
    lengths
        .map(|length| {
            let (piece, after) = std::mem::take(&mut rest).split_at_mut(length);
            rest = after;
            piece
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_cover_everything_in_order() {
        assert_eq!(tiles(70, false), [0..32, 32..64, 64..70]);
        assert_eq!(tiles(70, true).len(), 1);
        for batch in [1, 15, 16, 17, 100] {
            let runs = runs(batch);
            assert_eq!(runs.len(), batch.min(SAMPLES));
            assert_eq!(runs[0].start, 0);
            assert!(
                runs.windows(2).all(|pair| pair[0].end == pair[1].start && !pair[0].is_empty())
            );
            assert_eq!(runs[runs.len() - 1].end, batch);
        }
    }

    #[test]
    fn empty_pieces_are_allowed() {
        let mut values = [1, 2, 3];
        let pieces = split(&mut values, [0, 2, 0, 1].into_iter());
        assert_eq!(pieces, [&[][..], &[1, 2], &[], &[3]]);
    }
}
