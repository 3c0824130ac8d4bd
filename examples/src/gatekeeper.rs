//! The submission gate of the weekly job: its thresholds, what is known of the submitted model, overrides.

use std::path::PathBuf;

use clap::Args;
use fattail::{
    Observer,
    certificate::{Certificate, Certifier, Claim, Refit, Sealed},
    evaluate::{CorrelationWith, Horizon, Scores, Split, Summary, score_predictions},
    gate::{Agreement, Bound, Decision, Evidence, Gate, Rule},
    luck::Trials,
    report::{CertificateCheck, CertificateFacts, GateCheck, GateOutcome},
};

use crate::{Outcome, Run, Weekly, shell::seconds, trials::trials};

/// The options of the submission gate.
#[derive(Debug, Args)]
pub struct GateArgs {
    /// Thresholds of the submission gate as JSON, `usual` for all rules, or `off`; without it, mean CORR must be
    /// above 0 and must agree with Spearman's correlation
    #[arg(long, value_name = "FILE")]
    pub gate: Option<PathBuf>,
    /// Makes a leak certificate of the submitted model, which runs its backtest some twenty times a fold
    #[arg(long)]
    pub certify: bool,
    /// Study log, made where it is not there: every model of every run with it counts as a trial of the deflated Sharpe
    /// ratio
    #[arg(long, value_name = "FILE")]
    pub trials: Option<PathBuf>,
    /// Lets a submission through that this rule blocks; once a rule, with --by and --because
    #[arg(long = "override", value_name = "RULE", requires_all = ["by", "because"])]
    pub overrides: Vec<String>,
    /// Who overrides
    #[arg(long, value_name = "NAME", requires = "overrides")]
    pub by: Option<String>,
    /// Why
    #[arg(long, value_name = "REASON", requires = "overrides")]
    pub because: Option<String>,
}

/// What the gate decided, and on which certificate.
#[derive(Debug)]
pub struct Gated {
    /// The decision.
    pub decision: Decision,
    /// The certificate, where one was asked for.
    pub certificate: Option<Certificate>,
}

/// What the gate is told beside the runs.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// How far labels look ahead.
    pub horizon: Horizon,
    /// How the backtest splits.
    pub split: &'a dyn Split,
    /// The extra column with the meta model.
    pub meta: Option<&'a str>,
    /// The seed of the certificate.
    pub seed: u64,
    /// Who is told how far it is.
    pub observer: Observer<'a>,
}

impl std::fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context").field("seed", &self.seed).finish_non_exhaustive()
    }
}

impl GateArgs {
    /// The thresholds.
    ///
    /// # Errors
    /// When the file says what is not known.
    pub fn thresholds(&self) -> Outcome<Gate> {
        match self.gate.as_deref() {
            None => {
                Ok(Gate { mean: Some(0.0), agreement: Some(Agreement::default()), ..Gate::open() })
            }
            Some(path) if path.as_os_str() == "off" => Ok(Gate::open()),
            Some(path) if path.as_os_str() == "usual" => Ok(Gate::default()),
            Some(path) => {
                let told = |error: &dyn std::fmt::Display| format!("'{}': {error}", path.display());
                let text = std::fs::read_to_string(path).map_err(|error| told(&error))?;
                Ok(serde_json::from_str(&text).map_err(|error| told(&error))?)
            }
        }
    }

    /// Judges the submission of a run.
    ///
    /// # Errors
    /// When thresholds, overrides or the certificate are not as they can be.
    pub fn judge(&self, weekly: &Weekly, submitted: usize, context: Context<'_>) -> Outcome<Gated> {
        let gate = self.thresholds()?;
        let run = &weekly.runs[submitted];
        let certificate = self.certify.then(|| certify(weekly, run, context)).transpose()?;
        let scores = |name: &str| run.backtest.scores.iter().find(|scores| scores.metric == name);
        let corr = scores("corr").ok_or("the backtest has no CORR, which the gate decides by")?;
        let exposure = scores("negative_max_exposure").map(without_minus);
        let benchmark = context.meta.map(|meta| benchmark(weekly, run, meta)).transpose()?;
        let trials = trials(weekly, self.trials.as_deref())?;
        let procedure = Sealed(Refit(run.learner.clone()));
        let evidence = Evidence {
            second: scores("spearman"),
            exposure: exposure.as_ref(),
            benchmark: benchmark.as_ref(),
            trials: Some(&trials),
            certificate: certificate.as_ref(),
            procedure: Some(&procedure),
            ..Evidence::of(corr, context.horizon)
        };
        let decision = self.overridden(gate.judge(&evidence)?)?;
        Ok(Gated { decision, certificate })
    }

    fn overridden(&self, mut decision: Decision) -> Outcome<Decision> {
        let by = self.by.as_deref().unwrap_or_default();
        let because = self.because.as_deref().unwrap_or_default();
        for name in &self.overrides {
            let known = || {
                let names: Vec<&str> = Rule::ALL.iter().map(|rule| rule.name()).collect();
                format!("--override is '{name}', allowed are {}", names.join(", "))
            };
            let rule = Rule::named(name).ok_or_else(known)?;
            decision = decision.overridden(rule, by, because, seconds())?;
        }
        Ok(decision)
    }
}

fn certify(weekly: &Weekly, run: &Run, context: Context<'_>) -> Outcome<Certificate> {
    let claim = Claim { horizon: context.horizon, ..Claim::default() };
    let certifier = Certifier { claim, seed: context.seed, ..Certifier::default() };
    let folds = context.split.folds(weekly.known.eras())?;
    let procedure = Sealed(Refit(run.learner.clone()));
    Ok(certifier.certify(&procedure, &weekly.known, &folds, context.observer)?)
}

/// The correlation of the predictions with the meta model's, era by era.
fn benchmark(weekly: &Weekly, run: &Run, meta: &str) -> Outcome<Scores> {
    let metric = CorrelationWith { column: meta.into() };
    let scores = score_predictions(&weekly.known, &run.backtest.predictions, &[&metric])?;
    Ok(without_minus(&scores[0]))
}

fn without_minus(scores: &Scores) -> Scores {
    let mut scores = scores.clone();
    scores.metric = scores.metric.trim_start_matches("negative_").to_owned();
    scores.eras.iter_mut().for_each(|era| era.value = -era.value);
    scores
}

impl Gated {
    /// The decision as a report shows it.
    #[must_use]
    pub fn outcome(&self) -> GateOutcome {
        let check = |judged: &fattail::gate::Judged| GateCheck {
            name: judged.rule.name().into(),
            figure: judged.figure,
            bound: match judged.bound {
                Bound::Above => fattail::report::Bound::Above,
                Bound::AtLeast => fattail::report::Bound::AtLeast,
                Bound::AtMost => fattail::report::Bound::AtMost,
            },
            threshold: judged.threshold,
            passed: judged.passed,
            note: judged.note.clone(),
        };
        let note = |known: &fattail::gate::Override| {
            format!("{} overridden by {}: {}", known.rule.name(), known.by, known.reason)
        };
        GateOutcome {
            name: "Submission gate".into(),
            passed: self.decision.is_admitted(),
            checks: self.decision.judged.iter().map(check).collect(),
            notes: self.decision.overrides.iter().map(note).collect(),
        }
    }

    /// The certificate as a report shows it.
    #[must_use]
    pub fn facts(&self) -> Option<CertificateFacts> {
        self.certificate.as_ref().map(facts_of_certificate)
    }

    /// What blocks, in a line.
    #[must_use]
    pub fn blocked(&self) -> Option<String> {
        let notes: Vec<String> = self
            .decision
            .blocking()
            .map(|judged| format!("{} ({})", judged.rule.name(), judged.note))
            .collect();
        (!notes.is_empty()).then(|| format!("the submission is blocked by {}", notes.join("; ")))
    }
}

/// A certificate as a report shows it.
#[must_use]
pub fn facts_of_certificate(certificate: &Certificate) -> CertificateFacts {
    let check = |finding: &fattail::certificate::Finding| CertificateCheck {
        name: finding.check.sentence().into(),
        passed: finding.state != fattail::certificate::State::Failed,
        plant_caught: finding.plant_caught,
        note: finding.note.clone(),
    };
    CertificateFacts {
        state: certificate.verdict.word().into(),
        holds: certificate.verdict == fattail::certificate::Verdict::Passed,
        checks: certificate.checks.iter().map(check).collect(),
        hash: certificate.procedure.sha256.clone(),
        statement: certificate.statement.clone(),
    }
}
