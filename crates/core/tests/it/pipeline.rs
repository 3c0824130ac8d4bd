//! A pipeline refits its preparation and predicts without seeing answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

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

/// Counts eras, and how often it was asked for several fits at once.
#[derive(Debug, Clone, Default)]
struct Counts(Arc<AtomicUsize>);
struct Count(f32);

impl Fit for Counts {
    type Fitted = Count;

    fn fit(&self, train: &Panel) -> Result<Count> {
        Ok(Count(train.eras().len() as f32))
    }

    fn fit_each(
        &self,
        panel: &Panel,
        cuts: &[Vec<usize>],
        each: &mut dyn FnMut(usize, Count) -> Result<()>,
    ) -> Result<()> {
        self.0.fetch_add(1, Ordering::Relaxed);
        for (at, cut) in cuts.iter().enumerate() {
            each(at, self.fit(&panel.cut(cut)?)?)?;
        }
        Ok(())
    }
}

impl Predict for Count {
    fn predict(&self, panel: &Panel) -> Result<Vec<f32>> {
        Ok(vec![self.0; panel.rows()])
    }
}

fn three_eras() -> Panel {
    let builder = Panel::builder().eras(&["1", "2", "3"]).unwrap();
    builder.feature("x", vec![1.0f32, 3.0, 8.0]).target("y", vec![0.0f32; 3]).build().unwrap()
}

/// The prediction of each fit for the first row.
fn each_of<F: Fit<Fitted: Predict> + ?Sized>(recipe: &F, cuts: &[Vec<usize>]) -> Vec<(usize, f32)> {
    let (panel, mut found) = (three_eras(), Vec::new());
    let mut note = |at, fitted: F::Fitted| {
        found.push((at, fitted.predict(&panel)?[0]));
        Ok(())
    };
    recipe.fit_each(&panel, cuts, &mut note).unwrap();
    found
}

#[test]
fn fits_of_several_cuts_reach_the_learner_through_pointers_and_an_empty_pipeline() {
    let cuts = [vec![0, 2], vec![1], vec![0, 1, 2]];
    let (learner, expected) = (Counts::default(), [(0, 2.0), (1, 1.0), (2, 3.0)]);
    assert_eq!(each_of(&learner, &cuts), expected);
    let boxed: Box<dyn Fit<Fitted = Count>> = Box::new(learner.clone());
    assert_eq!(each_of(&boxed, &cuts), expected);
    assert_eq!(each_of(&Pipeline::learner(learner.clone()), &cuts), expected);
    assert_eq!(learner.0.load(Ordering::Relaxed), 3);
    // Steps are fitted in each cut: the mean of x is 4.5, 3 and 4.
    let steps = Pipeline::first(Centre).learner(Echo);
    assert_eq!(each_of(&steps, &cuts), [(0, -3.5), (1, -2.0), (2, -3.0)]);
}

#[test]
fn fits_of_several_cuts_end_with_the_first_error() {
    let panel = three_eras();
    let mut seen = Vec::new();
    let mut note = |at, _| {
        seen.push(at);
        if at == 1 { Err(fattail_core::Error::empty("the second")) } else { Ok(()) }
    };
    let error = Echo.fit_each(&panel, &[vec![0], vec![1], vec![2]], &mut note).unwrap_err();
    assert_eq!((error.to_string(), seen), ("the second is empty".into(), vec![0, 1]));
    let mut none = |_, _| Ok(());
    assert!(Echo.fit_each(&panel, &[vec![2, 1]], &mut none).is_err());
    assert!(Echo.fit_each(&panel, &[vec![]], &mut none).is_err());
}
