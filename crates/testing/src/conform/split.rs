//! Laws of splits.

use std::sync::Arc;

use fattail_core::Eras;
use fattail_evaluate::{Fold, Split};

use crate::{Law, Verdict, Violation};

/// Counts of eras that a split must cut; below them it may refuse.
const COUNTS: [usize; 3] = [250, 400, 1011];
/// Counts of eras that a split may refuse.
const FEW: [usize; 7] = [1, 2, 3, 5, 10, 30, 120];

/// Checks a split: that folds have training and test eras, increasing and inside the panel, that at
/// least `gap` eras lie between any training era and any test era, that no era is tested twice and
/// that the same eras give the same folds.
///
/// Few eras may be refused, 250, 400 and 1,011 may not.
///
/// # Errors
/// The first law that does not hold, with the values that show it.
///
/// ```
/// use fattail_core::{Eras, Result};
/// use fattail_evaluate::{Fold, Split};
/// use fattail_testing::{Law, check_split};
///
/// /// Trains on the first half and tests on the second, without a gap.
/// struct Halves;
/// impl Split for Halves {
///     fn folds(&self, eras: &Eras) -> Result<Vec<Fold>> {
///         let half = eras.len() / 2;
///         Ok(vec![Fold { train: (0..half).collect(), test: (half..eras.len()).collect() }])
///     }
/// }
/// // One era has no half.
/// assert_eq!(check_split(&Halves, 0).unwrap_err().law, Law::FoldShape);
/// ```
pub fn check_split(split: &impl Split, gap: usize) -> Verdict {
    for count in COUNTS {
        let eras = numbered(count)?;
        let folds = Law::Works.answer(&format!("{count} eras"), split.folds(&eras))?;
        check_folds(&folds, count, gap)?;
        let again = Law::Deterministic.answer("the same eras", split.folds(&eras))?;
        Law::Deterministic
            .expect(folds == again, || format!("{count} eras give {folds:?}, then {again:?}"))?;
    }
    for count in FEW {
        if let Ok(folds) = split.folds(&numbered(count)?) {
            check_folds(&folds, count, gap)?;
        }
    }
    Ok(())
}

fn numbered(count: usize) -> Result<Eras, Violation> {
    let label = |era: usize| -> Arc<str> { format!("{:04}", era + 1).into() };
    Law::Works.answer("the fixture", Eras::from_runs((0..count).map(|era| (label(era), 2))))
}

fn check_folds(folds: &[Fold], count: usize, gap: usize) -> Verdict {
    Law::FoldShape.expect(!folds.is_empty(), || format!("{count} eras give no fold"))?;
    let mut tested = vec![false; count];
    for (number, fold) in folds.iter().enumerate() {
        let place = format!("fold {number} of {count} eras");
        shape(&format!("{place}, training"), &fold.train, count)?;
        shape(&format!("{place}, test"), &fold.test, count)?;
        distance(&place, fold, gap)?;
        for &era in &fold.test {
            let twice = std::mem::replace(&mut tested[era], true);
            Law::TestedOnce.expect(!twice, || format!("{place} tests era {era} again"))?;
        }
    }
    Ok(())
}

fn shape(place: &str, eras: &[usize], count: usize) -> Verdict {
    let law = Law::FoldShape;
    law.expect(!eras.is_empty(), || format!("{place}: no era"))?;
    let turned = eras.windows(2).find(|pair| pair[0] >= pair[1]);
    law.expect(turned.is_none(), || format!("{place}: eras {turned:?} do not increase"))?;
    let outside = eras.iter().find(|&&era| era >= count);
    law.expect(outside.is_none(), || format!("{place}: era {outside:?} is not there"))
}

/// Both lists increase, so the nearest training eras stand beside the place of each test era.
fn distance(place: &str, fold: &Fold, gap: usize) -> Verdict {
    for &test in &fold.test {
        let at = fold.train.partition_point(|&train| train < test);
        let beside = at.checked_sub(1).into_iter().chain([at]);
        for &train in beside.filter_map(|at| fold.train.get(at)) {
            Law::Gap.expect(train.abs_diff(test) > gap, || {
                format!("{place}: training era {train}, test era {test}, gap {gap}")
            })?;
        }
    }
    Ok(())
}
