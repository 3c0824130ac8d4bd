//! How predictions change with one feature while the others stay.
//!
//! `curve_i(v)` is the prediction of row `i` with the feature set to `v`; partial dependence is
//! their mean over rows. Cost: a prediction of the panel a value.
//! Reference: Friedman 2001, Greedy function approximation, section 8.2; Goldstein et al. 2015,
//! Peeking inside the black box.

use fattail_core::{Panel, Predict, Result};

/// Predictions of a panel's rows along one feature.
#[derive(Debug, Clone, PartialEq)]
pub struct Dependence {
    /// The feature's values.
    pub grid: Vec<f32>,
    /// The number of rows.
    pub rows: usize,
    /// Predictions, value by value, in it row by row.
    pub predictions: Vec<f32>,
}

impl Dependence {
    /// Predicts `panel` with the feature at position `feature` set to each value of `grid`.
    ///
    /// ```
    /// use fattail_core::{Panel, Predict};
    /// use fattail_trees::explain::Dependence;
    ///
    /// struct Product;
    /// impl Predict for Product {
    ///     fn predict(&self, panel: &Panel) -> fattail_core::Result<Vec<f32>> {
    ///         let (a, b) = (panel.feature(0).to_f32(), panel.feature(1).to_f32());
    ///         Ok(a.iter().zip(&b).map(|(a, b)| a * b).collect())
    ///     }
    /// }
    /// let panel = Panel::builder().feature("a", vec![1.0_f32, 3.0]).feature("b", vec![2.0_f32, 4.0]);
    /// let found = Dependence::new(&panel.build()?, &Product, 0, &[0.0, 10.0])?;
    /// assert_eq!(found.mean(), [0.0, 30.0]);
    /// assert_eq!(found.curve(1), [0.0, 40.0]);
    /// # Ok::<(), fattail_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// When there is no such feature or the model cannot predict the panel.
    pub fn new(panel: &Panel, model: &dyn Predict, feature: usize, grid: &[f32]) -> Result<Self> {
        let mut predictions = Vec::with_capacity(grid.len() * panel.rows());
        for &value in grid {
            let panel = panel.replace_features([(feature, vec![value; panel.rows()])])?;
            predictions.extend(model.predict(&panel)?);
        }
        Ok(Self { grid: grid.to_vec(), rows: panel.rows(), predictions })
    }

    /// The mean prediction at each value: partial dependence.
    #[must_use]
    pub fn mean(&self) -> Vec<f64> {
        let sum = |rows: &[f32]| rows.iter().copied().map(f64::from).sum::<f64>();
        self.predictions.chunks(self.rows.max(1)).map(|rows| sum(rows) / self.rows as f64).collect()
    }

    /// The predictions of one row at each value: individual conditional expectation.
    ///
    /// # Panics
    /// When there is no such row.
    #[must_use]
    pub fn curve(&self, row: usize) -> Vec<f32> {
        assert!(row < self.rows, "row {row} of {}", self.rows);
        self.predictions.iter().skip(row).step_by(self.rows).copied().collect()
    }
}
