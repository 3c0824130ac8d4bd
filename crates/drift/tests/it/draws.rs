//! Seeded numbers for the tests.

use fattail_stats::{Counter, normal_cdf, normal_quantile, unit};

/// Numbers of one world.
pub(crate) struct Draws(Box<dyn FnMut() -> f64>);

impl Draws {
    pub(crate) fn new(seed: u64, world: u32) -> Self {
        let mut generator = Counter::new(seed).draw(world);
        Self(Box::new(move || unit(&mut generator)))
    }

    pub(crate) fn unit(&mut self) -> f64 {
        (self.0)()
    }

    pub(crate) fn normal(&mut self) -> f64 {
        normal_quantile(self.unit() + 1e-17)
    }

    pub(crate) fn normals(&mut self, rows: usize, shift: f64) -> Vec<f64> {
        (0..rows).map(|_| shift + self.normal()).collect()
    }

    /// Five equal bins of a normal.
    pub(crate) fn bins(&mut self, rows: usize, shift: f64) -> Vec<u8> {
        (0..rows).map(|_| fifth(shift + self.normal())).collect()
    }

    /// Scores of labels that look four eras ahead: variance 1, correlated up to lag 3.
    pub(crate) fn overlapping(&mut self, eras: usize) -> Vec<f64> {
        let shocks = self.normals(eras + 3, 0.0);
        shocks.windows(4).map(|four| 0.5 * four.iter().sum::<f64>()).collect()
    }
}

pub(crate) fn fifth(x: f64) -> u8 {
    (5.0 * normal_cdf(x)).floor().min(4.0) as u8
}
