//! A loss of `fattail-descent` as an objective: own losses, and those by eras.
//!
//! Gradient and curvature are the loss's own, in f64, then single. The start is the loss's constant.
//! NaN labels and weights: as [`Loss`] has it. Cost: that of the loss, and one pass more.

use std::sync::Arc;

use fattail_descent::{Loss, Truth};

use crate::{Bound, Error, Labels, known::Known, known::Range};

/// A loss with its truth.
#[derive(Debug)]
pub(crate) struct Own<'a> {
    loss: Arc<dyn Loss>,
    truth: Truth<'a>,
}

impl<'a> Own<'a> {
    pub(crate) fn new(labels: &Labels<'a>, loss: Arc<dyn Loss>) -> fattail_core::Result<Self> {
        loss.check()?;
        if labels.targets.len() != 1 {
            let given = labels.targets.len();
            return Err(Error::Targets { by: "custom", given, allowed: "1" }.into());
        }
        Known::new(labels, 0, &Range::finite("custom"))?.vary()?;
        Ok(Self { loss, truth: truth(labels)? })
    }
}

/// Labels as `fattail-descent` has them; they are checked already.
pub(crate) fn truth<'a>(labels: &Labels<'a>) -> fattail_core::Result<Truth<'a>> {
    let truth = Truth::new(labels.target());
    let truth = match labels.weights {
        Some(weights) => truth.with_weights(weights)?,
        None => truth,
    };
    if labels.eras.is_empty() { Ok(truth) } else { truth.with_eras(labels.eras) }
}

impl Bound for Own<'_> {
    fn start(&self) -> Vec<f64> {
        let start = self.loss.start(&self.truth);
        vec![if start.is_finite() { start } else { 0.0 }]
    }

    fn slopes(&self, _: usize, score: &[f64], gradient: &mut [f32], hessian: &mut [f32]) {
        let (mut g, mut h) = (vec![0.0; score.len()], vec![0.0; score.len()]);
        self.loss.slopes(&self.truth, score, &mut g, &mut h);
        gradient.iter_mut().zip(g).for_each(|(to, from)| *to = from as f32);
        hessian.iter_mut().zip(h).for_each(|(to, from)| *to = from as f32);
    }

    fn text(&self) -> String {
        "custom".into()
    }
}

/// The loss of raw scores.
pub(crate) fn value(
    labels: &Labels<'_>,
    score: &[f64],
    loss: &dyn Loss,
) -> fattail_core::Result<f64> {
    crate::labels::length("the scores", score.len(), labels.rows())?;
    let value = loss.value(&truth(labels)?, score);
    let (metric, reason) = ("own loss".to_owned(), "the loss has no value");
    if value.is_nan() { Err(Error::Undefined { metric, reason }.into()) } else { Ok(value) }
}
