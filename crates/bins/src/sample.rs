//! The sampled values of a column, counted.
//!
//! Small integers are counted in a table; numbers are sorted as integers and then counted. NaN and zero
//! are counted apart. The rows of a sample are those that LightGBM draws, of the rows whose target is
//! known: the others teach nothing, not even where bins end.
//! Cost: linear in the sample for small integers, `s log s` for numbers.

use fattail_core::{ColumnView, Panel, Values};
use fattail_trees::Tree;

use crate::{
    Binning,
    find::Distinct,
    order::{key, number},
    random::Random,
};

/// The rows that boundaries are chosen from.
#[derive(Debug)]
pub(crate) struct Sample {
    /// The rows, increasing; `None` where all of them are.
    rows: Option<Vec<usize>>,
}

/// Rows that tell whether every small integer of a column is frequent.
const PREFIX: usize = 8192;

/// The rows whose target is finite, where there is a target and some but not all are.
fn known(panel: &Panel) -> Option<Vec<usize>> {
    let target = panel.target().ok()?.to_f32();
    let known: Vec<usize> =
        target.iter().enumerate().filter(|(_, y)| y.is_finite()).map(|(row, _)| row).collect();
    (!known.is_empty() && known.len() < panel.rows()).then_some(known)
}

impl Sample {
    pub(crate) fn new(panel: &Panel, binning: &Binning) -> Self {
        let known = known(panel);
        let count = known.as_ref().map_or(panel.rows(), Vec::len);
        if count <= binning.sample {
            return Self { rows: known };
        }
        let drawn = Random::new(binning.seed).sample(count, binning.sample);
        let rows = match known {
            Some(known) => drawn.into_iter().map(|at| known[at]).collect(),
            None => drawn,
        };
        Self { rows: Some(rows) }
    }

    /// Shows `use` the values of each era with the sampled positions in it, or all of them.
    fn visit(
        &self,
        view: ColumnView<'_>,
        mut see: impl FnMut(Values<'_>, Option<&[usize]>, usize),
    ) {
        let (mut first, mut rest) = (0, self.rows.as_deref());
        for values in view.eras() {
            let here = rest.map(|rows| rows.partition_point(|&row| row < first + values.len()));
            let (drawn, later) = match (rest, here) {
                (Some(rows), Some(end)) => (Some(&rows[..end]), Some(&rows[end..])),
                _ => (None, None),
            };
            see(values, drawn, first);
            rest = later;
            first += values.len();
        }
    }

    /// How often each small integer stands in the sample.
    pub(crate) fn bytes(&self, view: ColumnView<'_>) -> [usize; 256] {
        let mut counts = [0; 256];
        self.visit(view, |values, rows, first| {
            let Values::U8(values) = values else { return };
            match rows {
                Some(rows) => {
                    rows.iter().for_each(|&row| counts[values[row - first] as usize] += 1)
                }
                None => count_bytes(values, &mut counts),
            }
        });
        counts
    }

    /// Counts that tell the bins as well as the right ones do, when a look at the first rows shows
    /// that all values from the smallest to the largest stand `min_data` times at least.
    ///
    /// Only sound where every value below `max_bins` has a bin of its own unless it is rare.
    pub(crate) fn frequent(&self, view: ColumnView<'_>, min_data: usize) -> Option<[usize; 256]> {
        if self.rows.is_some() {
            return None;
        }
        let mut counts = [0; 256];
        let mut left = PREFIX;
        for values in view.eras() {
            let Values::U8(values) = values else { return None };
            let taken = left.min(values.len());
            count_bytes(&values[..taken], &mut counts);
            left -= taken;
            if left == 0 {
                break;
            }
        }
        let low = counts.iter().position(|&count| count > 0)?;
        let high = counts.iter().rposition(|&count| count > 0)?;
        let frequent = counts[low..=high].iter().all(|&count| count >= min_data);
        let within = frequent && view.eras().all(|values| is_within(values, low as u8, high as u8));
        within.then_some(counts)
    }

    /// The sampled numbers but zero and NaN, counted, and the counts of those.
    pub(crate) fn numbers(&self, view: ColumnView<'_>) -> Numbers {
        let mut numbers = Numbers::default();
        self.visit(view, |values, rows, first| {
            let Values::F32(values) = values else { return };
            match rows {
                Some(rows) => rows.iter().for_each(|&row| numbers.push(values[row - first])),
                None => values.iter().for_each(|&x| numbers.push(x)),
            }
        });
        numbers.keys.sort_unstable();
        numbers
    }
}

/// Sampled numbers as increasing keys.
#[derive(Debug, Default)]
pub(crate) struct Numbers {
    keys: Vec<u32>,
    pub(crate) zeros: usize,
    pub(crate) nans: usize,
}

impl Numbers {
    fn push(&mut self, x: f32) {
        if x.is_nan() {
            self.nans += 1;
        } else if f64::from(x.abs()) <= Tree::ZERO {
            self.zeros += 1;
        } else {
            self.keys.push(key(x));
        }
    }

    /// The distinct numbers with `zeros` among them.
    pub(crate) fn distinct(&self, zeros: usize) -> Distinct {
        let runs = self.keys.chunk_by(|a, b| a == b);
        Distinct::with_zeros(runs.map(|run| (f64::from(number(run[0])), run.len())), zeros)
    }
}

/// The distinct small integers of a table.
pub(crate) fn distinct_bytes(counts: &[usize; 256]) -> Distinct {
    let others = (1..256).filter(|&value| counts[value] > 0);
    Distinct::with_zeros(others.map(|value| (value as f64, counts[value])), counts[0])
}

fn is_within(values: Values<'_>, low: u8, high: u8) -> bool {
    let Values::U8(values) = values else { return false };
    // Blocks end the walk early and are short enough for the processor's vectors to fold.
    values.chunks(1 << 14).all(|block| {
        let ends = block.iter().fold((u8::MAX, 0), |(a, b), &v| (a.min(v), b.max(v)));
        low <= ends.0 && ends.1 <= high
    })
}

/// Four tables, so that equal neighbours do not wait for each other.
fn count_bytes(values: &[u8], counts: &mut [usize; 256]) {
    for block in values.chunks(1 << 20) {
        let mut tables = [[0_u32; 256]; 4];
        let (quads, rest) = block.as_chunks::<4>();
        for quad in quads {
            for (table, &value) in tables.iter_mut().zip(quad) {
                table[value as usize] += 1;
            }
        }
        for &value in rest {
            tables[0][value as usize] += 1;
        }
        for (at, count) in counts.iter_mut().enumerate() {
            *count += tables.iter().map(|table| table[at] as usize).sum::<usize>();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn panel(bytes: Vec<u8>, eras: &[&str]) -> Panel {
        Panel::builder().eras(eras).unwrap().feature("x", bytes).build().unwrap()
    }

    #[test]
    fn bytes_are_counted() {
        let panel = panel(vec![0, 1, 1, 4, 4, 4, 4], &["1", "1", "2", "2", "2", "3", "3"]);
        let all = Sample::new(&panel, &Binning::default());
        assert_eq!(all.bytes(panel.feature(0))[..5], [1, 2, 0, 0, 4]);
        let some = Sample { rows: Some(vec![1, 2, 6]) };
        assert_eq!(some.bytes(panel.feature(0))[..5], [0, 2, 0, 0, 1]);
    }

    #[test]
    fn rows_of_unknown_target_are_left_out() {
        let with = |target: Vec<f32>| {
            let panel = Panel::builder().eras(&["1", "1", "2"]).unwrap();
            let panel = panel.feature("x", vec![0u8, 1, 2]).target("y", target).build().unwrap();
            Sample::new(&panel, &Binning::default()).rows
        };
        assert_eq!(with(vec![0.5, f32::NAN, 0.1]), Some(vec![0, 2]));
        assert_eq!(with(vec![0.5, 0.2, 0.1]), None);
    }

    #[test]
    fn frequent_values_need_no_full_count() {
        let bytes: Vec<u8> = (0..30_000_u32).map(|at| (at % 5) as u8).collect();
        let eras = vec!["1"; bytes.len()];
        let all = Sample { rows: None };
        let first = panel(bytes.clone(), &eras);
        assert!(all.frequent(first.feature(0), 3).is_some_and(|counts| counts[4] > 1000));
        assert!(all.frequent(first.feature(0), 9000).is_none());
        let late = [&bytes[1..], &[9]].concat();
        assert!(all.frequent(panel(late, &eras).feature(0), 3).is_none());
    }

    #[test]
    fn numbers_are_sorted_and_counted() {
        let x = vec![2.0_f32, f32::NAN, 0.0, -0.0, 1e-36, -1.5, 2.0];
        let panel = Panel::builder().feature("x", x).build().unwrap();
        let numbers = Sample { rows: None }.numbers(panel.feature(0));
        assert_eq!((numbers.zeros, numbers.nans), (3, 1));
        let distinct = numbers.distinct(3);
        assert_eq!(distinct.values, [-1.5, 0.0, 2.0]);
        assert_eq!(distinct.counts, [1, 3, 2]);
    }
}
