//! Transforms that keep the laws, and one violator a law.

use std::sync::Arc;

use fattail_core::{Error, Fit, Panel, Result, Transform};
use fattail_testing::{Law, check_transform};

use crate::fault::{caught, unseeded};

/// Takes the mean of the training panel away; `fault` breaks one law.
struct Centre {
    fault: Option<Law>,
}

struct Centred {
    fault: Option<Law>,
    names: Vec<Arc<str>>,
    means: Vec<f64>,
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

impl Fit for Centre {
    type Fitted = Centred;

    fn fit(&self, train: &Panel) -> Result<Centred> {
        let names = train.schema().features().to_vec();
        let mut means: Vec<f64> =
            (0..names.len()).map(|at| mean(&train.feature(at).to_f64())).collect();
        if self.fault == Some(Law::Deterministic) {
            means[0] += unseeded();
        }
        Ok(Centred { fault: self.fault, names, means })
    }
}

impl Transform for Centred {
    fn transform(&self, panel: Panel) -> Result<Panel> {
        if self.fault != Some(Law::Columns) {
            panel.schema().expect_features(&self.names)?;
        }
        let has = |law| self.fault == Some(law);
        if has(Law::RowsKept) {
            return panel.cut(&(1..panel.eras().len()).collect::<Vec<_>>());
        }
        if has(Law::FewRows) && panel.iter().any(|era| era.rows() < 2) {
            return Err(Error::empty("the era"));
        }
        let column = |at: usize| -> Result<Vec<f32>> {
            let mut values = panel.feature(at).to_f64();
            let centre = if has(Law::NoFuture) { mean(&values) } else { self.means[at] };
            values.iter_mut().for_each(|value| *value -= centre);
            if has(Law::TargetBlind) && panel.has_target() {
                let target = panel.target()?.to_f64();
                values.iter_mut().zip(target).for_each(|(value, target)| *value += target);
            }
            Ok(values.into_iter().map(|value| value as f32).collect())
        };
        let columns = (0..panel.width()).map(column).collect::<Result<Vec<_>>>()?;
        panel.with_features(panel.schema().features().iter().cloned().zip(columns))
    }
}

#[test]
fn a_good_transform_passes() {
    check_transform(&Centre { fault: None }).unwrap();
}

#[test]
fn every_violator_is_caught() {
    for law in [
        Law::RowsKept,
        Law::Deterministic,
        Law::NoFuture,
        Law::TargetBlind,
        Law::FewRows,
        Law::Columns,
    ] {
        caught(check_transform(&Centre { fault: Some(law) }), law);
    }
}

/// Changes targets only, each by the era after it.
struct NextEra;

impl Fit for NextEra {
    type Fitted = Self;

    fn fit(&self, _: &Panel) -> Result<Self> {
        Ok(Self)
    }
}

impl Transform for NextEra {
    fn transform(&self, panel: Panel) -> Result<Panel> {
        if !panel.has_target() {
            return Ok(panel);
        }
        let means: Vec<f32> =
            panel.target()?.eras().map(|era| mean(&era.to_f64()) as f32).collect();
        let mut target = panel.target()?.to_f32();
        for (era, rows) in panel.eras().ranges().enumerate() {
            let next = means[(era + 1).min(means.len() - 1)];
            target[rows].iter_mut().for_each(|value| *value -= next);
        }
        panel.with_target_values(target)
    }
}

#[test]
fn a_target_that_looks_ahead_is_caught() {
    caught(check_transform(&NextEra), Law::NoFuture);
}

/// Works on training panels only.
struct NeedsTarget;

impl Fit for NeedsTarget {
    type Fitted = Self;

    fn fit(&self, _: &Panel) -> Result<Self> {
        Ok(Self)
    }
}

impl Transform for NeedsTarget {
    fn transform(&self, panel: Panel) -> Result<Panel> {
        panel.target()?;
        Ok(panel)
    }
}

#[test]
fn a_transform_that_needs_a_target_is_caught() {
    caught(check_transform(&NeedsTarget), Law::TargetBlind);
}
