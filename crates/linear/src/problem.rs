//! The penalised least squares problem that moments pose.
//!
//! With centre c (the mean, or 0 without an intercept) and scale d (the root of the second moment
//! about c, or 1 when features are not standardised): `Q = D^-1 (sum w (x-c)(x-c)') D^-1 / W`,
//! `q = D^-1 sum w (x-c)(y-c_y) / W`; the slopes are `D^-1 g`, the intercept `c_y - c' slopes`. A
//! feature without spread about c keeps slope 0: its scale is 0, its row and column of Q are those
//! of the identity. Cost: the square of the width; a solution a third of its cube.
//! Reference: Hoerl & Kennard (1970).

use faer::linalg::solvers::Llt;
use faer::{MatRef, Side, prelude::Solve};

use crate::{Error, moments::Moments};

/// What the fit does with the features before the penalty.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) intercept: bool,
    pub(crate) standardise: bool,
}

/// A line: an intercept and a slope a feature.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) intercept: f64,
    pub(crate) slopes: Vec<f64>,
}

/// The normal equations in standardised coordinates.
#[derive(Debug, Clone, Default)]
pub(crate) struct Problem {
    /// Q, column by column.
    pub(crate) gram: Vec<f64>,
    /// q.
    pub(crate) right: Vec<f64>,
    /// The second moment of the target about its centre.
    pub(crate) target: f64,
    /// The centre of the features and of the target.
    pub(crate) centre: Vec<f64>,
    /// 0 for a feature that has no say.
    pub(crate) scale: Vec<f64>,
    pub(crate) weight: f64,
}

impl Shape {
    /// The second moment of each feature about its centre, times the weight.
    pub(crate) fn spreads(self, moments: &Moments) -> Vec<f64> {
        (0..moments.width()).map(|j| self.moment(moments, j, j)).collect()
    }

    /// Scales of the features. `whole` are the spreads of all rows: what is left of a spread after
    /// rows were taken away is rounding when it is far below.
    pub(crate) fn scales(self, moments: &Moments, whole: &[f64]) -> Vec<f64> {
        let scale = |(j, &whole): (usize, &f64)| {
            let spread = self.moment(moments, j, j);
            let rounding = moments.weight * (1e-13 * moments.mean[j]).powi(2);
            if spread <= 1e-10 * whole || spread <= rounding {
                return 0.0;
            }
            if self.standardise { (spread / moments.weight).sqrt() } else { 1.0 }
        };
        whole.iter().enumerate().map(scale).collect()
    }

    /// The second moment of columns `i >= j` about their centres, times the weight.
    fn moment(self, moments: &Moments, i: usize, j: usize) -> f64 {
        let about_mean = moments.at(i, j);
        if self.intercept {
            return about_mean;
        }
        about_mean + moments.weight * moments.mean[i] * moments.mean[j]
    }
}

impl Problem {
    pub(crate) fn new(moments: &Moments, shape: Shape, scale: Vec<f64>) -> Self {
        let (width, weight) = (moments.width(), moments.weight);
        let scaled = |i: usize, j: usize| {
            let size = scale.get(i).copied().unwrap_or(1.0) * scale[j] * weight;
            if size > 0.0 { shape.moment(moments, i, j) / size } else { 0.0 }
        };
        let mut gram = vec![0.0; width * width];
        for j in 0..width {
            for i in j..width {
                let value = if i == j && scale[j] == 0.0 { 1.0 } else { scaled(i, j) };
                gram[j * width + i] = value;
                gram[i * width + j] = value;
            }
        }
        let centre =
            if shape.intercept { moments.mean.clone() } else { vec![0.0; moments.columns()] };
        Self {
            gram,
            right: (0..width).map(|j| scaled(width, j)).collect(),
            target: shape.moment(moments, width, width) / weight,
            centre,
            scale,
            weight,
        }
    }

    pub(crate) fn width(&self) -> usize {
        self.right.len()
    }

    /// Features that have a say.
    pub(crate) fn active(&self) -> usize {
        self.scale.iter().filter(|&&scale| scale > 0.0).count()
    }

    /// The line of a solution in standardised coordinates.
    pub(crate) fn line(&self, solution: &[f64]) -> Line {
        let slope = |(&g, &scale): (&f64, &f64)| if scale > 0.0 { g / scale } else { 0.0 };
        let slopes: Vec<f64> = solution.iter().zip(&self.scale).map(slope).collect();
        let lift: f64 = slopes.iter().zip(&self.centre).map(|(slope, centre)| slope * centre).sum();
        Line { intercept: self.centre[self.width()] - lift, slopes }
    }

    /// Minimises `g' Q g / 2 - q' g + penalty |g|^2 / 2`.
    pub(crate) fn ridge(&self, penalty: f64) -> Result<Vec<f64>, Error> {
        let mut solution = self.right.clone();
        self.factor(1.0, penalty)?.solve(&mut solution);
        Ok(solution)
    }

    /// Cholesky's factor of `share Q + penalty I`.
    pub(crate) fn factor(&self, share: f64, penalty: f64) -> Result<Factor, Error> {
        let width = self.width();
        let mut matrix = MatRef::from_column_major_slice(&self.gram, width, width).to_owned();
        for j in 0..width {
            matrix.col_mut(j).iter_mut().for_each(|value| *value *= share);
            matrix[(j, j)] += penalty;
        }
        let collinear = Error::Collinear { penalty };
        let factor = Llt::new(matrix.as_ref(), Side::Lower).map_err(|_| collinear.clone())?;
        let lower = factor.L();
        // A pivot that is rounding next to its diagonal.
        if (0..width).any(|j| lower[(j, j)].powi(2) <= 1e-13 * matrix[(j, j)]) {
            return Err(collinear);
        }
        Ok(Factor(factor))
    }
}

/// A factored symmetric matrix.
#[derive(Debug)]
pub(crate) struct Factor(Llt<f64>);

impl Factor {
    /// Solves for each of the columns of `right`, one after another.
    pub(crate) fn solve(&self, right: &mut [f64]) {
        let width = self.0.L().nrows();
        if width == 0 {
            return;
        }
        let columns = right.len() / width;
        self.0.solve_in_place(faer::MatMut::from_column_major_slice_mut(right, width, columns));
    }
}
