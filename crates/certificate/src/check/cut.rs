//! Where the panel is cut into what may be seen and what may not.

use fattail_evaluate::Fold;
use fattail_stats::{Counter, below};

use super::Bench;
use crate::Side;

/// A fold, and the last of its test eras whose predictions are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cut {
    pub(crate) fold: usize,
    pub(crate) era: usize,
}

impl Bench<'_> {
    /// As many cuts as are asked for, spread over the folds that have an era behind their first test era, the last
    /// one among them. Where there are more cuts than folds they are spread over test eras, as many as there are.
    pub(crate) fn cuts(&self) -> Vec<Cut> {
        let last = self.panel.eras().len() - 1;
        let usable: Vec<usize> = (0..self.folds.len())
            .filter(|&fold| self.folds[fold].test.first().is_some_and(|&era| era < last))
            .collect();
        let wanted = self.settings.cuts;
        let mut generator = Counter::new(self.settings.seed).stream(1).draw(0);
        let mut cuts = Vec::new();
        let mut made = 0;
        for (number, &fold) in usable.iter().enumerate() {
            // Cut `i` lies in the usable fold `⌈(i + 1) usable / wanted⌉ - 1`.
            let until = (number + 1).saturating_mul(wanted) / usable.len();
            let here = until - made;
            made = until;
            let test = &self.folds[fold].test;
            // Test eras behind the cut tell whether a block is looked at as a whole.
            let before = test.partition_point(|&era| era < last).min(test.len().max(2) - 1);
            let here = here.min(before);
            for part in 0..here {
                let (from, to) = (part * before / here, (part + 1) * before / here);
                cuts.push(Cut { fold, era: test[from + below(&mut generator, to - from)] });
            }
        }
        cuts
    }

    /// The folds that are run for a cut, and their numbers: those up to it where the past is claimed, so that
    /// whatever adapts from fold to fold can; the fold alone where training eras lie on both sides. Of the cut's
    /// fold, the test eras up to `last`.
    pub(crate) fn folds_of(&self, cut: Cut, last: usize) -> (Vec<Fold>, Vec<usize>) {
        let from = match self.settings.claim.side {
            Side::Past => 0,
            Side::Both => cut.fold,
        };
        let trimmed = |of: usize| {
            let Fold { train, test } = &self.folds[of];
            let kept = test.iter().copied().filter(|&era| of < cut.fold || era <= last);
            (Fold { train: train.clone(), test: kept.collect() }, of)
        };
        (from..=cut.fold).map(trimmed).filter(|(fold, _)| !fold.test.is_empty()).unzip()
    }

    /// Which eras may not be seen, in any way, for predictions up to the cut.
    pub(crate) fn unseen(&self, cut: Cut) -> Vec<bool> {
        let (side, train) = (self.settings.claim.side, &self.folds[cut.fold].train);
        let unseen = |era: usize| {
            era > cut.era && (side == Side::Past || train.binary_search(&era).is_err())
        };
        (0..self.panel.eras().len()).map(unseen).collect()
    }
}
