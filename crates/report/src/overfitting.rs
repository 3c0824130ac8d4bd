//! How likely the best of several models is best by chance: facts of combinatorial cross-validation.
//!
//! A report shows what it is handed. Reference: Bailey, Borwein, López de Prado and Zhu (2017), The
//! probability of backtest overfitting, Journal of Computational Finance 20(4).

use fattail_core::null;
use serde::{Deserialize, Serialize};

use crate::number;
use crate::table::Table;

/// What combinatorially symmetric cross-validation found; one entry a split in the lists.
///
/// ```
/// use fattail_report::{Overfitting, Report};
/// let overfitting = Overfitting { pbo: 0.25, logits: vec![-0.5, 0.3, 1.2, 2.0], ..Overfitting::default() };
/// let report = Report { overfitting: Some(overfitting), ..Report::default() };
/// assert!(report.to_markdown().contains("25.0 %"));
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Overfitting {
    /// The models that were compared; 0 where it is not known.
    pub models: usize,
    /// The probability of backtest overfitting: the share of logits at or below zero.
    #[serde(with = "null")]
    pub pbo: f64,
    /// `ln(ω / (1 - ω))` with the relative rank `ω` out of sample of the model that is best in sample.
    #[serde(with = "null::list")]
    pub logits: Vec<f64>,
    /// What the best model scores in sample.
    #[serde(with = "null::list")]
    pub in_sample: Vec<f64>,
    /// What the same model scores out of sample.
    #[serde(with = "null::list")]
    pub out_of_sample: Vec<f64>,
    /// What all models score out of sample, for the stochastic dominance of the best one; may be empty.
    #[serde(with = "null::list")]
    pub all_out_of_sample: Vec<f64>,
    /// The slope of the regression of out-of-sample on in-sample scores.
    #[serde(with = "null")]
    pub slope: f64,
    /// Its intercept.
    #[serde(with = "null")]
    pub intercept: f64,
    /// The share of splits in which the best model loses out of sample.
    #[serde(with = "null")]
    pub probability_of_loss: f64,
}

impl Overfitting {
    /// What the figures say, in a sentence.
    pub(crate) fn sentence(&self) -> String {
        let judged = match self.pbo {
            pbo if pbo >= 0.5 => "choosing the best of them is no better than drawing one",
            pbo if pbo >= 0.2 => "being best in sample says little about what follows",
            pbo if pbo >= 0.0 => "the best in sample mostly stays ahead",
            _ => "no probability can be given",
        };
        let splits = number::count(self.logits.len() as u64);
        let (of, coarse) = match self.models {
            0 => (String::new(), ""),
            models @ (1 | 2) => (
                format!(" of {models}"),
                " Of so few models a rank says little more than first or last: the share is coarse.",
            ),
            models => (format!(" of {models}"), ""),
        };
        format!(
            "In {} of {splits} splits the model that is best{of} in one half is below the middle in the other: \
             {judged}.{coarse}",
            number::percent(self.pbo)
        )
    }

    pub(crate) fn table(&self) -> Table {
        let mut table = Table::new(1, ["Overfitting", "Value"]);
        table.row(["Probability of backtest overfitting".into(), number::percent(self.pbo)]);
        table.row(["Probability of a loss".into(), number::percent(self.probability_of_loss)]);
        table.row(["Slope, out of sample on in sample".into(), number::ratio(self.slope)]);
        table.row(["Intercept".into(), number::signed(self.intercept)]);
        if self.models > 0 {
            table.row(["Models".into(), number::count(self.models as u64)]);
        }
        table.row(["Splits".into(), number::count(self.logits.len() as u64)]);
        table
    }
}
