//! Metrics of survival times, on raw scores.
//!
//! `cox` is the negative partial log-likelihood of Cox's model, the mean over events; `aft` the
//! negative log-likelihood of accelerated failure time, the mean over rows that tell something.
//! Both are the losses of the objectives. Reference: there.

use super::{Evaluation, View};
use crate::{
    Error,
    objectives::{Risk, Spans},
};

pub(super) fn value(metric: &Evaluation, view: &View<'_>) -> Result<f64, Error> {
    let scores = view.one_output()?;
    match metric {
        Evaluation::Cox => Ok(Risk::new(view.by, view.labels)?.value(scores)),
        Evaluation::Aft(settings) => {
            let spans = Spans::new(view.by, view.labels)?;
            Ok(spans.mean(|row, lower, upper| settings.loss(lower, upper, scores[row])))
        }
        _ => Err(metric.undefined("it is not a metric of survival times")),
    }
}
