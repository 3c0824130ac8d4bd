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
    /// As many cuts as are asked for, the last one in the last fold that has an era behind it.
    pub(crate) fn cuts(&self) -> Vec<Cut> {
        let last = self.panel.eras().len() - 1;
        let usable: Vec<usize> = (0..self.folds.len())
            .filter(|&fold| self.folds[fold].test.first().is_some_and(|&era| era < last))
            .collect();
        let wanted = self.settings.cuts.min(usable.len());
        let mut generator = Counter::new(self.settings.seed).stream(1).draw(0);
        let cut = |number: usize| {
            let fold = usable[(number + 1) * usable.len() / wanted - 1];
            let test = &self.folds[fold].test;
            // Test eras behind the cut tell whether a block is looked at as a whole.
            let before = test.partition_point(|&era| era < last).min(test.len().max(2) - 1);
            Cut { fold, era: test[below(&mut generator, before)] }
        };
        (0..wanted).map(cut).collect()
    }

    /// The folds that are run for a cut, and their numbers: those up to it where the past is claimed, so that
    /// whatever adapts from fold to fold can; the fold alone where training eras lie on both sides.
    pub(crate) fn folds_of(
        &self,
        cut: Cut,
        test: impl Fn(usize) -> bool,
    ) -> (Vec<Fold>, Vec<usize>) {
        let from = match self.settings.claim.side {
            Side::Past => 0,
            Side::Both => cut.fold,
        };
        let trimmed = |of: usize| {
            let Fold { train, test: eras } = &self.folds[of];
            let kept = eras.iter().copied().filter(|&era| of < cut.fold || test(era));
            (Fold { train: train.clone(), test: kept.collect() }, of)
        };
        (from..=cut.fold).map(trimmed).filter(|(fold, _)| !fold.test.is_empty()).unzip()
    }

    /// Whether an era may not be seen, in any way, for predictions up to the cut.
    pub(crate) fn unseen(&self, cut: Cut) -> impl Fn(usize) -> bool + Copy + use<'_> {
        let (side, fold) = (self.settings.claim.side, &self.folds[cut.fold]);
        move |era| era > cut.era && (side == Side::Past || fold.train.binary_search(&era).is_err())
    }
}
