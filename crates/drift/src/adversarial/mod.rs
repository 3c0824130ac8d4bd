//! Adversarial validation: can a learner tell the current eras from the reference?
//!
//! The learner gets a panel of its own: the features of the chosen eras, the target 0 in reference
//! eras and 1 in current ones, and nothing else: no ids, no weights, no other targets, no extra
//! columns; eras are shuffled and named `0001`, `0002`, … anew, so that neither label nor position
//! gives the answer. Blocks of eras are dealt to folds, both sides alike; a fold's blocks are held
//! out whole, since rows of an era are alike and a learner that has met an era knows it again. The
//! statistic is the mean over the folds of
//!
//! `AUC = (Σ ranks of the current rows - n_1 (n_1 + 1) / 2) / (n_0 n_1)` (Mann and Whitney, ties half).
//!
//! Two nulls, both of which deal blocks of eras as [`EraTest`](crate::EraTest) does and are as exact:
//! * [`AucNull::Refit`]: labels are dealt anew, and the learner fitted anew, `draws` times. Exact.
//! * [`AucNull::HeldOut`]: a fold's model has not seen the fold's labels, so those are dealt among its
//!   held-out blocks: exact in each fold. The folds' p-values depend on each other; twice their mean
//!   is valid whatever the dependence, and conservative. No fit more than the folds need.
//!
//! Importance of a feature: the AUC lost, mean over the folds, when its values are shuffled over all
//! held-out rows. It costs a prediction for every feature and fold, and is made when it is asked for.
//!
//! Where no p-value that is possible reaches `level`, the answer is [`Found::Undecidable`], not that
//! there is no drift.
//!
//! Cost: `folds` fits, and `draws · folds` more for refits; one copy of the chosen rows, which `rows`
//! bounds.
//!
//! Reference: Mann and Whitney (1947), Annals of Mathematical Statistics 18(1); Friedman (2003), On
//! multivariate goodness-of-fit and two-sample testing (a learner as a test); Rüschendorf (1982),
//! Random variables with maximum sums, Advances in Applied Probability 14 (twice the mean); Breiman
//! (2001), Random forests, Machine Learning 45 (importance).

mod auc;
mod masked;

use fattail_core::{Fit, Panel, Predict};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use self::masked::Masked;
use crate::{
    EraBlocks, Found,
    eras::Deals,
    error::{Error, Result, at_least, checked_level},
};
pub use auc::auc;

/// Where the p-value of the AUC comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AucNull {
    /// Labels dealt among the held-out blocks of each fold; twice the mean of the folds' p-values.
    #[default]
    HeldOut,
    /// Labels dealt among all blocks, and every fold fitted anew.
    Refit,
}

/// Settings of adversarial validation.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Adversarial {
    /// How eras make blocks.
    pub blocks: EraBlocks,
    /// Folds; each side needs as many blocks. At least 2.
    pub folds: usize,
    /// Rows at most, all eras together, at least one for each era: as many are drawn from each era.
    pub rows: usize,
    /// Where the p-value comes from.
    pub null: AucNull,
    /// Deals of the labels.
    pub draws: u32,
    /// The rate of false alarms, above 0 and below 1.
    pub level: f64,
    /// Whether features are shuffled for their importance: a prediction for each feature and fold.
    pub importance: bool,
    /// Same seed, same rows, folds and deals.
    pub seed: u64,
}

impl Default for Adversarial {
    fn default() -> Self {
        Self {
            blocks: EraBlocks::default(),
            folds: 3,
            rows: 200_000,
            null: AucNull::HeldOut,
            draws: 199,
            level: 0.05,
            importance: false,
            seed: 0,
        }
    }
}

/// How well a learner tells current eras from reference eras that it has not met.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AdversarialReport {
    /// Whether the sides differ, at the stated level.
    pub found: Found,
    /// The mean of the folds' AUC; 0.5 is chance.
    pub auc: f64,
    /// The AUC of each fold.
    pub fold_auc: Vec<f64>,
    /// The chance of an AUC at least as large without drift.
    pub p: f64,
    /// The least p-value that is possible with so many blocks.
    pub smallest_p: f64,
    /// Blocks of the reference and of the current eras.
    pub blocks: [usize; 2],
    /// Features and the AUC that their values are worth, most first; empty unless it was asked for.
    pub importance: Vec<(String, f64)>,
}

impl Adversarial {
    /// Sets `learner` to tell the eras `current` of `panel` from the eras `reference`.
    ///
    /// ```
    /// use fattail_core::{Fit, Panel, Predict, Result};
    /// use fattail_drift::{Adversarial, EraBlocks, Found};
    ///
    /// /// Scores a row by its first feature.
    /// struct First;
    /// impl Fit for First {
    ///     type Fitted = Self;
    ///     fn fit(&self, _: &Panel) -> Result<Self> {
    ///         Ok(Self)
    ///     }
    /// }
    /// impl Predict for First {
    ///     fn predict(&self, panel: &Panel) -> Result<Vec<f32>> {
    ///         Ok(panel.feature(0).to_f32())
    ///     }
    /// }
    ///
    /// // 24 eras of five rows; from era 12 on the feature is one higher.
    /// let eras: Vec<String> = (0..120).map(|row| format!("{:04}", row / 5)).collect();
    /// let x: Vec<u8> = (0..120).map(|row| (row % 5 + row / 60) as u8).collect();
    /// let panel = Panel::builder().eras(&eras)?.feature("x", x).build()?;
    /// let (past, now): (Vec<usize>, Vec<usize>) = ((0..12).collect(), (12..24).collect());
    /// let settings =
    ///     Adversarial { blocks: EraBlocks { block: 1, gap: 0 }, ..Adversarial::default() };
    /// let report = settings.run(&First, &panel, &past, &now)?;
    /// assert!((report.auc - 0.68).abs() < 1e-6 && report.found == Found::Drift);
    /// # Ok::<(), fattail_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// When a setting is out of its range, the eras are not allowed or too few, the learner fails, or
    /// it answers with a number that is not finite.
    pub fn run<F>(
        &self,
        learner: &F,
        panel: &Panel,
        reference: &[usize],
        current: &[usize],
    ) -> Result<AdversarialReport>
    where
        F: Fit,
        F::Fitted: Predict,
    {
        if self.folds < 2 {
            return Err(Error::setting("folds", self.folds, "at least 2"));
        }
        checked_level(self.level)?;
        let layout = self.blocks.layout(panel.eras().len(), reference, current)?;
        let (units, now) = (layout.blocks.len(), layout.current().len());
        at_least("reference", "blocks of eras", units - now, self.folds)?;
        at_least("current", "blocks of eras", now, self.folds)?;
        let eras: usize = layout.blocks.iter().map(Vec::len).sum();
        let each = self.rows / eras;
        if each == 0 {
            return Err(Error::setting("rows", self.rows, "at least one for each era"));
        }
        let masked = Masked::new(panel, &layout.blocks, each, self.seed)?;
        let folds = self.folds(learner, &masked, layout.current(), self.importance)?;
        let fold_auc: Vec<f64> = folds.iter().map(|fold| fold.auc).collect();
        let auc = fattail_stats::mean(&fold_auc);
        let (p, smallest_p) = match self.null {
            AucNull::HeldOut => held_out(&folds, self.draws, self.seed)?,
            AucNull::Refit => {
                let deals = Deals::new(units, now, self.draws, self.seed)?;
                let drawn: Result<Vec<f64>> = deals
                    .par_iter()
                    .map(|chosen| {
                        let folds = self.folds(learner, &masked, chosen, false)?;
                        let each: Vec<f64> = folds.iter().map(|fold| fold.auc).collect();
                        Ok(fattail_stats::mean(&each))
                    })
                    .collect();
                let drawn = drawn?;
                let smallest = deals.smallest_p(units, mirrored(&drawn));
                (deals.p_of(auc, drawn.into_iter()), smallest)
            }
        };
        let importance = self.ranked(&masked, &folds);
        Ok(AdversarialReport {
            found: Found::by(p, smallest_p, self.level),
            auc,
            fold_auc,
            p,
            smallest_p,
            blocks: [units - now, now],
            importance,
        })
    }

    /// Fits and scores all folds under some labels.
    fn folds<F>(
        &self,
        learner: &F,
        masked: &Masked,
        chosen: &[u32],
        importance: bool,
    ) -> Result<Vec<Fold>>
    where
        F: Fit,
        F::Fitted: Predict,
    {
        let mut is_current = vec![false; masked.units()];
        chosen.iter().for_each(|&unit| is_current[unit as usize] = true);
        let panel = masked.labelled(&is_current)?;
        let fold_of = masked.folds(&is_current, self.folds);
        let fold = |at: usize| {
            let model = learner.fit(&panel.cut(&masked.eras_where(|unit| fold_of[unit] != at))?)?;
            let units: Vec<usize> = (0..masked.units()).filter(|&u| fold_of[u] == at).collect();
            let held_out = panel.cut(&masked.eras_where(|unit| fold_of[unit] == at))?;
            let rows = masked.unit_of_rows(|unit| fold_of[unit] == at);
            let held_out = held_out.without_targets();
            let score = |panel: &Panel| -> Result<_> {
                let prediction = checked(model.predict(panel)?, at, rows.len())?;
                auc::RankSums::new(&prediction, &rows, &units, &is_current)
            };
            let sums = score(&held_out)?;
            let auc = sums.auc();
            let lost = |feature: usize| -> Result<f64> {
                let shuffled = masked::shuffled(&held_out, feature, self.seed, at)?;
                Ok(auc - score(&shuffled)?.auc())
            };
            let lost = if importance {
                (0..panel.width()).map(lost).collect::<Result<Vec<f64>>>()?
            } else {
                Vec::new()
            };
            Ok(Fold { auc, sums, lost })
        };
        (0..self.folds).map(fold).collect()
    }

    /// Features by the mean AUC lost without them, the most first.
    fn ranked(&self, masked: &Masked, folds: &[Fold]) -> Vec<(String, f64)> {
        if !self.importance {
            return Vec::new();
        }
        let mean = |at: usize| folds.iter().map(|fold| fold.lost[at]).sum::<f64>();
        let named = masked.names().iter().enumerate();
        let mut list: Vec<(String, f64)> =
            named.map(|(at, name)| (name.to_string(), mean(at) / folds.len() as f64)).collect();
        list.sort_by(|a, b| b.1.total_cmp(&a.1));
        list
    }
}

/// What a fold gives.
struct Fold {
    auc: f64,
    sums: auc::RankSums,
    /// AUC lost without each feature.
    lost: Vec<f64>,
}

/// Whether the learner answers the same with the sides exchanged: in lexical order, the blocks that the
/// first of all choices leaves are the last choice.
fn mirrored(all: &[f64]) -> bool {
    all.iter().zip(all.iter().rev()).all(|(one, other)| (one - other).abs() <= 1e-12)
}

/// Twice the mean of the folds' p-values, and the least that it can be.
fn held_out(folds: &[Fold], draws: u32, seed: u64) -> Result<(f64, f64)> {
    let (mut sum, mut least) = (0.0, 0.0);
    for (fold, stream) in folds.iter().zip(1..) {
        let units = fold.sums.units();
        let deals = Deals::new(units, fold.sums.current(), draws, seed.wrapping_add(stream))?;
        sum += deals.p(fold.auc, |chosen| fold.sums.auc_of(chosen));
        // The AUC of the other blocks is 1 less this one: no ties between the sides.
        least += deals.smallest_p(units, false);
    }
    let twice = 2.0 / folds.len() as f64;
    Ok(((twice * sum).min(1.0), (twice * least).min(1.0)))
}

/// Refuses predictions that cannot be ranked.
fn checked(prediction: Vec<f32>, fold: usize, rows: usize) -> Result<Vec<f64>> {
    if prediction.len() != rows {
        let given = prediction.len();
        return Err(Error::Length { name: "prediction", given, expected: rows });
    }
    match prediction.iter().position(|value| !value.is_finite()) {
        Some(row) => Err(Error::Prediction { fold, row, value: prediction[row] }),
        None => Ok(prediction.into_iter().map(f64::from).collect()),
    }
}
