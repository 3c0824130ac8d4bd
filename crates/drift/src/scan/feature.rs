//! One feature of a scan.

use fattail_core::{Panel, Values};

use super::{FeatureDrift, Scan};
use crate::{
    Layout, Null, Tally, chi_squared,
    distance::{Table, bin_ends, count_bins, psi_of, raw_distance, scaled_distance},
    eras::{Deals, Scaled},
    error::Result,
    jensen_shannon, kolmogorov_smirnov, psi,
};

/// What all features of a scan share.
pub(super) struct Plan<'a> {
    scan: &'a Scan,
    pub(super) layout: Layout,
    pub(super) deals: Deals,
    /// Positions of all eras of both sides in order, with whether each is current.
    marked: Vec<(usize, bool)>,
    /// The places in `marked` of the eras of each block.
    places: Vec<Vec<usize>>,
}

/// What a feature gives.
pub(super) struct Scanned {
    pub(super) drift: FeatureDrift,
    /// The standardised cube root of the statistic; minus infinity for a feature that does not vary.
    pub(super) height: f64,
    /// The same of every deal.
    pub(super) dealt: Vec<f64>,
    /// The index of each era.
    pub(super) heat: Vec<f32>,
}

impl<'a> Plan<'a> {
    pub(super) fn new(
        scan: &'a Scan,
        panel: &Panel,
        reference: &[usize],
        current: &[usize],
    ) -> Result<Self> {
        let layout = scan.test.blocks.layout(panel.eras().len(), reference, current)?;
        let deals = scan.test.deals(&layout)?;
        let sides = reference.iter().map(|&era| (era, false));
        let mut marked: Vec<(usize, bool)> =
            sides.chain(current.iter().map(|&era| (era, true))).collect();
        marked.sort_unstable();
        let place = |era: &usize| marked.partition_point(|(known, _)| known < era);
        let places = layout.blocks.iter().map(|block| block.iter().map(place).collect()).collect();
        Ok(Self { scan, layout, deals, marked, places })
    }

    /// The eras of both sides, in order.
    pub(super) fn eras(&self) -> impl Iterator<Item = usize> + '_ {
        self.marked.iter().map(|&(era, _)| era)
    }

    /// Scans feature `at` of the panel.
    pub(super) fn feature(&self, panel: &Panel, at: usize) -> Result<Scanned> {
        let column = panel.feature(at);
        let eras: Vec<Values<'_>> = self.eras().map(|era| column.era(era)).collect();
        let counted = if column.is_u8() { Counted::bins(self, &eras) } else { None };
        let counted = counted.map_or_else(|| Counted::numbers(self, &eras), Ok)?;
        let tally = &counted.tally;
        let binning = &self.scan.binning;
        let wasserstein = raw_distance(tally);
        let [n, m] = tally.rows().map(|rows| rows as f64);
        let [here, there] = tally.missing().map(|rows| rows as f64);
        let (statistic, p, height, dealt) = self.tested(&counted.pooled);
        let drift = FeatureDrift {
            name: panel.schema().features()[at].to_string(),
            psi: psi(tally, binning, &Null::Asymptotic)?.statistic,
            jensen_shannon: jensen_shannon(tally, binning, &Null::Asymptotic)?.statistic,
            smirnov: kolmogorov_smirnov(tally, &Null::Asymptotic)?.statistic,
            wasserstein,
            wasserstein_scaled: scaled_distance(tally, wasserstein),
            missing: [here / n, there / m],
            filler_eras: self.filler_eras(&eras),
            statistic,
            p,
            q: f64::NAN,
            adjusted: f64::NAN,
            row_p: chi_squared(tally, binning, &Null::Asymptotic)?.p,
        };
        let heat = if self.scan.heat { self.heat(&counted.reference) } else { Vec::new() };
        Ok(Scanned { drift, height, dealt, heat })
    }

    /// Statistic, p-value, and standardised cube roots.
    fn tested(&self, cells: &Cells) -> (f64, f64, f64, Vec<f64>) {
        let width = cells.width;
        let mut units = vec![0.0; self.places.len() * width];
        for (unit, places) in units.chunks_exact_mut(width).zip(&self.places) {
            for &place in places {
                let counts = cells.era(place);
                let rows: f64 = counts.iter().map(|&count| f64::from(count)).sum();
                for (slot, &count) in unit.iter_mut().zip(counts) {
                    *slot += f64::from(count) / (rows * places.len() as f64);
                }
            }
        }
        let scaled = Scaled::new(&units, width);
        if scaled.width == 0 {
            return (0.0, 1.0, f64::NEG_INFINITY, Vec::new());
        }
        let mut sums = vec![0.0; scaled.width];
        let observed = scaled.of(self.layout.current(), &mut sums);
        let mut dealt: Vec<f64> =
            self.deals.iter().map(|chosen| scaled.of(chosen, &mut sums)).collect();
        let p = self.deals.p_of(observed, dealt.iter().copied());
        dealt.iter_mut().for_each(|value| *value = value.cbrt());
        let root = observed.cbrt();
        // The observed choice is one of the choices, and counts in mean and spread.
        let extra = (!self.deals.is_exact()).then_some(root);
        let count = (dealt.len() + usize::from(extra.is_some())) as f64;
        let over = |f: &dyn Fn(f64) -> f64| dealt.iter().chain(&extra).map(|&v| f(v)).sum::<f64>();
        let mean = over(&|value| value) / count;
        let std = (over(&|value| (value - mean).powi(2)) / count).sqrt();
        if std <= 1e-12 * mean {
            return (observed, p, f64::NEG_INFINITY, Vec::new());
        }
        dealt.iter_mut().for_each(|value| *value = (*value - mean) / std);
        (observed, p, (root - mean) / std, dealt)
    }

    /// The index of each era against all of the reference.
    fn heat(&self, cells: &Cells) -> Vec<f32> {
        let mut reference = vec![0_u64; cells.width];
        for (place, &(_, is_current)) in self.marked.iter().enumerate() {
            if !is_current {
                let counts = reference.iter_mut().zip(cells.era(place));
                counts.for_each(|(total, &count)| *total += u64::from(count));
            }
        }
        let mut table = Table { reference: Vec::new(), current: Vec::new() };
        let index = |place: usize| {
            table.reference.clear();
            table.current.clear();
            for (&all, &here) in reference.iter().zip(cells.era(place)) {
                if all + u64::from(here) > 0 {
                    table.reference.push(all);
                    table.current.push(u64::from(here));
                }
            }
            psi_of(&table, self.scan.binning.floor) as f32
        };
        (0..self.marked.len()).map(index).collect()
    }

    /// Eras of each side that hold the filler alone.
    fn filler_eras(&self, eras: &[Values<'_>]) -> [usize; 2] {
        let filler = self.scan.filler;
        let mut found = [0; 2];
        for (values, &(_, is_current)) in eras.iter().zip(&self.marked) {
            let filled = match *values {
                Values::U8(bins) => bins.iter().all(|&bin| f32::from(bin) == filler),
                Values::F32(numbers) => numbers.iter().all(|&number| number == filler),
            };
            found[usize::from(is_current)] += usize::from(filled);
        }
        found
    }
}

/// Rows in each bin of each era; the last bin holds the missing values.
struct Cells {
    counts: Vec<u32>,
    width: usize,
}

impl Cells {
    fn era(&self, place: usize) -> &[u32] {
        &self.counts[place * self.width..][..self.width]
    }
}

/// A feature, counted.
struct Counted {
    tally: Tally,
    /// In bins cut on both sides together.
    pooled: Cells,
    /// In bins cut on the reference.
    reference: Cells,
}

impl Counted {
    /// Counts bins in one pass; nothing when a value is not a bin.
    fn bins(plan: &Plan<'_>, eras: &[Values<'_>]) -> Option<Self> {
        let mut of_era = vec![[0_u64; 256]; eras.len()];
        let mut sides = [[0_u64; 256]; 2];
        for ((values, counts), &(_, is_current)) in eras.iter().zip(&mut of_era).zip(&plan.marked) {
            let Values::U8(bins) = values else { return None };
            count_bins(bins, counts);
            let side = sides[usize::from(is_current)].iter_mut().zip(counts.iter());
            side.for_each(|(total, count)| *total += count);
        }
        let tally = Tally::of_counts(&sides[0], &sides[1]).ok()?;
        // Positions of counts are the bins, so values are bins again.
        let cells = |ends: &[f64]| {
            let width = ends.len() + 1;
            let mut counts = vec![0_u32; eras.len() * width];
            for (era, counts) in of_era.iter().zip(counts.chunks_exact_mut(width)) {
                for &bin in tally.values() {
                    counts[place(ends, bin)] += era[bin as usize] as u32;
                }
            }
            Cells { counts, width }
        };
        let (pooled, reference) = cuts(&tally, plan.scan.binning.bins);
        Some(Self { pooled: cells(&pooled), reference: cells(&reference), tally })
    }

    /// Sorts numbers, cuts, and counts.
    fn numbers(plan: &Plan<'_>, eras: &[Values<'_>]) -> Result<Self> {
        let mut sides: [Vec<f32>; 2] = [Vec::new(), Vec::new()];
        for (values, &(_, is_current)) in eras.iter().zip(&plan.marked) {
            sides[usize::from(is_current)].extend(values.iter());
        }
        let tally = Tally::of_values(&sides[0], &sides[1])?;
        drop(sides);
        let cells = |ends: &[f64]| {
            let width = ends.len() + 1;
            let mut counts = vec![0_u32; eras.len() * width];
            for (values, counts) in eras.iter().zip(counts.chunks_exact_mut(width)) {
                for value in values.iter() {
                    counts[place(ends, f64::from(value))] += 1;
                }
            }
            Cells { counts, width }
        };
        let (pooled, reference) = cuts(&tally, plan.scan.binning.bins);
        Ok(Self { pooled: cells(&pooled), reference: cells(&reference), tally })
    }
}

/// Ends of the bins cut on both sides together, and on the reference.
fn cuts(tally: &Tally, bins: usize) -> (Vec<f64>, Vec<f64>) {
    let both: Vec<u64> =
        tally.reference().iter().zip(tally.current()).map(|(a, b)| a + b).collect();
    (bin_ends(tally.values(), &both, bins), bin_ends(tally.values(), tally.reference(), bins))
}

/// The bin of a value; NaN is past the last.
fn place(ends: &[f64], value: f64) -> usize {
    if value.is_nan() {
        return ends.len();
    }
    ends.partition_point(|&end| end < value).min(ends.len().saturating_sub(1))
}
