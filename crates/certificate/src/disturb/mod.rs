//! Disturbed panels: what was not to be seen is changed, and predictions must not.
//!
//! Values are changed so that their distribution is another one and their order is turned round: each becomes the
//! column's largest, or in every second draw its smallest, with probability 1/2, else its mirror image between
//! smallest and largest. They stay inside the column's range, so that no step has a reason to refuse them. Missing
//! means the middle bin, and of numbers NaN or, every second one, infinity; labels, weights and extra columns never
//! become infinite, and weights stay numbers.

mod rebuild;

use fattail_core::{Ids, Panel, Result};
use fattail_stats::{Counter, below, unit};

use rebuild::{Change, Column, Same, rebuild, resized};

/// How values are changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// To the largest value, or turned round.
    Up,
    /// To the smallest value, or turned round.
    Down,
    Missing,
}

impl Kind {
    /// The kind of a draw: each the opposite of the last.
    pub(crate) fn turned(draw: usize) -> Self {
        if draw.is_multiple_of(2) { Self::Up } else { Self::Down }
    }
}

/// In which eras values are changed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Eras<'a> {
    pub(crate) features: &'a [bool],
    pub(crate) labels: &'a [bool],
    /// Extra columns that are known with the features.
    pub(crate) known: &'a [String],
}

/// Changes values in some of the rows.
struct Values {
    /// Whether a row is changed, in features and in labels.
    features: Vec<bool>,
    labels: Vec<bool>,
    /// Which extra columns are known with the features.
    known: Vec<bool>,
    kind: Kind,
    counter: Counter,
}

impl Values {
    fn rows(&self, column: Column) -> &[bool] {
        match column {
            Column::Feature(_) => &self.features,
            Column::Extra(at) if self.known[at] => &self.features,
            // Weights and other columns are known with the labels at the earliest.
            Column::Target(_) | Column::Extra(_) | Column::Weights => &self.labels,
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

impl Change for Values {
    fn bins(&self, column: Column, values: &mut [u8]) {
        let low = values.iter().copied().min().unwrap_or(0);
        let high = values.iter().copied().max().unwrap_or(0);
        self.change(column, values, |value, chance| match self.kind {
            Kind::Missing => low + (high - low) / 2,
            Kind::Up if chance < 0.5 => high,
            Kind::Down if chance < 0.5 => low,
            Kind::Up | Kind::Down => low + (high - value),
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
            Kind::Missing if chance < 0.5 && matches!(column, Column::Feature(_)) => f32::INFINITY,
            Kind::Missing => f32::NAN,
            Kind::Up if chance < 0.5 || !value.is_finite() => high,
            Kind::Down if chance < 0.5 || !value.is_finite() => low,
            Kind::Up | Kind::Down => low + (high - value),
        });
    }
}

/// One flag a row: that of its era.
fn rows_of(panel: &Panel, eras: &[bool]) -> Vec<bool> {
    let runs = panel.eras().ranges().zip(eras);
    runs.flat_map(|(rows, &meant)| std::iter::repeat_n(meant, rows.len())).collect()
}

/// Other features and labels in some eras.
pub(crate) fn values(panel: &Panel, eras: Eras<'_>, kind: Kind, counter: Counter) -> Result<Panel> {
    let known = |name: &std::sync::Arc<str>| eras.known.iter().any(|known| **known == **name);
    let change = Values {
        features: rows_of(panel, eras.features),
        labels: rows_of(panel, eras.labels),
        known: panel.schema().extras().iter().map(known).collect(),
        kind,
        counter,
    };
    let rows: Vec<usize> = (0..panel.rows()).collect();
    rebuild(panel, &rows, panel.eras().clone(), None, &change)
}

/// About half of the rows of some eras taken out, the first of each left, and at least one gone where there are two.
pub(crate) fn fewer_rows(panel: &Panel, eras: &[bool], counter: Counter) -> Result<Panel> {
    let mut generator = counter.draw(0);
    let (mut rows, mut counts) = (Vec::with_capacity(panel.rows()), Vec::new());
    for (range, &thinned) in panel.eras().ranges().zip(eras) {
        let (before, first, all) = (rows.len(), range.start, range.len());
        rows.extend(range.filter(|&row| !thinned || row == first || unit(&mut generator) < 0.5));
        if thinned && all > 1 && rows.len() - before == all {
            rows.pop();
        }
        counts.push(rows.len() - before);
    }
    let eras = resized(panel.eras(), |era| counts[era])?;
    rebuild(panel, &rows, eras, None, &Same)
}

/// Ids that were never seen in some eras.
pub(crate) fn new_ids(panel: &Panel, eras: &[bool]) -> Result<Panel> {
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
    eras: &[bool],
    counter: Counter,
) -> Result<(Panel, Vec<usize>)> {
    let mut generator = counter.draw(0);
    let mut rows: Vec<usize> = (0..panel.rows()).collect();
    for (range, _) in panel.eras().ranges().zip(eras).filter(|(_, moved)| **moved) {
        let here = &mut rows[range];
        shuffle(here, |n| below(&mut generator, n));
        // A shuffle may change nothing.
        if here.is_sorted() {
            here.reverse();
        }
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

/// Every era made of the rows of the era `source` of it, ids with them.
pub(crate) fn copied(panel: &Panel, source: &[usize]) -> Result<Panel> {
    let rows: Vec<usize> = source.iter().flat_map(|&from| panel.eras().range(from)).collect();
    let length = |era: usize| panel.eras().range(source[era]).len();
    rebuild(panel, &rows, resized(panel.eras(), length)?, None, &Same)
}

/// Targets shuffled within each of some eras, all of a row together.
pub(crate) fn shuffled_targets(panel: &Panel, eras: &[bool], counter: Counter) -> Result<Panel> {
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
    for (range, _) in panel.eras().ranges().zip(eras).filter(|(_, dealt)| **dealt) {
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
            .extra("return", vec![0.0f32, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0])
            .extra("meta", vec![7.0f32, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0, 0.0])
            .build()
            .unwrap()
    }

    const LAST: [bool; 3] = [false, false, true];

    #[test]
    fn only_what_was_asked_for_is_changed() {
        let panel = panel();
        let eras = Eras { features: &LAST, labels: &[false; 3], known: &["meta".into()] };
        let changed = |kind| values(&panel, eras, kind, Counter::new(1)).unwrap();
        for kind in [Kind::Up, Kind::Down, Kind::Missing] {
            let other = changed(kind);
            let columns = |panel: &Panel, rows: std::ops::Range<usize>| -> Vec<u32> {
                let of = |at: usize| panel.feature(at).to_f32()[rows.clone()].to_vec();
                [of(0), of(1)].concat().into_iter().map(f32::to_bits).collect()
            };
            assert_eq!(columns(&panel, 0..5), columns(&other, 0..5));
            assert_ne!(columns(&panel, 5..8), columns(&other, 5..8));
            assert_eq!(panel.target().unwrap().to_f32(), other.target().unwrap().to_f32());
            assert!(other.feature(0).to_f32().iter().all(|value| (0.0..=4.0).contains(value)));
            assert_eq!(other.id(4), Some("d"));
            // What is known with the features changes with them, other extra columns with the labels.
            let extra = |panel: &Panel, name| panel.extra(name).unwrap().to_f32();
            assert_ne!(extra(&panel, "meta")[5..], extra(&other, "meta")[5..]);
            assert_eq!(extra(&panel, "return"), extra(&other, "return"));
        }
        assert_ne!(
            changed(Kind::Up).feature(1).to_f32()[5..],
            changed(Kind::Down).feature(1).to_f32()[5..]
        );
        let missing: Vec<f32> = (0..9)
            .flat_map(|seed| {
                let other = values(&panel, eras, Kind::Missing, Counter::new(seed)).unwrap();
                other.feature(1).to_f32()[5..].to_vec()
            })
            .collect();
        assert!(missing.iter().any(|value| value.is_nan()) && missing.contains(&f32::INFINITY));
        assert!(missing.iter().all(|value| !value.is_finite()));
    }

    #[test]
    fn rows_ids_and_order() {
        let panel = panel();
        let fewer = (0..8).map(|seed| fewer_rows(&panel, &LAST, Counter::new(seed)).unwrap());
        let rows: Vec<usize> = fewer.map(|panel| panel.rows()).collect();
        assert!(rows.iter().all(|rows| (6..=7).contains(rows)) && rows.contains(&6), "{rows:?}");
        let renamed = new_ids(&panel, &LAST).unwrap();
        assert_eq!((renamed.id(4), renamed.id(5)), (Some("d"), Some("unseen-5")));
        for seed in 0..8 {
            let (turned, rows) = reordered(&panel, &LAST, Counter::new(seed)).unwrap();
            for (row, &stood) in rows.iter().enumerate() {
                assert_eq!(turned.id(row), panel.id(stood));
            }
            assert_eq!(rows[..5], [0, 1, 2, 3, 4]);
            assert!(!rows.is_sorted());
        }
        assert_eq!(sorted(&panel).unwrap().id(3), Some("d"));
        let copied = copied(&panel, &[0, 0, 2]).unwrap();
        assert_eq!((copied.rows(), copied.id(3), copied.eras().label(1)), (9, Some("a"), "2"));
    }

    #[test]
    fn shuffled_targets_stay_in_their_era() {
        let panel = panel();
        let other = shuffled_targets(&panel, &[true; 3], Counter::new(5)).unwrap();
        for (a, b) in panel.iter().zip(other.iter()) {
            let sorted = |values: &[f32]| {
                let mut values = values.to_vec();
                values.sort_by(f32::total_cmp);
                values
            };
            assert_eq!(sorted(a.target().unwrap()), sorted(b.target().unwrap()));
        }
        let targets = |panel: &Panel| panel.target().unwrap().to_f32();
        assert_ne!(targets(&panel), targets(&other));
        let last = (0..9).map(|seed| shuffled_targets(&panel, &LAST, Counter::new(seed)).unwrap());
        assert!(last.into_iter().all(|other| targets(&panel)[..5] == targets(&other)[..5]));
    }
}
