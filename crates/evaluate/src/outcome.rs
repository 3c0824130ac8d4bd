//! What a backtest leaves: predictions, folds, scores, and the constant predictor's scores.

use serde::{Deserialize, Serialize};

use crate::{Scores, null};

/// Out-of-sample predictions.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Predictions {
    /// Positions of the eras in the panel, increasing.
    pub eras: Vec<usize>,
    /// One value a row, in the order of `panel.cut(&eras)`.
    pub values: Vec<f32>,
}

/// One fold as it ran.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct FoldRun {
    /// The first era trained on.
    pub train_first: String,
    /// The last era trained on.
    pub train_last: String,
    /// How many eras were trained on.
    pub train_eras: usize,
    /// The first era predicted.
    pub test_first: String,
    /// The last era predicted.
    pub test_last: String,
    /// How many eras were predicted.
    pub test_eras: usize,
    /// The mean of each metric over the test eras.
    #[serde(with = "null::pairs")]
    pub scores: Vec<(String, f64)>,
}

/// A learner refitted in every fold and scored on eras that it did not see.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Backtest {
    /// The predictions of the test eras.
    pub predictions: Predictions,
    /// The folds, in order.
    pub folds: Vec<FoldRun>,
    /// The scores of the predictions, one entry a metric.
    pub scores: Vec<Scores>,
    /// The scores of predicting the mean of the fold's training target, in the same order.
    pub constant: Vec<Scores>,
}
