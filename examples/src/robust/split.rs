//! Training and test part of a panel, by time and with a gap between.
//!
//! Of `n` rows the first `floor(share n)` train; after a gap of at least the horizon, so that no
//! training target reaches into it, the rest tests. Cost: shared columns, nothing is copied. Reference:
//! López de Prado (2018), Advances in Financial Machine Learning, 7.4.

use fattail::Panel;
use serde::{Deserialize, Serialize};

use crate::Outcome;

/// Where a panel is cut.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Split {
    /// The share of the rows that train.
    pub train: f64,
    /// Rows that a target looks ahead.
    pub horizon: usize,
    /// Rows between the parts, at least the horizon.
    pub gap: usize,
}

/// The two parts of a panel.
#[derive(Debug, Clone)]
pub struct Parts {
    /// What is learnt from.
    pub train: Panel,
    /// What the verdict is about.
    pub test: Panel,
}

impl Split {
    /// Cuts a panel with one era a row.
    ///
    /// ```
    /// use fattail_examples::robust::{Series, Split, panel_of};
    /// use fattail_testing::Bars;
    /// let series = Series::draw(&Bars { bars: 100, ..Bars::default() })?;
    /// let parts = Split { train: 0.8, horizon: 5, gap: 7 }.cut(&panel_of(&series, 5)?)?;
    /// assert_eq!((parts.train.rows(), parts.test.rows()), (80, 13));
    /// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    /// ```
    ///
    /// # Errors
    /// When a number is out of range or a part is left without known targets.
    pub fn cut(&self, panel: &Panel) -> Outcome<Parts> {
        let Self { train, horizon, gap } = *self;
        if !(train > 0.0 && train < 1.0) {
            return Err(format!("--train-share is {train}, allowed is above 0 and below 1").into());
        }
        if gap < horizon {
            return Err(format!(
                "--gap is {gap}, allowed is at least --horizon, {horizon}: targets would reach into the test part"
            )
            .into());
        }
        let rows = panel.rows();
        let end = (train * rows as f64) as usize;
        // The targets of the last rows are not known.
        let start = end.saturating_add(gap);
        if end == 0 || start.saturating_add(horizon) >= rows {
            return Err(format!("{rows} bars are too few: {end} would train, and with a gap of {gap} and a horizon of {horizon} none would test").into());
        }
        let cut = |from: usize, to: usize| panel.cut(&(from..to).collect::<Vec<usize>>());
        Ok(Parts { train: cut(0, end)?, test: cut(start, rows)? })
    }
}
