//! Ordered boosting: no row's gradient comes from a model that has seen the row.
//!
//! Rows are ordered in units (eras, or single rows in a random order). Supporting models learn from
//! the first u, 2u, 4u, ... units; the gradient of a row comes from the largest of them that ends
//! before the row's unit, and rows before all of them have the starting constant. All models share
//! the trees' questions, which are chosen by those gradients; a supporting model's leaves are valued
//! by its own gradients on its own rows, the final model's by its own on all rows:
//!
//! ```text
//! honest_i  = score of the support before i      structure = grow(slopes(honest))
//! leaf_j    = -G / (H + l2) over the rows of support j, with slopes(score_j)
//! score_j  += learning_rate * leaf_j             for the rows up to twice its own
//! ```
//!
//! u is 1 for eras and at most 100 for rows. Cost: a gradient of all rows and one pass over them for
//! each of log2(units / u) supports a round, and scores of about four times the rows.
//! Reference: Prokhorenkova et al. (2018), CatBoost, section 4 and algorithm 2, which draws several
//! permutations; here is one, because eras have one order.

use rayon::prelude::*;

use super::{
    eras::Eras,
    order::Order,
    train::{State, Training},
};
use crate::{
    Limits,
    grow::Grown,
    histogram::{Cell, Sums},
    split::{EPSILON, Valuer},
};

/// Rows before the first support in a random order, at most.
const FIRST: usize = 100;

/// A model of the first rows.
#[derive(Debug)]
struct Support {
    /// How many of the ordered rows it learns from.
    seen: usize,
    /// How many of them it scores.
    reach: usize,
    /// Their scores in order, output by output.
    score: Vec<f64>,
}

/// The supporting models.
#[derive(Debug)]
pub(super) struct Supports {
    order: Order,
    start: Vec<f64>,
    all: Vec<Support>,
}

impl Supports {
    /// `start` holds the constants that boosting begins with.
    pub(super) fn new(order: Order, start: &[f64]) -> Self {
        let units = order.ends.len();
        let first = if order.is_by_era() { 1 } else { (units / 10).clamp(1, FIRST) };
        let mut all = Vec::new();
        let mut seen = first;
        while seen < units {
            let reach = order.ends[(2 * seen).min(units) - 1];
            let score = start.iter().flat_map(|&start| std::iter::repeat_n(start, reach)).collect();
            all.push(Support { seen: order.ends[seen - 1], reach, score });
            seen *= 2;
        }
        Self { order, start: start.to_vec(), all }
    }

    /// The score of each row by the support before it, output-major.
    fn honest(&self) -> Vec<f64> {
        let mut score = self.constant();
        for support in &self.all {
            self.scatter(support, support.seen, &mut score);
        }
        score
    }

    fn constant(&self) -> Vec<f64> {
        let rows = self.order.rows.len();
        self.start.iter().flat_map(|&start| std::iter::repeat_n(start, rows)).collect()
    }

    /// Writes the scores of a support from place `from` on to their rows.
    fn scatter(&self, support: &Support, from: usize, score: &mut [f64]) {
        let outputs = score.chunks_mut(self.order.rows.len());
        for (score, own) in outputs.zip(support.score.chunks(support.reach)) {
            let places = self.order.rows[from..support.reach].iter().zip(&own[from..]);
            places.for_each(|(&row, &value)| score[row as usize] = value);
        }
    }
}

/// The trees of a round, one an output, and the leaf of each row in each.
struct Round<'a> {
    grown: &'a [Grown],
    leaves: Vec<Vec<u32>>,
}

impl<'a> Training<'a> {
    /// Grows the trees of a round on honest gradients and gives them the final model's values.
    pub(super) fn honest_trees<C: Cell>(
        &self,
        state: &mut State<'a, C>,
        supports: &mut Supports,
        eras: &Eras<'_>,
        round: usize,
    ) -> Vec<Grown> {
        self.objective.slopes(round, &supports.honest(), &mut state.g, &mut state.h);
        let mut grown = self.trees(state, eras, round);
        let rows = self.data.rows();
        let leaves_of = |tree: &Grown| -> Vec<u32> {
            let leaf = |row| tree.find(&self.data.binned, row) as u32;
            (0..rows).into_par_iter().map(leaf).collect()
        };
        let leaves = grown.iter().map(leaves_of).collect();
        let trees = Round { grown: &grown, leaves };
        let shrinkage = state.shrinkage;
        let mut slopes = (std::mem::take(&mut state.g), std::mem::take(&mut state.h));
        for at in 0..supports.all.len() {
            let mut score = supports.constant();
            supports.scatter(&supports.all[at], 0, &mut score);
            self.objective.slopes(round, &score, &mut slopes.0, &mut slopes.1);
            let (order, support) = (&supports.order.rows, &mut supports.all[at]);
            let values = self.values(&trees, &order[..support.seen], &slopes);
            let scores = support.score.chunks_mut(support.reach);
            for ((score, values), leaves) in scores.zip(&values).zip(&trees.leaves) {
                for (score, &row) in score.iter_mut().zip(order) {
                    *score += shrinkage * values[leaves[row as usize] as usize];
                }
            }
        }
        self.objective.slopes(round, &state.score, &mut slopes.0, &mut slopes.1);
        let values = self.values(&trees, &self.data.known, &slopes);
        (state.g, state.h) = slopes;
        for (tree, values) in grown.iter_mut().zip(values) {
            tree.leaves.iter_mut().zip(values).for_each(|(leaf, value)| leaf.values[0] = value);
        }
        grown
    }

    /// The values of the leaves of each tree on some rows.
    fn values(
        &self,
        trees: &Round<'_>,
        rows: &[u32],
        slopes: &(Vec<f32>, Vec<f32>),
    ) -> Vec<Vec<f64>> {
        let size = self.data.rows();
        let of_tree = |at: usize| {
            let (own, leaves) = (at * size..(at + 1) * size, &trees.leaves[at]);
            let (g, h) = (&slopes.0[own.clone()], &slopes.1[own]);
            let mut sums = vec![Sums::default(); trees.grown[at].leaves.len()];
            for row in rows.iter().map(|&row| row as usize) {
                let sum = &mut sums[leaves[row] as usize];
                *sum = sum.plus(Sums { g: g[row].into(), h: h[row].into(), n: 1.0 });
            }
            leaf_values(&self.settings.limits, &sums)
        };
        (0..trees.grown.len()).map(of_tree).collect()
    }
}

/// The values of leaves; 0 where no row is.
fn leaf_values(limits: &Limits, sums: &[Sums]) -> Vec<f64> {
    let valuer = Valuer::new(limits, 0.0);
    let value = |sums: &Sums| {
        let known = sums.h > 0.0;
        if known { valuer.free_output(Sums { h: sums.h + EPSILON, ..*sums }) } else { 0.0 }
    };
    sums.iter().map(value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn supports_end_before_the_rows_they_speak_of() {
        let eras: Vec<usize> = (0..=6).map(|era| era * 10).collect();
        let mut supports = Supports::new(Order::new(&eras, 0), &[0.5]);
        let sizes: Vec<_> = supports.all.iter().map(|s| (s.seen, s.reach)).collect();
        assert_eq!(sizes, [(10, 20), (20, 40), (40, 60)]);
        for (at, support) in supports.all.iter_mut().enumerate() {
            support.score.fill(at as f64);
        }
        let honest = supports.honest();
        let expected = [0.5, 0.0, 1.0, 1.0, 2.0, 2.0];
        assert!(honest.iter().enumerate().all(|(row, &score)| score == expected[row / 10]));
    }
}
