//! How much each feature matters in each era of a panel: by permutation, and by gain.
//!
//! Permutation: the fall of a metric when the feature's values are shuffled within the era.
//! Gain: what the splits on the feature win in the era by squared error,
//! `n_L n_R / (n_L + n_R) (mean_L - mean_R)^2` with the means of the residuals before the tree on
//! both sides of the node. A split that only fits some eras wins little in the others.
//! A score that is not defined gives NaN, which means leave out. Rows without a target do not count.
//! Cost: permutation, a prediction of the panel a feature and repeat; gain, a walk a row and tree.
//! Reference: Breiman 2001, Random forests, section 10.

use fattail_core::{ColumnData, Era, Error, Metric, Panel, Predict, Result};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{Child, Forest, Tree};

/// The importance of each feature in each era.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EraImportance {
    /// Names of the features.
    pub features: Vec<String>,
    /// Labels of the eras.
    pub eras: Vec<String>,
    /// Feature by feature, in it era by era; NaN where it is not defined.
    pub values: Vec<f64>,
}

impl EraImportance {
    /// The importance of a feature in each era.
    ///
    /// # Panics
    /// When there is no such feature.
    #[must_use]
    pub fn of(&self, feature: usize) -> &[f64] {
        &self.values[feature * self.eras.len()..][..self.eras.len()]
    }

    /// Mean and standard deviation over the eras where the feature's importance is defined; NaN
    /// where they are none, or one.
    ///
    /// # Panics
    /// When there is no such feature.
    #[must_use]
    pub fn summary(&self, feature: usize) -> (f64, f64) {
        let defined: Vec<f64> = self.of(feature).iter().copied().filter(|x| !x.is_nan()).collect();
        let count = defined.len() as f64;
        let mean = defined.iter().sum::<f64>() / count;
        let squares: f64 = defined.iter().map(|x| (x - mean).powi(2)).sum();
        (mean, (squares / (count - 1.0)).sqrt())
    }

    fn of_panel(panel: &Panel, values: Vec<f64>) -> Self {
        let features = panel.schema().features().iter().map(ToString::to_string).collect();
        let eras = panel.eras().labels().map(ToOwned::to_owned).collect();
        Self { features, eras, values }
    }
}

/// Importance by permutation within eras.
///
/// ```
/// use fattail_core::{Era, Metric, Panel, Predict};
/// use fattail_trees::explain::Permutation;
///
/// struct First;
/// impl Predict for First {
///     fn predict(&self, panel: &Panel) -> fattail_core::Result<Vec<f32>> {
///         Ok(panel.feature(0).to_f32())
///     }
/// }
/// struct Squares;
/// impl Metric for Squares {
///     fn name(&self) -> &str {
///         "minus squares"
///     }
///     fn score(&self, era: &Era<'_>, prediction: &[f32]) -> fattail_core::Result<f64> {
///         let pairs = prediction.iter().zip(era.target()?);
///         Ok(-pairs.map(|(x, y)| f64::from(x - y).powi(2)).sum::<f64>())
///     }
/// }
/// let numbers: Vec<f32> = (0..20_u8).map(f32::from).collect();
/// let panel = Panel::builder().feature("x", numbers.clone()).feature("noise", numbers.clone());
/// let panel = panel.target("target", numbers).build()?;
/// let found = Permutation::default().importance(&panel, &First, &Squares)?;
/// assert!(found.of(0)[0] > 100.0);
/// assert_eq!(found.of(1), [0.0]);
/// # Ok::<(), fattail_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Permutation {
    /// Where the shuffles come from.
    pub seed: u64,
    /// Shuffles a feature, averaged.
    pub repeats: usize,
}

impl Default for Permutation {
    fn default() -> Self {
        Self { seed: 0, repeats: 1 }
    }
}

impl Permutation {
    /// What the metric loses in each era when a feature is shuffled.
    ///
    /// # Errors
    /// When `repeats` is zero, the model cannot predict the panel, or the metric fails otherwise
    /// than by not being defined.
    pub fn importance(
        &self,
        panel: &Panel,
        model: &dyn Predict,
        metric: &dyn Metric,
    ) -> Result<EraImportance> {
        if self.repeats == 0 {
            return Err(Error::setting("repeats", 0, "at least 1"));
        }
        let plain = scores(panel, &model.predict(panel)?, metric)?;
        let mut values = Vec::with_capacity(panel.width() * plain.len());
        for feature in 0..panel.width() {
            let mut sums = vec![0.0; plain.len()];
            for repeat in 0..self.repeats {
                let shuffled =
                    panel.replace_features([(feature, self.shuffle(panel, feature, repeat))])?;
                let found = scores(panel, &model.predict(&shuffled)?, metric)?;
                let losses = plain.iter().zip(&found).map(|(plain, found)| plain - found);
                sums.iter_mut().zip(losses).for_each(|(sum, loss)| *sum += loss);
            }
            values.extend(sums.iter().map(|sum| sum / self.repeats as f64));
        }
        Ok(EraImportance::of_panel(panel, values))
    }

    /// A feature's values, shuffled within each era.
    fn shuffle(&self, panel: &Panel, feature: usize, repeat: usize) -> ColumnData {
        let column = panel.feature(feature);
        let mut order: Vec<usize> = (0..panel.rows()).collect();
        for (era, range) in panel.eras().ranges().enumerate() {
            let place = [repeat, feature, era].map(|part| part as u64);
            let key = place.iter().fold(mix(self.seed), |key, part| mix(key ^ part));
            let order = &mut order[range];
            for last in (1..order.len()).rev() {
                let draw = u128::from(mix(key.wrapping_add(last as u64))) * (last as u128 + 1);
                order.swap(last, (draw >> 64) as usize);
            }
        }
        let values = column.to_f32();
        let shuffled = order.iter().map(|&row| values[row]);
        match column.is_u8() {
            true => shuffled.map(|value| value as u8).collect::<Vec<u8>>().into(),
            false => shuffled.collect::<Vec<f32>>().into(),
        }
    }
}

/// The output function of the generator SplitMix64 (Steele, Lea, Flood 2014).
fn mix(counter: u64) -> u64 {
    let mut bits = counter.wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ bits >> 31
}

fn scores(panel: &Panel, prediction: &[f32], metric: &dyn Metric) -> Result<Vec<f64>> {
    let score = |era: Era<'_>| {
        let rows = panel.eras().range(era.index());
        let values = prediction.get(rows).ok_or_else(|| Error::Length {
            name: "prediction".into(),
            given: prediction.len(),
            expected: panel.rows(),
        })?;
        match metric.score(&era, values) {
            Err(Error::Undefined { .. }) => Ok(f64::NAN),
            score => score,
        }
    };
    panel.iter().map(score).collect()
}

/// What the splits on each feature win in each era of a panel with a target, by squared error.
///
/// # Errors
/// When the forest's parts do not fit together, it has several outputs, or the panel has no target
/// or other features.
pub fn era_gain(forest: &Forest, panel: &Panel) -> Result<EraImportance> {
    forest.check()?;
    if forest.outputs != 1 {
        let (operation, what) = ("a gain an era", "a forest of several outputs");
        return Err(crate::Error::Unsupported { operation, what }.into());
    }
    let names: Vec<_> =
        forest.features.iter().map(|feature| feature.name.as_str().into()).collect();
    panel.schema().expect_features(&names)?;
    panel.target()?;
    let eras: Vec<usize> = (0..panel.eras().len()).collect();
    let gains = eras.into_par_iter().map(|era| gains_of(forest, panel.era(era)));
    let gains: Vec<Vec<f64>> = gains.collect::<Result<_>>()?;
    let features = 0..panel.width();
    let values = features.flat_map(|feature| gains.iter().map(move |era| era[feature])).collect();
    Ok(EraImportance::of_panel(panel, values))
}

/// Sums and counts of residuals on both sides of a node.
type Sides = [(f64, f64); 2];

fn gains_of(forest: &Forest, era: Era<'_>) -> Result<Vec<f64>> {
    let start = forest.start.first().copied().unwrap_or(0.0);
    let targets = era.target()?.iter();
    let mut residuals: Vec<f64> = targets.map(|&target| f64::from(target) - start).collect();
    let known: Vec<usize> = (0..residuals.len()).filter(|&row| !residuals[row].is_nan()).collect();
    let mut gains = vec![0.0; forest.features.len()];
    let mut values = vec![0.0; gains.len()];
    for tree in &forest.trees {
        let mut sides: Vec<Sides> = vec![Sides::default(); tree.nodes.len()];
        for &row in &known {
            for node in &tree.nodes {
                let feature = node.feature as usize;
                values[feature] = era.feature(feature).get(row).into();
            }
            for term in tree.linear.iter().flat_map(|leaf| &leaf.terms) {
                values[term.0 as usize] = era.feature(term.0 as usize).get(row).into();
            }
            let leaf = descend(tree, &values, residuals[row], &mut sides);
            // The trees of an averaged forest do not see each other.
            if !forest.average {
                residuals[row] -= tree.value(leaf, 0, &values);
            }
        }
        for (node, &[(left, lefts), (right, rights)]) in tree.nodes.iter().zip(&sides) {
            if lefts > 0.0 && rights > 0.0 {
                let gap = left / lefts - right / rights;
                gains[node.feature as usize] += lefts * rights / (lefts + rights) * gap * gap;
            }
        }
    }
    Ok(gains)
}

/// Walks to a row's leaf, adding its residual on the way.
fn descend(tree: &Tree, values: &[f64], residual: f64, sides: &mut [Sides]) -> usize {
    let mut at = if tree.nodes.is_empty() { Child::Leaf(0) } else { Child::Node(0) };
    loop {
        let index = match at {
            Child::Leaf(leaf) => return leaf as usize,
            Child::Node(node) => node as usize,
        };
        let node = &tree.nodes[index];
        let left = node.rule.goes_left(values[node.feature as usize]);
        let side = &mut sides[index][usize::from(!left)];
        *side = (side.0 + residual, side.1 + 1.0);
        at = if left { node.left } else { node.right };
    }
}
