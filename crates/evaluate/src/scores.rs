//! Scores era by era, as every report shows them.
//!
//! A score that is not defined is NaN with a reason, and `null` in JSON.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

/// The score of one era.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EraScore {
    /// The era's label.
    pub era: String,
    /// The score; NaN when it is not defined.
    #[serde(with = "fattail_core::null")]
    pub value: f64,
    /// Why the score is not defined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// How the names of metrics begin that have a minus.
const NEGATIVE: &str = "negative_";

/// The scores of one metric, in the order of the eras.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// The metric's name.
    pub metric: String,
    /// One score an era.
    pub eras: Vec<EraScore>,
}

impl Scores {
    /// The values, NaN where the score is not defined.
    #[must_use]
    pub fn values(&self) -> Vec<f64> {
        self.eras.iter().map(|era| era.value).collect()
    }

    /// The scores that are not defined: NaN or infinite, which summaries leave out.
    ///
    /// ```
    /// use fattail_evaluate::{EraScore, Scores};
    /// let era = |era: &str, value| EraScore { era: era.into(), value, reason: None };
    /// let eras = vec![era("0001", 0.5), era("0002", f64::NAN)];
    /// assert_eq!(Scores { metric: "corr".into(), eras }.undefined(), 1);
    /// ```
    #[must_use]
    pub fn undefined(&self) -> usize {
        self.eras.iter().filter(|era| !era.value.is_finite()).count()
    }

    /// The mean of the scores that are defined; NaN when none is.
    #[must_use]
    pub fn mean(&self) -> f64 {
        let defined = self.eras.iter().map(|era| era.value).filter(|value| !value.is_nan());
        let (sum, count) = defined.fold((0.0, 0u32), |(sum, count), v| (sum + v, count + 1));
        if count == 0 { f64::NAN } else { sum / f64::from(count) }
    }

    /// These scores minus others, in the eras of these; NaN with a reason where either is not defined.
    ///
    /// ```
    /// use fattail_evaluate::{EraScore, Scores};
    /// let era = |era: &str, value| EraScore { era: era.into(), value, reason: None };
    /// let corr = |eras| Scores { metric: "corr".into(), eras };
    /// let first = corr(vec![era("0001", 0.5), era("0002", 0.25)]);
    /// let second = corr(vec![era("0002", 0.75)]);
    /// assert_eq!(second.minus(&first).values(), [0.5]);
    /// assert!(first.minus(&second).values()[0].is_nan());
    /// ```
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        let others: HashMap<&str, &EraScore> =
            other.eras.iter().map(|score| (score.era.as_str(), score)).collect();
        let eras =
            self.eras.iter().map(|score| score.minus(others.get(score.era.as_str()).copied()));
        Self { metric: self.metric.clone(), eras: eras.collect() }
    }

    /// Whether the metric is an error or an exposure, with a minus so that larger is better.
    #[must_use]
    pub fn is_negative(&self) -> bool {
        self.metric.starts_with(NEGATIVE)
    }

    /// These scores with the other sign. Metrics whose larger values are worse have a minus, and `negative_` before
    /// their name: it is taken away, or put there.
    ///
    /// ```
    /// use fattail_evaluate::{EraScore, Scores};
    /// let eras = vec![EraScore { era: "0001".into(), value: -0.25, reason: None }];
    /// let scores = Scores { metric: "negative_max_exposure".into(), eras };
    /// let exposure = scores.negated();
    /// assert_eq!((exposure.metric.as_str(), exposure.values()), ("max_exposure", vec![0.25]));
    /// assert_eq!(exposure.negated(), scores);
    /// ```
    #[must_use]
    pub fn negated(&self) -> Self {
        let metric = match self.metric.strip_prefix(NEGATIVE) {
            Some(name) => name.to_owned(),
            None => format!("{NEGATIVE}{}", self.metric),
        };
        let negated = |era: &EraScore| EraScore { value: -era.value, ..era.clone() };
        Self { metric, eras: self.eras.iter().map(negated).collect() }
    }
}

impl EraScore {
    fn minus(&self, other: Option<&Self>) -> Self {
        let value = self.value - other.map_or(f64::NAN, |other| other.value);
        let reason = value.is_nan().then(|| {
            let told = self.reason.clone().or_else(|| other.and_then(|other| other.reason.clone()));
            told.unwrap_or_else(|| "there is nothing to compare with".to_owned())
        });
        Self { era: self.era.clone(), value, reason }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scores(eras: &[(&str, f64, Option<&str>)]) -> Scores {
        let era = |&(era, value, reason): &(&str, f64, Option<&str>)| EraScore {
            era: era.into(),
            value,
            reason: reason.map(str::to_owned),
        };
        Scores { metric: "corr".into(), eras: eras.iter().map(era).collect() }
    }

    #[test]
    fn a_difference_keeps_the_reason_of_what_is_missing() {
        let a = scores(&[("1", 0.5, None), ("2", f64::NAN, Some("flat")), ("3", 1.0, None)]);
        let b = scores(&[("1", f64::NAN, Some("empty")), ("2", 0.5, None)]);
        let difference = a.minus(&b);
        let reasons: Vec<_> = difference.eras.iter().map(|era| era.reason.as_deref()).collect();
        assert_eq!(
            reasons,
            [Some("empty"), Some("flat"), Some("there is nothing to compare with")]
        );
        assert!(difference.values().iter().all(|value| value.is_nan()));
    }
}
