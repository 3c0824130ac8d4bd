//! New values for the leaves of old trees.
//!
//! Tree by tree, at the score of those before: with G and H the sums of the slopes of a leaf's rows,
//!
//! ```text
//! w = decay * w_old + (1 - decay) * shrinkage * w_new,   w_new = -T(G) / (H + l2)
//! ```
//!
//! or the value that the objective renews leaves with. Scores begin at 0, and the first tree, which
//! holds the constant of boosting and whose shrinkage is 1 therefore, learns it anew. Trees that are
//! averaged are all fitted at the constant, which is added to `w_new`. A leaf that no known row reaches
//! keeps its value. Path smoothing is left out. Cost: a walk a row and tree.
//! Reference: LightGBM 4.7, `gbdt.cpp` RefitTree, `serial_tree_learner.cpp` FitByExistingTree.

use fattail_bins::Binned;
use fattail_core::{Error as CoreError, Panel, Result};
use fattail_objective::Bound;
use fattail_trees::{Forest, Predictor, Tree};

use super::{data::Data, start};
use crate::{
    Error, Gbdt, Limits,
    histogram::Sums,
    split::{EPSILON, Valuer},
};

/// Iterations whose leaves are looked up at once.
const BLOCK: usize = 16;

impl Gbdt {
    /// A forest of the same questions whose leaves lean towards another panel: `decay` is the share of
    /// the old values that stays. Objective and penalties are those of the settings.
    ///
    /// ```
    /// use fattail_core::{Fit, Panel};
    /// use fattail_gbdt::{Gbdt, Limits};
    ///
    /// let panel = Panel::builder().feature("x", vec![0u8, 0, 1, 1]);
    /// let before = panel.target("y", vec![0.0f32, 0.0, 1.0, 1.0]).build()?;
    /// let after = before.with_target_values(vec![0.0f32, 0.0, 3.0, 3.0])?;
    /// let limits = Limits { min_data_in_leaf: 1, ..Limits::default() };
    /// let settings = Gbdt { limits, rounds: 50, learning_rate: 0.5, ..Gbdt::default() };
    /// let model = settings.fit(&before)?;
    /// let forest = settings.refit(&model.forest, &after, 0.0)?;
    /// assert!((forest.raw_row(&[1.0])?[0] - 3.0).abs() < 1e-6);
    /// # Ok::<(), fattail_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// When a setting is out of range, the panel's features are not the forest's or its target does
    /// not suit the objective; when the forest has lines in its leaves.
    pub fn refit(&self, forest: &Forest, panel: &Panel, decay: f64) -> Result<Forest> {
        self.check()?;
        if !(0.0..=1.0).contains(&decay) {
            return Err(CoreError::setting("decay", decay, "from 0 to 1"));
        }
        if forest.trees.iter().any(|tree| !tree.linear.is_empty()) {
            let (first, second) = ("refitting", "lines in the leaves");
            return Err(Error::Contradiction {
                first,
                second,
                reason: "a line has no single value",
            }
            .into());
        }
        let data = Data::of(panel, Binned { columns: Vec::new(), rows: panel.rows() }, self)?;
        data.with_labels(|labels| {
            let objective = self.objective.bind(labels)?;
            let objective = &*objective;
            start::check_old(objective, forest)?;
            let start =
                if self.from_average { objective.start() } else { vec![0.0; forest.outputs] };
            let (limits, known) = (&self.limits, &*data.known);
            Refit { limits, objective, panel, known, decay, start }.run(forest)
        })
    }
}

/// What leaves are valued by.
struct Refit<'a> {
    limits: &'a Limits,
    objective: &'a dyn Bound,
    panel: &'a Panel,
    known: &'a [u32],
    decay: f64,
    start: Vec<f64>,
}

impl Refit<'_> {
    fn run(&self, old: &Forest) -> Result<Forest> {
        let mut forest = old.clone();
        let (rows, period) = (self.panel.rows(), old.trees_per_iteration());
        let constant = |&start: &f64| if old.average { start } else { 0.0 };
        let spread = |start: &f64| std::iter::repeat_n(constant(start), rows);
        let mut score: Vec<f64> = self.start.iter().flat_map(spread).collect();
        let (mut g, mut h) = (vec![0.0; score.len()], vec![0.0; score.len()]);
        for (block, trees) in forest.trees.chunks_mut(BLOCK * period).enumerate() {
            let count = trees.len();
            let questions = Forest { trees: trees.to_vec(), ..old.truncated(0) };
            let leaves = Predictor::new(&questions)?.leaves(self.panel)?;
            for (at, tree) in trees.iter_mut().enumerate() {
                if at.is_multiple_of(period) {
                    self.objective.slopes(block * BLOCK + at / period, &score, &mut g, &mut h);
                }
                let leaf = |row: usize| leaves[row * count + at] as usize;
                self.renew(tree, &leaf, (&g, &h), &score, old.average);
                if !old.average {
                    add(tree, &leaf, rows, &mut score);
                }
            }
        }
        Ok(forest)
    }

    /// Gives the leaves of a tree their new values.
    fn renew(
        &self,
        tree: &mut Tree,
        leaf: &impl Fn(usize) -> usize,
        (g, h): (&[f32], &[f32]),
        score: &[f64],
        average: bool,
    ) {
        let rows = self.panel.rows();
        let mut members = vec![Vec::new(); tree.leaves()];
        self.known.iter().for_each(|&row| members[leaf(row as usize)].push(row));
        let valuer = Valuer { smooth: 0.0, ..Valuer::new(self.limits, 0.0) };
        for (at, members) in members.iter().enumerate().filter(|(_, members)| !members.is_empty()) {
            for output in tree.output..tree.output + tree.width {
                let sum = |slopes: &[f32]| -> f64 {
                    members.iter().map(|&row| f64::from(slopes[output * rows + row as usize])).sum()
                };
                let sums = Sums { g: sum(g), h: sum(h) + EPSILON, n: members.len() as f64 };
                let renewed = self.objective.renew(output, members, score);
                let new = renewed.unwrap_or_else(|| valuer.free_output(sums)) * tree.shrinkage;
                let new = new + if average { self.start[output] } else { 0.0 };
                let value = &mut tree.values[at * tree.width + output - tree.output];
                *value = self.decay * *value + (1.0 - self.decay) * new;
            }
        }
    }
}

/// Adds a tree to the scores.
fn add(tree: &Tree, leaf: &impl Fn(usize) -> usize, rows: usize, score: &mut [f64]) {
    for at in 0..tree.width {
        let own = &mut score[(tree.output + at) * rows..][..rows];
        own.iter_mut().enumerate().for_each(|(row, score)| *score += tree.leaf(leaf(row))[at]);
    }
}
