//! Every feature of a panel, reference eras against current eras, and one verdict for all.
//!
//! Each feature gets its distances, which say how far, and the p-value of the era-aware test, which
//! says whether: blocks of eras are dealt, see [`EraTest`]. Bins of the test are cut on both sides
//! together, so that a deal leaves them alone; bins of the index are the reference's. `row_p` is
//! chi-squared's with rows counted as independent: on a real panel it is far too small, and it is there
//! to be seen beside the other.
//!
//! The verdict holds a stated rate of false alarms for the panel as a whole. All features are dealt
//! together, so what they share is in the null:
//! * [`Rule::MaxStatistic`]: with `z_j = (T_j^{1/3} - mean) / std` over the deals of feature `j`, the
//!   adjusted p-value is the share of deals whose largest `z` over all features is at least `z_j`.
//!   Drift when any is at most `level`. Exact where blocks are exchangeable, for any number of
//!   features and any dependence between them.
//! * [`Rule::BenjaminiHochberg`]: drift when any `q_j = min_{i: p_i >= p_j} p_i F / rank_i` is at most
//!   `level`. At most `level` when features are positively dependent; of the features told, a share of
//!   `level` is false on average. With `draws` deals `p` is never below `1 / (draws + 1)`, so a single
//!   feature among many cannot be found: a thousand features want twenty thousand deals.
//!
//! A feature that is one and the same value (2, Numerai's for wholly missing) in every row of an era
//! is counted by eras. Missing values are a bin. Features that do not vary have `p = 1`.
//!
//! Cost: one pass over the rows of a `u8` feature, a sort of an `f32` one, and `draws · k_C · bins`;
//! features side by side on all threads, 64 at a time in memory.
//!
//! Reference: Westfall and Young (1993), Resampling-Based Multiple Testing, section 2.5; Benjamini and
//! Hochberg (1995), Controlling the false discovery rate, JRSS B 57(1); Wilson and Hilferty (1931),
//! PNAS 17 (the cube root).

mod feature;
mod report;

use fattail_core::Panel;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use self::feature::{Plan, Scanned};
pub use self::report::{FeatureDrift, Heat, Rule, ScanReport, Verdict, benjamini_hochberg};
use crate::{
    Binning, EraTest,
    error::{Error, Result},
    null::{Method, tie_floor},
};

/// Settings of a scan.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Scan {
    /// How features are cut.
    pub binning: Binning,
    /// How eras make blocks, and how often they are dealt.
    pub test: EraTest,
    /// What makes the verdict.
    pub rule: Rule,
    /// The rate of false alarms of the verdict, above 0 and below 1.
    pub level: f64,
    /// The value that stands for a feature which is missing in a whole era.
    pub filler: f32,
    /// Whether the index of each era is kept.
    pub heat: bool,
}

impl Default for Scan {
    fn default() -> Self {
        Self {
            binning: Binning::default(),
            test: EraTest::default(),
            rule: Rule::MaxStatistic,
            level: 0.05,
            filler: 2.0,
            heat: true,
        }
    }
}

/// Features whose deals are in memory at a time.
const AT_A_TIME: usize = 64;

impl Scan {
    /// Compares the eras `current` of `panel` with the eras `reference`, both positions of eras.
    ///
    /// ```
    /// use fattail_core::Panel;
    /// use fattail_drift::{EraBlocks, EraTest, Scan};
    ///
    /// // 40 eras of 25 rows. The second feature is stuck at 2 in the last eight.
    /// let eras: Vec<String> = (0..1000).map(|row| format!("{:04}", row / 25)).collect();
    /// let calm: Vec<u8> = (0..1000).map(|row| ((row * row / 7) % 5) as u8).collect();
    /// let stuck = calm.iter().zip(0..).map(|(&x, row)| if row < 800 { x } else { 2 });
    /// let panel = Panel::builder()
    ///     .eras(&eras)?
    ///     .feature("stuck", stuck.collect::<Vec<u8>>())
    ///     .feature("calm", calm)
    ///     .build()?;
    /// let blocks = EraBlocks { block: 1, gap: 0 };
    /// let scan = Scan { test: EraTest { blocks, ..EraTest::default() }, ..Scan::default() };
    /// let (past, now): (Vec<usize>, Vec<usize>) = ((0..32).collect(), (32..40).collect());
    /// let report = scan.run(&panel, &past, &now)?;
    /// assert!(report.verdict.drift);
    /// assert_eq!(report.features[0].filler_eras, [0, 8]);
    /// assert!(report.features[0].adjusted < 0.01 && report.features[1].adjusted > 0.05);
    /// # Ok::<(), fattail_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// When a setting is out of its range, or the eras are not allowed or too few.
    pub fn run(&self, panel: &Panel, reference: &[usize], current: &[usize]) -> Result<ScanReport> {
        self.binning.check()?;
        if !(self.level > 0.0 && self.level < 1.0) {
            return Err(Error::setting("level", self.level, "above 0, below 1"));
        }
        let plan = Plan::new(self, panel, reference, current)?;
        let mut most = vec![f64::NEG_INFINITY; plan.deals.len()];
        let (mut features, mut heights, mut columns) = (Vec::new(), Vec::new(), Vec::new());
        let positions: Vec<usize> = (0..panel.width()).collect();
        for some in positions.chunks(AT_A_TIME) {
            let scanned: Result<Vec<Scanned>> =
                some.par_iter().map(|&at| plan.feature(panel, at)).collect();
            for one in scanned? {
                for (slot, height) in most.iter_mut().zip(&one.dealt) {
                    *slot = slot.max(*height);
                }
                heights.push(one.height);
                columns.push(one.heat);
                features.push(one.drift);
            }
        }
        adjust(&mut features, &heights, most, plan.deals.is_exact());
        let layout = &plan.layout;
        let eras = panel.eras();
        let rows = |list: &[usize]| list.iter().map(|&era| eras.range(era).len()).sum();
        let blocks = [layout.blocks.len() - layout.current().len(), layout.current().len()];
        Ok(ScanReport {
            verdict: Verdict::of(&features, self.rule, self.level),
            eras: [reference.len(), current.len()],
            rows: [rows(reference), rows(current)],
            blocks,
            smallest_p: plan.deals.smallest_p(),
            method: if plan.deals.is_exact() { Method::Exact } else { Method::Permutation },
            heat: self.heat.then(|| Heat::of(panel, plan.eras(), &columns)),
            features,
        })
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
