//! Standard errors that are robust to any dependence inside an era, and between near eras if asked.
//!
//! `V = A^-1 M A^-1`, A the second derivative of the penalised objective,
//! `M = sum over lags l of k_l sum over eras e of (u_e u_{e+l}' + its transpose)`, u_e the score of
//! era e, `k_l = 1 - l / (lags + 1)` (lag 0 counts once), times `G / (G - 1) (N - 1) / (N - K)` for G
//! eras, N rows and K coefficients. Intervals are of Student's t with G - 1 degrees of freedom. They
//! are about the penalised coefficients: the bias that a penalty brings is not in them. With fewer
//! than two eras, or rows no more than coefficients, they are NaN. Eras without rows that count are
//! skipped, so lags count eras that have some. Cost: rows times width for the scores, then the cube of
//! the width and eras times its square. M itself is never formed.
//! Reference: Liang & Zeger (1986); Driscoll & Kraay (1998); Cameron & Miller (2015), section II.

use fattail_core::{Error as CoreError, Panel, Result};
use statrs::distribution::{ContinuousCDF, StudentsT};

use crate::{
    Coefficient, Error, LinearModel,
    problem::{Line, Problem},
    residual::EraScore,
};

/// How intervals are made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Confidence {
    pub(crate) level: f64,
    pub(crate) lags: usize,
    pub(crate) intercept: bool,
}

/// The second derivative of the objective: `weight (share of rows) Q + total penalty`.
pub(crate) struct Bread<'a> {
    /// The rows that bend the objective: all of them for least squares, those inside for Huber.
    pub(crate) problem: &'a Problem,
    /// The penalty times the weight of all rows.
    pub(crate) penalty: f64,
}

impl Confidence {
    pub(crate) fn check(&self) -> Result<()> {
        if self.level > 0.0 && self.level < 1.0 {
            return Ok(());
        }
        Err(CoreError::setting("confidence", self.level, "between 0 and 1, both excluded"))
    }

    /// The standard errors of the intercept and then of each slope.
    pub(crate) fn errors(
        &self,
        bread: &Bread<'_>,
        scores: &[EraScore],
        rows: usize,
    ) -> Result<Vec<f64>, Error> {
        let (problem, eras) = (bread.problem, scores.len());
        let width = problem.width();
        let count = problem.active() + usize::from(self.intercept);
        if eras < 2 || rows <= count {
            return Ok(vec![f64::NAN; width + 1]);
        }
        let moves = moves(bread, scores)?;
        let (eras, rows, count) = (eras as f64, rows as f64, count as f64);
        let small = eras / (eras - 1.0) * (rows - 1.0) / (rows - count);
        let error = |j: usize| {
            let series: Vec<f64> = moves.iter().map(|step| step[j]).collect();
            (small * long_run_sum(&series, self.lags)).max(0.0).sqrt()
        };
        let mut errors: Vec<f64> = (0..=width).map(error).collect();
        if !self.intercept {
            errors[0] = f64::NAN;
        }
        Ok(errors)
    }

    /// Puts names and intervals to a line.
    pub(crate) fn model(
        &self,
        panel: &Panel,
        line: &Line,
        errors: &[f64],
        eras: usize,
    ) -> LinearModel {
        let reach = student(self.level, eras);
        let coefficient = |name: &str, value: f64, error: f64| Coefficient {
            name: name.to_owned(),
            value,
            std_error: error,
            low: value - reach * error,
            high: value + reach * error,
        };
        let slopes = line.slopes.iter().zip(&errors[1..]);
        let named = panel.schema().features().iter().zip(slopes);
        LinearModel {
            intercept: coefficient("intercept", line.intercept, errors[0]),
            coefficients: named.map(|(name, (&v, &e))| coefficient(name, v, e)).collect(),
            penalty: 0.0,
            path: Vec::new(),
            confidence: self.level,
            rows: 0,
            eras,
        }
    }
}

/// How far each era moves the intercept and each slope: `A^-1 u_e`.
fn moves(bread: &Bread<'_>, scores: &[EraScore]) -> Result<Vec<Vec<f64>>, Error> {
    let problem = bread.problem;
    let unit = |scale: f64| if scale > 0.0 { 1.0 / scale } else { 0.0 };
    let scaled = |score: &EraScore| -> Vec<f64> {
        let pulls = score.pull[1..].iter().zip(&problem.scale);
        pulls.map(|(pull, &scale)| pull * unit(scale) / problem.weight).collect()
    };
    let mut right: Vec<f64> = scores.iter().flat_map(scaled).collect();
    problem.factor(1.0, bread.penalty / problem.weight)?.solve(&mut right);
    let width = problem.width();
    let step = |(era, score): (usize, &EraScore)| {
        let solved = right[era * width..(era + 1) * width].iter().zip(&problem.scale);
        let slopes: Vec<f64> = solved.map(|(value, &scale)| value * unit(scale)).collect();
        let lift: f64 = slopes.iter().zip(&problem.centre).map(|(slope, c)| slope * c).sum();
        let level = score.pull[0] / problem.weight - lift;
        std::iter::once(level).chain(slopes).collect()
    };
    Ok(scores.iter().enumerate().map(step).collect())
}

fn long_run_sum(series: &[f64], lags: usize) -> f64 {
    let product = |lag: usize| -> f64 {
        series.iter().zip(&series[lag..]).map(|(now, later)| now * later).sum()
    };
    let lags = lags.min(series.len().saturating_sub(1));
    let kernel = |lag: usize| 1.0 - lag as f64 / (lags as f64 + 1.0);
    product(0) + (1..=lags).map(|lag| 2.0 * kernel(lag) * product(lag)).sum::<f64>()
}

/// How many standard errors an interval reaches to each side; NaN below two eras.
fn student(level: f64, eras: usize) -> f64 {
    let freedom = eras as f64 - 1.0;
    StudentsT::new(0.0, 1.0, freedom)
        .map_or(f64::NAN, |student| student.inverse_cdf(f64::midpoint(1.0, level)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bartlett_weights_by_hand() {
        assert_eq!(long_run_sum(&[1.0, -1.0, 1.0], 0), 3.0);
        // 3 + 2 (1/2) (-2)
        assert_eq!(long_run_sum(&[1.0, -1.0, 1.0], 1), 1.0);
    }

    #[test]
    fn students_quantile() {
        assert!((student(0.95, 11) - 2.228_138_851_964_939).abs() < 1e-9);
        assert!(student(0.95, 1).is_nan());
    }
}
