//! The text of a parameter, read as what its parameter needs.

use super::{ParameterError, ParameterResult};

/// A value and the parameter that it is of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Value<'a> {
    pub(super) name: &'static str,
    pub(super) text: &'a str,
}

/// The numbers that a parameter may be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Range {
    text: &'static str,
    holds: fn(f64) -> bool,
}

pub(super) const ANY: Range = Range { text: "a finite number", holds: |_| true };
pub(super) const POSITIVE: Range = Range { text: "a number above 0", holds: |x| x > 0.0 };
pub(super) const NOT_NEGATIVE: Range = Range { text: "0 and above", holds: |x| x >= 0.0 };
pub(super) const SHARE: Range =
    Range { text: "above 0, at most 1", holds: |x| x > 0.0 && x <= 1.0 };
pub(super) const UNIT: Range = Range { text: "0 to 1", holds: |x| (0.0..=1.0).contains(&x) };
pub(super) const INSIDE: Range = Range { text: "above 0, below 1", holds: |x| x > 0.0 && x < 1.0 };
pub(super) const TWEEDIE: Range =
    Range { text: "1 and above, below 2", holds: |x| (1.0..2.0).contains(&x) };

impl<'a> Value<'a> {
    pub(super) fn refuse(&self, allowed: &'static str) -> ParameterError {
        ParameterError::Value { name: self.name, value: self.text.to_owned(), allowed }
    }

    /// The value in small letters.
    pub(super) fn word(&self) -> String {
        self.text.to_lowercase()
    }

    pub(super) fn real(&self, range: Range) -> ParameterResult<f64> {
        self.number(self.text, range)
    }

    fn number(&self, text: &str, range: Range) -> ParameterResult<f64> {
        let number: Option<f64> = text.trim().parse().ok();
        let allowed = number.filter(|&x| x.is_finite() && (range.holds)(x));
        allowed.ok_or_else(|| self.refuse(range.text))
    }

    /// An integer; `allowed` says in words what `holds` tests.
    pub(super) fn integer(
        &self,
        allowed: &'static str,
        holds: fn(i64) -> bool,
    ) -> ParameterResult<i64> {
        let number = self.text.parse().ok().filter(|&x| holds(x));
        number.ok_or_else(|| self.refuse(allowed))
    }

    /// An integer that counts something.
    pub(super) fn count(&self, least: usize, allowed: &'static str) -> ParameterResult<usize> {
        let number: Option<usize> = self.text.parse().ok();
        number.filter(|&x| x >= least).ok_or_else(|| self.refuse(allowed))
    }

    pub(super) fn seed(&self) -> ParameterResult<u64> {
        let seed = self.integer("an integer, 0 and above", |seed| seed >= 0)?;
        Ok(seed.unsigned_abs())
    }

    /// A count where 0 and less stand for no limit.
    pub(super) fn limit(&self) -> ParameterResult<Option<usize>> {
        let number = self.integer("an integer; 0 and less for no limit", |_| true)?;
        Ok(usize::try_from(number).ok().filter(|&x| x > 0))
    }

    pub(super) fn flag(&self) -> ParameterResult<bool> {
        match &*self.word() {
            "true" | "+" | "1" | "yes" => Ok(true),
            "false" | "-" | "0" | "no" => Ok(false),
            _ => Err(self.refuse("true or false")),
        }
    }

    /// The parts between commas, without brackets around them all.
    pub(super) fn parts(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let inside = self.text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
        inside.unwrap_or(self.text).split(',').map(str::trim).filter(|part| !part.is_empty())
    }

    pub(super) fn reals(&self, range: Range) -> ParameterResult<Vec<f64>> {
        self.parts().map(|part| self.number(part, range)).collect()
    }

    pub(super) fn counts(
        &self,
        least: usize,
        allowed: &'static str,
    ) -> ParameterResult<Vec<usize>> {
        self.parts().map(|text| Value { name: self.name, text }.count(least, allowed)).collect()
    }

    /// One of some words; each row lists the words for one answer.
    pub(super) fn one_of<T: Copy>(
        &self,
        words: &[(&[&str], T)],
        allowed: &'static str,
    ) -> ParameterResult<T> {
        let word = self.word();
        let row = words.iter().find(|(words, _)| words.contains(&&*word));
        row.map(|row| row.1).ok_or_else(|| self.refuse(allowed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Value<'_> {
        Value { name: "x", text }
    }

    #[test]
    fn numbers_flags_and_lists() {
        assert_eq!(value("1e-3").real(POSITIVE), Ok(0.001));
        assert_eq!(value("[1, 2,3]").counts(0, "counts"), Ok(vec![1, 2, 3]));
        assert_eq!(value("").counts(0, "counts"), Ok(vec![]));
        assert_eq!(value("-1").limit(), Ok(None));
        assert_eq!(value("7").limit(), Ok(Some(7)));
        assert_eq!((value("TRUE").flag(), value("-").flag()), (Ok(true), Ok(false)));
    }

    #[test]
    fn what_is_out_of_range_is_told() {
        for text in ["0", "nan", "inf", "x", "", "1.5"] {
            let told = value(text).real(SHARE).unwrap_err().to_string();
            assert_eq!(told, format!("parameter 'x' is '{text}', allowed is above 0, at most 1"));
        }
        assert!(value("maybe").flag().is_err() && value("2.5").limit().is_err());
    }
}
