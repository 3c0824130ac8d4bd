//! Student's t scaled to unit variance: `sqrt((d - 2) / d) t_d` with `d > 2` degrees of freedom.
//!
//! `t_d = n / sqrt(g / (d / 2))` with `n` normal and `g` gamma of shape `d / 2`; the fourth moment
//! exists for `d > 4` only. Reference: Student (1908), The probable error of a mean.

use fattail_core::{Error, Result};
use rand::Rng;
use rand_distr::{Distribution, StudentT};

/// A distribution of mean 0 and variance 1 with power tails.
#[derive(Debug, Clone, Copy)]
pub(crate) struct UnitStudent {
    student: StudentT<f64>,
    scale: f64,
}

impl UnitStudent {
    /// The settings above have checked that `dof` is above 2.
    pub(crate) fn new(dof: f64) -> Result<Self> {
        let student = StudentT::new(dof).map_err(Error::other)?;
        Ok(Self { student, scale: ((dof - 2.0) / dof).sqrt() })
    }
}

impl Distribution<f64> for UnitStudent {
    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        self.scale * self.student.sample(rng)
    }
}
