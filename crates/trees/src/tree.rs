//! One decision tree: nodes with rules, leaves with values.
//!
//! A numeric rule sends `x` left when `x <= threshold`. A missing value goes to the default side; what
//! is missing says [`Missing`]. A categorical rule sends a category left when it is in the set; NaN
//! goes to the default side, negative and unseen categories go right, fractions are cut off.
//! Reference: LightGBM 4.7, `include/LightGBM/tree.h`.

use serde::{Deserialize, Serialize};

/// What is at the end of an arrow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Child {
    /// A node, by its position.
    Node(u32),
    /// A leaf, by its position.
    Leaf(u32),
}

/// Which values a numeric rule treats as missing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    /// None: NaN counts as 0.
    #[default]
    None,
    /// NaN and what is within [`Tree::ZERO`] of 0.
    Zero,
    /// NaN.
    Nan,
}

/// Which rows go left.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "rule", rename_all = "snake_case")]
pub enum Rule {
    /// Those with `x <= threshold`.
    Numeric {
        /// The largest value that goes left.
        threshold: f64,
        /// What is missing.
        missing: Missing,
        /// Whether missing values go left.
        default_left: bool,
    },
    /// Those whose category is in the set.
    Categorical {
        /// Bits of the categories that go left, category `c` at bit `c % 32` of word `c / 32`.
        left: Box<[u32]>,
        /// What LightGBM writes as the missing type of the node; NaN is missing whatever it says.
        missing: Missing,
        /// Whether NaN goes left; never in LightGBM's models.
        default_left: bool,
    },
}

/// A question and where its answers lead.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// The feature asked about.
    pub feature: u32,
    /// Which rows go left.
    pub rule: Rule,
    /// Where they go.
    pub left: Child,
    /// Where the others go.
    pub right: Child,
    /// What the split won in training.
    pub gain: f64,
    /// The value that the node would have as a leaf, in the first output of the tree.
    pub value: f64,
    /// The sum of the hessians of its training rows.
    pub weight: f64,
    /// Its training rows.
    pub count: u64,
}

/// A leaf that is a line in some features; where one of them is NaN, the leaf's plain value holds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LinearLeaf {
    /// The intercept.
    pub constant: f64,
    /// Features and their coefficients.
    pub terms: Vec<(u32, f64)>,
}

/// A decision tree. Node 0 is the root; without nodes the tree is leaf 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tree {
    /// The nodes, parents before children.
    pub nodes: Vec<Node>,
    /// Values of the leaves, `width` each, leaf by leaf; shrinkage is multiplied in.
    pub values: Vec<f64>,
    /// Sum of hessians of each leaf.
    pub weights: Vec<f64>,
    /// Training rows of each leaf.
    pub counts: Vec<u64>,
    /// Lines in the leaves, one each, or none at all.
    pub linear: Vec<LinearLeaf>,
    /// Values a leaf: 1, or the outputs of a tree with several.
    pub width: usize,
    /// The first output that the tree adds to.
    pub output: usize,
    /// The factor that was multiplied into the values, for information.
    pub shrinkage: f64,
}

impl Tree {
    /// What counts as zero where zero is missing: the f32 nearest to 1e-35, as LightGBM has it.
    pub const ZERO: f64 = 1e-35_f32 as f64;

    /// A tree of one leaf.
    #[must_use]
    pub fn constant(values: Vec<f64>, output: usize) -> Self {
        Self {
            nodes: Vec::new(),
            width: values.len(),
            values,
            weights: vec![0.0],
            counts: vec![0],
            linear: Vec::new(),
            output,
            shrinkage: 1.0,
        }
    }

    /// The number of leaves.
    #[must_use]
    pub fn leaves(&self) -> usize {
        self.values.len() / self.width.max(1)
    }

    /// The values of a leaf.
    ///
    /// # Panics
    /// When there is no such leaf, as indexing a slice does.
    #[must_use]
    pub fn leaf(&self, leaf: usize) -> &[f64] {
        &self.values[leaf * self.width..(leaf + 1) * self.width]
    }

    /// Multiplies the values by `factor`.
    pub fn scale(&mut self, factor: f64) {
        self.values.iter_mut().for_each(|value| *value *= factor);
        for leaf in &mut self.linear {
            leaf.constant *= factor;
            leaf.terms.iter_mut().for_each(|term| term.1 *= factor);
        }
        self.nodes.iter_mut().for_each(|node| node.value *= factor);
        self.shrinkage *= factor;
    }

    /// Adds `bias` to every value of output `output`, where the tree has it.
    pub fn shift(&mut self, output: usize, bias: f64) {
        let Some(at) = output.checked_sub(self.output).filter(|&at| at < self.width) else {
            return;
        };
        self.values.iter_mut().skip(at).step_by(self.width).for_each(|value| *value += bias);
        self.linear.iter_mut().for_each(|leaf| leaf.constant += bias);
        if at == 0 {
            self.nodes.iter_mut().for_each(|node| node.value += bias);
        }
        self.shrinkage = 1.0;
    }

    /// The leaf that a row falls into.
    ///
    /// # Panics
    /// When the row is narrower than the tree's features or the tree was not
    /// [checked](crate::Forest::check).
    #[must_use]
    pub fn find(&self, row: &[f64]) -> usize {
        self.find_by(|feature| row[feature])
    }

    /// The leaf of a row whose values a function tells.
    pub(crate) fn find_by(&self, value: impl Fn(usize) -> f64) -> usize {
        let mut at = if self.nodes.is_empty() { Child::Leaf(0) } else { Child::Node(0) };
        loop {
            match at {
                Child::Leaf(leaf) => return leaf as usize,
                Child::Node(node) => {
                    let node = &self.nodes[node as usize];
                    let left = node.rule.goes_left(value(node.feature as usize));
                    at = if left { node.left } else { node.right };
                }
            }
        }
    }

    /// The value of `leaf` for a row in output `output` of the tree's width: its line where it has one.
    ///
    /// # Panics
    /// Like [`Tree::find`].
    #[must_use]
    pub fn value(&self, leaf: usize, at: usize, row: &[f64]) -> f64 {
        self.value_by(leaf, at, |feature| row[feature])
    }

    /// The value of a leaf for a row whose values a function tells.
    pub(crate) fn value_by(&self, leaf: usize, at: usize, value: impl Fn(usize) -> f64) -> f64 {
        let plain = self.leaf(leaf)[at];
        let Some(line) = self.linear.get(leaf) else { return plain };
        let mut sum = line.constant;
        for &(feature, coefficient) in &line.terms {
            let x = value(feature as usize);
            if x.is_nan() {
                return plain;
            }
            sum += coefficient * x;
        }
        sum
    }
}

impl Rule {
    /// Whether a value goes left.
    #[must_use]
    pub fn goes_left(&self, x: f64) -> bool {
        match self {
            Self::Numeric { threshold, missing, default_left } => {
                let x = if x.is_nan() && *missing != Missing::Nan { 0.0 } else { x };
                let absent = match missing {
                    Missing::None => false,
                    Missing::Zero => x.abs() <= Tree::ZERO,
                    Missing::Nan => x.is_nan(),
                };
                if absent { *default_left } else { x <= *threshold }
            }
            Self::Categorical { left, default_left, .. } => contains(left, *default_left, x),
        }
    }
}

/// Whether a category is in a set of bits.
pub(crate) fn contains(set: &[u32], with_nan: bool, x: f64) -> bool {
    if x.is_nan() {
        return with_nan;
    }
    // The cast saturates: negative fractions become 0 like in LightGBM's (int) cast.
    let category = x as i64;
    let word = usize::try_from(category / 32).ok().and_then(|word| set.get(word));
    category >= 0 && word.is_some_and(|word| word >> (category % 32) & 1 == 1)
}
