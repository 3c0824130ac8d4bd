//! The decision: every rule with its figure, and the overrides with their names.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Error, Gate, Judged, Result, Rule};

/// What the gate says, and who said otherwise. Only [`Gate::judge`] makes one: it is written as JSON for the record,
/// and not read back.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Decision {
    gate: Gate,
    judged: Vec<Judged>,
    not_asked: Vec<Rule>,
    overrides: Vec<Override>,
    waivers: Vec<Waiver>,
}

/// A rule that was overridden.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Override {
    /// The rule.
    pub rule: Rule,
    /// Who did it.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When, in seconds since 1970.
    pub at: u64,
}

/// Rules that are not asked, and who says so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiver {
    /// The rules.
    pub rules: Vec<Rule>,
    /// Who did it.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When, in seconds since 1970.
    pub at: u64,
}

/// Leave to submit: only a decision that admits gives it. Whoever writes a submission asks for one, so that none is
/// written past the gate.
///
/// ```
/// use fattail_evaluate::{EraScore, Horizon, Scores};
/// use fattail_gate::{Admitted, Evidence, Gate};
///
/// fn write(leave: Admitted<'_>) -> String {
///     format!("written; {}", leave.decision())
/// }
///
/// let era = EraScore { era: "0001".into(), value: 0.02, reason: None };
/// let scores = Scores { metric: "corr".into(), eras: vec![era] };
/// let evidence = Evidence::of(&scores, Horizon::NUMERAI_20);
/// let strict = Gate { mean: Some(0.03), ..Gate::open() }.judge(&evidence)?;
/// assert!(strict.admitted().is_none());
/// let lenient = Gate { mean: Some(0.01), ..Gate::open() }.judge(&evidence)?;
/// assert!(lenient.admitted().map(write).is_some());
/// # Ok::<(), fattail_gate::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[must_use]
pub struct Admitted<'a>(&'a Decision);

impl<'a> Admitted<'a> {
    /// The decision that gave it.
    #[must_use]
    pub fn decision(self) -> &'a Decision {
        self.0
    }
}

impl Decision {
    pub(crate) fn new(gate: Gate, judged: Vec<Judged>) -> Self {
        let (overrides, waivers) = (Vec::new(), Vec::new());
        Self { gate, judged, not_asked: gate.not_asked(), overrides, waivers }
    }

    /// The thresholds.
    #[must_use]
    pub fn gate(&self) -> &Gate {
        &self.gate
    }

    /// Every rule that was asked, a line a condition.
    #[must_use]
    pub fn judged(&self) -> &[Judged] {
        &self.judged
    }

    /// The rules that were not asked: nothing is known of them, so they have not passed.
    #[must_use]
    pub fn not_asked(&self) -> &[Rule] {
        &self.not_asked
    }

    /// The rules that were overridden.
    #[must_use]
    pub fn overrides(&self) -> &[Override] {
        &self.overrides
    }

    /// Who answers for rules that were not asked.
    #[must_use]
    pub fn waivers(&self) -> &[Waiver] {
        &self.waivers
    }

    /// What blocks: not passed and not overridden, a line a condition.
    pub fn blocking(&self) -> impl Iterator<Item = &Judged> {
        self.judged.iter().filter(|judged| !judged.passed && self.of(judged.rule).is_none())
    }

    /// Whether nothing blocks; where nothing was asked, whether every rule is waived.
    #[must_use]
    pub fn is_admitted(&self) -> bool {
        let known = !self.judged.is_empty() || self.waivable().is_empty();
        known && self.blocking().next().is_none()
    }

    /// Leave to submit, where nothing blocks.
    pub fn admitted(&self) -> Option<Admitted<'_>> {
        self.is_admitted().then_some(Admitted(self))
    }

    /// The decision with one rule overridden: by name, by somebody, for a reason, and on the record. `at` is the
    /// time in seconds since 1970.
    ///
    /// # Errors
    /// [`Error::Anonymous`] when name or reason are empty, [`Error::NotAsked`] when the rule is not asked,
    /// [`Error::NotBlocking`] when it passed or is overridden already. The last is no fault of the submission:
    /// whoever overrides ahead of the judgement keeps a clone and goes on with it.
    pub fn overridden(mut self, rule: Rule, by: &str, reason: &str, at: u64) -> Result<Self> {
        signed(by, reason)?;
        if !self.gate.asks(rule) {
            return Err(Error::NotAsked { rule, asked: names(&self.gate.asked()) });
        }
        if self.blocking().all(|judged| judged.rule != rule) {
            return Err(Error::NotBlocking { rule, blocking: names(&self.blocking_rules()) });
        }
        self.overrides.push(Override { rule, by: by.into(), reason: reason.into(), at });
        Ok(self)
    }

    /// The decision with somebody who answers for rules that were not asked, on the record like an override. A gate
    /// that asks for nothing admits nothing until all rules are waived. `at` is the time in seconds since 1970.
    ///
    /// ```
    /// use fattail_evaluate::{Horizon, Scores};
    /// use fattail_gate::{Evidence, Gate};
    /// let scores = Scores { metric: "corr".into(), eras: Vec::new() };
    /// let decision = Gate::open().judge(&Evidence::of(&scores, Horizon::NUMERAI_20))?;
    /// assert!(!decision.is_admitted() && decision.to_string().contains("no rule was asked"));
    /// let rules = decision.not_asked().to_vec();
    /// let decision = decision.waived(&rules, "A. Trader", "a toy market", 1_790_000_000)?;
    /// assert!(decision.is_admitted() && decision.to_string().contains("open by waiver"));
    /// # Ok::<(), fattail_gate::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Anonymous`] when name, reason or rules are empty, [`Error::NotWaivable`] when a rule is asked, which
    /// can only be overridden, or waived already.
    pub fn waived(mut self, rules: &[Rule], by: &str, reason: &str, at: u64) -> Result<Self> {
        signed(by, reason)?;
        if rules.is_empty() {
            return Err(Error::Anonymous { what: "a rule" });
        }
        let allowed = self.waivable();
        for (place, &rule) in rules.iter().enumerate() {
            if !allowed.contains(&rule) || rules[..place].contains(&rule) {
                return Err(Error::NotWaivable { rule, allowed: names(&allowed) });
            }
        }
        let (rules, by, reason) = (rules.to_vec(), by.into(), reason.into());
        self.waivers.push(Waiver { rules, by, reason, at });
        Ok(self)
    }

    /// The rules that are neither asked nor waived.
    fn waivable(&self) -> Vec<Rule> {
        let waived = |rule: &Rule| self.waivers.iter().any(|waiver| waiver.rules.contains(rule));
        self.not_asked.iter().copied().filter(|rule| !waived(rule)).collect()
    }

    /// The override of a rule.
    fn of(&self, rule: Rule) -> Option<&Override> {
        self.overrides.iter().find(|known| known.rule == rule)
    }

    fn blocking_rules(&self) -> Vec<Rule> {
        let mut rules: Vec<Rule> = self.blocking().map(|judged| judged.rule).collect();
        rules.dedup();
        rules
    }

    /// How it stands, in a few words.
    fn state(&self) -> String {
        let overridden: Vec<Rule> = self.overrides.iter().map(|known| known.rule).collect();
        if !self.is_admitted() {
            "BLOCKED".into()
        } else if !overridden.is_empty() {
            format!("open by override of {}", names(&overridden))
        } else if !self.waivers.is_empty() {
            "open by waiver".into()
        } else {
            "open".into()
        }
    }
}

fn signed(by: &str, reason: &str) -> Result<()> {
    for (text, what) in [(by, "the name of whoever does it"), (reason, "a reason")] {
        if text.trim().is_empty() {
            return Err(Error::Anonymous { what });
        }
    }
    Ok(())
}

fn names(rules: &[Rule]) -> String {
    let names: Vec<&str> = rules.iter().map(|rule| rule.name()).collect();
    if names.is_empty() { "none".into() } else { names.join(", ") }
}

impl fmt::Display for Decision {
    /// A line a condition, and what was not asked.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "submission gate: {}", self.state())?;
        for judged in &self.judged {
            let known = self.of(judged.rule);
            let state = match (judged.passed, known) {
                (true, _) => "passed",
                (false, Some(_)) => "overridden",
                (false, None) => "BLOCKS",
            };
            write!(f, "  {state:11}{:16}{}", judged.rule.name(), judged.note)?;
            match known.filter(|_| !judged.passed) {
                Some(known) => writeln!(f, " (by {}: {})", known.by, known.reason)?,
                None => writeln!(f)?,
            }
        }
        if self.judged.is_empty() {
            writeln!(f, "  no rule was asked")?;
        }
        if !self.not_asked.is_empty() {
            writeln!(f, "  not asked: {}", names(&self.not_asked))?;
        }
        for waiver in &self.waivers {
            let Waiver { rules, by, reason, .. } = waiver;
            writeln!(f, "  waived: {} (by {by}: {reason})", names(rules))?;
        }
        Ok(())
    }
}
