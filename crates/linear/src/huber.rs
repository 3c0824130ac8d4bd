//! Huber regression: straight where a residual is large, so that a few rows cannot bend the line.
//!
//! Scaled threshold `delta = epsilon s`: minimises
//! `s + 2 / (s W) sum w huber(y - a - x'b; epsilon s) + penalty |D b|^2` over a, b and the scale s, the
//! objective of scikit-learn's `HuberRegressor` (whose `alpha` is `penalty W`); where b stands,
//! `s^2 = sum over inside of w r^2 / (W - epsilon^2 W_outside)`. Fixed threshold: minimises
//! `sum w huber(y - a - x'b; delta) / W + penalty |D b|^2 / 2`.
//! The Gram matrix Q is made once. Each step solves `(f Q + penalty) step = -gradient`, first with f
//! the share of the rows inside, then, if that climbs, with f = 1, which never does; s is renewed
//! after each step. It ends when no slope's gradient is above `tolerance delta` (in units of the
//! feature's spread) and s moves by no more than that share. Rows that fit exactly give s = 0 and
//! end the walk. NaN, constants, weights: as in [`Ridge`](crate::Ridge).
//! Cost: the Gram matrix, then rows x width and a third of the cube of the width an iteration; one
//! `f64` a row. Reference: Huber (1964); Huber & Dutter (1974); Owen (2007) for the joint scale.

use fattail_core::{Error as CoreError, Fit, Panel, Predict, Result};
use fattail_descent::{Huber, Loss};
use serde::{Deserialize, Serialize};

use crate::{
    Error, LinearModel, gather,
    moments::Moments,
    problem::{Line, Problem, Shape},
    residual::{self, EraScore},
    spread::{Bread, Confidence},
};

/// Where the loss turns straight.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Threshold {
    /// At this many scales, which are fitted with the line; above 1.
    Scaled(f64),
    /// At this residual, in units of the target.
    Fixed(f64),
}

/// Settings of a Huber regression.
///
/// ```
/// use fattail_core::{Fit, Panel};
/// use fattail_linear::{HuberRegression, Threshold};
///
/// let panel = Panel::builder()
///     .feature("x", vec![0u8, 1, 2, 3, 4, 5])
///     .target("y", vec![0.0f32, 1.0, 2.0, 300.0, 4.0, 5.0])
///     .build()?;
/// let settings = HuberRegression { threshold: Threshold::Fixed(0.1), ..Default::default() };
/// let model = settings.fit(&panel)?;
/// assert!((model.line.coefficients[0].value - 1.0).abs() < 0.05);
/// # Ok::<(), fattail_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct HuberRegression {
    /// Where the loss turns straight.
    pub threshold: Threshold,
    /// The penalty.
    pub penalty: f64,
    /// Whether there is an intercept.
    pub intercept: bool,
    /// Whether the penalty sees features in units of their standard deviation.
    pub standardise: bool,
    /// What is left of the gradient at the end, in units of the threshold.
    pub tolerance: f64,
    /// Steps after which the walk is given up.
    pub max_iterations: usize,
    /// The confidence of the intervals.
    pub confidence: f64,
    /// How many eras apart scores may still be correlated, for the standard errors.
    pub lags: usize,
}

impl Default for HuberRegression {
    fn default() -> Self {
        Self {
            threshold: Threshold::Scaled(1.35),
            penalty: 1e-4,
            intercept: true,
            standardise: true,
            tolerance: 1e-9,
            max_iterations: 1000,
            confidence: 0.95,
            lags: 0,
        }
    }
}

/// A fitted Huber regression.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HuberModel {
    /// The line.
    pub line: LinearModel,
    /// The residual at which the loss turns straight.
    pub delta: f64,
    /// The share of the weight whose residuals are not beyond it.
    pub inside: f64,
    /// The steps that it took.
    pub iterations: usize,
}

impl Predict for HuberModel {
    fn predict(&self, panel: &Panel) -> Result<Vec<f32>> {
        self.line.predict(panel)
    }
}

impl HuberRegression {
    fn check(&self) -> Result<()> {
        match self.threshold {
            Threshold::Scaled(epsilon) if !(epsilon > 1.0 && epsilon.is_finite()) => {
                return Err(CoreError::setting("threshold", epsilon, "scaled: finite, above 1"));
            }
            Threshold::Scaled(_) => {}
            Threshold::Fixed(delta) => Huber { delta }.check()?,
        }
        if !(self.penalty >= 0.0 && self.penalty.is_finite()) {
            let allowed = "finite and not negative";
            return Err(CoreError::setting("penalty", self.penalty, allowed));
        }
        if !(self.tolerance > 0.0 && self.tolerance < 1.0) {
            let allowed = "between 0 and 1, both excluded";
            return Err(CoreError::setting("tolerance", self.tolerance, allowed));
        }
        self.intervals().check()
    }

    fn intervals(&self) -> Confidence {
        Confidence { level: self.confidence, lags: self.lags, intercept: self.intercept }
    }
}

impl Fit for HuberRegression {
    type Fitted = HuberModel;

    fn fit(&self, train: &Panel) -> Result<HuberModel> {
        self.check()?;
        train.expect_finite()?;
        let total = gather::total(train, None)?;
        let shape = Shape { intercept: self.intercept, standardise: self.standardise };
        let scale = shape.scales(&total, &shape.spreads(&total));
        let problem = Problem::new(&total, shape, scale);
        let mut weights = Vec::with_capacity(train.rows());
        for era in train.iter() {
            weights.extend(gather::weights(&era)?);
        }
        let mut walk = Walk::start(self, train, &problem, weights)?;
        let iterations = walk.run()?;
        walk.model(&total, shape, iterations)
    }
}

/// Where the walk stands.
struct Walk<'a> {
    settings: &'a HuberRegression,
    panel: &'a Panel,
    problem: &'a Problem,
    weights: Vec<f64>,
    /// The level at the centre, then the slopes in standardised coordinates.
    place: Vec<f64>,
    delta: f64,
    inside: f64,
    scores: Vec<EraScore>,
    objective: f64,
}

impl<'a> Walk<'a> {
    /// Stands on the least squares line.
    fn start(
        settings: &'a HuberRegression,
        panel: &'a Panel,
        problem: &'a Problem,
        weights: Vec<f64>,
    ) -> Result<Self> {
        let least = problem.ridge(settings.penalty.max(1e-9))?;
        let level = problem.centre[problem.width()];
        let place = std::iter::once(level).chain(least).collect();
        let (delta, inside, scores, objective) = (0.0, 1.0, Vec::new(), 0.0);
        let mut walk =
            Self { settings, panel, problem, weights, place, delta, inside, scores, objective };
        walk.renew()?;
        walk.look()?;
        Ok(walk)
    }

    fn run(&mut self) -> Result<usize> {
        let tolerance = self.settings.tolerance;
        let mut left = f64::INFINITY;
        for iteration in 0..self.settings.max_iterations {
            if self.delta <= 0.0 {
                return Ok(iteration);
            }
            self.step()?;
            let before = self.delta;
            self.renew()?;
            self.look()?;
            let still = (self.delta - before).abs() / before;
            left = self.slope().max(still);
            if left <= tolerance {
                return Ok(iteration + 1);
            }
        }
        let iterations = self.settings.max_iterations;
        Err(Error::NotConverged { method: "huber regression", iterations, left, tolerance }.into())
    }

    fn line(&self) -> Line {
        let line = self.problem.line(&self.place[1..]);
        let intercept = line.intercept - self.problem.centre[self.problem.width()] + self.place[0];
        Line { intercept, slopes: line.slopes }
    }

    /// The penalty next to the mean loss.
    fn penalty(&self) -> f64 {
        match self.settings.threshold {
            Threshold::Scaled(epsilon) => self.settings.penalty * self.delta / epsilon,
            Threshold::Fixed(_) => self.settings.penalty,
        }
    }

    /// Renews the scale and the share inside from the residuals.
    fn renew(&mut self) -> Result<()> {
        let residuals = residual::residuals(self.panel, &self.line())?;
        let rows = || residuals.iter().zip(&self.weights).filter(|row| *row.1 > 0.0);
        let within = |delta: f64| {
            rows().filter(|row| row.0.abs() <= delta).fold((0.0, 0.0), |(squares, weight), row| {
                (squares + row.1 * row.0 * row.0, weight + row.1)
            })
        };
        let total = self.problem.weight;
        self.delta = match self.settings.threshold {
            Threshold::Fixed(delta) => delta,
            Threshold::Scaled(epsilon) => {
                let first = (rows().map(|row| row.1 * row.0 * row.0).sum::<f64>() / total).sqrt();
                let from = if self.delta > 0.0 { self.delta / epsilon } else { first };
                epsilon * settle_scale(from, first, epsilon, total, within)
            }
        };
        self.inside = within(self.delta).1 / total;
        Ok(())
    }

    /// Looks at the slopes and the objective where the walk stands.
    fn look(&mut self) -> Result<()> {
        let loss = Huber { delta: self.delta };
        self.scores = residual::scores(self.panel, &self.line(), &self.problem.centre, &loss)?;
        let mean = self.scores.iter().map(|era| era.loss).sum::<f64>() / self.problem.weight;
        let size: f64 = self.place[1..].iter().map(|slope| slope * slope).sum();
        self.objective = mean + 0.5 * self.penalty() * size;
        Ok(())
    }

    /// Minus the gradient of the objective.
    fn pull(&self) -> Vec<f64> {
        let mut pull = vec![0.0; self.place.len()];
        for era in &self.scores {
            pull.iter_mut().zip(&era.pull).for_each(|(sum, value)| *sum += value);
        }
        let penalty = self.penalty();
        let unit = |scale: f64| if scale > 0.0 { 1.0 / scale } else { 0.0 };
        pull.iter_mut().for_each(|value| *value /= self.problem.weight);
        let slopes = pull[1..].iter_mut().zip(&self.problem.scale).zip(&self.place[1..]);
        slopes.for_each(|((value, &scale), place)| *value = *value * unit(scale) - penalty * place);
        if !self.settings.intercept {
            pull[0] = 0.0;
        }
        pull
    }

    /// The largest gradient, in units of the threshold and of the feature.
    fn slope(&self) -> f64 {
        let width = self.problem.width();
        let pull = self.pull();
        let unit = |j: usize| self.problem.gram[j * width + j].sqrt();
        let slopes = (0..width).map(|j| pull[j + 1].abs() / unit(j));
        slopes.fold(pull[0].abs(), f64::max) / self.delta
    }

    /// One step down, at a fixed threshold.
    fn step(&mut self) -> Result<()> {
        let (from, height, pull) = (self.place.clone(), self.objective, self.pull());
        for share in [self.inside.max(0.05), 1.0] {
            let mut step = pull.clone();
            self.problem.factor(share, self.penalty())?.solve(&mut step[1..]);
            step[0] /= share;
            self.place = from.iter().zip(&step).map(|(place, step)| place + step).collect();
            self.look()?;
            if self.objective <= height {
                break;
            }
        }
        Ok(())
    }

    fn model(&self, total: &Moments, shape: Shape, iterations: usize) -> Result<HuberModel> {
        let line = self.line();
        let residuals = residual::residuals(self.panel, &line)?;
        let bends = |residual: &f64| if residual.abs() <= self.delta { 1.0 } else { 0.0 };
        let factors: Vec<f64> = residuals.iter().map(bends).collect();
        let intervals = self.settings.intervals();
        let errors = match gather::total(self.panel, Some(&factors)) {
            Ok(inside) => {
                let bread = Problem::new(&inside, shape, self.problem.scale.clone());
                let loss = Huber { delta: self.delta };
                let scores = residual::scores(self.panel, &line, &bread.centre, &loss)?;
                let bread = Bread { problem: &bread, penalty: self.penalty() * total.weight };
                intervals.errors(&bread, &scores, total.rows)
            }
            Err(_) => Err(Error::NothingKnown { rows: self.panel.rows() }),
        };
        // Without a row inside, or with too few to tell the features apart, nothing bends.
        let errors = errors.unwrap_or_else(|_| vec![f64::NAN; line.slopes.len() + 1]);
        let model = intervals.model(self.panel, &line, &errors, self.scores.len());
        let line = LinearModel { penalty: self.settings.penalty, rows: total.rows, ..model };
        Ok(HuberModel { line, delta: self.delta, inside: self.inside, iterations })
    }
}

/// The scale at which `s^2 = sum inside of w r^2 / (W - epsilon^2 W_outside)`: the objective in s is
/// convex with slope `W - epsilon^2 W_outside - sum inside / s^2`, so its root is bracketed and halved
/// where the direct step leaves the bracket.
fn settle_scale(
    from: f64,
    most: f64,
    epsilon: f64,
    total: f64,
    within: impl Fn(f64) -> (f64, f64),
) -> f64 {
    // The root is never above the standard deviation about the line.
    let (mut low, mut high) = (0.0, most);
    let mut scale = from.min(most);
    for _ in 0..200 {
        if scale <= 1e-12 * most {
            return 0.0;
        }
        let (squares, weight) = within(epsilon * scale);
        let free = total - epsilon * epsilon * (total - weight);
        if free * scale * scale > squares {
            high = scale;
        } else {
            low = scale;
        }
        let direct = if free > 0.0 { (squares / free).sqrt() } else { f64::INFINITY };
        if (direct - scale).abs() <= 1e-15 * scale {
            return direct;
        }
        scale = if direct > low && direct < high { direct } else { f64::midpoint(low, high) };
        if high - low <= 1e-15 * high {
            return scale;
        }
    }
    scale
}
