//! Disturbed panels: what was not to be seen is changed, and predictions must not.
//!
//! Values are changed so that their distribution is another one and their order is turned round: each becomes the
//! column's largest with probability 1/2, else its mirror image between smallest and largest. They stay inside
//! the column's range, so that no step has a reason to refuse them. Missing means NaN in numbers and one and the
//! same middle bin in all rows of an era; labels become NaN.

mod rebuild;

use fattail_core::{Ids, Panel, Result};
use fattail_stats::{Counter, below, unit};

use rebuild::{Change, Column, Same, rebuild, resized};

/// How values are changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Turned,
    Missing,
}

/// Changes values in some of the rows.
struct Values<'a> {
    /// Whether a row is changed, in features and in labels.
    features: &'a [bool],
    labels: &'a [bool],
    kind: Kind,
    counter: Counter,
}

impl Values<'_> {
    fn rows(&self, column: Column) -> &[bool] {
        match column {
            Column::Feature(_) => self.features,
            // Weights and other columns are known with the labels at the earliest.
            Column::Target(_) | Column::Extra(_) | Column::Weights => self.labels,
        }
    }

    fn change<T: Copy>(&self, column: Column, values: &mut [T], mut to: impl FnMut(T, f64) -> T) {
        let mut generator = self.counter.stream(column.stream()).draw(0);
        for (value, _) in values.iter_mut().zip(self.rows(column)).filter(|(_, changed)| **changed)
        {
            *value = to(*value, unit(&mut generator));
        }
    }
}

impl Change for Values<'_> {
    fn bins(&self, column: Column, values: &mut [u8]) {
        let low = values.iter().copied().min().unwrap_or(0);
        let high = values.iter().copied().max().unwrap_or(0);
        self.change(column, values, |value, chance| match self.kind {
            Kind::Missing => low + (high - low) / 2,
            Kind::Turned if chance < 0.5 => high,
            Kind::Turned => low + (high - value),
        });
    }

    fn numbers(&self, column: Column, values: &mut [f32]) {
        let finite = || values.iter().copied().filter(|value| value.is_finite());
        let (low, high) = finite()
            .fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
        if low > high {
            return;
        }
        self.change(column, values, |value, chance| match self.kind {
            // A weight has to be a number.
            Kind::Missing if column == Column::Weights => value,
            Kind::Missing => f32::NAN,
            Kind::Turned if chance < 0.5 || !value.is_finite() => high,
            Kind::Turned => low + (high - value),
        });
    }
}

/// One flag a row: that of its era.
fn rows_of(panel: &Panel, eras: &dyn Fn(usize) -> bool) -> Vec<bool> {
    let runs = panel.eras().ranges().enumerate();
    runs.flat_map(|(era, rows)| std::iter::repeat_n(eras(era), rows.len())).collect()
}

/// Other features and labels in some eras.
pub(crate) fn values(
    panel: &Panel,
    features: &dyn Fn(usize) -> bool,
    labels: &dyn Fn(usize) -> bool,
    kind: Kind,
    counter: Counter,
) -> Result<Panel> {
    let (features, labels) = (rows_of(panel, features), rows_of(panel, labels));
    let change = Values { features: &features, labels: &labels, kind, counter };
    let rows: Vec<usize> = (0..panel.rows()).collect();
    rebuild(panel, &rows, panel.eras().clone(), None, &change)
}

/// About half of the rows of some eras taken out, one of each left.
pub(crate) fn fewer_rows(
    panel: &Panel,
    eras: &dyn Fn(usize) -> bool,
    counter: Counter,
) -> Result<Panel> {
    let mut generator = counter.draw(0);
    let (mut rows, mut counts) = (Vec::with_capacity(panel.rows()), Vec::new());
    for (era, range) in panel.eras().ranges().enumerate() {
        let (before, first) = (rows.len(), range.start);
        let thinned = eras(era);
        rows.extend(range.filter(|&row| !thinned || row == first || unit(&mut generator) < 0.5));
        counts.push(rows.len() - before);
    }
    let eras = resized(panel.eras(), |era| counts[era])?;
    rebuild(panel, &rows, eras, None, &Same)
}

/// Ids that were never seen in some eras.
pub(crate) fn new_ids(panel: &Panel, eras: &dyn Fn(usize) -> bool) -> Result<Panel> {
    let changed = rows_of(panel, eras);
    let id = |row: usize| match panel.id(row) {
        Some(known) if !changed[row] => known.to_owned(),
        _ => format!("unseen-{row}"),
    };
    let ids: Ids = (0..panel.rows()).map(id).collect();
    let rows: Vec<usize> = (0..panel.rows()).collect();
    rebuild(panel, &rows, panel.eras().clone(), Some(ids), &Same)
}

/// The rows of some eras in another order: the panel, and where each of its rows stood.
pub(crate) fn reordered(
    panel: &Panel,
    eras: &dyn Fn(usize) -> bool,
    counter: Counter,
) -> Result<(Panel, Vec<usize>)> {
    let mut generator = counter.draw(0);
    let mut rows: Vec<usize> = (0..panel.rows()).collect();
    for (_, range) in panel.eras().ranges().enumerate().filter(|(era, _)| eras(*era)) {
        shuffle(&mut rows[range], |n| below(&mut generator, n));
    }
    Ok((rebuild(panel, &rows, panel.eras().clone(), None, &Same)?, rows))
}

/// Rows in the order of their target within each era.
pub(crate) fn sorted(panel: &Panel) -> Result<Panel> {
    let mut rows: Vec<usize> = (0..panel.rows()).collect();
    let target = panel.target()?.to_f32();
    for range in panel.eras().ranges() {
        rows[range].sort_by(|&a, &b| target[a].total_cmp(&target[b]));
    }
    rebuild(panel, &rows, panel.eras().clone(), None, &Same)
}

/// Era `to` made of the rows of era `from`, ids with them.
pub(crate) fn copied(panel: &Panel, from: usize, to: usize) -> Result<Panel> {
    let ranges = panel.eras().ranges().enumerate();
    let source = |(era, range)| if era == to { panel.eras().range(from) } else { range };
    let rows: Vec<usize> = ranges.flat_map(source).collect();
    let length = |era| panel.eras().range(if era == to { from } else { era }).len();
    rebuild(panel, &rows, resized(panel.eras(), length)?, None, &Same)
}

/// Targets shuffled within each era, all of a row together.
pub(crate) fn shuffled_targets(panel: &Panel, counter: Counter) -> Result<Panel> {
    struct Shuffled(Vec<usize>);
    impl Change for Shuffled {
        fn numbers(&self, column: Column, values: &mut [f32]) {
            if matches!(column, Column::Target(_)) {
                let old = values.to_vec();
                for (value, &row) in values.iter_mut().zip(&self.0) {
                    *value = old[row];
                }
            }
        }
    }
    let mut generator = counter.draw(0);
    let mut order: Vec<usize> = (0..panel.rows()).collect();
    for range in panel.eras().ranges() {
        shuffle(&mut order[range], |n| below(&mut generator, n));
    }
    let rows: Vec<usize> = (0..panel.rows()).collect();
    rebuild(panel, &rows, panel.eras().clone(), None, &Shuffled(order))
}

/// Fisher and Yates's shuffle; `draw` answers a whole number below what it is handed.
fn shuffle(rows: &mut [usize], mut draw: impl FnMut(usize) -> usize) {
    for end in (1..rows.len()).rev() {
        rows.swap(end, draw(end + 1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn panel() -> Panel {
        Panel::builder()
            .eras(&["1", "1", "1", "2", "2", "3", "3", "3"])
            .unwrap()
            .ids(["a", "b", "c", "a", "d", "a", "b", "e"].into_iter().collect::<Ids>())
            .feature("bins", vec![0u8, 1, 4, 2, 0, 3, 4, 1])
            .feature("numbers", vec![1.0f32, 2.0, f32::NAN, 0.5, 8.0, 4.0, 3.0, 0.25])
            .target("y", vec![0.0f32, 0.25, 0.5, 1.0, 0.75, 0.0, 0.5, 0.25])
            .build()
            .unwrap()
    }

    #[test]
    fn only_what_was_asked_for_is_changed() {
        let (panel, last) = (panel(), |era: usize| era == 2);
        let none = |_: usize| false;
        for kind in [Kind::Turned, Kind::Missing] {
            let other = values(&panel, &last, &none, kind, Counter::new(1)).unwrap();
            let columns = |panel: &Panel, rows: std::ops::Range<usize>| -> Vec<u32> {
                let of = |at: usize| panel.feature(at).to_f32()[rows.clone()].to_vec();
                [of(0), of(1)].concat().into_iter().map(f32::to_bits).collect()
            };
            assert_eq!(columns(&panel, 0..5), columns(&other, 0..5));
            assert_ne!(columns(&panel, 5..8), columns(&other, 5..8));
            assert_eq!(panel.target().unwrap().to_f32(), other.target().unwrap().to_f32());
            assert!(other.feature(0).to_f32().iter().all(|value| (0.0..=4.0).contains(value)));
            assert_eq!(other.id(4), Some("d"));
        }
    }

    #[test]
    fn rows_ids_and_order() {
        let (panel, last) = (panel(), |era: usize| era == 2);
        let fewer = (0..8).map(|seed| fewer_rows(&panel, &last, Counter::new(seed)).unwrap());
        let rows: Vec<usize> = fewer.map(|panel| panel.rows()).collect();
        assert!(rows.iter().all(|rows| (6..=8).contains(rows)) && rows.contains(&6));
        let renamed = new_ids(&panel, &last).unwrap();
        assert_eq!((renamed.id(4), renamed.id(5)), (Some("d"), Some("unseen-5")));
        let (turned, rows) = reordered(&panel, &last, Counter::new(3)).unwrap();
        for (row, &stood) in rows.iter().enumerate() {
            assert_eq!(turned.id(row), panel.id(stood));
        }
        assert_eq!(rows[..5], [0, 1, 2, 3, 4]);
        assert_eq!(sorted(&panel).unwrap().id(3), Some("d"));
        let copied = copied(&panel, 0, 1).unwrap();
        assert_eq!((copied.rows(), copied.id(3), copied.eras().label(1)), (9, Some("a"), "2"));
    }

    #[test]
    fn shuffled_targets_stay_in_their_era() {
        let panel = panel();
        let other = shuffled_targets(&panel, Counter::new(5)).unwrap();
        for (a, b) in panel.iter().zip(other.iter()) {
            let sorted = |values: &[f32]| {
                let mut values = values.to_vec();
                values.sort_by(f32::total_cmp);
                values
            };
            assert_eq!(sorted(a.target().unwrap()), sorted(b.target().unwrap()));
        }
        assert_ne!(panel.target().unwrap().to_f32(), other.target().unwrap().to_f32());
    }
}
