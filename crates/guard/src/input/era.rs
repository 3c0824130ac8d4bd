//! The form of era labels, and what eras must be like.
//!
//! A label is a chain of texts and runs of digits: `0001` is a run of 4 digits, `era7` a text and a run,
//! `2024-09-30` three runs. Labels of one chain share a form; a run is as long as those seen. Where no
//! label was padded with zeros and lengths differ or a run is short, it may grow by one digit, so that
//! `era1000` follows `era999`.
//!
//! Cost: one look at each character.

use fattail_core::{Panel, natural_order};
use serde::{Deserialize, Serialize};

use super::Rule;
use crate::{Error, Result};

/// The eras of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EraRule {
    /// The forms of labels, one of which a label must have.
    pub forms: Vec<EraForm>,
    /// Eras must come after this one, if it is given.
    pub after: Option<String>,
    /// The least rows of an era.
    pub least_rows: usize,
    /// The most rows of an era.
    pub most_rows: usize,
}

/// A chain of texts and runs of digits.
///
/// ```
/// use fattail_guard::EraForm;
/// let form = EraForm::of("0001");
/// assert!(form.admits("0042") && !form.admits("42") && !form.admits("era42"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EraForm(pub Vec<EraPart>);

/// A part of a label.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum EraPart {
    /// This text.
    Text(String),
    /// Decimal digits.
    Digits {
        /// The least number of them.
        shortest: usize,
        /// The largest number of them.
        longest: usize,
    },
}

/// A run of digits this long is a year or padded, not a counter about to grow.
const SETTLED: usize = 4;

impl EraForm {
    /// The form of one label.
    #[must_use]
    pub fn of(label: &str) -> Self {
        let part = |(digits, run): (bool, &str)| match digits {
            true => EraPart::Digits { shortest: run.len(), longest: run.len() },
            false => EraPart::Text(run.into()),
        };
        Self(runs(label).map(part).collect())
    }

    /// Whether a label has the form.
    #[must_use]
    pub fn admits(&self, label: &str) -> bool {
        let mut parts = self.0.iter();
        let fits = runs(label).all(|(digits, run)| match parts.next() {
            Some(EraPart::Text(text)) => !digits && text == run,
            Some(EraPart::Digits { shortest, longest }) => {
                digits && (*shortest..=*longest).contains(&run.len())
            }
            None => false,
        });
        fits && parts.next().is_none()
    }

    /// The form in words: `era` and `#` for digits.
    #[must_use]
    pub fn words(&self) -> String {
        let word = |part: &EraPart| match part {
            EraPart::Text(text) => text.clone(),
            EraPart::Digits { shortest, longest } if shortest == longest => "#".repeat(*shortest),
            EraPart::Digits { shortest, longest } => format!("#{{{shortest},{longest}}}"),
        };
        self.0.iter().map(word).collect()
    }

    /// Widens the runs to those of another form of the same chain.
    fn merge(&mut self, other: &Self) -> bool {
        let same = |(ours, theirs): (&EraPart, &EraPart)| match (ours, theirs) {
            (EraPart::Text(ours), EraPart::Text(theirs)) => ours == theirs,
            (EraPart::Digits { .. }, EraPart::Digits { .. }) => true,
            _ => false,
        };
        if self.0.len() != other.0.len() || !self.0.iter().zip(&other.0).all(same) {
            return false;
        }
        for (ours, theirs) in self.0.iter_mut().zip(&other.0) {
            if let (
                EraPart::Digits { shortest, longest },
                EraPart::Digits { shortest: least, longest: most },
            ) = (ours, theirs)
            {
                (*shortest, *longest) = ((*shortest).min(*least), (*longest).max(*most));
            }
        }
        true
    }

    fn grow(&mut self, padded: bool) {
        for part in &mut self.0 {
            if let EraPart::Digits { shortest, longest } = part
                && !padded
                && (shortest != longest || *longest < SETTLED)
            {
                *longest += 1;
            }
        }
    }

    fn is_well_formed(&self) -> bool {
        let good = |part: &EraPart| match part {
            EraPart::Text(text) => !text.is_empty() && !text.contains(|c: char| c.is_ascii_digit()),
            EraPart::Digits { shortest, longest } => *shortest >= 1 && shortest <= longest,
        };
        !self.0.is_empty() && self.0.iter().all(good)
    }
}

impl EraRule {
    /// The forms of a panel's labels and of others that are named.
    pub(crate) fn forms(panel: &Panel, others: &[String]) -> Vec<EraForm> {
        let mut forms: Vec<(EraForm, bool)> = Vec::new();
        for label in panel.eras().labels() {
            let form = EraForm::of(label);
            let padded =
                runs(label).any(|(digits, run)| digits && run.len() > 1 && run.starts_with('0'));
            match forms.iter_mut().find_map(|(known, zeros)| known.merge(&form).then_some(zeros)) {
                Some(zeros) => *zeros |= padded,
                None => forms.push((form, padded)),
            }
        }
        let grown = forms.into_iter().map(|(mut form, padded)| {
            form.grow(padded);
            form
        });
        let mut forms: Vec<EraForm> = grown.collect();
        for other in others {
            if !forms.iter().any(|form| form.admits(other)) {
                forms.push(EraForm::of(other));
            }
        }
        forms
    }

    pub(crate) fn fault(&self, label: &str) -> Option<Rule> {
        if !self.forms.iter().any(|form| form.admits(label)) {
            return Some(Rule::EraForm);
        }
        let stale = |last: &String| natural_order(last, label).is_ge();
        self.after.as_ref().is_some_and(stale).then_some(Rule::EraStale)
    }

    /// What is allowed where [`EraRule::fault`] says no.
    pub(crate) fn allowed(&self, rule: Rule) -> String {
        match (rule, &self.after) {
            (Rule::EraStale, Some(last)) => format!("eras after '{last}'"),
            _ => self.forms.iter().map(EraForm::words).collect::<Vec<_>>().join(" or "),
        }
    }

    pub(crate) fn check(&self) -> Result<()> {
        if self.forms.is_empty() || !self.forms.iter().all(EraForm::is_well_formed) {
            return Err(Error::schema("eras.forms", "no label can have one of them"));
        }
        match self.least_rows <= self.most_rows {
            true => Ok(()),
            false => Err(Error::schema("eras", "the band of rows is upside down")),
        }
    }
}

/// The runs of a label, and whether each is of digits.
fn runs(label: &str) -> impl Iterator<Item = (bool, &str)> {
    let mut rest = label;
    std::iter::from_fn(move || {
        let digits = rest.bytes().next()?.is_ascii_digit();
        let end = rest.bytes().position(|byte| byte.is_ascii_digit() != digits);
        let (run, after) = rest.split_at(end.unwrap_or(rest.len()));
        rest = after;
        Some((digits, run))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forms(labels: &[&str]) -> Vec<EraForm> {
        let panel = Panel::builder().eras(labels).unwrap();
        let panel = panel.feature("x", vec![0u8; labels.len()]).build().unwrap();
        EraRule::forms(&panel, &["eraX".into()])
    }

    #[test]
    fn padded_labels_keep_their_width() {
        let forms = forms(&["0001", "0002"]);
        assert!(forms[0].admits("9999") && !forms[0].admits("00003") && !forms[0].admits("3"));
        assert!(forms[1].admits("eraX") && !forms[1].admits("erax"));
        assert_eq!(forms[0].words(), "####");
    }

    #[test]
    fn counters_may_grow_by_a_digit() {
        let forms = forms(&["era9", "era10"]);
        assert!(forms[0].admits("era100") && !forms[0].admits("era1000"));
        assert!(!forms[0].admits("Era10") && !forms[0].admits("era") && !forms[0].admits("era10 "));
    }

    #[test]
    fn a_zero_alone_is_not_padded() {
        let forms = forms(&["0", "1", "9"]);
        assert!(forms[0].admits("10") && !forms[0].admits("100"));
        let forms = self::forms(&["era0", "era1"]);
        assert!(forms[0].admits("era10"));
    }

    #[test]
    fn dates_stay_dates() {
        let forms = forms(&["2024-09-30", "2024-10-07"]);
        assert!(forms[0].admits("2025-01-01"));
        assert!(!forms[0].admits("2025/01/01") && !forms[0].admits("1-1-2025"));
        assert!(!forms[0].admits("٢٠٢٤-01-01"));
    }
}
