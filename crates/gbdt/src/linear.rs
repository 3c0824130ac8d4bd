//! Lines in the leaves.
//!
//! In a leaf whose path asks about the numeric features x, with gradients g, hessians h and the ridge
//! penalty lambda on the coefficients alone, the leaf is the minimum of
//! `sum g f + h f^2 / 2 + lambda beta^2 / 2` over the lines `f = a + beta x`:
//!
//! ```text
//! m    = sum h x / sum h
//! beta = -(sum h (x - m)(x - m)' + lambda I)^-1 sum g (x - m),   a = -sum g / sum h - beta m
//! ```
//!
//! Rows where one of the features is NaN teach the line nothing and get the leaf's plain value. Where
//! there is no other row, or the solution is undefined, as it is without a penalty for fewer rows than
//! coefficients, the line is that plain value. The trees of the first round have no lines, so that
//! lines are fitted to residuals.
//! Centring makes the system well conditioned; a trillionth of its diagonal makes that of features
//! that are lines of each other solvable. Cost: rows x (features of the path)^2.
//! Reference: Shi et al. (2019), gradient boosting with piece-wise linear regression trees, equation 3;
//! LightGBM 4.7, `linear_tree_learner.cpp`.

use std::sync::OnceLock;

use fattail_bins::{Binned, Kind};
use fattail_core::{Panel, Values};
use fattail_stats::solve_spd;
use fattail_trees::{Child, LinearLeaf, Tree};
use rayon::prelude::*;

use crate::grow::Grown;

/// The values of a panel by feature and row. Columns whose rows do not lie end to end are copied when
/// they are asked for.
#[derive(Debug)]
pub(crate) struct Raw {
    panel: Panel,
    copies: Vec<OnceLock<Vec<f32>>>,
}

impl Raw {
    pub(crate) fn new(panel: &Panel) -> Self {
        let copies = (0..panel.width()).map(|_| OnceLock::new()).collect();
        Self { panel: panel.clone(), copies }
    }

    /// The values of a feature.
    fn column(&self, feature: usize) -> Values<'_> {
        let view = self.panel.feature(feature);
        view.contiguous()
            .unwrap_or_else(|| Values::F32(self.copies[feature].get_or_init(|| view.to_f32())))
    }
}

/// Fits a line in every leaf.
pub(crate) fn fit(
    grown: &Grown,
    binned: &Binned,
    raw: &Raw,
    (g, h): (&[f32], &[f32]),
    penalty: f64,
) -> Vec<LinearLeaf> {
    let leaves = grown.leaves.par_iter().zip(paths(grown, binned));
    let line = leaves.map(|(leaf, path)| {
        let columns: Vec<Values<'_>> = path.iter().map(|&feature| raw.column(feature)).collect();
        let sample = Sample { rows: &grown.rows[leaf.rows.clone()], columns: &columns, g, h };
        let plain = LinearLeaf { constant: leaf.values[0], terms: Vec::new() };
        let Some((constant, slopes)) = sample.line(penalty) else { return plain };
        let terms = path.iter().map(|&feature| feature as u32).zip(slopes);
        LinearLeaf { constant, terms: terms.filter(|term| term.1.abs() > Tree::ZERO).collect() }
    });
    line.collect()
}

/// Adds the lines of a tree, shrunk, to scores.
pub(crate) fn add_to(grown: &Grown, binned: &Binned, raw: &Raw, shrinkage: f64, score: &mut [f64]) {
    let read = |line: &LinearLeaf| -> Vec<(Values<'_>, f64)> {
        line.terms.iter().map(|&(feature, slope)| (raw.column(feature as usize), slope)).collect()
    };
    let columns: Vec<_> = grown.lines.iter().map(read).collect();
    score.par_iter_mut().enumerate().for_each(|(row, score)| {
        let leaf = grown.find(binned, row);
        let terms = columns[leaf].iter().map(|(x, slope)| slope * f64::from(x.get(row)));
        let value = grown.lines[leaf].constant + terms.sum::<f64>();
        // A slope is not 0, so that a missing value makes the sum NaN.
        let value = if value.is_nan() { grown.leaves[leaf].values[0] } else { value };
        *score += shrinkage * value;
    });
}

/// The numeric features on the way to each leaf, increasing.
fn paths(grown: &Grown, binned: &Binned) -> Vec<Vec<usize>> {
    let mut to_nodes = vec![Vec::new(); grown.nodes.len()];
    let mut to_leaves = vec![Vec::new(); grown.leaves.len()];
    for (at, node) in grown.nodes.iter().enumerate() {
        let mut path: Vec<usize> = std::mem::take(&mut to_nodes[at]);
        let feature = node.split.feature;
        let numeric = matches!(binned.columns[feature].mapper.kind, Kind::Numeric { .. });
        if let (true, Err(place)) = (numeric, path.binary_search(&feature)) {
            path.insert(place, feature);
        }
        for child in [node.left, node.right] {
            match child {
                Child::Node(node) => to_nodes[node as usize] = path.clone(),
                Child::Leaf(leaf) => to_leaves[leaf as usize] = path.clone(),
            }
        }
    }
    to_leaves
}

/// The rows of a leaf.
struct Sample<'a> {
    rows: &'a [u32],
    columns: &'a [Values<'a>],
    g: &'a [f32],
    h: &'a [f32],
}

impl Sample<'_> {
    /// Hands every row without a missing value to `with`: its features, gradient and hessian.
    fn each(&self, mut with: impl FnMut(&[f64], f64, f64)) {
        let mut x = vec![0.0_f64; self.columns.len()];
        for &row in self.rows {
            let row = row as usize;
            x.iter_mut().zip(self.columns).for_each(|(x, column)| *x = column.get(row).into());
            if !x.iter().any(|x| x.is_nan()) {
                with(&x, self.g[row].into(), self.h[row].into());
            }
        }
    }

    /// Constant and slopes.
    fn line(&self, penalty: f64) -> Option<(f64, Vec<f64>)> {
        let width = self.columns.len();
        let (mut count, mut sum_g, mut sum_h, mut mean) = (0, 0.0, 0.0, vec![0.0; width]);
        self.each(|x, g, h| {
            (count, sum_g, sum_h) = (count + 1, sum_g + g, sum_h + h);
            mean.iter_mut().zip(x).for_each(|(mean, x)| *mean += h * x);
        });
        let least = if penalty > 0.0 { 1 } else { width + 1 };
        if width == 0 || count < least || sum_h <= 0.0 {
            return None;
        }
        mean.iter_mut().for_each(|mean| *mean /= sum_h);
        let (mut matrix, mut right) = self.moments(&mean);
        for at in 0..width {
            let diagonal = &mut matrix[at * (width + 1)];
            *diagonal += penalty + 1e-12 * *diagonal;
            // A constant feature has no slope.
            if *diagonal <= 0.0 {
                *diagonal = 1.0;
                right[at] = 0.0;
            }
        }
        let slopes = solve_spd(&matrix, &right).ok()?;
        let moved: f64 = slopes.iter().zip(&mean).map(|(slope, mean)| slope * mean).sum();
        let constant = -sum_g / sum_h - moved;
        constant.is_finite().then_some((constant, slopes))
    }

    /// The matrix of the centred features and their products with the gradients, negative.
    fn moments(&self, mean: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let width = mean.len();
        let (mut matrix, mut right) = (vec![0.0; width * width], vec![0.0; width]);
        let mut centred = vec![0.0; width];
        self.each(|x, g, h| {
            centred.iter_mut().zip(x).zip(mean).for_each(|((slot, x), mean)| *slot = x - mean);
            for (at, &own) in centred.iter().enumerate() {
                right[at] -= g * own;
                let line = &mut matrix[at * width..(at + 1) * width];
                line.iter_mut().zip(&centred).for_each(|(slot, other)| *slot += h * own * other);
            }
        });
        (matrix, right)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(x: &[f32], g: &[f32], penalty: f64) -> Option<(f64, Vec<f64>)> {
        let rows: Vec<u32> = (0..x.len() as u32).collect();
        let (columns, h) = ([Values::F32(x)], vec![1.0; x.len()]);
        Sample { rows: &rows, columns: &columns, g, h: &h }.line(penalty)
    }

    #[test]
    fn a_line_by_hand() {
        // The target 1 + 2 x as gradients at score 0.
        let (constant, slopes) = line(&[0.0, 1.0, 2.0], &[-1.0, -3.0, -5.0], 0.0).unwrap();
        assert!((constant - 1.0).abs() < 1e-9 && (slopes[0] - 2.0).abs() < 1e-9);
        // The centred square sum is 2: a penalty of 2 halves the slope, about the mean (1, 3).
        let (constant, slopes) = line(&[0.0, 1.0, 2.0], &[-1.0, -3.0, -5.0], 2.0).unwrap();
        assert!((constant - 2.0).abs() < 1e-9 && (slopes[0] - 1.0).abs() < 1e-9);
    }

    #[test]
    fn missing_values_and_constants_teach_nothing() {
        let x = [0.0, f32::NAN, 1.0, 2.0];
        let (constant, _) = line(&x, &[-1.0, 99.0, -3.0, -5.0], 0.0).unwrap();
        assert!((constant - 1.0).abs() < 1e-9);
        assert_eq!(line(&[f32::NAN, 3.0], &[1.0, 1.0], 0.0), None);
        assert_eq!(line(&[f32::NAN, 3.0], &[1.0, 2.0], 0.1), Some((-2.0, vec![0.0])));
        assert_eq!(line(&[f32::NAN, f32::NAN], &[1.0, 2.0], 0.1), None);
        let (constant, slopes) = line(&[0.1; 3], &[-1.0, -2.0, -3.0], 0.0).unwrap();
        assert!(slopes[0].abs() < 1e-6 && (constant + slopes[0] * 0.1 - 2.0).abs() < 1e-6);
    }
}
