//! The rules, each on its own; what is not defined blocks.

use fattail_certificate::Verdict;
use fattail_evaluate::{Scores, Summary};
use fattail_luck::SharpeSample;
use fattail_stats::{mean, spearman};
use serde::{Deserialize, Serialize};

use crate::{Agreement, Decision, Error, Evidence, Gate, Result};

/// A rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Enough eras have a score.
    Eras,
    /// The mean score is high enough.
    Mean,
    /// The mean score is surely high enough.
    SureMean,
    /// The Sharpe ratio is high enough.
    Sharpe,
    /// The drawdown is small enough.
    Drawdown,
    /// The exposure to features is small enough.
    Exposure,
    /// The predictions are not the benchmark's.
    Benchmark,
    /// The Sharpe ratio is above what the best of so many trials has by luck.
    DeflatedSharpe,
    /// A leak certificate of the procedure passed.
    Certificate,
    /// Two correlations agree.
    Agreement,
}

impl Rule {
    /// All rules, in the order in which they are judged.
    pub const ALL: [Self; 10] = [
        Self::Eras,
        Self::Mean,
        Self::SureMean,
        Self::Sharpe,
        Self::Drawdown,
        Self::Exposure,
        Self::Benchmark,
        Self::DeflatedSharpe,
        Self::Certificate,
        Self::Agreement,
    ];

    /// Its name, as an override gives it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Eras => "eras",
            Self::Mean => "mean",
            Self::SureMean => "sure_mean",
            Self::Sharpe => "sharpe",
            Self::Drawdown => "drawdown",
            Self::Exposure => "exposure",
            Self::Benchmark => "benchmark",
            Self::DeflatedSharpe => "deflated_sharpe",
            Self::Certificate => "certificate",
            Self::Agreement => "agreement",
        }
    }

    /// The rule of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.name() == name)
    }
}

/// Which side of a threshold is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// More than it.
    Above,
    /// It or more.
    AtLeast,
    /// It or less.
    AtMost,
}

/// A rule judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// The rule.
    pub rule: Rule,
    /// Whether it lets the submission through.
    pub passed: bool,
    /// The figure; NaN where it is not known.
    #[serde(with = "fattail_core::null")]
    pub figure: f64,
    /// The threshold; NaN where the rule has none.
    #[serde(with = "fattail_core::null")]
    pub threshold: f64,
    /// Which side of it is allowed.
    pub bound: Bound,
    /// The comparison in words.
    pub note: String,
}

impl Judged {
    fn compared(rule: Rule, figure: f64, bound: Bound, threshold: f64, what: &str) -> Self {
        let (passed, words) = match bound {
            Bound::Above => (figure > threshold, "above"),
            Bound::AtLeast => (figure >= threshold, "at least"),
            Bound::AtMost => (figure <= threshold, "at most"),
        };
        let note = format!("{what} is {figure:.4}, must be {words} {threshold:.4}");
        Self { rule, passed, figure, threshold, bound, note }
    }

    fn unknown(rule: Rule, bound: Bound, threshold: f64, note: impl Into<String>) -> Self {
        Self { rule, passed: false, figure: f64::NAN, threshold, bound, note: note.into() }
    }
}

impl Gate {
    /// Judges a submission by every rule that has a threshold.
    ///
    /// # Errors
    /// When a threshold is out of range, or the series of scores are not of the same eras.
    pub fn judge(&self, evidence: &Evidence<'_>) -> Result<Decision> {
        self.check()?;
        same_eras(evidence)?;
        let values = evidence.scores.values();
        let summary = Summary::with_horizon(&values, &evidence.horizon);
        let metric = &evidence.scores.metric;
        let mut judged = vec![Judged::compared(
            Rule::Eras,
            summary.eras as f64,
            Bound::AtLeast,
            self.eras as f64,
            "the number of scored eras",
        )];
        let mut ask = |threshold: Option<f64>, judge: &dyn Fn(f64) -> Judged| {
            judged.extend(threshold.map(judge));
        };
        ask(self.mean, &|t| {
            Judged::compared(Rule::Mean, summary.mean, Bound::Above, t, &format!("mean {metric}"))
        });
        ask(self.sure_mean, &|t| {
            let what = format!("the lower end of the 95 % interval of mean {metric}");
            Judged::compared(Rule::SureMean, summary.interval[0], Bound::Above, t, &what)
        });
        ask(self.sharpe, &|t| {
            Judged::compared(Rule::Sharpe, summary.sharpe, Bound::Above, t, "the Sharpe ratio")
        });
        ask(self.drawdown, &|t| {
            Judged::compared(
                Rule::Drawdown,
                summary.drawdown,
                Bound::AtMost,
                t,
                "the largest drawdown",
            )
        });
        ask(self.exposure, &|t| mean_at_most(Rule::Exposure, evidence.exposure, t));
        ask(self.benchmark, &|t| mean_at_most(Rule::Benchmark, evidence.benchmark, t));
        ask(self.deflated_sharpe, &|t| deflated(evidence, &values, t));
        if self.certificate {
            judged.push(certificate(evidence));
        }
        if let Some(limits) = self.agreement {
            judged.push(agreement(evidence, &values, limits));
        }
        Ok(Decision { gate: *self, judged, overrides: Vec::new() })
    }
}

/// The series are era by era the same as the scores.
fn same_eras(evidence: &Evidence<'_>) -> Result<()> {
    let expected = &evidence.scores.eras;
    let others = [
        ("second", evidence.second),
        ("exposure", evidence.exposure),
        ("benchmark", evidence.benchmark),
    ];
    for (name, scores) in others.into_iter().filter_map(|(name, s)| Some((name, s?))) {
        let same = scores.eras.iter().map(|score| &score.era).eq(expected.iter().map(|s| &s.era));
        if !same {
            let (given, expected) = (scores.eras.len(), expected.len());
            return Err(Error::Eras { name, given, expected });
        }
    }
    Ok(())
}

fn mean_at_most(rule: Rule, scores: Option<&Scores>, threshold: f64) -> Judged {
    let Some(scores) = scores else {
        return Judged::unknown(
            rule,
            Bound::AtMost,
            threshold,
            format!("no {} was handed in", rule.name()),
        );
    };
    Judged::compared(
        rule,
        scores.mean(),
        Bound::AtMost,
        threshold,
        &format!("mean {}", scores.metric),
    )
}

fn deflated(evidence: &Evidence<'_>, values: &[f64], threshold: f64) -> Judged {
    let rule = Rule::DeflatedSharpe;
    let Some(trials) = evidence.trials else {
        return Judged::unknown(
            rule,
            Bound::AtLeast,
            threshold,
            "the number of trials is not known",
        );
    };
    let finite: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
    match SharpeSample::of(&finite) {
        Ok(sample) => Judged::compared(
            rule,
            sample.deflated(trials),
            Bound::AtLeast,
            threshold,
            "the deflated Sharpe ratio",
        ),
        Err(error) => Judged::unknown(rule, Bound::AtLeast, threshold, error.to_string()),
    }
}

fn certificate(evidence: &Evidence<'_>) -> Judged {
    let (rule, threshold) = (Rule::Certificate, f64::NAN);
    let unknown = |note: &str| Judged::unknown(rule, Bound::AtLeast, threshold, note);
    let Some(certificate) = evidence.certificate else {
        return unknown("there is no leak certificate");
    };
    if let Err(error) = certificate.verify() {
        return unknown(&error.to_string());
    }
    let Some(procedure) = evidence.procedure else {
        return unknown("it is not known which procedure made the submission");
    };
    if !certificate.is_of(procedure) {
        return unknown("the leak certificate is that of another procedure");
    }
    if certificate.certifier.claim.horizon != evidence.horizon {
        return unknown("the leak certificate is for labels of another horizon");
    }
    let passed = certificate.verdict == Verdict::Passed;
    let word = certificate.verdict.word();
    let found: Vec<String> =
        certificate.leaks().map(|finding| finding.check.sentence().to_owned()).collect();
    let note = match found.is_empty() {
        true => format!("the leak certificate is {word}"),
        false => format!("the leak certificate is {word}; broken: {}", found.join("; ")),
    };
    Judged { rule, passed, figure: f64::NAN, threshold, bound: Bound::AtLeast, note }
}

fn agreement(evidence: &Evidence<'_>, first: &[f64], limits: Agreement) -> Judged {
    let rule = Rule::Agreement;
    let Some(second) = evidence.second else {
        return Judged::unknown(
            rule,
            Bound::AtLeast,
            limits.order,
            "there is no second correlation",
        );
    };
    let pairs = first.iter().copied().zip(second.values());
    let (a, b): (Vec<f64>, Vec<f64>) =
        pairs.filter(|(a, b)| a.is_finite() && b.is_finite()).unzip();
    let opposite = a.iter().zip(&b).filter(|(a, b)| *a * *b < 0.0).count();
    let share = opposite as f64 / a.len() as f64;
    let order = spearman(&a, &b).unwrap_or(f64::NAN);
    let (means, names) = ((mean(&a), mean(&b)), (&evidence.scores.metric, &second.metric));
    let passed = means.0 * means.1 > 0.0 && share <= limits.signs && order >= limits.order;
    let note = format!(
        "mean {} {:+.4}, mean {} {:+.4}; signs differ in {:.0} % of the eras, at most {:.0} %; rank correlation of \
         the era scores {order:.2}, at least {:.2}",
        names.0,
        means.0,
        names.1,
        means.1,
        100.0 * share,
        100.0 * limits.signs,
        limits.order
    );
    Judged { rule, passed, figure: order, threshold: limits.order, bound: Bound::AtLeast, note }
}
