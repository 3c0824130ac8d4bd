//! The form of row ids: a prefix and a number of characters of an alphabet.
//!
//! Numerai's ids are `n` and 15 lower-case hexadecimal digits. Learnt: where what follows a common
//! prefix is decimal or lower-case hexadecimal in every id, that is the alphabet; otherwise the classes
//! of characters that were seen (`a-z`, `A-Z`, `0-9`) and every other character seen.
//!
//! Cost: one look-up a character.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::Rule;
use crate::{Error, Result};

/// The ids of rows.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdRule {
    /// Their form; without one, rows have no ids.
    pub form: Option<IdForm>,
    /// Whether an id stands in one era alone. An id stands once in an era in any case.
    pub one_era: bool,
}

/// A prefix and characters of an alphabet.
///
/// ```
/// use fattail_guard::IdForm;
/// let form = IdForm::numerai();
/// assert!(form.admits("n0123456789abcde"));
/// assert!(!form.admits("n0123456789ABCDE") && !form.admits("0123456789abcdef"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdForm {
    /// What every id begins with.
    pub prefix: String,
    /// The least number of characters after it.
    pub shortest: usize,
    /// The largest number of characters after it.
    pub longest: usize,
    /// The characters.
    pub alphabet: String,
}

const DECIMAL: &str = "0123456789";
const HEXADECIMAL: &str = "0123456789abcdef";
const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

impl IdForm {
    /// `n` and 15 lower-case hexadecimal digits.
    #[must_use]
    pub fn numerai() -> Self {
        Self { prefix: "n".into(), shortest: 15, longest: 15, alphabet: HEXADECIMAL.into() }
    }

    /// Whether an id has the form.
    #[must_use]
    pub fn admits(&self, id: &str) -> bool {
        self.fault(id).is_none()
    }

    /// The form in words.
    #[must_use]
    pub fn words(&self) -> String {
        let Self { prefix, shortest, longest, alphabet } = self;
        let count = match shortest == longest {
            true => shortest.to_string(),
            false => format!("{shortest} to {longest}"),
        };
        format!("'{prefix}' and {count} characters of {alphabet}")
    }

    pub(crate) fn fault(&self, id: &str) -> Option<Rule> {
        if id.is_empty() {
            return Some(Rule::IdEmpty);
        }
        if id.chars().any(|c| c.is_whitespace() || c.is_control() || c == '\u{feff}') {
            return Some(Rule::IdSpace);
        }
        let Some(rest) = id.strip_prefix(&*self.prefix) else { return Some(Rule::IdForm) };
        let mut length = 0;
        for c in rest.chars() {
            length += 1;
            if !self.alphabet.contains(c) {
                return Some(Rule::IdForm);
            }
        }
        let fits = (self.shortest..=self.longest).contains(&length);
        (!fits).then_some(Rule::IdForm)
    }

    /// The form of all of these ids; none without ids.
    pub(crate) fn learn<'a>(ids: impl Iterator<Item = &'a str> + Clone) -> Option<Self> {
        let first = ids.clone().next()?;
        let prefix: String = first.chars().take_while(|c| !HEXADECIMAL.contains(*c)).collect();
        let plain = |alphabet: &str| {
            let mut rests = ids.clone().map(|id| id.strip_prefix(&*prefix));
            rests.all(|rest| rest.is_some_and(|rest| rest.chars().all(|c| alphabet.contains(c))))
        };
        let known = [DECIMAL, HEXADECIMAL].into_iter().find(|alphabet| plain(alphabet));
        let (prefix, alphabet) = match known {
            Some(alphabet) => (prefix.clone(), alphabet.to_owned()),
            None => (String::new(), classes(ids.clone())),
        };
        let lengths = ids.map(|id| id.chars().count() - prefix.chars().count());
        let (shortest, longest) = lengths
            .fold((usize::MAX, 0), |(least, most), length| (least.min(length), most.max(length)));
        Some(Self { prefix, shortest, longest, alphabet })
    }
}

impl IdRule {
    pub(crate) fn check(&self) -> Result<()> {
        let Some(IdForm { shortest, longest, alphabet, .. }) = &self.form else { return Ok(()) };
        match shortest <= longest && !(alphabet.is_empty() && *longest > 0) {
            true => Ok(()),
            false => Err(Error::schema("ids.form", "no id can have it")),
        }
    }
}

/// The characters seen, each ASCII letter and digit with its whole class.
fn classes<'a>(ids: impl Iterator<Item = &'a str>) -> String {
    let mut seen = BTreeSet::new();
    for c in ids.flat_map(str::chars) {
        seen.insert(c);
    }
    for class in [DECIMAL, LOWER, UPPER] {
        if class.chars().any(|c| seen.contains(&c)) {
            seen.extend(class.chars());
        }
    }
    seen.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn learn(ids: &[&str]) -> IdForm {
        IdForm::learn(ids.iter().copied()).unwrap()
    }

    #[test]
    fn forms_by_hand() {
        let form = learn(&["n00a", "n1f2", "nabc"]);
        assert_eq!((&*form.prefix, form.shortest, &*form.alphabet), ("n", 3, HEXADECIMAL));
        assert_eq!(learn(&["7", "12"]).alphabet, DECIMAL);
        let form = learn(&["AAPL", "BRK-B"]);
        assert!(form.admits("MSFT") && !form.admits("msft") && !form.admits("A.B"));
        assert_eq!((form.shortest, form.longest), (4, 5));
        assert!(IdForm::learn(std::iter::empty()).is_none());
    }

    #[test]
    fn faults_have_their_rule() {
        let form = IdForm::numerai();
        let fault = |id: &str| form.fault(id);
        assert_eq!(fault("n0123456789abcde"), None);
        assert_eq!(fault(""), Some(Rule::IdEmpty));
        assert_eq!(fault("n0123456789abcde "), Some(Rule::IdSpace));
        assert_eq!(fault("\u{feff}n0123456789abcde"), Some(Rule::IdSpace));
        assert_eq!(fault("n0123456789abcd"), Some(Rule::IdForm));
        assert_eq!(fault("n0123456789abcdé"), Some(Rule::IdForm));
    }
}
