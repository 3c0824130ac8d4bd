//! The rules judged, each on its own; what is not defined blocks.

use fattail_evaluate::{Scores, Summary};
use fattail_luck::{SharpeSample, Trials};
use fattail_stats::{mean, spearman};

use crate::{
    Agreement, Bound, Decision, Error, Evidence, Gate, Judged, Result, Rule, certificate,
    evidence::Series,
};

/// How far rounding takes the number of effective trials out of its range, as a share of it.
const ROUNDING: f64 = 1e-6;

impl Gate {
    /// Judges a submission by every rule that is asked.
    ///
    /// # Errors
    /// When a threshold is out of range, the series of scores are not of the same eras, or the second correlation
    /// has the name of the first.
    pub fn judge(&self, evidence: &Evidence<'_>) -> Result<Decision> {
        self.check()?;
        same_eras(evidence)?;
        let metric = &evidence.scores.metric;
        if evidence.second.is_some_and(|second| second.metric == *metric) {
            return Err(Error::SameMetric { metric: metric.clone() });
        }
        let mut judged = self.figures(evidence);
        if let Some(limit) = self.exposure {
            judged.push(mean_at_most(Rule::Exposure, evidence.exposure, limit));
        }
        if let Some(limit) = self.benchmark {
            judged.push(mean_at_most(Rule::Benchmark, evidence.benchmark, limit));
        }
        if let Some(limit) = self.deflated_sharpe {
            judged.push(deflated(evidence, limit));
        }
        if self.certificate {
            judged.extend(certificate::judged(evidence));
        }
        if let Some(limits) = self.agreement {
            judged.extend(agreement(evidence, limits));
        }
        Ok(Decision::new(*self, judged))
    }

    /// How many eras there are, where series are not defined, and the figures of the scores.
    fn figures(&self, evidence: &Evidence<'_>) -> Vec<Judged> {
        let summary = Summary::with_horizon(&evidence.scores.values(), &evidence.horizon);
        let metric = &evidence.scores.metric;
        let mut judged = Vec::new();
        if self.asks(Rule::Eras) {
            let (eras, least) = (summary.eras as f64, self.eras as f64);
            let what = "the number of scored eras";
            judged.push(Judged::compared(Rule::Eras, eras, Bound::AtLeast, least, what));
        }
        let read = Series::ALL.into_iter().filter(|&series| self.reads(series));
        judged.extend(read.filter_map(|series| {
            Some(defined(series.of(evidence)?, series.limit(&self.undefined)))
        }));
        let (above, most) = (Bound::Above, Bound::AtMost);
        let sure = format!("the lower end of the 95 % interval of mean {metric}");
        let asked = [
            (Rule::Mean, self.mean, summary.mean, above, format!("mean {metric}")),
            (Rule::SureMean, self.sure_mean, summary.interval[0], above, sure),
            (Rule::Sharpe, self.sharpe, summary.sharpe, above, "the Sharpe ratio".into()),
            (Rule::Drawdown, self.drawdown, summary.drawdown, most, "the largest drawdown".into()),
        ];
        judged.extend(asked.into_iter().filter_map(|(rule, threshold, figure, bound, what)| {
            Some(Judged::compared(rule, figure, bound, threshold?, &what))
        }));
        judged
    }
}

/// The series are era by era the same as the scores.
fn same_eras(evidence: &Evidence<'_>) -> Result<()> {
    let expected = &evidence.scores.eras;
    for series in Series::ALL {
        let Some(scores) = series.of(evidence) else { continue };
        let same = scores.eras.iter().map(|score| &score.era).eq(expected.iter().map(|s| &s.era));
        if !same {
            let (given, expected) = (scores.eras.len(), expected.len());
            return Err(Error::Eras { name: series.name(), given, expected });
        }
    }
    Ok(())
}

/// The share of eras in which a series is not defined; a value without end blocks as it is.
fn defined(scores: &Scores, limit: f64) -> Judged {
    let rule = Rule::Defined;
    let endless = scores.eras.iter().filter(|era| era.value.is_infinite()).count();
    if endless > 0 {
        let note = format!("{} is infinite in {endless} eras", scores.metric);
        return Judged::unknown(rule, Bound::AtMost, limit, note);
    }
    let missing = scores.eras.iter().filter(|era| era.value.is_nan()).count();
    let share = missing as f64 / scores.eras.len() as f64;
    let what = format!("the share of eras without {}", scores.metric);
    Judged::compared(rule, share, Bound::AtMost, limit, &what)
}

fn mean_at_most(rule: Rule, scores: Option<&Scores>, limit: f64) -> Judged {
    let Some(scores) = scores else {
        return Judged::unknown(rule, Bound::AtMost, limit, format!("no {rule} was handed in"));
    };
    let what = format!("mean {}", scores.metric);
    Judged::compared(rule, scores.mean(), Bound::AtMost, limit, &what)
}

fn deflated(evidence: &Evidence<'_>, least: f64) -> Judged {
    let (rule, bound) = (Rule::DeflatedSharpe, Bound::AtLeast);
    let unknown = |note: String| Judged::unknown(rule, bound, least, note);
    let Some(trials) = evidence.trials else {
        return unknown("the number of trials is not known".into());
    };
    if let Some(note) = uncounted(trials) {
        return unknown(note);
    }
    let values = evidence.scores.values();
    let finite: Vec<f64> = values.into_iter().filter(|value| value.is_finite()).collect();
    let span = match evidence.horizon.label_eras() {
        Ok(span) => span,
        Err(error) => return unknown(error.to_string()),
    };
    match SharpeSample::of(&finite) {
        Ok(sample) => {
            let what = "the deflated Sharpe ratio, its error that of overlapping labels,";
            // What rounding took from one trial is one.
            let trials = Trials { effective: trials.effective.max(1.0), ..*trials };
            let deflated = sample.overlapping(span).deflated(&trials);
            Judged::compared(rule, deflated, bound, least, what)
        }
        Err(error) => unknown(error.to_string()),
    }
}

/// What is wrong with a number of trials: those that count are from one to all of them.
fn uncounted(trials: &Trials) -> Option<String> {
    let most = trials.count as f64 * (1.0 + ROUNDING);
    let counted = trials.effective >= 1.0 - ROUNDING && trials.effective <= most;
    (!counted).then(|| {
        format!(
            "{} of {} trials count as independent, must be from 1 to all of them",
            trials.effective, trials.count
        )
    })
}

/// A line a condition: the signs of the means, the signs in single eras, the order of the eras.
fn agreement(evidence: &Evidence<'_>, limits: Agreement) -> Vec<Judged> {
    let (rule, first) = (Rule::Agreement, evidence.scores);
    let Some(second) = evidence.second else {
        let note = "there is no second correlation";
        return vec![Judged::unknown(rule, Bound::AtLeast, limits.order, note)];
    };
    let pairs = first.values().into_iter().zip(second.values());
    let (a, b): (Vec<f64>, Vec<f64>) =
        pairs.filter(|(a, b)| a.is_finite() && b.is_finite()).unzip();
    let (mean_a, mean_b) = (mean(&a), mean(&b));
    let product = mean_a * mean_b;
    let means = Judged {
        rule,
        passed: product > 0.0 && product.is_finite(),
        figure: mean_b,
        threshold: f64::NAN,
        bound: Bound::Above,
        note: format!(
            "mean {} is {mean_a:+.4}, mean {} is {mean_b:+.4}, must have one sign",
            first.metric, second.metric
        ),
    };
    let opposite = a.iter().zip(&b).filter(|(a, b)| *a * *b < 0.0).count();
    let share = opposite as f64 / a.len() as f64;
    let order = spearman(&a, &b).unwrap_or(f64::NAN);
    let (of, and) = (&first.metric, &second.metric);
    let signs = format!("the share of eras in which {of} and {and} differ in sign");
    let orders = format!("the rank correlation of the eras by {of} and by {and}");
    vec![
        means,
        Judged::compared(rule, share, Bound::AtMost, limits.signs, &signs),
        Judged::compared(rule, order, Bound::AtLeast, limits.order, &orders),
    ]
}
