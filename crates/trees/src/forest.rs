//! The model: trees, the features they ask about, and the link to predictions.
//!
//! `raw_k(x) = start_k + sum over trees of output k of value(leaf(x))`, divided by the number of
//! iterations for an averaged forest; the prediction is `link(raw)`.

use fattail_core::{Panel, Predict};
use serde::{Deserialize, Serialize};

use crate::{Child, Error, Link, Predictor, Result, Rule, Tree};

/// What the training data held in a feature's column.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "info", rename_all = "snake_case")]
pub enum Info {
    /// The feature was constant: no tree asks about it.
    #[default]
    Unused,
    /// Numbers.
    Range {
        /// The smallest.
        min: f64,
        /// The largest.
        max: f64,
    },
    /// Categories, in the order of their bins; -1 stands for NaN and the rare.
    Categories {
        /// The categories.
        list: Vec<i32>,
    },
}

/// A feature of a forest.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Feature {
    /// Its name.
    pub name: String,
    /// What training saw.
    pub info: Info,
    /// 1 when predictions may only rise with it, -1 when they may only fall, else 0.
    pub monotone: i8,
}

/// A tree ensemble. Immutable in use, `Send + Sync`; predictions take no lock.
///
/// ```
/// use fattail_trees::{Feature, Forest, Tree};
/// let forest = Forest {
///     features: vec![Feature { name: "x".into(), ..Feature::default() }],
///     trees: vec![Tree::constant(vec![0.25], 0), Tree::constant(vec![0.5], 0)],
///     ..Forest::default()
/// };
/// forest.check()?;
/// assert_eq!(forest.raw_row(&[1.0])?, [0.75]);
/// # Ok::<(), fattail_trees::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Forest {
    /// The features, in the order of the panel's columns.
    pub features: Vec<Feature>,
    /// Numbers a row: 1, the classes, or the targets.
    pub outputs: usize,
    /// The trees, iteration by iteration, in each by output.
    pub trees: Vec<Tree>,
    /// What is added to the raw score of each output; empty stands for zeros.
    pub start: Vec<f64>,
    /// Whether raw scores are divided by the iterations: a random forest.
    pub average: bool,
    /// From raw scores to predictions.
    pub link: Link,
    /// The objective as LightGBM writes it, such as `binary sigmoid:1`; empty when it is not known.
    pub objective: String,
    /// Names and values of the parameters of the training, for information.
    pub parameters: Vec<(String, String)>,
}

impl Default for Forest {
    fn default() -> Self {
        Self {
            features: Vec::new(),
            outputs: 1,
            trees: Vec::new(),
            start: Vec::new(),
            average: false,
            link: Link::Identity,
            objective: String::new(),
            parameters: Vec::new(),
        }
    }
}

impl Forest {
    /// Trees an iteration: one an output, or one for all of them.
    #[must_use]
    pub fn trees_per_iteration(&self) -> usize {
        match self.trees.first() {
            Some(tree) if tree.width > 1 => 1,
            _ => self.outputs.max(1),
        }
    }

    /// The number of iterations.
    #[must_use]
    pub fn iterations(&self) -> usize {
        self.trees.len() / self.trees_per_iteration()
    }

    /// The forest of the first `iterations`.
    #[must_use]
    pub fn truncated(&self, iterations: usize) -> Self {
        let kept = (iterations * self.trees_per_iteration()).min(self.trees.len());
        Self { trees: self.trees[..kept].to_vec(), ..self.clone() }
    }

    /// Answers whether every part fits: whoever reads a forest from a file asks first.
    ///
    /// # Errors
    /// Names the tree and what does not fit: a child that is not below its parent or has two
    /// parents, a feature or leaf that does not exist, a threshold that is NaN.
    pub fn check(&self) -> Result<()> {
        let refuse = |name, given: usize, allowed: String| {
            Err(Error::Forest { name, given: given.to_string(), allowed })
        };
        if self.outputs == 0 {
            return refuse("the number of outputs", 0, "at least 1".into());
        }
        if !self.start.is_empty() && self.start.len() != self.outputs {
            return refuse(
                "the number of starts",
                self.start.len(),
                format!("0 or {}", self.outputs),
            );
        }
        let period = self.trees_per_iteration();
        if !self.trees.len().is_multiple_of(period) {
            return refuse(
                "the number of trees",
                self.trees.len(),
                format!("a multiple of {period}"),
            );
        }
        for (at, tree) in self.trees.iter().enumerate() {
            self.check_tree(tree).map_err(|reason| Error::Tree { tree: at, reason })?;
        }
        Ok(())
    }

    fn check_tree(&self, tree: &Tree) -> Result<(), String> {
        let leaves = tree.leaves();
        if tree.width == 0 || tree.values.len() != leaves * tree.width {
            return Err(format!("{} values in leaves of {}", tree.values.len(), tree.width));
        }
        if leaves != tree.nodes.len() + 1 {
            return Err(format!("{} nodes and {leaves} leaves", tree.nodes.len()));
        }
        let period = self.trees_per_iteration();
        if tree.output.checked_add(tree.width).is_none_or(|end| end > self.outputs) {
            return Err(format!(
                "output {} and {} more of {}",
                tree.output,
                tree.width - 1,
                self.outputs
            ));
        }
        if (tree.width > 1) != (period == 1 && self.outputs > 1) {
            return Err(format!("{} outputs in {period} trees an iteration", tree.width));
        }
        if tree.weights.len() != leaves || tree.counts.len() != leaves {
            return Err(format!("{leaves} leaves, {} weights", tree.weights.len()));
        }
        if !tree.linear.is_empty() && (tree.linear.len() != leaves || tree.width != 1) {
            return Err(format!("{leaves} leaves of {}, {} lines", tree.width, tree.linear.len()));
        }
        let terms = tree.linear.iter().flat_map(|leaf| &leaf.terms).map(|term| term.0);
        let asked = tree.nodes.iter().map(|node| node.feature).chain(terms);
        if let Some(feature) = asked.into_iter().find(|&f| f as usize >= self.features.len()) {
            return Err(format!("feature {feature} of {}", self.features.len()));
        }
        check_children(tree)
    }

    /// The raw scores of one row, one an output: the plain twin of the [`Predictor`].
    ///
    /// # Errors
    /// When the row has another width than the features.
    pub fn raw_row(&self, row: &[f64]) -> Result<Vec<f64>> {
        if row.len() != self.features.len() {
            return Err(Error::Width { given: row.len(), expected: self.features.len() });
        }
        let mut raw = vec![0.0; self.outputs];
        self.add_row(row, &mut raw);
        if self.average && !self.trees.is_empty() {
            let iterations = self.iterations() as f64;
            raw.iter_mut().for_each(|x| *x /= iterations);
        }
        raw.iter_mut().zip(&self.start).for_each(|(x, start)| *x += start);
        Ok(raw)
    }

    /// Adds the values of a row's leaves.
    pub(crate) fn add_row(&self, row: &[f64], raw: &mut [f64]) {
        for tree in &self.trees {
            let leaf = tree.find(row);
            for at in 0..tree.width {
                raw[tree.output + at] += tree.value(leaf, at, row);
            }
        }
    }

    /// The predictions of one row, one an output.
    ///
    /// # Errors
    /// When the row has another width than the features.
    pub fn predict_row(&self, row: &[f64]) -> Result<Vec<f64>> {
        let mut prediction = self.raw_row(row)?;
        self.link.apply(&mut prediction);
        Ok(prediction)
    }
}

fn check_children(tree: &Tree) -> Result<(), String> {
    let mut seen = (vec![false; tree.nodes.len()], vec![false; tree.leaves()]);
    for (at, node) in tree.nodes.iter().enumerate() {
        if let Rule::Numeric { threshold, .. } = node.rule
            && threshold.is_nan()
        {
            return Err(format!("the threshold of node {at} is NaN"));
        }
        for child in [node.left, node.right] {
            let (list, index) = match child {
                Child::Node(node) => (&mut seen.0, node as usize),
                Child::Leaf(leaf) => (&mut seen.1, leaf as usize),
            };
            let below = matches!(child, Child::Leaf(_)) || index > at;
            match list.get_mut(index) {
                Some(slot) if below && !*slot => *slot = true,
                _ => {
                    return Err(format!(
                        "node {at} points to {child:?}, which cannot be its child"
                    ));
                }
            }
        }
    }
    Ok(())
}

impl Predict for Forest {
    /// The prediction of the first output; a model of several has [`Predictor::predict`].
    fn predict(&self, panel: &Panel) -> fattail_core::Result<Vec<f32>> {
        let all = Predictor::new(self)?.predict(panel)?;
        Ok(all.into_iter().step_by(self.outputs).map(|value| value as f32).collect())
    }
}
