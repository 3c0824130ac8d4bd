//! SHAP values: what each feature adds to a row's raw score.
//!
//! With `v(S)` the expected raw score of a tree when the features of `S` are known and at a rule
//! about any other both children are taken, by their shares of the training rows,
//!
//! ```text
//! phi_f = sum over S without f of |S|! (M - |S| - 1)! / M! (v(S + f) - v(S)),
//! sum_f phi_f + v() = raw score.
//! ```
//!
//! Covers are counts of training rows, as LightGBM has them, or sums of hessians, as XGBoost has
//! them, where a tree has no counts. Missing values go where the tree sends them. The values of
//! many rows come from tables and those of few from quadrature; both are exact but for rounding.
//! Cost a row: about 1 to 2 additions a leaf.
//! Reference: Lundberg et al. 2020, From local explanations to global understanding with explainable
//! AI for trees; Wettenstein, Mitchell, Yu 2026, Quadrature-TreeSHAP (arXiv 2605.04497).

use std::sync::{Arc, OnceLock};

use fattail_core::Panel;

use crate::{Error, Forest, Result};

use super::{
    blocks::{Ready, Work},
    decide::Rows,
    layout::Layout,
    plan::Cover,
};

/// Explains the predictions of a forest.
///
/// ```
/// use fattail_core::Panel;
/// use fattail_trees::{Child, Feature, Forest, Missing, Node, Rule, Tree, explain::Explainer};
///
/// // x <= 0.5 ? 1 : 3, where three of four training rows went left.
/// let node = Node {
///     feature: 0,
///     rule: Rule::Numeric { threshold: 0.5, missing: Missing::Nan, default_left: true },
///     left: Child::Leaf(0),
///     right: Child::Leaf(1),
///     gain: 1.0,
///     value: 1.5,
///     weight: 4.0,
///     count: 4,
/// };
/// let mut tree = Tree::constant(vec![1.0], 0);
/// (tree.nodes, tree.values) = (vec![node], vec![1.0, 3.0]);
/// (tree.counts, tree.weights) = (vec![3, 1], vec![3.0, 1.0]);
/// let features = vec![Feature { name: "x".into(), ..Feature::default() }];
/// let forest = Forest { features, trees: vec![tree], ..Forest::default() };
///
/// let panel = Panel::builder().feature("x", vec![0.0_f32, 1.0]).build()?;
/// let shap = Explainer::new(&forest)?.shap(&panel)?;
/// assert_eq!(shap.expected(), [1.5]);
/// assert!((shap.value(0, 0, 0) + 0.5).abs() < 1e-12);
/// assert!((shap.value(1, 0, 0) - 1.5).abs() < 1e-12);
/// # Ok::<(), fattail_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Explainer<'a> {
    forest: &'a Forest,
    names: Vec<Arc<str>>,
    expected: Vec<f64>,
    budget: usize,
    /// The trees as one row needs them, made ready by the first row that comes alone.
    ready: OnceLock<Option<Vec<Ready<'a>>>>,
}

/// SHAP values of some rows.
#[derive(Debug, Clone, PartialEq)]
pub struct ShapValues {
    /// The number of rows.
    pub rows: usize,
    /// Outputs of the forest.
    pub outputs: usize,
    /// Features of the forest.
    pub features: usize,
    /// Row by row, in it output by output: the value of each feature, then the expected raw score,
    /// as LightGBM's `pred_contrib` has them.
    pub values: Vec<f64>,
}

/// SHAP interaction values of some rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Interactions {
    /// The number of rows.
    pub rows: usize,
    /// Outputs of the forest.
    pub outputs: usize,
    /// Features of the forest.
    pub features: usize,
    /// Row by row, in it output by output: a symmetric matrix of the features and, last, the
    /// expected raw score, as XGBoost's `pred_interactions` has it. A feature's row sums to its SHAP
    /// value.
    pub values: Vec<f64>,
}

impl<'a> Explainer<'a> {
    /// Bytes that the answer of one call may have, unless [`Explainer::with_budget`] says otherwise.
    pub const BUDGET: usize = 8 << 30;

    /// Checks a forest.
    ///
    /// # Errors
    /// When the forest's parts do not fit together, or leaves are linear: what such a leaf expects
    /// when its features are unknown is not defined.
    pub fn new(forest: &'a Forest) -> Result<Self> {
        forest.check()?;
        if forest.trees.iter().any(|tree| !tree.linear.is_empty()) {
            let (operation, what) = ("a SHAP value", "a forest with linear leaves");
            return Err(Error::Unsupported { operation, what });
        }
        let names = forest.features.iter().map(|feature| feature.name.as_str().into()).collect();
        let (expected, ready) = (expected(forest), OnceLock::new());
        Ok(Self { forest, names, expected, budget: Self::BUDGET, ready })
    }

    /// The same with another limit for the bytes of an answer.
    #[must_use]
    pub fn with_budget(self, budget: usize) -> Self {
        Self { budget, ..self }
    }

    /// The expected raw score of each output: what is predicted of a row of which nothing is known.
    #[must_use]
    pub fn expected(&self) -> &[f64] {
        &self.expected
    }

    /// The SHAP values of a panel's rows.
    ///
    /// # Errors
    /// When the panel's features are not the forest's, or the answer exceeds the budget.
    pub fn shap(&self, panel: &Panel) -> fattail_core::Result<ShapValues> {
        panel.schema().expect_features(&self.names)?;
        Ok(self.shap_of(Rows::Panel(panel), panel.rows())?)
    }

    /// The SHAP values of one row.
    ///
    /// # Errors
    /// When the row has another width than the forest's features.
    pub fn shap_row(&self, row: &[f64]) -> Result<ShapValues> {
        self.expect_width(row)?;
        self.shap_of(Rows::One(row), 1)
    }

    /// The SHAP interaction values of a panel's rows; `(features + 1)^2` numbers a row and output.
    ///
    /// # Errors
    /// When the panel's features are not the forest's, or the answer exceeds the budget.
    pub fn interactions(&self, panel: &Panel) -> fattail_core::Result<Interactions> {
        panel.schema().expect_features(&self.names)?;
        Ok(self.interactions_of(Rows::Panel(panel), panel.rows())?)
    }

    /// The SHAP interaction values of one row.
    ///
    /// # Errors
    /// When the row has another width than the forest's features, or the answer exceeds the
    /// budget.
    pub fn interactions_row(&self, row: &[f64]) -> Result<Interactions> {
        self.expect_width(row)?;
        self.interactions_of(Rows::One(row), 1)
    }

    fn expect_width(&self, row: &[f64]) -> Result<()> {
        let (given, expected) = (row.len(), self.forest.features.len());
        if given == expected { Ok(()) } else { Err(Error::Width { given, expected }) }
    }

    fn shap_of(&self, rows: Rows<'_>, count: usize) -> Result<ShapValues> {
        let layout = self.layout(false);
        let (outputs, features) = (layout.outputs, layout.features);
        let mut values = self.answer("a SHAP value", count, &[outputs, features + 1])?;
        let work = Work { forest: self.forest, layout, rows, count };
        let give = |out: &mut [f64], rows, sums: &[f64]| transpose(out, rows, &layout, sums);
        let width = outputs * (features + 1);
        let ready = if count == 1 { self.ready.get_or_init(|| work.ready_all()) } else { &None };
        match ready {
            Some(ready) => work.add(ready, &mut values, width, &give),
            None => work.run(&mut values, width, give),
        }
        for (at, part) in values.chunks_exact_mut(features + 1).enumerate() {
            part[features] = self.expected[at % outputs];
        }
        Ok(ShapValues { rows: count, outputs, features, values })
    }

    fn interactions_of(&self, rows: Rows<'_>, count: usize) -> Result<Interactions> {
        let layout = self.layout(true);
        let (outputs, side) = (layout.outputs, layout.features + 1);
        let mut values = self.answer("an interaction", count, &[outputs, side, side])?;
        let work = Work { forest: self.forest, layout, rows, count };
        work.run(&mut values, outputs * side * side, |out, rows, sums| {
            for (at, matrix) in out.chunks_exact_mut(side * side).enumerate() {
                let (row, output) = (at / outputs, at % outputs);
                let sums = &sums[output * layout.stride() * rows..][..layout.stride() * rows];
                add_matrix(matrix, side, |place| sums[place * rows + row]);
            }
        });
        for (at, matrix) in values.chunks_exact_mut(side * side).enumerate() {
            matrix[side * side - 1] = self.expected[at % outputs];
        }
        Ok(Interactions { rows: count, outputs, features: layout.features, values })
    }

    fn layout(&self, pairs: bool) -> Layout {
        Layout { features: self.forest.features.len(), outputs: self.forest.outputs, pairs }
    }

    /// Zeros for an answer, unless there are too many.
    fn answer(&self, operation: &'static str, rows: usize, sides: &[usize]) -> Result<Vec<f64>> {
        let numbers = sides.iter().try_fold(rows, |product, side| product.checked_mul(*side));
        let bytes = numbers.and_then(|numbers| numbers.checked_mul(size_of::<f64>()));
        match (numbers, bytes) {
            (Some(numbers), Some(bytes)) if bytes <= self.budget => Ok(vec![0.0; numbers]),
            _ => Err(Error::Memory { operation, bytes, budget: self.budget }),
        }
    }
}

impl ShapValues {
    /// The values of a row in an output: its features', then the expected raw score.
    ///
    /// # Panics
    /// When there is no such row or output.
    #[must_use]
    pub fn row(&self, row: usize, output: usize) -> &[f64] {
        assert!(output < self.outputs, "output {output} of {}", self.outputs);
        let width = self.features + 1;
        &self.values[(row * self.outputs + output) * width..][..width]
    }

    /// What a feature adds to a row's raw score.
    ///
    /// # Panics
    /// When there is no such row, output or feature.
    #[must_use]
    pub fn value(&self, row: usize, output: usize, feature: usize) -> f64 {
        self.row(row, output)[..self.features][feature]
    }

    /// The expected raw score of each output; empty when there is no row.
    #[must_use]
    pub fn expected(&self) -> Vec<f64> {
        let first = self.values.chunks_exact(self.features + 1).take(self.outputs);
        first.map(|part| part[self.features]).collect()
    }

    /// The mean size of each feature's values over rows and outputs: a measure of importance.
    #[must_use]
    pub fn mean_sizes(&self) -> Vec<f64> {
        let mut sums = vec![0.0; self.features];
        for part in self.values.chunks_exact(self.features + 1) {
            sums.iter_mut().zip(part).for_each(|(sum, value)| *sum += value.abs());
        }
        let parts = (self.rows * self.outputs).max(1) as f64;
        sums.iter_mut().for_each(|sum| *sum /= parts);
        sums
    }
}

impl Interactions {
    /// The matrix of a row in an output, row by row, `features + 1` a side.
    ///
    /// # Panics
    /// When there is no such row or output.
    #[must_use]
    pub fn matrix(&self, row: usize, output: usize) -> &[f64] {
        assert!(output < self.outputs, "output {output} of {}", self.outputs);
        let size = (self.features + 1) * (self.features + 1);
        &self.values[(row * self.outputs + output) * size..][..size]
    }

    /// What two features add together, half of it here and half at `(b, a)`; for `a = b`, what the
    /// feature adds alone.
    ///
    /// # Panics
    /// When there is no such row, output or feature.
    #[must_use]
    pub fn value(&self, row: usize, output: usize, (a, b): (usize, usize)) -> f64 {
        let side = self.features + 1;
        self.matrix(row, output)[a * side..][..side][b]
    }
}

fn expected(forest: &Forest) -> Vec<f64> {
    let mut expected = vec![0.0; forest.outputs];
    for tree in &forest.trees {
        for (leaf, share) in Cover::new(tree).leaf_shares(tree).into_iter().enumerate() {
            let outputs = expected[tree.output..].iter_mut();
            outputs.zip(tree.leaf(leaf)).for_each(|(sum, value)| *sum += share * value);
        }
    }
    if forest.average {
        let iterations = forest.iterations().max(1) as f64;
        expected.iter_mut().for_each(|sum| *sum /= iterations);
    }
    expected.iter_mut().zip(&forest.start).for_each(|(sum, start)| *sum += start);
    expected
}

/// Adds sums that lie place by place to rows, some rows at a time: a line of the cache.
fn transpose(out: &mut [f64], rows: usize, layout: &Layout, sums: &[f64]) {
    let width = layout.features + 1;
    let row = layout.outputs * width;
    for (at, out) in out.chunks_mut(8 * row).enumerate() {
        for place in 0..layout.places() {
            let (output, feature) = (place / layout.features, place % layout.features);
            let sums = &sums[place * rows + 8 * at..(place + 1) * rows];
            let out = out.iter_mut().skip(output * width + feature).step_by(row);
            out.zip(sums).for_each(|(out, sum)| *out += sum);
        }
    }
}

/// Adds one row's sums to a matrix: pairs on both sides, and on the diagonal what single features
/// have beyond their pairs.
fn add_matrix(matrix: &mut [f64], side: usize, sum: impl Fn(usize) -> f64) {
    let mut place = 0;
    for high in 0..side - 1 {
        for low in 0..high {
            let value = sum(place);
            matrix[high * side + low] += value;
            matrix[low * side + high] += value;
            matrix[high * side + high] -= value;
            matrix[low * side + low] -= value;
            place += 1;
        }
        matrix[high * side + high] += sum(place);
        place += 1;
    }
}
