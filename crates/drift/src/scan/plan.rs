//! What a scan does with features that are counted, wherever they were.

use fattail_core::Panel;
use fattail_stats::benjamini_hochberg;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{
    Changed, FeatureDrift, Heat, Scan, ScanReport, Verdict,
    counts::{Cells, Counted},
};
use crate::{
    Layout, Null, chi_squared,
    distance::{Table, psi_of, raw_distance, scaled_distance},
    eras::{Deals, Scaled},
    error::{Error, Result},
    jensen_shannon, kolmogorov_smirnov,
    null::{Method, tie_floor},
    psi,
};

/// The eras of one side, in order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Side {
    pub(super) positions: Vec<usize>,
    pub(super) labels: Vec<String>,
    pub(super) rows: Vec<u64>,
}

impl Side {
    pub(super) fn of(panel: &Panel, list: &[usize], side: &'static str) -> Result<Self> {
        let eras = panel.eras();
        let mut positions = list.to_vec();
        positions.sort_unstable();
        let refused = |era, reason| Err(Error::Era { era, side, reason });
        if let Some(&era) = positions.last().filter(|last| **last >= eras.len()) {
            return refused(era, "the panel has no such era");
        }
        if let Some(pair) = positions.windows(2).find(|pair| pair[0] == pair[1]) {
            return refused(pair[0], "it is given twice");
        }
        Ok(Self {
            labels: positions.iter().map(|&era| eras.label(era).to_owned()).collect(),
            rows: positions.iter().map(|&era| eras.range(era).len() as u64).collect(),
            positions,
        })
    }
}

/// What all features of a scan share.
pub(super) struct Plan<'a> {
    scan: &'a Scan,
    layout: Layout,
    deals: Deals,
    sides: [&'a Side; 2],
    /// The places of the eras of each block, the reference's eras first.
    places: Vec<Vec<usize>>,
    /// All places in order of time.
    in_time: Vec<usize>,
}

/// What a feature gives.
struct Scanned {
    drift: FeatureDrift,
    /// The standardised cube root of the statistic; minus infinity for a feature that does not vary.
    height: f64,
    /// The same of every deal.
    dealt: Vec<f64>,
    /// The index of each era.
    heat: Vec<f32>,
}

/// Features whose deals are in memory at a time.
const AT_A_TIME: usize = 64;

impl<'a> Plan<'a> {
    pub(super) fn new(scan: &'a Scan, reference: &'a Side, current: &'a Side) -> Result<Self> {
        let (past, now) = (&reference.positions, &current.positions);
        let eras = past.iter().chain(now).max().map_or(0, |last| last + 1);
        let layout = scan.test.blocks.layout(eras, past, now)?;
        let deals = scan.test.deals(&layout)?;
        let place = |era: &usize| {
            now.binary_search(era)
                .map_or_else(|_| past.partition_point(|p| p < era), |at| past.len() + at)
        };
        let places = layout.blocks.iter().map(|block| block.iter().map(place).collect()).collect();
        let mut in_time: Vec<usize> = past.iter().chain(now).copied().collect();
        in_time.sort_unstable();
        in_time.iter_mut().for_each(|era| *era = place(era));
        Ok(Self { scan, layout, deals, sides: [reference, current], places, in_time })
    }

    /// Scans as many features, each with its name.
    pub(super) fn report<'n>(
        &self,
        width: usize,
        changed: Changed,
        feature: impl Fn(usize) -> Result<(&'n str, Counted)> + Sync,
    ) -> Result<ScanReport> {
        let mut most = vec![f64::NEG_INFINITY; self.deals.len()];
        let (mut features, mut heights, mut columns) = (Vec::new(), Vec::new(), Vec::new());
        let positions: Vec<usize> = (0..width).collect();
        for some in positions.chunks(AT_A_TIME) {
            let scan = |&at: &usize| feature(at).and_then(|(name, one)| self.feature(name, &one));
            let scanned: Result<Vec<Scanned>> = some.par_iter().map(scan).collect();
            for one in scanned? {
                for (slot, height) in most.iter_mut().zip(&one.dealt) {
                    *slot = slot.max(*height);
                }
                heights.push(one.height);
                columns.push(one.heat);
                features.push(one.drift);
            }
        }
        let exact = self.deals.is_exact();
        adjust(&mut features, &heights, most, exact);
        let blocks = self.layout.blocks.len();
        let smallest_p = self.deals.smallest_p(blocks, true);
        let now = self.layout.current().len();
        Ok(ScanReport {
            verdict: Verdict::of(&features, self.scan, smallest_p, changed.not_compared()),
            eras: self.sides.map(|side| side.rows.len()),
            rows: self.sides.map(|side| side.rows.iter().sum::<u64>() as usize),
            block: self.layout.blocks.first().map_or(0, Vec::len),
            blocks: [blocks - now, now],
            smallest_p,
            method: if exact { Method::Exact } else { Method::Permutation },
            heat: self.scan.heat.then(|| self.map(&features, &columns)),
            changed,
            features,
        })
    }

    fn feature(&self, name: &str, counted: &Counted) -> Result<Scanned> {
        let tally = &counted.tally;
        let binning = &self.scan.binning;
        let wasserstein = if counted.whole { raw_distance(tally) } else { f64::NAN };
        let [n, m] = tally.rows().map(|rows| rows as f64);
        let [here, there] = tally.missing().map(|rows| rows as f64);
        let (statistic, p, height, dealt) = self.tested(&counted.pooled);
        let drift = FeatureDrift {
            name: name.to_owned(),
            psi: psi(tally, binning, &Null::Asymptotic)?.statistic,
            jensen_shannon: jensen_shannon(tally, binning, &Null::Asymptotic)?.statistic,
            smirnov: kolmogorov_smirnov(tally, &Null::Asymptotic)?.statistic,
            wasserstein,
            wasserstein_scaled: scaled_distance(tally, wasserstein),
            missing: [here / n, there / m],
            filler_eras: counted.filled,
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
        for place in 0..self.sides[0].rows.len() {
            let counts = reference.iter_mut().zip(cells.era(place));
            counts.for_each(|(total, &count)| *total += u64::from(count));
        }
        let mut table = Table { reference: Vec::new(), current: Vec::new() };
        let index = |&place: &usize| {
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
        self.in_time.iter().map(index).collect()
    }

    /// The indices of all features.
    fn map(&self, features: &[FeatureDrift], columns: &[Vec<f32>]) -> Heat {
        let [reference, current] = self.sides;
        let labels: Vec<&String> = reference.labels.iter().chain(&current.labels).collect();
        let row = |at: usize| columns.iter().map(move |column| column[at]);
        Heat {
            eras: self.in_time.iter().map(|&place| labels[place].clone()).collect(),
            columns: features.iter().map(|feature| feature.name.clone()).collect(),
            psi: (0..self.in_time.len()).flat_map(row).collect(),
        }
    }
}

/// Fills in what needs all features: q-values and adjusted p-values.
fn adjust(features: &mut [FeatureDrift], heights: &[f64], mut most: Vec<f64>, exact: bool) {
    let p: Vec<f64> = features.iter().map(|feature| feature.p).collect();
    let one = usize::from(!exact);
    most.sort_unstable_by(f64::total_cmp);
    for ((feature, q), &height) in features.iter_mut().zip(benjamini_hochberg(&p)).zip(heights) {
        feature.q = q;
        let floor = tie_floor(height);
        let above = most.len() - most.partition_point(|&drawn| drawn < floor);
        let share = ((above + one).max(1)) as f64 / (most.len() + one) as f64;
        feature.adjusted = if height == f64::NEG_INFINITY { 1.0 } else { share };
    }
}
