//! Eras: their judgement of splits, the folds they are joined into, those that are predicted worst,
//! and gradients without what is linear in their features.

mod judge;
mod neutral;
mod worst;

use std::ops::Range;

pub(crate) use judge::{Cut, Pooled, judge, most, spread};
pub(crate) use neutral::Neutral;
pub(crate) use worst::worst;

use crate::{Criterion, EraSettings};

impl EraSettings {
    /// Whether a split depends on more than its sums over all eras.
    pub(crate) fn judge_splits(&self) -> bool {
        self.criterion != Criterion::Pooled || self.adaptive.is_some() || self.valid_share > 0.0
    }
}

/// Where the folds of eras that judge splits start, and the number of rows at the end; none when the
/// pool alone judges.
pub(crate) fn folds(settings: &EraSettings, eras: &[usize]) -> Option<Vec<u32>> {
    if !settings.judge_splits() {
        return None;
    }
    let count = eras.len() - 1;
    let folds = settings.folds.unwrap_or(count).clamp(1, count.max(1));
    Some((0..=folds).map(|fold| eras[fold * count / folds] as u32).collect())
}

/// The parts of increasing rows that each fold holds.
pub(crate) fn parts<'a>(
    folds: &'a [u32],
    rows: &'a [u32],
) -> impl Iterator<Item = Range<usize>> + 'a {
    folds.windows(2).map(|fold| {
        let place = |start: u32| rows.partition_point(|&row| row < start);
        place(fold[0])..place(fold[1])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_cover_all_eras_in_order() {
        let adaptive = EraSettings { adaptive: Some(1.0), ..EraSettings::default() };
        let eras = [0, 10, 20, 30, 40, 50];
        assert_eq!(folds(&EraSettings::default(), &eras), None);
        assert_eq!(folds(&adaptive, &eras).unwrap(), [0, 10, 20, 30, 40, 50]);
        let two = EraSettings { folds: Some(2), ..adaptive };
        assert_eq!(folds(&two, &eras).unwrap(), [0, 20, 50]);
        let rows = [3, 9, 10, 49];
        let parts: Vec<_> = parts(&[0, 20, 50], &rows).collect();
        assert_eq!(parts, [0..3, 3..4]);
    }
}
