//! A feature, counted by eras: all that a scan asks of its rows.

use fattail_core::Values;
use serde::{Deserialize, Serialize};

use crate::{
    Tally,
    distance::{bin_ends, count_bins},
    error::{Error, Result},
};

/// Rows of each era at each value of a feature.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Counts {
    /// Rising. Of numbers, the last value of each cell; what lies above all is counted at the last.
    values: Vec<f64>,
    /// `eras x (values + 1)`, era after era; the last are the missing.
    rows: Vec<u32>,
    /// Whether every value that was counted is one of `values`.
    whole: bool,
    /// Eras that hold the filler alone.
    filled: usize,
}

impl Counts {
    /// Counts bins in one pass; nothing when the values are no bins.
    pub(super) fn of_bins(eras: &[Values<'_>], filler: f32) -> Option<Self> {
        if eras.iter().any(|values| matches!(values, Values::F32(_))) {
            return None;
        }
        let mut each = vec![[0_u64; 256]; eras.len()];
        for (values, counts) in eras.iter().zip(&mut each) {
            if let Values::U8(bins) = values {
                count_bins(bins, counts);
            }
        }
        let used = |bin: &u8| each.iter().any(|era| era[usize::from(*bin)] > 0);
        let bins: Vec<u8> = (0..=u8::MAX).filter(used).collect();
        let row = |era: &[u64; 256]| -> Vec<u32> {
            let present = bins.iter().map(|&bin| era[usize::from(bin)] as u32);
            present.chain([0]).collect()
        };
        Some(Self {
            rows: each.iter().flat_map(row).collect(),
            values: bins.into_iter().map(f64::from).collect(),
            whole: true,
            filled: filled(eras, filler),
        })
    }

    /// Counts numbers in cells of the reference's quantiles: `cells` of them, or one a value where
    /// there are no more values than that.
    pub(super) fn of_numbers(eras: &[Values<'_>], cells: usize, filler: f32) -> Self {
        let numbers = eras.iter().flat_map(|values| values.iter()).map(f64::from);
        let (values, rows) = Tally::distinct(numbers);
        let ends = bin_ends(&values, &rows, cells).into_iter();
        // Infinite ends do not survive JSON; these part single precision as they do.
        let mut ends: Vec<f64> = ends.map(|end| end.clamp(-f64::MAX, f64::MAX)).collect();
        if ends.is_empty() {
            ends.push(f64::MAX);
        }
        Self::in_cells(eras, ends, filler)
    }

    /// Counts a feature of another panel as this one was counted; nothing when it is another kind.
    pub(super) fn alike(&self, eras: &[Values<'_>], bins: bool, filler: f32) -> Option<Self> {
        if bins {
            return Self::of_bins(eras, filler);
        }
        Some(Self::in_cells(eras, self.values.clone(), filler))
    }

    fn in_cells(eras: &[Values<'_>], values: Vec<f64>, filler: f32) -> Self {
        let known =
            |value: f32| value.is_nan() || values[place(&values, value.into())] == value.into();
        Self {
            rows: Cells::of_numbers(eras.iter(), &values).counts,
            whole: eras.iter().all(|era| era.iter().all(known)),
            filled: filled(eras, filler),
            values,
        }
    }

    /// Refuses counts that are not those of eras with so many rows.
    pub(super) fn check(&self, eras: &[u64]) -> Result<()> {
        let rising = self.values.is_sorted_by(|a, b| a < b);
        let numbers = self.values.iter().all(|value| !value.is_nan());
        let width = self.values.len() + 1;
        let whole =
            self.rows.chunks(width).map(|era| era.iter().map(|&n| u64::from(n)).sum::<u64>());
        if rising
            && numbers
            && self.rows.len() == eras.len() * width
            && whole.eq(eras.iter().copied())
        {
            Ok(())
        } else {
            Err(Error::Profile { part: "counts" })
        }
    }

    fn width(&self) -> usize {
        self.values.len() + 1
    }
}

/// Rows in each bin of each era, the reference's first; the last bin holds the missing values.
pub(super) struct Cells {
    counts: Vec<u32>,
    pub(super) width: usize,
}

impl Cells {
    pub(super) fn era(&self, at: usize) -> &[u32] {
        &self.counts[at * self.width..][..self.width]
    }

    fn of_numbers<'a, 'b: 'a>(
        eras: impl ExactSizeIterator<Item = &'a Values<'b>>,
        ends: &[f64],
    ) -> Self {
        let width = ends.len() + 1;
        let mut counts = vec![0_u32; eras.len() * width];
        for (values, counts) in eras.zip(counts.chunks_exact_mut(width)) {
            for value in values.iter() {
                counts[place(ends, f64::from(value))] += 1;
            }
        }
        Self { counts, width }
    }
}

/// Both sides of a feature, counted.
pub(super) struct Counted {
    pub(super) tally: Tally,
    /// In bins cut on both sides together.
    pub(super) pooled: Cells,
    /// In bins cut on the reference.
    pub(super) reference: Cells,
    /// Whether `tally` holds the values themselves, not the ends of cells.
    pub(super) whole: bool,
    /// Eras of each side that hold the filler alone.
    pub(super) filled: [usize; 2],
}

impl Counted {
    /// From the counts of each side.
    pub(super) fn of_counts(reference: &Counts, current: &Counts, bins: usize) -> Self {
        let both = [reference, current];
        let mut values: Vec<f64> =
            both.iter().flat_map(|side| side.values.iter().copied()).collect();
        values.sort_unstable_by(f64::total_cmp);
        values.dedup();
        let width = values.len() + 1;
        let mut rows: Vec<u32> = Vec::new();
        let mut sums = [vec![0_u64; width], vec![0_u64; width]];
        for (side, sums) in both.into_iter().zip(&mut sums) {
            let known = side.values.iter().map(|value| values.partition_point(|v| v < value));
            let slots: Vec<usize> = known.chain([values.len()]).collect();
            for era in side.rows.chunks_exact(side.width()) {
                let from = rows.len();
                rows.resize(from + width, 0);
                for (&slot, &count) in slots.iter().zip(era) {
                    rows[from + slot] = count;
                    sums[slot] += u64::from(count);
                }
            }
        }
        let tally = Tally::of_sums(values, sums);
        let cells = |ends: &[f64]| {
            let to = tally.values().iter().map(|&value| place(ends, value));
            let to: Vec<usize> = to.chain([ends.len()]).collect();
            let cut = ends.len() + 1;
            let mut counts = vec![0_u32; rows.len() / width * cut];
            for (era, counts) in rows.chunks_exact(width).zip(counts.chunks_exact_mut(cut)) {
                for (&slot, &count) in to.iter().zip(era) {
                    counts[slot] += count;
                }
            }
            Cells { counts, width: cut }
        };
        let [pooled, on_reference] = cuts(&tally, bins);
        Self {
            pooled: cells(&pooled),
            reference: cells(&on_reference),
            tally,
            whole: reference.whole && current.whole,
            filled: [reference.filled, current.filled],
        }
    }

    /// From the values of each side: sorts, cuts, and counts.
    pub(super) fn of_numbers(sides: [&[Values<'_>]; 2], bins: usize, filler: f32) -> Result<Self> {
        let [here, there] = sides
            .map(|eras| -> Vec<f32> { eras.iter().flat_map(|values| values.iter()).collect() });
        let tally = Tally::of_values(&here, &there)?;
        drop((here, there));
        let eras: Vec<Values<'_>> = sides.concat();
        let [pooled, reference] =
            cuts(&tally, bins).map(|ends| Cells::of_numbers(eras.iter(), &ends));
        let filled = sides.map(|eras| filled(eras, filler));
        Ok(Self { tally, pooled, reference, whole: true, filled })
    }
}

/// Ends of the bins cut on both sides together, and on the reference.
fn cuts(tally: &Tally, bins: usize) -> [Vec<f64>; 2] {
    let both: Vec<u64> =
        tally.reference().iter().zip(tally.current()).map(|(a, b)| a + b).collect();
    [&both[..], tally.reference()].map(|rows| bin_ends(tally.values(), rows, bins))
}

/// The bin of a value; NaN is past the last.
fn place(ends: &[f64], value: f64) -> usize {
    if value.is_nan() {
        return ends.len();
    }
    ends.partition_point(|&end| end < value).min(ends.len().saturating_sub(1))
}

/// Eras that hold the filler alone.
fn filled(eras: &[Values<'_>], filler: f32) -> usize {
    let holds = |values: &&Values<'_>| match **values {
        Values::U8(bins) => bins.iter().all(|&bin| f32::from(bin) == filler),
        Values::F32(numbers) => numbers.iter().all(|&number| number == filler),
    };
    eras.iter().filter(holds).count()
}
