//! The certificate: what was run, what was found, and a seal over it.

use std::fmt;

use fattail_core::Panel;
use serde::{Deserialize, Serialize};

use crate::{Certifier, Check, Error, Finding, Result, State, hash};

/// The format that is written and read.
const FORMAT: &str = "fattail-certificate-1";

/// What a certificate says, and what it does not.
const STATEMENT: &str = "The checks below tried to show that predictions depend on what was not known, and saw \
    leaks of each kind that were planted. A check that passes has found nothing at the cuts and seeds given: it \
    falsifies, it does not prove. Data that leaks before it is read is seen by the audits of the data alone.";

/// What all checks say together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// No leak was found, and every planted one was.
    Passed,
    /// A leak was found.
    Failed,
    /// Nothing can be said: the procedure differs from run to run or does not learn, the checks that matter
    /// most do not apply, or a planted leak was not seen.
    Void,
}

/// The outcome of all checks on one procedure, panel and list of folds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Certificate {
    /// The format of the file.
    pub format: String,
    /// What it says, and what it does not.
    pub statement: String,
    /// What all checks say together.
    pub verdict: Verdict,
    /// What was certified.
    pub procedure: ProcedureFacts,
    /// On what.
    pub data: DataFacts,
    /// The settings, seed and tolerance among them.
    pub certifier: Certifier,
    /// The number of folds.
    pub folds: usize,
    /// Where the panel was cut.
    pub cuts: Vec<CutFacts>,
    /// What each check found.
    pub checks: Vec<Finding>,
    /// SHA-256 of all the above.
    pub seal: String,
}

/// What was certified.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ProcedureFacts {
    /// All its settings.
    pub settings: String,
    /// SHA-256 of the settings.
    pub sha256: String,
}

/// The panel that it was certified on.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DataFacts {
    /// Its rows.
    pub rows: usize,
    /// Its eras.
    pub eras: usize,
    /// Its features.
    pub features: usize,
    /// The first era.
    pub first_era: String,
    /// The last era.
    pub last_era: String,
    /// SHA-256 of names, eras, ids, features and targets.
    pub sha256: String,
}

/// A place where the panel was cut.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CutFacts {
    /// The fold.
    pub fold: usize,
    /// The last test era that was looked at.
    pub era: String,
}

impl DataFacts {
    pub(crate) fn of(panel: &Panel) -> Self {
        let mut labels = panel.eras().labels();
        let (first, last) = (labels.next().unwrap_or_default(), labels.next_back());
        Self {
            rows: panel.rows(),
            eras: panel.eras().len(),
            features: panel.width(),
            first_era: first.to_owned(),
            last_era: last.unwrap_or(first).to_owned(),
            sha256: hash::panel(panel),
        }
    }
}

impl Verdict {
    /// What findings say together.
    fn of(findings: &[Finding]) -> Self {
        let of = |check: Check| findings.iter().find(|finding| finding.check == check);
        let passed = |check| of(check).is_some_and(|finding| finding.state == State::Passed);
        if !passed(Check::Repeat) {
            return Self::Void;
        }
        let mut leaks = findings.iter().filter(|finding| finding.check != Check::Alive);
        if leaks.any(|finding| finding.state == State::Failed) {
            return Self::Failed;
        }
        let missed = findings.iter().any(|finding| finding.plant_caught == Some(false));
        let needed = [Check::Alive, Check::FutureValues, Check::Labels];
        if missed || !needed.into_iter().all(passed) { Self::Void } else { Self::Passed }
    }

    /// The verdict in a word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Void => "void",
        }
    }
}

impl Certificate {
    /// One about nothing, to be filled.
    pub(crate) fn empty() -> Self {
        Self {
            format: FORMAT.into(),
            statement: STATEMENT.into(),
            verdict: Verdict::Void,
            procedure: ProcedureFacts::default(),
            data: DataFacts::default(),
            certifier: Certifier::default(),
            folds: 0,
            cuts: Vec::new(),
            checks: Vec::new(),
            seal: String::new(),
        }
    }

    /// With its verdict and its seal.
    pub(crate) fn sealed(self) -> Result<Self> {
        let open = Self { verdict: Verdict::of(&self.checks), seal: String::new(), ..self };
        Ok(Self { seal: open.expected_seal()?, ..open })
    }

    fn expected_seal(&self) -> Result<String> {
        let open = Self { seal: String::new(), ..self.clone() };
        Ok(hash::text(&serde_json::to_string(&open)?))
    }

    /// As JSON.
    ///
    /// # Errors
    /// Never, as long as text can be written.
    pub fn to_json(&self) -> Result<String> {
        Ok(serde_json::to_string_pretty(self)?)
    }

    /// A certificate from JSON. Its seal shows that it is as it was made; whoever made it may have made it up.
    ///
    /// # Errors
    /// When it is none, has another format, was changed, or its verdict is not what its checks say.
    pub fn from_json(json: &str) -> Result<Self> {
        let certificate: Self = serde_json::from_str(json)?;
        certificate.verify()?;
        Ok(certificate)
    }

    /// Checks format, seal and verdict.
    ///
    /// # Errors
    /// When one of them is not right.
    pub fn verify(&self) -> Result<()> {
        if self.format != FORMAT {
            return Err(Error::Format { given: self.format.clone(), expected: FORMAT });
        }
        let (given, expected) = (self.seal.clone(), self.expected_seal()?);
        if given != expected {
            return Err(Error::Seal { given, expected });
        }
        let verdict = Verdict::of(&self.checks);
        if verdict != self.verdict {
            let (given, expected) = (self.verdict.word().into(), verdict.word().into());
            return Err(Error::Verdict { given, expected });
        }
        Ok(())
    }

    /// Whether a procedure with these settings is the one that was certified.
    #[must_use]
    pub fn is_of(&self, procedure: &dyn fmt::Debug) -> bool {
        hash::text(&format!("{procedure:?}")) == self.procedure.sha256
    }

    /// The checks that found a leak.
    pub fn leaks(&self) -> impl Iterator<Item = &Finding> {
        self.checks.iter().filter(|finding| finding.state == State::Failed)
    }

    /// The checks that did not see what was planted.
    pub fn blind(&self) -> impl Iterator<Item = &Finding> {
        self.checks.iter().filter(|finding| finding.plant_caught == Some(false))
    }
}

impl fmt::Display for Certificate {
    /// A table for the terminal: a line a check.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "leak certificate: {}", self.verdict.word())?;
        for finding in &self.checks {
            let state = match finding.state {
                State::Passed => "passed",
                State::Failed => "LEAK",
                State::Skipped => "skipped",
            };
            let plant = match finding.plant_caught {
                Some(true) => "plant seen",
                Some(false) => "PLANT MISSED",
                None => "",
            };
            writeln!(f, "  {state:8}{plant:13} {}: {}", finding.check.sentence(), finding.note)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(check: Check, state: State, plant_caught: Option<bool>) -> Finding {
        Finding { check, state, plant_caught, figure: 0.0, limit: 0.0, note: String::new() }
    }

    fn all_passed() -> Vec<Finding> {
        Check::ALL.map(|check| finding(check, State::Passed, Some(true))).to_vec()
    }

    #[test]
    fn verdicts() {
        assert_eq!(Verdict::of(&all_passed()), Verdict::Passed);
        let with = |changed: Finding| {
            let mut all = all_passed();
            all.retain(|finding| finding.check != changed.check);
            all.push(changed);
            Verdict::of(&all)
        };
        assert_eq!(with(finding(Check::Labels, State::Failed, Some(true))), Verdict::Failed);
        assert_eq!(with(finding(Check::Labels, State::Failed, Some(false))), Verdict::Failed);
        assert_eq!(with(finding(Check::Labels, State::Passed, Some(false))), Verdict::Void);
        assert_eq!(with(finding(Check::Labels, State::Skipped, None)), Verdict::Void);
        assert_eq!(with(finding(Check::Prefix, State::Skipped, None)), Verdict::Passed);
        assert_eq!(with(finding(Check::Alive, State::Failed, None)), Verdict::Void);
        assert_eq!(with(finding(Check::Repeat, State::Failed, None)), Verdict::Void);
        assert_eq!(Verdict::of(&[]), Verdict::Void);
    }

    #[test]
    fn a_changed_certificate_is_refused() {
        let mut checks = all_passed();
        checks[3].figure = f64::INFINITY;
        let made = Certificate::sealed(Certificate { checks, ..Certificate::empty() }).unwrap();
        let json = made.to_json().unwrap();
        assert_eq!(Certificate::from_json(&json).unwrap().verdict, Verdict::Passed);
        for (from, to) in [("\"seed\": 0", "\"seed\": 1"), ("\"passed\"", "\"failed\"")] {
            let changed = json.replacen(from, to, 1);
            assert_ne!(changed, json);
            assert!(matches!(Certificate::from_json(&changed), Err(Error::Seal { .. })));
        }
        let lying = Certificate { verdict: Verdict::Failed, seal: String::new(), ..made };
        let lying = Certificate { seal: lying.expected_seal().unwrap(), ..lying };
        assert!(matches!(lying.verify(), Err(Error::Verdict { .. })));
        assert!(matches!(Certificate::from_json("{}"), Err(Error::Json(_))));
    }
}
