//! The certificate: what was run, what was found, and a seal over it.

use std::fmt;

use fattail_core::Panel;
use fattail_evaluate::Fold;
use serde::{Deserialize, Serialize};

use crate::{Certifier, Check, Claim, Error, Finding, Result, State, hash};

/// The format that is written and read.
const FORMAT: &str = "fattail-certificate-2";

/// What all checks say together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// No leak was found, and every planted one was.
    Passed,
    /// A leak was found.
    Failed,
    /// Nothing can be said: the procedure differs from run to run or does not learn, a check could not be made or
    /// was left out without a reason that holds for it, or a planted leak was not seen.
    Void,
}

/// The outcome of all checks on one procedure, panel and list of folds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Certificate {
    /// The format of the file.
    pub format: String,
    /// The version of the crate that made it.
    pub version: String,
    /// What it says, and what it does not.
    pub statement: String,
    /// What all checks say together.
    pub verdict: Verdict,
    /// What was certified.
    pub procedure: ProcedureFacts,
    /// On what.
    pub data: DataFacts,
    /// The settings: claim, seed and tolerance among them.
    pub certifier: Certifier,
    /// The number of folds.
    pub folds: usize,
    /// SHA-256 of the training and test eras of all folds.
    pub folds_sha256: String,
    /// Where the panel was cut: as many places as were asked for, or as there are.
    pub cuts: Vec<CutFacts>,
    /// How much was run.
    pub cost: CostFacts,
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
    /// The target that was learnt.
    pub target: String,
    /// The first era.
    pub first_era: String,
    /// The last era.
    pub last_era: String,
    /// SHA-256 of roles, names, eras, ids and all values.
    pub sha256: String,
}

/// What a certificate took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CostFacts {
    /// Runs of the procedure.
    pub runs: usize,
    /// Folds of all runs together: fits, where each fold is fitted once.
    pub folds: usize,
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
            target: panel.schema().target().unwrap_or_default().to_owned(),
            first_era: first.to_owned(),
            last_era: last.unwrap_or(first).to_owned(),
            sha256: hash::panel(panel),
        }
    }
}

impl Verdict {
    /// What findings say together, under a claim. To pass, every check must be there once, and count.
    fn of(findings: &[Finding], claim: &Claim) -> Self {
        let repeats =
            |finding: &Finding| finding.check == Check::Repeat && finding.state == State::Passed;
        if !findings.iter().any(repeats) {
            return Self::Void;
        }
        if findings.iter().any(Finding::is_leak) {
            return Self::Failed;
        }
        let counts = |check: &Check| {
            let mut of = findings.iter().filter(|finding| finding.check == *check);
            of.next().is_some_and(|finding| finding.counts(claim)) && of.next().is_none()
        };
        if Check::ALL.iter().all(counts) { Self::Passed } else { Self::Void }
    }

    /// What a certificate with this verdict says, and what it does not.
    fn statement(self) -> &'static str {
        match self {
            Self::Passed => {
                "The checks below tried to show that predictions depend on what was not known, and found nothing, \
                 though each of them that applies saw a leak of its kind that was planted. That is so at the cuts, \
                 draws and seeds given: a certificate falsifies, it does not prove. Data that leaks before it is \
                 read is seen by the audits of the data alone."
            }
            Self::Failed => {
                "At least one of the checks below shows that predictions depend on what was not known, or that the \
                 data or the folds do. What the others say holds beside that, and no score of this procedure is \
                 one that could have been had."
            }
            Self::Void => {
                "Nothing is shown, neither a leak nor that there is none: the procedure does not repeat itself or \
                 learns nothing, a check could not be made, or one did not see the leak that was planted for it."
            }
        }
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
            version: env!("CARGO_PKG_VERSION").into(),
            statement: String::new(),
            verdict: Verdict::Void,
            procedure: ProcedureFacts::default(),
            data: DataFacts::default(),
            certifier: Certifier::default(),
            folds: 0,
            folds_sha256: String::new(),
            cuts: Vec::new(),
            cost: CostFacts::default(),
            checks: Vec::new(),
            seal: String::new(),
        }
    }

    /// With its verdict, its statement and its seal.
    pub(crate) fn sealed(self) -> Result<Self> {
        let verdict = Verdict::of(&self.checks, &self.certifier.claim);
        let statement = verdict.statement().to_owned();
        let open = Self { verdict, statement, seal: String::new(), ..self };
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

    /// Checks format, seal, verdict and statement.
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
        let verdict = Verdict::of(&self.checks, &self.certifier.claim);
        if verdict != self.verdict || self.statement != verdict.statement() {
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

    /// Whether it was made on this panel: the same columns, values and main target.
    #[must_use]
    pub fn is_on(&self, panel: &Panel) -> bool {
        self.data.sha256 == hash::panel(panel)
    }

    /// Whether it was made on these folds.
    #[must_use]
    pub fn has_folds(&self, folds: &[Fold]) -> bool {
        self.folds_sha256 == hash::folds(folds)
    }

    /// The checks that found a leak.
    pub fn leaks(&self) -> impl Iterator<Item = &Finding> {
        self.checks.iter().filter(|finding| finding.is_leak())
    }

    /// The checks that keep it from passing: leaks, plants that were missed, and checks that could not be made.
    pub fn missing(&self) -> impl Iterator<Item = &Finding> {
        self.checks.iter().filter(|finding| !finding.counts(&self.certifier.claim))
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
            let state = finding.word();
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
    use crate::Skip;

    fn finding(check: Check, state: State, plant_caught: Option<bool>) -> Finding {
        let note = String::new();
        Finding { check, state, skip: None, plant_caught, figure: 0.0, limit: 0.0, note }
    }

    fn all_passed() -> Vec<Finding> {
        Check::ALL.map(|check| finding(check, State::Passed, Some(true))).to_vec()
    }

    #[test]
    fn verdicts() {
        let claim = Claim::default();
        let of = |findings: &[Finding]| Verdict::of(findings, &claim);
        assert_eq!(of(&all_passed()), Verdict::Passed);
        let with = |changed: Finding| {
            let mut all = all_passed();
            all.retain(|finding| finding.check != changed.check);
            all.push(changed);
            of(&all)
        };
        assert_eq!(with(finding(Check::Labels, State::Failed, Some(true))), Verdict::Failed);
        assert_eq!(with(finding(Check::Labels, State::Failed, Some(false))), Verdict::Failed);
        assert_eq!(with(finding(Check::Alive, State::Failed, None)), Verdict::Void);
        assert_eq!(with(finding(Check::Repeat, State::Failed, None)), Verdict::Void);
        let no_ids = Some(Skip::NoIds);
        let skipped = Finding { skip: no_ids, ..finding(Check::FutureIds, State::Skipped, None) };
        assert_eq!(with(skipped), Verdict::Passed);
        for check in Check::ALL {
            assert_eq!(
                with(finding(check, State::Passed, Some(false))) == Verdict::Passed,
                check == Check::Alive
            );
            assert_eq!(
                with(finding(check, State::Passed, None)) == Verdict::Passed,
                check == Check::Alive
            );
            assert_ne!(with(finding(check, State::Skipped, None)), Verdict::Passed, "{check:?}");
            assert_eq!(with(finding(check, State::Unknown, None)), Verdict::Void, "{check:?}");
        }
        assert_eq!(of(&[]), Verdict::Void);
    }

    #[test]
    fn every_check_has_to_be_there_once() {
        let claim = Claim::default();
        for at in 0..Check::ALL.len() {
            let mut all = all_passed();
            let taken = all.remove(at);
            assert_eq!(Verdict::of(&all, &claim), Verdict::Void, "without {:?}", taken.check);
            all.extend([taken.clone(), taken]);
            assert_eq!(Verdict::of(&all, &claim), Verdict::Void);
        }
        // Four findings, none of which saw its plant.
        let four = [Check::Repeat, Check::Alive, Check::FutureValues, Check::Labels];
        let four = four.map(|check| finding(check, State::Passed, None));
        assert_eq!(Verdict::of(&four, &claim), Verdict::Void);
    }

    #[test]
    fn a_changed_certificate_is_refused() {
        let mut checks = all_passed();
        let alive = checks.iter().position(|finding| finding.check == Check::Alive).unwrap();
        checks[alive].figure = f64::INFINITY;
        let made = Certificate::sealed(Certificate { checks, ..Certificate::empty() }).unwrap();
        let json = made.to_json().unwrap();
        assert_eq!(Certificate::from_json(&json).unwrap().verdict, Verdict::Passed);
        for (from, to) in [("\"seed\": 0", "\"seed\": 1"), ("\"passed\"", "\"failed\"")] {
            let changed = json.replacen(from, to, 1);
            assert_ne!(changed, json);
            assert!(matches!(Certificate::from_json(&changed), Err(Error::Seal { .. })));
        }
        let left_out = Certificate { checks: made.checks[1..].to_vec(), ..made.clone() };
        let left_out = Certificate { seal: left_out.expected_seal().unwrap(), ..left_out };
        assert!(matches!(left_out.verify(), Err(Error::Verdict { .. })));
        let lying = Certificate { verdict: Verdict::Failed, seal: String::new(), ..made };
        let lying = Certificate { seal: lying.expected_seal().unwrap(), ..lying };
        assert!(matches!(lying.verify(), Err(Error::Verdict { .. })));
        assert!(matches!(Certificate::from_json("{}"), Err(Error::Json(_))));
    }
}
