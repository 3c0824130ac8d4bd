//! Scales of features, learnt on the training part and kept as numbers.
//!
//! `(x - centre) / spread`; where `x` is missing or infinite the result is 0, the centre's place: a
//! market's volume may be zero, and the first bars have no past. A feature that is nowhere known in
//! training is 0 everywhere. Cost: a selection of three order statistics a feature, then one pass.

use fattail::{
    Panel,
    prepare::{Method, Scale},
};
use serde::{Deserialize, Serialize};

use crate::Outcome;

/// The scale of a feature.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FeatureScale {
    /// The feature.
    pub name: String,
    /// What is subtracted.
    pub centre: f64,
    /// What is divided by.
    pub spread: f64,
    /// Training rows in which it was missing or infinite.
    pub missing: usize,
}

/// The scales of all features.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scaling {
    /// In the order of the panel.
    pub features: Vec<FeatureScale>,
}

impl Scaling {
    /// Learns the scales of a training panel.
    ///
    /// # Errors
    /// When the method's settings are out of range, or it has no centre and spread.
    pub fn fit(train: &Panel, method: &Method) -> Outcome<Self> {
        let one = |(at, name): (usize, &std::sync::Arc<str>)| -> Outcome<FeatureScale> {
            let mut values = train.feature(at).to_f64();
            let rows = values.len();
            values.retain(|value| value.is_finite());
            let missing = rows - values.len();
            let (centre, spread) = match method.learn(&values)? {
                _ if values.is_empty() => (0.0, 1.0),
                Scale::Affine { centre, spread } => (centre, spread),
                Scale::Quantiles(_) => return Err("quantiles have no centre and spread".into()),
            };
            Ok(FeatureScale { name: name.to_string(), centre, spread, missing })
        };
        let features = train.schema().features().iter().enumerate().map(one);
        Ok(Self { features: features.collect::<Outcome<_>>()? })
    }

    /// Scales a panel with the same features.
    ///
    /// # Errors
    /// When the panel lacks a feature.
    pub fn apply(&self, panel: &Panel) -> Outcome<Panel> {
        let names: Vec<&str> = self.features.iter().map(|feature| &*feature.name).collect();
        let panel = panel.select(&names)?;
        let scaled = self.features.iter().enumerate().map(|(at, scale)| {
            let to_scale = |value: f32| {
                let scaled = ((f64::from(value) - scale.centre) / scale.spread) as f32;
                if scaled.is_finite() { scaled } else { 0.0 }
            };
            (at, panel.feature(at).to_f32().into_iter().map(to_scale).collect::<Vec<f32>>())
        });
        let scaled: Vec<(usize, Vec<f32>)> = scaled.collect();
        Ok(panel.replace_features(scaled)?)
    }
}

#[cfg(test)]
mod tests {
    use fattail::prepare::Robust;

    use super::*;

    #[test]
    fn what_is_missing_becomes_the_median_of_training() {
        let x = vec![f32::NAN, 1.0, 2.0, 3.0, 4.0, 5.0, f32::NEG_INFINITY];
        let none = vec![f32::NAN; 7];
        let panel = Panel::builder().feature("x", x).feature("none", none).build().unwrap();
        let scaling = Scaling::fit(&panel, &Method::Robust(Robust::default())).unwrap();
        let x = &scaling.features[0];
        assert_eq!((x.centre, x.spread, x.missing), (3.0, 2.0, 2));
        let scaled = scaling.apply(&panel).unwrap();
        assert_eq!(scaled.feature(0).to_f32(), [0.0, -1.0, -0.5, 0.0, 0.5, 1.0, 0.0]);
        assert_eq!(scaled.feature(1).to_f32(), [0.0; 7]);
    }
}
