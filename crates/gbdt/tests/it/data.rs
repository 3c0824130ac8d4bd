//! Panels that tests fit on.

use fattail_core::Panel;
use fattail_stats::{Counter, unit};
use rand::Rng;

/// Uniform numbers in [0, 1).
pub(crate) struct Draws(Box<dyn Rng>);

impl Draws {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Box::new(Counter::new(seed).draw(0)))
    }

    pub(crate) fn unit(&mut self) -> f64 {
        unit(&mut self.0)
    }

    /// About standard normal: the sum of twelve uniforms less six.
    pub(crate) fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.unit()).sum::<f64>() - 6.0
    }
}

/// Names of features.
pub(crate) fn name(at: usize) -> String {
    format!("f{at}")
}

/// Eras of as many rows each, bins of 5, a signal in the first three features, noise of size `noise`.
pub(crate) fn bins(seed: u64, eras: usize, rows: usize, width: usize, noise: f64) -> Panel {
    let mut draws = Draws::new(seed);
    let total = eras * rows;
    let labels: Vec<String> = (0..total).map(|row| format!("{:04}", row / rows)).collect();
    let columns: Vec<Vec<u8>> =
        (0..width).map(|_| (0..total).map(|_| (draws.unit() * 5.0) as u8).collect()).collect();
    let target: Vec<f32> = (0..total)
        .map(|row| {
            let x = |at: usize| f64::from(columns[at][row]) - 2.0;
            (x(0) + x(1) * x(2).signum() + noise * draws.normal()) as f32
        })
        .collect();
    let mut builder = Panel::builder().eras(&labels).unwrap();
    for (at, column) in columns.into_iter().enumerate() {
        builder = builder.feature(name(at).as_str(), column);
    }
    builder.target("target", target).build().unwrap()
}

/// The mean over eras of the correlation of predictions with the target.
pub(crate) fn mean_correlation(panel: &Panel, prediction: &[f32]) -> f64 {
    let mut sum = 0.0;
    for (era, range) in panel.iter().zip(panel.eras().ranges()) {
        let x: Vec<f64> = prediction[range].iter().map(|&x| f64::from(x)).collect();
        let y: Vec<f64> = era.target().unwrap().iter().map(|&y| f64::from(y)).collect();
        sum += fattail_stats::pearson(&x, &y).unwrap_or(0.0);
    }
    sum / panel.eras().len() as f64
}
