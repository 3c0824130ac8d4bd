//! An objective bound to its labels: what the boosting loop asks in every iteration.

use fattail_trees::Link;

/// An objective that knows its labels.
///
/// Scores, gradients and hessians are output-major: output k of row i is at `k * rows + i`.
pub trait Bound: Send + Sync + std::fmt::Debug {
    /// Numbers a row: 1, the classes, the quantiles or the targets.
    fn outputs(&self) -> usize {
        1
    }

    /// The constant that boosting begins with, one an output (LightGBM's boost_from_average).
    fn start(&self) -> Vec<f64>;

    /// Writes gradient and hessian of the loss at `score`, for iteration `iteration`. `hessian` may
    /// be empty where [`Bound::constant_hessian`] holds.
    fn slopes(&self, iteration: usize, score: &[f64], gradient: &mut [f32], hessian: &mut [f32]);

    /// Whether every hessian is 1, whatever the score: then counts stand for it.
    fn constant_hessian(&self) -> bool {
        false
    }

    /// Whether an output has something to learn: not so for a class that no row or every row is of,
    /// which keeps its start (LightGBM's `ClassNeedTrain`).
    fn trains(&self, _output: usize) -> bool {
        true
    }

    /// Whether [`Bound::renew`] gives values, so that a caller need not ask leaf by leaf.
    fn renews(&self) -> bool {
        false
    }

    /// The value of a leaf in place of `-G/(H+lambda)`, for objectives that need it (LightGBM's
    /// `RenewTreeOutput`: weighted percentiles of residuals); `None` keeps the leaf's value.
    /// `rows` are the leaf's rows in the sample, increasing; `score` is that of all outputs, from
    /// before the tree.
    fn renew(&self, _output: usize, _rows: &[u32], _score: &[f64]) -> Option<f64> {
        None
    }

    /// From raw scores to predictions.
    fn link(&self) -> Link {
        Link::Identity
    }

    /// The objective as LightGBM's model files write it. An objective that LightGBM does not have
    /// is written as `custom` (raw scores are predictions) or, with an exponential link, `poisson`,
    /// so that LightGBM predicts the same.
    fn text(&self) -> String;
}
