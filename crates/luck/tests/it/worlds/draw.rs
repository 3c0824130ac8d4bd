//! Series of the worlds: normal, fat-tailed, skewed, autocorrelated, overlapping. All have mean 0 and
//! variance 1.

use fattail_stats::{Counter, normal_quantile, unit};

/// What an era's score is drawn from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Law {
    Normal,
    /// Student's t of 5 degrees: kurtosis 9.
    Fat,
    /// A normal core and, in 2 of 100 eras, a crash of six deviations: skewness -2.4, kurtosis 17.
    Crash,
    /// The same turned over: skewness 2.4.
    Jump,
    /// `x_t = ρ x_{t-1} + √(1 - ρ²) e_t`.
    Autoregressive(f64),
    /// The mean of the last `k` shocks, as scores of labels that span `k` eras.
    Overlap(usize),
}

impl Law {
    /// Eras that a label spans.
    pub(crate) fn span(self) -> usize {
        if let Self::Overlap(span) = self { span } else { 1 }
    }
}

/// Normal numbers of one world.
pub(crate) struct Source<G>(G);

pub(crate) fn source(seed: u64, world: u32) -> Source<impl FnMut() -> f64> {
    let mut generator = Counter::new(seed).draw(world);
    Source(move || unit(&mut generator))
}

impl<G: FnMut() -> f64> Source<G> {
    pub(crate) fn normal(&mut self) -> f64 {
        normal_quantile((self.0)().max(f64::MIN_POSITIVE))
    }

    pub(crate) fn series(&mut self, law: Law, eras: usize) -> Vec<f64> {
        match law {
            Law::Normal => (0..eras).map(|_| self.normal()).collect(),
            Law::Fat => (0..eras).map(|_| self.fat()).collect(),
            Law::Crash => (0..eras).map(|_| self.crash()).collect(),
            Law::Jump => (0..eras).map(|_| -self.crash()).collect(),
            Law::Autoregressive(rho) => {
                let mut last = self.normal();
                let mut step = || {
                    last = rho * last + (1.0 - rho * rho).sqrt() * self.normal();
                    last
                };
                (0..eras).map(|_| step()).collect()
            }
            Law::Overlap(k) => {
                let shocks: Vec<f64> = (0..eras + k - 1).map(|_| self.normal()).collect();
                let root = (k as f64).sqrt();
                shocks.windows(k).map(|window| window.iter().sum::<f64>() / root).collect()
            }
        }
    }

    /// Columns that share a part of their scores, so that each two have this correlation.
    pub(crate) fn columns(
        &mut self,
        law: Law,
        eras: usize,
        count: usize,
        correlation: f64,
    ) -> Vec<Vec<f64>> {
        let common = self.series(law, eras);
        let (shared, own) = (correlation.sqrt(), (1.0 - correlation).sqrt());
        let column = |own_part: Vec<f64>| {
            own_part.iter().zip(&common).map(|(a, b)| own * a + shared * b).collect()
        };
        (0..count).map(|_| column(self.series(law, eras))).collect()
    }

    fn fat(&mut self) -> f64 {
        let degrees = 5;
        let squares: f64 = (0..degrees).map(|_| self.normal().powi(2)).sum();
        // Variance 5/3 before scaling.
        self.normal() / (squares / 5.0).sqrt() * 0.6_f64.sqrt()
    }

    fn crash(&mut self) -> f64 {
        // Core of deviation 1 and mean 0.12, crash of mean -6 + 0.12 and deviation 2.5.
        let value = if (self.0)() < 0.02 { -6.0 + 2.5 * self.normal() } else { self.normal() };
        let variance: f64 = 0.98 + 0.02 * 6.25 + 0.02 * 0.98 * 36.0;
        (value + 0.12) / variance.sqrt()
    }
}

/// Slices of columns.
pub(crate) fn slices(columns: &[Vec<f64>]) -> Vec<&[f64]> {
    columns.iter().map(Vec::as_slice).collect()
}
