//! Objectives that are sums over rows: one kernel each, in a shared loop.

use fattail_trees::Link;

use crate::{Bound, chunks, known::Known, percentile};

/// The slopes of one row.
pub(crate) trait Kernel: Send + Sync + std::fmt::Debug {
    /// Gradient and hessian of a row of known label and positive weight.
    fn slopes(&self, score: f64, label: f32, weight: f32) -> (f32, f32);

    /// Whether the hessian is the weight, whatever the score.
    fn unit_hessian(&self) -> bool {
        false
    }

    /// The percentile of residuals that leaves take, for losses without a second derivative.
    fn leaf(&self) -> Option<Leaf> {
        None
    }
}

/// How a leaf takes a percentile of its residuals.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Leaf {
    /// Which percentile.
    pub(crate) alpha: f64,
    /// A weight by the label, in place of 1; its rows are weighted even without weights.
    pub(crate) weight: Option<fn(f32) -> f32>,
}

/// A kernel bound to labels.
#[derive(Debug)]
pub(crate) struct Rows<'a, K> {
    pub(crate) kernel: K,
    pub(crate) known: Known<'a>,
    pub(crate) start: f64,
    pub(crate) link: Link,
    pub(crate) text: String,
}

impl<K: Kernel> Bound for Rows<'_, K> {
    fn start(&self) -> Vec<f64> {
        vec![self.start]
    }

    fn slopes(&self, _: usize, score: &[f64], gradient: &mut [f32], hessian: &mut [f32]) {
        let target = &self.known.target;
        match &self.known.weights {
            Some(weights) => chunks::fill(gradient, hessian, |first, g, h| {
                let rows = first..first + g.len();
                let inputs =
                    score[rows.clone()].iter().zip(&target[rows.clone()]).zip(&weights[rows]);
                for ((g, h), ((&score, &label), &weight)) in g.iter_mut().zip(h).zip(inputs) {
                    (*g, *h) = match weight {
                        0.0 => (0.0, 0.0),
                        weight => self.kernel.slopes(score, label, weight),
                    };
                }
            }),
            None if self.kernel.unit_hessian() => {
                chunks::fill_one(gradient, |first, g| {
                    let rows = first..first + g.len();
                    let inputs = score[rows.clone()].iter().zip(&target[rows]);
                    for (g, (&score, &label)) in g.iter_mut().zip(inputs) {
                        *g = self.kernel.slopes(score, label, 1.0).0;
                    }
                });
                hessian.fill(1.0);
            }
            None => chunks::fill(gradient, hessian, |first, g, h| {
                let rows = first..first + g.len();
                let inputs = score[rows.clone()].iter().zip(&target[rows]);
                for ((g, h), (&score, &label)) in g.iter_mut().zip(h).zip(inputs) {
                    (*g, *h) = self.kernel.slopes(score, label, 1.0);
                }
            }),
        }
    }

    fn constant_hessian(&self) -> bool {
        self.kernel.unit_hessian() && self.known.weights.is_none()
    }

    fn renews(&self) -> bool {
        self.kernel.leaf().is_some()
    }

    fn renew(&self, _output: usize, rows: &[u32], score: &[f64]) -> Option<f64> {
        let Leaf { alpha, weight: by_label } = self.kernel.leaf()?;
        let known = rows.iter().map(|&row| row as usize);
        let known = known.filter(|&row| !self.known.target[row].is_nan());
        let residual = |row: usize| f64::from(self.known.target[row]) - score[row];
        if !self.known.weighted && by_label.is_none() {
            let mut residuals: Vec<f64> = known.map(residual).collect();
            return percentile::plain(&mut residuals, alpha);
        }
        let weight = |row: usize| {
            let share = by_label.map_or(1.0, |weight| weight(self.known.target[row]));
            share * self.known.weight(row)
        };
        let mut pairs: Vec<(f64, f32)> = known.map(|row| (residual(row), weight(row))).collect();
        percentile::weighted(&mut pairs, alpha)
    }

    fn link(&self) -> Link {
        self.link
    }

    fn text(&self) -> String {
        self.text.clone()
    }
}

/// The percentile of the known labels, in the precision of the labels.
pub(crate) fn label_percentile(known: &Known<'_>, leaf: Leaf) -> f64 {
    let labels = known.target.iter().enumerate().filter(|pair| !pair.1.is_nan());
    let found = if known.weighted || leaf.weight.is_some() {
        let weight = |row: usize, label: f32| {
            leaf.weight.map_or(1.0, |weight| weight(label)) * known.weight(row)
        };
        let mut pairs: Vec<(f32, f32)> =
            labels.map(|(row, &label)| (label, weight(row, label))).collect();
        percentile::weighted(&mut pairs, leaf.alpha)
    } else {
        let mut values: Vec<f32> = labels.map(|pair| *pair.1).collect();
        percentile::plain(&mut values, leaf.alpha)
    };
    found.unwrap_or(0.0)
}
