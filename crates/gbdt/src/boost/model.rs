//! What training gives: the forest and how it came about.

use fattail_bins::Mappers;
use fattail_core::{Panel, Predict, Result};
use fattail_trees::Forest;
use serde::{Deserialize, Serialize};

/// A trained model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GbdtModel {
    /// The trees.
    pub forest: Forest,
    /// The bins of the features.
    pub mappers: Mappers,
    /// The metric on the holdout after each round; empty without early stopping.
    pub history: Vec<f64>,
    /// The metric's name; empty without early stopping.
    pub metric: String,
    /// Rounds that were trained; the forest keeps those up to the best one.
    pub rounds: usize,
}

impl Predict for GbdtModel {
    /// The prediction of the first output.
    fn predict(&self, panel: &Panel) -> Result<Vec<f32>> {
        self.forest.predict(panel)
    }
}
