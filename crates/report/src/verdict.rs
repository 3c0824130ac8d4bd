//! What a reader should take home, in sentences: which side of zero, and what to beware of.

use fattail_evaluate::{Scores, Summary};

use crate::{MetricReport, ModelReport, Report, number};

/// On which side of zero the interval of a mean lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Above,
    Around,
    Below,
    Undefined,
}

impl Side {
    pub(crate) fn of(summary: &Summary) -> Self {
        let [low, high] = summary.interval;
        if !low.is_finite() || !high.is_finite() {
            Self::Undefined
        } else if low > 0.0 {
            Self::Above
        } else if high < 0.0 {
            Self::Below
        } else {
            Self::Around
        }
    }

    /// The class in the page and the mark that needs no colour.
    pub(crate) fn mark(self) -> (&'static str, &'static str) {
        match self {
            Self::Above => ("above", "▲"),
            Self::Around => ("around", "◆"),
            Self::Below => ("below", "▼"),
            Self::Undefined => ("around", "○"),
        }
    }

    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Above => "above zero",
            Self::Around => "not told apart from zero",
            Self::Below => "below zero",
            Self::Undefined => "no interval can be given",
        }
    }
}

/// The headline of one model: its first metric, with interval and side of zero.
pub(crate) fn sentence(model: &ModelReport) -> String {
    let Some(metric) = model.metrics.first() else {
        return format!("{}: no metric was scored", model.name);
    };
    let summary = &metric.model.summary;
    let interval = match Side::of(summary) {
        Side::Undefined => String::new(),
        _ => format!(" (95 % interval {})", number::interval(summary.interval)),
    };
    format!(
        "{}: mean {} {}{interval}: {}",
        model.name,
        metric.name(),
        number::signed(summary.mean),
        Side::of(summary).words()
    )
}

impl Report {
    /// The warnings handed in, and what the scores themselves say against trusting them.
    #[must_use]
    pub fn remarks(&self) -> Vec<String> {
        let mut remarks = self.warnings.clone();
        for model in &self.models {
            for metric in &model.metrics {
                remarks.extend(undefined(&model.name, &metric.model.scores));
            }
            remarks.extend(model.metrics.first().and_then(|metric| zero(&model.name, metric)));
        }
        remarks
    }
}

/// Eras without a score, with the first reason.
fn undefined(model: &str, scores: &Scores) -> Option<String> {
    let mut missing = scores.eras.iter().filter(|era| !era.value.is_finite()).peekable();
    let first = missing.peek()?.reason.clone();
    let (count, all) = (missing.count(), scores.eras.len());
    let reason = first.map(|reason| format!(": {reason}")).unwrap_or_default();
    Some(format!("{model}: {} is not defined in {count} of {all} eras{reason}", scores.metric))
}

fn zero(model: &str, metric: &MetricReport) -> Option<String> {
    (Side::of(&metric.model.summary) == Side::Around)
        .then(|| format!("{model}: the 95 % interval of mean {} includes zero", metric.name()))
}
