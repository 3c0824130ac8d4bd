//! Which eras make a block, and which lie between blocks.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result, at_least};

/// How eras are put into blocks that can be taken as independent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EraBlocks {
    /// Eras in a block; at least 1.
    pub block: usize,
    /// Eras left out between blocks: how far apart eras still depend on each other. For features that
    /// look back, their window; for scores of labels that look ahead, the overlap, 3 for 20 days in
    /// weekly eras.
    pub gap: usize,
}

impl Default for EraBlocks {
    /// Four eras and none between: for eras that depend on each other little.
    fn default() -> Self {
        Self { block: 4, gap: 0 }
    }
}

/// The blocks of both sides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layout {
    /// Positions of the eras of each block, all blocks in order of time.
    pub blocks: Vec<Vec<usize>>,
    /// Whether each block is current.
    pub is_current: Vec<bool>,
    /// The positions of the current blocks.
    chosen: Vec<u32>,
}

impl Layout {
    /// The positions of the current blocks.
    #[must_use]
    pub fn current(&self) -> &[u32] {
        &self.chosen
    }

    /// The smallest p-value that dealing these blocks can give, when all deals are counted and the
    /// statistic is the same with the sides exchanged: `1 / C(k_R + k_C, k_C)`, and twice that where
    /// both sides have as many blocks, since each choice then ties with the blocks that it leaves.
    #[must_use]
    pub fn smallest_p(&self) -> f64 {
        let (units, chosen) = (self.blocks.len(), self.chosen.len());
        twins(units, chosen) / ways(units, chosen)
    }
}

/// Choices that a statistic which is the same with the sides exchanged cannot tell apart.
pub(super) fn twins(units: usize, size: usize) -> f64 {
    if units == 2 * size { 2.0 } else { 1.0 }
}

/// `C(n, k)` as a number.
pub(super) fn ways(n: usize, k: usize) -> f64 {
    (0..k.min(n - k)).fold(1.0, |ways, i| ways * (n - i) as f64 / (i + 1) as f64).round()
}

impl EraBlocks {
    /// Puts eras of a panel of `eras` eras into blocks, from the latest backward: a block is `block`
    /// eras of one side that follow each other among the given ones, and starts at least `gap` eras
    /// after the end of the one before it. Eras that fill no block are left out. Where there are fewer
    /// current eras than a block holds, blocks of both sides have as many eras as that: one current
    /// era stands against single eras.
    ///
    /// ```
    /// use fattail_drift::EraBlocks;
    /// let blocks = EraBlocks { block: 2, gap: 1 };
    /// let layout = blocks.layout(12, &[0, 1, 2, 3, 4, 5, 6], &[7, 8, 9, 10, 11])?;
    /// assert_eq!(layout.blocks, [[1, 2], [4, 5], [7, 8], [10, 11]]);
    /// assert_eq!(layout.current(), [2, 3]);
    /// // Of the six choices, two and two are the same two sides.
    /// assert_eq!(layout.smallest_p(), 2.0 / 6.0);
    /// # Ok::<(), fattail_drift::Error>(())
    /// ```
    ///
    /// # Errors
    /// When a setting is out of its range, an era is given twice or is not in the panel, the reference
    /// has fewer than two blocks, or the current side none.
    pub fn layout(&self, eras: usize, reference: &[usize], current: &[usize]) -> Result<Layout> {
        if self.block == 0 {
            return Err(Error::setting("block", self.block, "at least 1"));
        }
        let marked = marked(eras, reference, current)?;
        let length = self.block.min(current.len().max(1));
        let mut found: Vec<(Vec<usize>, bool)> = Vec::new();
        let mut open: (Vec<usize>, bool) = (Vec::new(), false);
        let mut until = eras;
        for &(era, is_current) in marked.iter().rev() {
            if open.1 != is_current {
                open.0.clear();
            }
            if era >= until {
                continue;
            }
            open.0.push(era);
            open.1 = is_current;
            if open.0.len() == length {
                let block: Vec<usize> = std::mem::take(&mut open.0).into_iter().rev().collect();
                until = block[0].saturating_sub(self.gap);
                found.push((block, is_current));
            }
        }
        found.reverse();
        let (blocks, is_current): (Vec<_>, Vec<bool>) = found.into_iter().unzip();
        let chosen: Vec<u32> =
            (0..).zip(&is_current).filter(|(_, current)| **current).map(|(at, _)| at).collect();
        at_least("reference", "blocks of eras", blocks.len() - chosen.len(), 2)?;
        at_least("current", "blocks of eras", chosen.len(), 1)?;
        Ok(Layout { blocks, is_current, chosen })
    }
}

/// The eras of both sides in order, each with whether it is current.
fn marked(eras: usize, reference: &[usize], current: &[usize]) -> Result<Vec<(usize, bool)>> {
    let sides = reference.iter().map(|&era| (era, false));
    let mut marked: Vec<(usize, bool)> =
        sides.chain(current.iter().map(|&era| (era, true))).collect();
    marked.sort_unstable();
    let side = |is_current: bool| if is_current { "current" } else { "reference" };
    if let Some(&(era, is_current)) = marked.iter().find(|(era, _)| *era >= eras) {
        return Err(Error::Era {
            era,
            side: side(is_current),
            reason: "the panel has no such era",
        });
    }
    if let Some(pair) = marked.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        let same = pair[0].1 == pair[1].1;
        let reason = if same { "it is given twice" } else { "it is on both sides" };
        return Err(Error::Era { era: pair[1].0, side: side(pair[1].1), reason });
    }
    Ok(marked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_refused() {
        let blocks = EraBlocks { block: 1, gap: 0 };
        let told = |reference: &[usize], current: &[usize]| {
            blocks.layout(5, reference, current).unwrap_err().to_string()
        };
        assert_eq!(
            told(&[0, 1], &[1, 2]),
            "era 1 of 'current' is not allowed: it is on both sides"
        );
        assert!(told(&[0, 0], &[1]).ends_with("it is given twice"));
        assert!(told(&[0, 1], &[9]).ends_with("the panel has no such era"));
        assert_eq!(told(&[0, 1], &[]), "'current' has 0 blocks of eras, needs at least 1");
        assert_eq!(told(&[0], &[1]), "'reference' has 1 blocks of eras, needs at least 2");
        assert!(EraBlocks { block: 0, gap: 0 }.layout(5, &[0], &[1]).is_err());
    }

    #[test]
    fn a_block_never_mixes_sides_or_skips_the_gap() {
        let blocks = EraBlocks { block: 2, gap: 2 };
        let reference: Vec<usize> = (0..9).collect();
        let current: Vec<usize> = (9..19).collect();
        let layout = blocks.layout(20, &reference, &current).unwrap();
        for pair in layout.blocks.windows(2) {
            assert!(pair[1][0] > pair[0][1] + 2, "{layout:?}");
        }
        for (block, &is_current) in layout.blocks.iter().zip(&layout.is_current) {
            assert!(block.iter().all(|&era| (era >= 9) == is_current));
        }
    }
    #[test]
    fn few_current_eras_make_short_blocks() {
        let blocks = EraBlocks { block: 4, gap: 1 };
        let layout = blocks.layout(10, &[0, 1, 2, 3, 4, 5, 6, 7], &[9]).unwrap();
        assert_eq!(layout.blocks, [[1], [3], [5], [7], [9]]);
        assert_eq!((layout.current(), layout.smallest_p()), (&[4][..], 0.2));
        let layout = blocks.layout(10, &[0, 1, 2, 3, 4, 5, 6], &[8, 9]).unwrap();
        assert_eq!(layout.blocks, [[2, 3], [5, 6], [8, 9]]);
    }
}
