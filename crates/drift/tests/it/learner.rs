//! The cheapest learner that can tell two sides apart.

use fattail_core::{Fit, Panel, Predict, Result};

/// Weighs each feature by the difference of its means where the target is 1 and where it is 0.
pub(crate) struct MeanDifference;

pub(crate) struct Weights(Vec<f64>);

impl Fit for MeanDifference {
    type Fitted = Weights;

    fn fit(&self, train: &Panel) -> Result<Weights> {
        let target = train.target()?.to_f32();
        let now = target.iter().filter(|&&y| y == 1.0).count() as f64;
        let before = target.len() as f64 - now;
        let weight = |at: usize| {
            let signed = |(x, &y): (f64, &f32)| if y == 1.0 { x / now } else { -x / before };
            train.feature(at).to_f64().into_iter().zip(&target).map(signed).sum()
        };
        Ok(Weights((0..train.width()).map(weight).collect()))
    }
}

impl Predict for Weights {
    fn predict(&self, panel: &Panel) -> Result<Vec<f32>> {
        let mut sums = vec![0.0; panel.rows()];
        for (at, weight) in self.0.iter().enumerate() {
            let values = panel.feature(at).to_f64();
            sums.iter_mut().zip(values).for_each(|(sum, x)| *sum += weight * x);
        }
        Ok(sums.into_iter().map(|sum| sum as f32).collect())
    }
}
