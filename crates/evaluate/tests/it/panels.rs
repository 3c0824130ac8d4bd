//! Small panels for the tests.

use fattail_core::{Fit, Panel, Predict, Result};
use fattail_stats::{Counter, unit};

/// Rows an era.
pub(crate) const ROWS: usize = 12;

/// `eras` eras with two features, of which the first says something about the target, and a meta model.
pub(crate) fn panel(eras: usize, seed: u64) -> Panel {
    let mut random = Counter::new(seed).draw(0);
    let rows = eras * ROWS;
    let mut column = || (0..rows).map(|_| unit(&mut random) as f32).collect::<Vec<f32>>();
    let (first, second, noise, meta) = (column(), column(), column(), column());
    let target = first.iter().zip(&noise).map(|(f, n)| 0.5 * f + 0.5 * n).collect::<Vec<f32>>();
    let labels: Vec<String> = (0..rows).map(|row| format!("{:04}", row / ROWS + 1)).collect();
    Panel::builder()
        .eras(&labels)
        .unwrap()
        .feature("first", first)
        .feature("second", second)
        .target("target", target)
        .extra("meta", meta)
        .build()
        .unwrap()
}

/// Predicts the first feature times the sign of its covariance with the target.
#[derive(Debug)]
pub(crate) struct Slope;

/// The sign.
#[derive(Debug)]
pub(crate) struct SlopeModel(f32);

impl Fit for Slope {
    type Fitted = SlopeModel;

    fn fit(&self, train: &Panel) -> Result<SlopeModel> {
        let (x, y) = (train.feature_named("first")?.to_f64(), train.target()?.to_f64());
        Ok(SlopeModel(fattail_stats::covariance(&x, &y, 0).map_or(0.0, f64::signum) as f32))
    }
}

impl Predict for SlopeModel {
    fn predict(&self, panel: &Panel) -> Result<Vec<f32>> {
        Ok(panel.feature_named("first")?.to_f32().iter().map(|x| x * self.0).collect())
    }
}
