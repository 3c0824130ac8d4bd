//! The elastic net by coordinate descent on the Gram matrix.
//!
//! Minimises `sum w (y - a - x'b)^2 / (2 W) + penalty (r |D b|_1 + (1 - r) |D b|^2 / 2)`, the objective
//! of glmnet and of scikit-learn (whose `alpha` is the penalty and whose `l1_ratio` is r). Each
//! coordinate moves to `soft(q_j - (Q g)_j + Q_jj g_j, penalty r) / (Q_jj + penalty (1 - r))`. The walk
//! stops when the duality gap is below `tolerance` times the second moment of the target. Penalties
//! go from the largest down, each starting where the last one ended. NaN, constants, weights: as in
//! [`Ridge`](crate::Ridge). Cost: the Gram matrix, and a sweep is the square of the width.
//! Reference: Friedman, Hastie & Tibshirani (2010), section 2; the gap: Kim et al. (2007).

use fattail_core::{Error as CoreError, Fit, Panel, Result};
use serde::{Deserialize, Serialize};

use crate::{
    Choice, Error, LinearModel, gather,
    leave_out::{self, LeaveOut},
    problem::{Problem, Shape},
    ridge::check_penalties,
    spread::Confidence,
};

/// Settings of an elastic net.
///
/// ```
/// use fattail_core::{Fit, Panel};
/// use fattail_linear::ElasticNet;
///
/// let panel = Panel::builder()
///     .eras(&["1", "1", "1", "2", "2", "2"])?
///     .feature("signal", vec![0u8, 1, 2, 0, 1, 2])
///     .feature("noise", vec![1u8, 0, 1, 0, 1, 0])
///     .target("y", vec![0.0f32, 1.0, 2.0, 0.1, 1.0, 1.9])
///     .build()?;
/// let model = ElasticNet { penalties: vec![0.1], ..ElasticNet::default() }.fit(&panel)?;
/// assert!(model.coefficients[0].value > 0.5);
/// assert_eq!(model.coefficients[1].value, 0.0);
/// # Ok::<(), fattail_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ElasticNet {
    /// The share of the absolute penalty, above 0 and at most 1.
    pub ratio: f64,
    /// The penalties to choose from, increasing. None: 30 from a thousandth of the smallest penalty
    /// at which all coefficients are 0, up to it.
    pub penalties: Vec<f64>,
    /// What decides.
    pub choice: Choice,
    /// Eras on each side that go with the one left out: those whose targets overlap with its own.
    pub gap: usize,
    /// Whether there is an intercept.
    pub intercept: bool,
    /// Whether the penalty sees features in units of their standard deviation.
    pub standardise: bool,
    /// The duality gap that ends a walk, as a share of the second moment of the target.
    pub tolerance: f64,
    /// Sweeps over the features after which a walk is given up.
    pub max_sweeps: usize,
}

impl Default for ElasticNet {
    fn default() -> Self {
        Self {
            ratio: 0.5,
            penalties: Vec::new(),
            choice: Choice::Error,
            gap: 0,
            intercept: true,
            standardise: true,
            tolerance: 1e-12,
            max_sweeps: 10_000,
        }
    }
}

impl ElasticNet {
    fn check(&self) -> Result<()> {
        if !(self.ratio > 0.0 && self.ratio <= 1.0) {
            let allowed = "above 0 and at most 1; Ridge has no absolute penalty";
            return Err(CoreError::setting("ratio", self.ratio, allowed));
        }
        if !(self.tolerance > 0.0 && self.tolerance < 1.0) {
            let allowed = "between 0 and 1, both excluded";
            return Err(CoreError::setting("tolerance", self.tolerance, allowed));
        }
        if self.max_sweeps == 0 {
            return Err(CoreError::setting("max_sweeps", 0, "at least 1"));
        }
        if self.penalties.is_empty() { Ok(()) } else { check_penalties(&self.penalties) }
    }

    /// The penalties given, or those that the data suggest.
    fn grid(&self, problem: &Problem) -> Vec<f64> {
        if !self.penalties.is_empty() {
            return self.penalties.clone();
        }
        let pull = problem.right.iter().fold(0.0f64, |most, value| most.max(value.abs()));
        let most = if pull > 0.0 { pull / self.ratio } else { 1.0 };
        (0..30).map(|step| most * 10f64.powf(-3.0 * f64::from(29 - step) / 29.0)).collect()
    }

    /// The solution of each penalty, by increasing penalty.
    fn solutions(&self, problem: &Problem, penalties: &[f64]) -> Result<Vec<Vec<f64>>, Error> {
        let mut walk = Walk::new(problem);
        let mut solutions = Vec::with_capacity(penalties.len());
        for &penalty in penalties.iter().rev() {
            self.descend(&mut walk, penalty)?;
            solutions.push(walk.solution.clone());
        }
        solutions.reverse();
        Ok(solutions)
    }

    fn descend(&self, walk: &mut Walk<'_>, penalty: f64) -> Result<(), Error> {
        let (l1, l2) = (penalty * self.ratio, penalty * (1.0 - self.ratio));
        let allowed = self.tolerance * walk.problem.target;
        let mut left = f64::INFINITY;
        for _ in 0..self.max_sweeps {
            walk.sweep(l1, l2);
            left = walk.gap(l1, l2);
            if left <= allowed {
                return Ok(());
            }
        }
        let iterations = self.max_sweeps;
        Err(Error::NotConverged { method: "elastic net", iterations, left, tolerance: allowed })
    }
}

impl Fit for ElasticNet {
    type Fitted = LinearModel;

    fn fit(&self, train: &Panel) -> Result<LinearModel> {
        self.check()?;
        train.expect_finite()?;
        let total = gather::total(train, None)?;
        let shape = Shape { intercept: self.intercept, standardise: self.standardise };
        let scale = shape.scales(&total, &shape.spreads(&total));
        let problem = Problem::new(&total, shape, scale);
        let penalties = self.grid(&problem);
        let path = if penalties.len() == 1 {
            Vec::new()
        } else {
            LeaveOut { panel: train, total: &total, shape, gap: self.gap, penalties: &penalties }
                .path(&|fold| {
                    let solutions = self.solutions(fold, &penalties)?;
                    Ok(solutions.iter().map(|solution| fold.line(solution)).collect())
                })?
        };
        let best = leave_out::best(&path, self.choice);
        let line = problem.line(&self.solutions(&problem, &penalties[best..])?[0]);
        let unknown = vec![f64::NAN; problem.width() + 1];
        let intervals = Confidence { level: 0.95, lags: 0, intercept: self.intercept };
        let model = intervals.model(train, &line, &unknown, 0);
        Ok(LinearModel { penalty: penalties[best], path, rows: total.rows, ..model })
    }
}

/// Where the descent stands.
struct Walk<'a> {
    problem: &'a Problem,
    solution: Vec<f64>,
    /// Q times the solution.
    image: Vec<f64>,
}

impl<'a> Walk<'a> {
    fn new(problem: &'a Problem) -> Self {
        let zeros = vec![0.0; problem.width()];
        Self { problem, solution: zeros.clone(), image: zeros }
    }

    /// Moves each coordinate to its best place.
    fn sweep(&mut self, l1: f64, l2: f64) {
        let width = self.solution.len();
        for j in 0..width {
            let column = &self.problem.gram[j * width..(j + 1) * width];
            let old = self.solution[j];
            let pull = self.problem.right[j] - self.image[j] + column[j] * old;
            let new = (pull.abs() - l1).max(0.0).copysign(pull) / (column[j] + l2);
            if new != old {
                self.solution[j] = new;
                let step = new - old;
                self.image.iter_mut().zip(column).for_each(|(image, q)| *image += step * q);
            }
        }
    }

    /// The duality gap.
    fn gap(&self, l1: f64, l2: f64) -> f64 {
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let (problem, solution) = (self.problem, &self.solution);
        let fitted = dot(&problem.right, solution);
        let left = (problem.target - 2.0 * fitted + dot(solution, &self.image)).max(0.0);
        let pulls = problem.right.iter().zip(&self.image).zip(solution);
        let most = pulls.fold(0.0f64, |most, ((q, image), g)| most.max((q - image - l2 * g).abs()));
        let shrink = if most > l1 { l1 / most } else { 1.0 };
        let absolute: f64 = solution.iter().map(|g| g.abs()).sum();
        0.5 * left * (1.0 + shrink * shrink) - shrink * (problem.target - fitted)
            + l1 * absolute
            + 0.5 * l2 * (1.0 + shrink * shrink) * dot(solution, solution)
    }
}
