//! A pipeline refits its preparation and predicts without seeing answers.

use fattail_core::{Fit, Panel, Pipeline, Predict, Result, Transform};

/// Subtracts the training mean of the only feature.
#[derive(Debug)]
struct Centre;
struct Centred(f32);

impl Fit for Centre {
    type Fitted = Centred;

    fn fit(&self, train: &Panel) -> Result<Centred> {
        let values = train.feature(0).to_f32();
        Ok(Centred(values.iter().sum::<f32>() / values.len() as f32))
    }
}

impl Transform for Centred {
    fn transform(&self, panel: Panel) -> Result<Panel> {
        let values: Vec<f32> =
            panel.feature(0).to_f32().iter().map(|value| value - self.0).collect();
        panel.with_features([("centred", values)])
    }
}

/// Predicts its feature and notes whether it saw a target.
#[derive(Debug)]
struct Echo;

impl Fit for Echo {
    type Fitted = Self;

    fn fit(&self, train: &Panel) -> Result<Self> {
        assert!(train.has_target(), "the fit sees the training target");
        Ok(Self)
    }
}

impl Predict for Echo {
    fn predict(&self, panel: &Panel) -> Result<Vec<f32>> {
        assert!(!panel.has_target(), "a model never sees a target when it predicts");
        Ok(panel.feature(0).to_f32())
    }
}

#[test]
fn steps_are_fitted_on_train_and_applied_blindly() {
    let panel = Panel::builder()
        .eras(&["1", "1", "2"])
        .unwrap()
        .feature("x", vec![1.0f32, 3.0, 10.0])
        .target("y", vec![0.0f32, 1.0, 0.5])
        .build()
        .unwrap();
    let pipeline = Pipeline::first(Centre).learner(Echo);
    assert_eq!(pipeline.describe().collect::<Vec<_>>(), ["Centre", "Echo"]);
    let fitted = pipeline.fit(&panel.cut(&[0]).unwrap()).unwrap();
    assert_eq!(fitted.predict(&panel).unwrap(), [-1.0, 1.0, 8.0]);
}
