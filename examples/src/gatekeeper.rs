//! The submission gate of the weekly job: its thresholds, what is known of the submitted model, overrides.

use std::path::PathBuf;

use clap::Args;
use fattail::{
    Observer,
    certificate::{Backtested, Certificate, Certifier, Claim, Finding, State, Verdict},
    evaluate::{CorrelationWith, Horizon, Scores, Split, score_predictions},
    gate::{
        Agreement, Bound, Decision, Error as GateError, Evidence, Gate, Judged, Override, Rule,
        Waiver,
    },
    report::{CertificateCheck, CertificateFacts, CheckState, GateCheck, GateOutcome},
};

use crate::{
    Outcome, Run, Weekly,
    shell::{one_line, seconds},
};

/// The options of the submission gate.
#[derive(Debug, Args)]
pub struct GateArgs {
    /// Thresholds of the submission gate as JSON, `usual` for all rules, or `off`, with --by and --because; without it,
    /// mean CORR must be above 0 and must agree with Spearman's correlation
    #[arg(long, value_name = "FILE")]
    pub gate: Option<PathBuf>,
    /// Makes a leak certificate of the submitted model, which runs its whole backtest up to 48 times
    #[arg(long)]
    pub certify: bool,
    /// Study log, made where it is not there: every model of every run with it counts as a trial of the deflated Sharpe
    /// ratio
    #[arg(long, value_name = "FILE")]
    pub trials: Option<PathBuf>,
    /// Lets a submission through that this rule blocks; once a rule, with --by and --because
    #[arg(long = "override", value_name = "RULE")]
    pub overrides: Vec<String>,
    /// Who overrides
    #[arg(long, value_name = "NAME")]
    pub by: Option<String>,
    /// Why
    #[arg(long, value_name = "REASON")]
    pub because: Option<String>,
}

/// The gate of a run, known to be possible before anything is fitted.
#[derive(Debug)]
pub struct Gatekeeper<'a> {
    args: &'a GateArgs,
    gate: Gate,
    overrides: Vec<Rule>,
}

/// What the gate decided, and on which certificate.
#[derive(Debug)]
pub struct Gated {
    /// The decision.
    pub decision: Decision,
    /// The certificate, where one was asked for and made.
    pub certificate: Option<Certificate>,
    /// What the reader must know of it.
    pub warnings: Vec<String>,
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
    /// Reads thresholds and overrides.
    ///
    /// # Errors
    /// When they are not as they can be, or ask for what the run will not have; told before hours of work.
    pub fn keeper(&self, has_meta: bool) -> Outcome<Gatekeeper<'_>> {
        let mut gate = self.thresholds()?;
        gate.check()?;
        // Whoever has a certificate made does not want to submit past it.
        gate.certificate |= self.certify && !self.is_off();
        if gate.asked().is_empty() && !self.is_off() {
            return Err(
                "the gate asks for nothing: --gate off says so, with --by and --because".into()
            );
        }
        let overrides = self.rules(&gate)?;
        let lacks = |rule: Rule| gate.asks(rule) && !overrides.contains(&rule);
        if lacks(Rule::Certificate) && !self.certify {
            return Err(
                "the gate asks for a leak certificate: give --certify, or override it".into()
            );
        }
        if lacks(Rule::Benchmark) && !has_meta {
            return Err("the gate asks for a benchmark: give --meta, or override it".into());
        }
        Ok(Gatekeeper { args: self, gate, overrides })
    }

    fn is_off(&self) -> bool {
        self.gate.as_deref().is_some_and(|path| path.as_os_str() == "off")
    }

    fn thresholds(&self) -> Outcome<Gate> {
        match self.gate.as_deref() {
            None => {
                Ok(Gate { mean: Some(0.0), agreement: Some(Agreement::default()), ..Gate::open() })
            }
            Some(_) if self.is_off() => Ok(Gate::open()),
            Some(path) if path.as_os_str() == "usual" => Ok(Gate::default()),
            Some(path) => {
                let told = |error: &dyn std::fmt::Display| format!("'{}': {error}", path.display());
                let text = std::fs::read_to_string(path).map_err(|error| told(&error))?;
                Ok(serde_json::from_str(&text).map_err(|error| told(&error))?)
            }
        }
    }

    /// The rules to override.
    fn rules(&self, gate: &Gate) -> Outcome<Vec<Rule>> {
        let told =
            |text: &Option<String>| text.as_deref().is_some_and(|text| !text.trim().is_empty());
        let signed = told(&self.by) && told(&self.because);
        if (self.is_off() || !self.overrides.is_empty()) && !signed {
            return Err(
                "--override and --gate off need --by and --because: who does it, and why".into()
            );
        }
        if (self.by.is_some() || self.because.is_some())
            && !self.is_off()
            && self.overrides.is_empty()
        {
            return Err("--by and --because need --override or --gate off".into());
        }
        let rule = |name: &String| {
            let known = |rules: &[Rule]| {
                let names: Vec<&str> = rules.iter().map(|rule| rule.name()).collect();
                format!("--override is '{name}', allowed are {}", names.join(", "))
            };
            let rule = Rule::named(name).ok_or_else(|| known(&Rule::ALL))?;
            if gate.asks(rule) { Ok(rule) } else { Err(known(&gate.asked())) }
        };
        Ok(self.overrides.iter().map(rule).collect::<Result<_, String>>()?)
    }
}

impl Gatekeeper<'_> {
    /// Judges the submission of a run.
    ///
    /// # Errors
    /// When scores are missing that every run has.
    pub fn judge(&self, weekly: &Weekly, submitted: usize, context: Context<'_>) -> Outcome<Gated> {
        let run = &weekly.runs[submitted];
        let mut warnings = Vec::new();
        let made = self.args.certify.then(|| certify(weekly, run, context));
        let certificate = made.and_then(|made| {
            made.map_err(|error| warnings.push(format!("no certificate: {}", one_line(&*error))))
                .ok()
        });
        let scores = |name: &str| run.backtest.scores.iter().find(|scores| scores.metric == name);
        let corr = scores("corr").ok_or("the backtest has no CORR, which the gate decides by")?;
        let corr = weekly.known_scores(corr, context.horizon)?;
        let exposure = scores("negative_max_exposure").map(Scores::negated);
        let benchmark = context.meta.map(|meta| benchmark(weekly, run, meta)).transpose()?;
        let procedure = Backtested(run.learner.clone());
        let folds = context.split.folds(weekly.known.eras())?;
        let claim = claim(context);
        let evidence = Evidence {
            second: scores("spearman"),
            exposure: exposure.as_ref(),
            benchmark: benchmark.as_ref(),
            trials: Some(&weekly.trials),
            certificate: certificate.as_ref(),
            procedure: Some(&procedure),
            panel: Some(&weekly.known),
            folds: Some(&folds),
            claim: Some(&claim),
            ..Evidence::of(&corr, context.horizon)
        };
        let decision = self.signed(self.gate.judge(&evidence)?, &mut warnings)?;
        Ok(Gated { decision, certificate, warnings })
    }

    /// The decision with what somebody answers for.
    fn signed(&self, mut decision: Decision, warnings: &mut Vec<String>) -> Outcome<Decision> {
        let by = self.args.by.as_deref().unwrap_or_default();
        let because = self.args.because.as_deref().unwrap_or_default();
        if self.args.is_off() {
            let rules = decision.not_asked().to_vec();
            return Ok(decision.waived(&rules, by, because, seconds())?);
        }
        for &rule in &self.overrides {
            decision = match decision.clone().overridden(rule, by, because, seconds()) {
                Err(error @ GateError::NotBlocking { .. }) => {
                    warnings.push(format!("a needless override: {error}"));
                    decision
                }
                other => other?,
            };
        }
        Ok(decision)
    }
}

/// What must not have been seen.
fn claim(context: Context<'_>) -> Claim {
    Claim { horizon: context.horizon, ..Claim::default() }
}

fn certify(weekly: &Weekly, run: &Run, context: Context<'_>) -> Outcome<Certificate> {
    let certifier = Certifier { claim: claim(context), seed: context.seed, ..Certifier::default() };
    let folds = context.split.folds(weekly.known.eras())?;
    let procedure = Backtested(run.learner.clone());
    Ok(certifier.certify(&procedure, &weekly.known, &folds, context.observer)?)
}

/// The correlation of the predictions with the meta model's, era by era.
fn benchmark(weekly: &Weekly, run: &Run, meta: &str) -> Outcome<Scores> {
    let metric = CorrelationWith { column: meta.into() };
    let scores = score_predictions(&weekly.known, &run.backtest.predictions, &[&metric])?;
    Ok(scores[0].negated())
}

impl Gated {
    /// The decision as a report shows it.
    #[must_use]
    pub fn outcome(&self) -> GateOutcome {
        let check = |judged: &Judged| GateCheck {
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
        let decision = &self.decision;
        let note = |known: &Override| {
            format!("{} overridden by {}: {}", known.rule.name(), known.by, known.reason)
        };
        let names = |rules: &[Rule]| -> Vec<String> {
            rules.iter().map(|rule| rule.name().into()).collect()
        };
        let waived = |known: &Waiver| {
            format!("{} waived by {}: {}", names(&known.rules).join(", "), known.by, known.reason)
        };
        GateOutcome {
            name: "Submission gate".into(),
            passed: decision.is_admitted(),
            checks: decision.judged().iter().map(check).collect(),
            not_asked: names(decision.not_asked()),
            waived: decision.waivers().iter().map(waived).collect(),
            notes: decision.overrides().iter().map(note).collect(),
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
        let told = |judged: &Judged| format!("{} ({})", judged.rule.name(), judged.note);
        let notes: Vec<String> = self.decision.blocking().map(told).collect();
        let blocked = || format!("the submission is blocked by {}", notes.join("; "));
        self.decision.admitted().is_none().then(blocked)
    }
}

/// A certificate as a report shows it.
#[must_use]
pub fn facts_of_certificate(certificate: &Certificate) -> CertificateFacts {
    let check = |finding: &Finding| CertificateCheck {
        name: finding.check.sentence().into(),
        state: match finding.state {
            State::Passed => CheckState::Passed,
            State::Failed => CheckState::Failed,
            State::Skipped => CheckState::Skipped,
            State::Unknown => CheckState::Unknown,
        },
        plant_caught: finding.plant_caught,
        note: finding.note.clone(),
    };
    CertificateFacts {
        state: certificate.verdict.word().into(),
        holds: certificate.verdict == Verdict::Passed,
        checks: certificate.checks.iter().map(check).collect(),
        hash: certificate.procedure.sha256.clone(),
        statement: certificate.statement.clone(),
    }
}
