//! Ridge regression, its penalty chosen by eras left out.
//!
//! Minimises `sum w (y - a - x'b)^2 / (2 W) + penalty |D b|^2 / 2`, W the sum of the weights, D the
//! scale of each feature (1 when not standardised); the intercept a carries no penalty. scikit-learn's
//! `alpha` is `penalty W`. Rows with a NaN target are skipped; NaN and infinite features are refused
//! by name; a constant feature keeps coefficient 0.
//! Cost: two passes of rows x width^2 / 2, and eras x penalties x width^3 / 3; no copy of the panel. The
//! fits of many cuts of one panel share one pass (`fit_each`).
//! Reference: Hoerl & Kennard (1970).

use fattail_core::{Error as CoreError, Fit, Panel, Result};
use serde::{Deserialize, Serialize};

use crate::{
    Choice, LinearModel, PathPoint,
    leave_out::{self, LeaveOut},
    problem::{Line, Problem, Shape},
    residual,
    spread::{Bread, Confidence},
    train::{self, Train},
};

/// Settings of a ridge regression.
///
/// **Labels that overlap need a `gap`.** With the default 0 a neighbour whose label shares days with
/// the era left out stays in the fit, the score of every penalty is too good, and the smallest wins.
/// Take the gap of the rule that the backtest splits by: whole eras that cover the label and its lags.
/// Numerai's 20-day targets in weekly eras, in real time, with 2 days of lag before and 2 after:
/// `(20 + 2 + 2)` days in eras of 5 are `24.div_ceil(5) = 5`; 60 days are `64.div_ceil(5) = 13`.
/// Those are the answers of `EmbargoRule::RealTime.gap(&Horizon::NUMERAI_20)` and `NUMERAI_60` in
/// `fattail-evaluate`. With one penalty nothing is left out, and the gap plays no part.
///
/// ```
/// use fattail_core::{Fit, Panel, Predict};
/// use fattail_linear::Ridge;
///
/// let panel = Panel::builder()
///     .eras(&["1", "1", "2", "2", "3", "3"])?
///     .feature("x", vec![0u8, 1, 2, 3, 4, 5])
///     .target("y", vec![1.0f32, 3.0, 5.0, 7.0, 9.0, 11.0])
///     .build()?;
/// // One penalty: nothing to choose, so no gap.
/// let model = Ridge { penalties: vec![0.0], ..Ridge::default() }.fit(&panel)?;
/// assert!((model.coefficients[0].value - 2.0).abs() < 1e-12);
/// assert_eq!(model.predict(&panel)?[5], 11.0);
/// # Ok::<(), fattail_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ridge {
    /// The penalties to choose from, increasing; a single one is taken as it is.
    pub penalties: Vec<f64>,
    /// What decides.
    pub choice: Choice,
    /// Eras on each side that go with the one left out. **0 is right only where the targets of
    /// different eras share no day; for labels that overlap it is the `gap` of the backtest's rule**,
    /// see the head of the struct.
    pub gap: usize,
    /// Whether there is an intercept.
    pub intercept: bool,
    /// Whether the penalty sees features in units of their standard deviation.
    pub standardise: bool,
    /// The confidence of the intervals.
    pub confidence: f64,
    /// How many eras apart scores may still be correlated, for the standard errors.
    pub lags: usize,
}

impl Default for Ridge {
    /// 13 penalties from 1e-4 to 1e2, two a decade.
    fn default() -> Self {
        Self {
            penalties: (-8..=4).map(|half| 10f64.powf(f64::from(half) / 2.0)).collect(),
            choice: Choice::Error,
            gap: 0,
            intercept: true,
            standardise: true,
            confidence: 0.95,
            lags: 0,
        }
    }
}

impl Ridge {
    fn check(&self) -> Result<()> {
        check_penalties(&self.penalties)?;
        self.intervals().check()
    }

    fn intervals(&self) -> Confidence {
        Confidence { level: self.confidence, lags: self.lags, intercept: self.intercept }
    }

    fn path(&self, train: &Train<'_>, shape: Shape) -> Result<Vec<PathPoint>> {
        if self.penalties.len() == 1 {
            return Ok(Vec::new());
        }
        let fit = |problem: &Problem| -> Result<Vec<Line>, crate::Error> {
            let line = |&penalty| problem.ridge(penalty).map(|solution| problem.line(&solution));
            self.penalties.iter().map(line).collect()
        };
        LeaveOut { train, shape, gap: self.gap, penalties: &self.penalties }.path(&fit)
    }

    fn fit_moments(&self, train: &Train<'_>) -> Result<LinearModel> {
        let total = train.total;
        let shape = Shape { intercept: self.intercept, standardise: self.standardise };
        let path = self.path(train, shape)?;
        let penalty = self.penalties[leave_out::best(&path, self.choice)];
        let scale = shape.scales(total, &shape.spreads(total));
        let problem = Problem::new(total, shape, scale);
        let line = problem.line(&problem.ridge(penalty)?);
        let scores = residual::squared_scores(train, &line, &problem.centre)?;
        let bread = Bread { problem: &problem, penalty: penalty * total.weight };
        let intervals = self.intervals();
        let errors = intervals.errors(&bread, &scores, total.rows)?;
        let model = intervals.model(train.panel, &line, &errors, scores.len());
        Ok(LinearModel { penalty, path, rows: total.rows, ..model })
    }
}

/// Refuses a list of penalties that is empty, does not increase, or holds no penalty.
pub(crate) fn check_penalties(penalties: &[f64]) -> Result<()> {
    let fine = penalties.iter().all(|&penalty| penalty >= 0.0 && penalty.is_finite());
    let increasing = penalties.windows(2).all(|pair| pair[0] < pair[1]);
    if fine && increasing && !penalties.is_empty() {
        return Ok(());
    }
    let allowed = "one or more increasing finite numbers, none negative";
    Err(CoreError::setting("penalties", format!("{penalties:?}"), allowed))
}

impl Fit for Ridge {
    type Fitted = LinearModel;

    fn fit(&self, train: &Panel) -> Result<LinearModel> {
        self.check()?;
        train::alone(train, |train| self.fit_moments(train))
    }

    /// One pass over the rows for all cuts, as far as memory holds their moments; a feature that is
    /// missing in one cut is refused before the fits of the others.
    fn fit_each(
        &self,
        panel: &Panel,
        cuts: &[Vec<usize>],
        each: &mut dyn FnMut(usize, LinearModel) -> Result<()>,
    ) -> Result<()> {
        self.check()?;
        train::each_cut(panel, cuts, |train| self.fit_moments(train), each)
    }
}
