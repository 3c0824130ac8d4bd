//! The elastic net by coordinate descent on the Gram matrix.
//!
//! Minimises `sum w (y - a - x'b)^2 / (2 W) + penalty (r |D b|_1 + (1 - r) |D b|^2 / 2)`, the objective
//! of glmnet and of scikit-learn (whose `alpha` is the penalty and whose `l1_ratio` is r). Each
//! coordinate moves to `soft(q_j - (Q g)_j + Q_jj g_j, penalty r) / (Q_jj + penalty (1 - r))`; every
//! 50 sweeps the walk leaps towards the minimum among solutions of the same signs. It stops when the
//! duality gap is below `tolerance` times the second moment of the target, or below what rounding
//! leaves of it; or when a sweep moves nothing beyond rounding, which is a minimum (Tseng 2001). A walk
//! that runs out of sweeps is taken with a gap below 1e-5 of that moment (2e-5 of R^2, the penalty
//! counted in), and is an error above. A target without spread has slopes 0; equal features share.
//! Penalties go from the largest down, each starting where the last one ended. NaN, constants,
//! weights: as in [`Ridge`](crate::Ridge).
//!
//! Intervals are those of a refit: the features chosen alone, under the quadratic part of the penalty
//! alone (least squares at ratio 1), with standard errors as in [`Ridge`](crate::Ridge). They stand
//! about the refit, whose coefficient is their middle, so a strongly shrunk value may lie outside.
//! They are conditional on the choice of features and of the penalty, which they take as given: after a
//! close choice they are too narrow. NaN for a feature not chosen, and for all where the chosen ones
//! are collinear at ratio 1.
//! Cost: the Gram matrix, and a sweep is the square of the width; a leap is a third of the cube
//! of the features in use; the refit is a ridge. The fits of many cuts of one panel share one pass.
//! Reference: Friedman, Hastie & Tibshirani (2010), section 2; the gap: Kim et al. (2007); the refit:
//! Belloni & Chernozhukov (2013); what conditioning leaves out: Berk et al. (2013), Lee et al. (2016).

use fattail_core::{Error as CoreError, Fit, Panel, Result};
use serde::{Deserialize, Serialize};

use crate::{
    Choice, Error, LinearModel,
    leave_out::{self, LeaveOut},
    problem::{Line, Problem, Shape},
    residual,
    ridge::check_penalties,
    spread::{Bread, Confidence},
    train::{self, Train},
};

/// Settings of an elastic net.
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
/// use fattail_core::{Fit, Panel};
/// use fattail_linear::ElasticNet;
///
/// let panel = Panel::builder()
///     .eras(&["1", "1", "1", "2", "2", "2"])?
///     .feature("signal", vec![0u8, 1, 2, 0, 1, 2])
///     .feature("noise", vec![1u8, 0, 1, 0, 1, 0])
///     .target("y", vec![0.0f32, 1.0, 2.0, 0.1, 1.0, 1.9])
///     .build()?;
/// // One penalty: nothing to choose, so no gap.
/// let model = ElasticNet { penalties: vec![0.1], ..ElasticNet::default() }.fit(&panel)?;
/// let [signal, noise] = &model.coefficients[..] else { unreachable!() };
/// assert!(signal.value > 0.5 && signal.low < signal.high);
/// assert!(noise.value == 0.0 && noise.low.is_nan());
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
    /// Eras on each side that go with the one left out. **0 is right only where the targets of
    /// different eras share no day; for labels that overlap it is the `gap` of the backtest's rule**,
    /// see the head of the struct.
    pub gap: usize,
    /// Whether there is an intercept.
    pub intercept: bool,
    /// Whether the penalty sees features in units of their standard deviation.
    pub standardise: bool,
    /// The duality gap that ends a walk, as a share of the second moment of the target.
    pub tolerance: f64,
    /// Sweeps over the features after which a walk ends; an error if its gap is above 1e-5 then.
    pub max_sweeps: usize,
    /// The confidence of the intervals.
    pub confidence: f64,
    /// How many eras apart scores may still be correlated, for the standard errors.
    pub lags: usize,
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
            tolerance: 1e-7,
            max_sweeps: 10_000,
            confidence: 0.95,
            lags: 0,
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
        self.intervals().check()?;
        if self.penalties.is_empty() { Ok(()) } else { check_penalties(&self.penalties) }
    }

    fn intervals(&self) -> Confidence {
        Confidence { level: self.confidence, lags: self.lags, intercept: self.intercept }
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

    /// The solution of each penalty, by increasing penalty; zeros for a target without spread.
    fn solutions(
        &self,
        problem: &Problem,
        penalties: &[f64],
        rounding: f64,
    ) -> Result<Vec<Vec<f64>>, Error> {
        if problem.target <= rounding {
            return Ok(vec![vec![0.0; problem.width()]; penalties.len()]);
        }
        let mut walk = Walk::new(problem);
        let mut solutions = Vec::with_capacity(penalties.len());
        for &penalty in penalties.iter().rev() {
            self.descend(&mut walk, penalty, rounding)?;
            solutions.push(walk.solution.clone());
        }
        solutions.reverse();
        Ok(solutions)
    }

    fn descend(&self, walk: &mut Walk<'_>, penalty: f64, rounding: f64) -> Result<(), Error> {
        let (l1, l2) = (penalty * self.ratio, penalty * (1.0 - self.ratio));
        let allowed = |share: f64| (share * walk.problem.target).max(rounding);
        let (wanted, enough) = (allowed(self.tolerance), allowed(self.tolerance.max(ENOUGH)));
        let mut left = f64::INFINITY;
        for sweep in 1..=self.max_sweeps {
            let moved = walk.sweep(l1, l2);
            left = walk.gap(l1, l2);
            if left <= wanted || !moved {
                return Ok(());
            }
            if sweep % LEAP == 0 {
                (0..walk.leaps()).find(|_| walk.leap(l1, l2));
            }
        }
        if left <= enough {
            return Ok(());
        }
        let iterations = self.max_sweeps;
        Err(Error::NotConverged { method: "elastic net", iterations, left, tolerance: enough })
    }

    /// The line with the intervals of a refit on the features it uses.
    fn explained(&self, train: &Train<'_>, line: &Line, penalty: f64) -> Result<LinearModel> {
        let total = train.total;
        let (shape, intervals) = (self.shape(), self.intervals());
        let scale = shape.scales(total, &shape.spreads(total));
        let chosen = scale.iter().zip(&line.slopes);
        let chosen = chosen.map(|(&scale, &slope)| if slope == 0.0 { 0.0 } else { scale });
        let refit = Problem::new(total, shape, chosen.collect());
        let quadratic = penalty * (1.0 - self.ratio);
        let mut model = match refit.ridge(quadratic) {
            Ok(solution) => {
                let about = refit.line(&solution);
                let scores = residual::squared_scores(train, &about, &refit.centre)?;
                let bread = Bread { problem: &refit, penalty: quadratic * total.weight };
                let errors = intervals.errors(&bread, &scores, total.rows)?;
                intervals.model(train.panel, &about, &errors, scores.len())
            }
            Err(_) => intervals.model(train.panel, line, &vec![f64::NAN; refit.width() + 1], 0),
        };
        model.intercept.value = line.intercept;
        for (coefficient, &slope) in model.coefficients.iter_mut().zip(&line.slopes) {
            coefficient.value = slope;
            if slope == 0.0 {
                let unknown = f64::NAN;
                (coefficient.std_error, coefficient.low, coefficient.high) =
                    (unknown, unknown, unknown);
            }
        }
        Ok(LinearModel { penalty, rows: total.rows, ..model })
    }

    fn shape(&self) -> Shape {
        Shape { intercept: self.intercept, standardise: self.standardise }
    }

    fn fit_moments(&self, train: &Train<'_>) -> Result<LinearModel> {
        let (total, shape) = (train.total, self.shape());
        let scale = shape.scales(total, &shape.spreads(total));
        let problem = Problem::new(total, shape, scale);
        let penalties = self.grid(&problem);
        let solve = |part: &Problem, penalties: &[f64]| {
            self.solutions(part, penalties, rounding(&problem, part))
        };
        let path = if penalties.len() == 1 {
            Vec::new()
        } else {
            let lines = |fold: &Problem| -> Result<Vec<Line>, Error> {
                let solutions = solve(fold, &penalties)?;
                Ok(solutions.iter().map(|solution| fold.line(solution)).collect())
            };
            LeaveOut { train, shape, gap: self.gap, penalties: &penalties }.path(&lines)?
        };
        let best = leave_out::best(&path, self.choice);
        let line = problem.line(&solve(&problem, &penalties[best..])?[0]);
        let model = self.explained(train, &line, penalties[best])?;
        Ok(LinearModel { path, ..model })
    }
}

/// The gap that is small enough for a walk out of sweeps, as a share of the target's second moment.
const ENOUGH: f64 = 1e-5;

/// Sweeps from one leap to the next.
const LEAP: usize = 50;

/// What rounding leaves of the second moment of a target: of its level, and of the spread of all rows
/// after some were taken away.
fn rounding(whole: &Problem, part: &Problem) -> f64 {
    let level = 1e-13 * whole.centre[whole.width()];
    level * level + 1e-14 * whole.target * (whole.weight / part.weight)
}

impl Fit for ElasticNet {
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

    /// Moves each coordinate to its best place; answers whether one moved by more than rounding.
    fn sweep(&mut self, l1: f64, l2: f64) -> bool {
        let width = self.solution.len();
        let (mut furthest, mut largest) = (0.0f64, 0.0f64);
        for j in 0..width {
            let column = &self.problem.gram[j * width..(j + 1) * width];
            let old = self.solution[j];
            let pull = self.problem.right[j] - self.image[j] + column[j] * old;
            let new = (pull.abs() - l1).max(0.0).copysign(pull) / (column[j] + l2);
            if new != old {
                self.solution[j] = new;
                let step = new - old;
                self.image.iter_mut().zip(column).for_each(|(image, q)| *image += step * q);
                furthest = furthest.max(step.abs() * column[j].sqrt());
            }
            largest = largest.max(new.abs() * column[j].sqrt());
        }
        furthest > f64::EPSILON * largest
    }

    /// How many leaps take about as long as the sweeps between them: at least 1, at most 32.
    fn leaps(&self) -> usize {
        let (width, used) = (self.solution.len(), self.solution.iter().filter(|&&g| g != 0.0));
        let (width, used) = (width as f64, used.count() as f64);
        (3000.0 * width * width / (used * used * used)).clamp(1.0, 32.0) as usize
    }

    /// Goes straight to the minimum among solutions with the present signs, or towards it up to
    /// where the first coordinate becomes 0: downhill all the way, since there the objective is a
    /// parabola. Sweeps find the signs soon, but values slowly where features are nearly collinear.
    /// Answers whether there is no further to go.
    fn leap(&mut self, l1: f64, l2: f64) -> bool {
        let (problem, width) = (self.problem, self.solution.len());
        let active: Vec<usize> = (0..width).filter(|&j| self.solution[j] != 0.0).collect();
        let cells = active.iter().flat_map(|&j| active.iter().map(move |&i| j * width + i));
        let pull = |&j: &usize| problem.right[j] - l1.copysign(self.solution[j]);
        let face = Problem {
            gram: cells.map(|cell| problem.gram[cell]).collect(),
            right: active.iter().map(pull).collect(),
            ..Problem::default()
        };
        let Ok(goal) = face.ridge(l2) else { return true };
        let reach = |(&j, &goal): (&usize, &f64)| {
            let old = self.solution[j];
            if old * goal < 0.0 { old / (old - goal) } else { 1.0 }
        };
        let reaches: Vec<f64> = active.iter().zip(&goal).map(reach).collect();
        let share = reaches.iter().copied().fold(1.0, f64::min);
        for ((&j, goal), reach) in active.iter().zip(goal).zip(reaches) {
            let old = self.solution[j];
            let crossed = share < 1.0 && reach <= share;
            self.solution[j] = if crossed { 0.0 } else { old + share * (goal - old) };
        }
        self.image.fill(0.0);
        for j in active {
            let (g, column) = (self.solution[j], &problem.gram[j * width..(j + 1) * width]);
            self.image.iter_mut().zip(column).for_each(|(image, q)| *image += g * q);
        }
        share >= 1.0
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
