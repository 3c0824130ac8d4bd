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
//! Where no p-value that is possible reaches the level, or there is nothing to compare, the verdict is
//! [`Found::Undecidable`](crate::Found::Undecidable), with the reason.
//!
//! Fewer current eras than a block holds are one block: one era is ranked among the eras of the
//! reference by its largest `z`, and the level is exact where eras are exchangeable. The p-value is
//! never below `1 / (1 + eras)`, so 5 % wants 19 eras of reference. [`Scan::profile`] keeps the
//! reference for panels that do not hold it.
//!
//! Any column can be scanned as one feature more: `panel.append_features([("prediction", values)])`
//! has the drift of predictions in the same report and under the same level.
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

mod counts;
mod plan;
mod profile;
mod report;

use fattail_core::Panel;
use serde::{Deserialize, Serialize};

use self::{
    counts::{Counted, Counts},
    plan::{Plan, Side},
    profile::values,
};
pub use self::{
    profile::Profile,
    report::{Changed, FeatureDrift, Heat, Rule, ScanReport, Verdict},
};
use crate::{
    Binning, EraTest,
    error::{Result, checked_level},
};

/// Settings of a scan.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
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

impl Scan {
    /// Compares the eras `current` of `panel` with the eras `reference`, both positions of eras.
    ///
    /// ```
    /// use fattail_core::Panel;
    /// use fattail_drift::{EraBlocks, EraTest, Found, Scan};
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
    /// assert_eq!(report.verdict.found, Found::Drift);
    /// assert_eq!(report.features[0].filler_eras, [0, 8]);
    /// assert!(report.features[0].adjusted < 0.01 && report.features[1].adjusted > 0.05);
    /// # Ok::<(), fattail_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// When a setting is out of its range, or the eras are not allowed or too few.
    pub fn run(&self, panel: &Panel, reference: &[usize], current: &[usize]) -> Result<ScanReport> {
        self.check()?;
        let past = Side::of(panel, reference, "reference")?;
        let now = Side::of(panel, current, "current")?;
        let plan = Plan::new(self, &past, &now)?;
        let names = panel.schema().features();
        plan.report(panel.width(), Changed::default(), |at| {
            let sides = [&past, &now].map(|side| values(panel, at, side));
            let [here, there] = sides.each_ref().map(|eras| Counts::of_bins(eras, self.filler));
            let bins = self.binning.bins;
            let counted = match (here, there) {
                (Some(here), Some(there)) => Counted::of_counts(&here, &there, bins),
                _ => Counted::of_numbers(sides.each_ref().map(Vec::as_slice), bins, self.filler)?,
            };
            Ok((&*names[at], counted))
        })
    }

    fn check(&self) -> Result<()> {
        self.binning.check()?;
        checked_level(self.level)
    }
}
