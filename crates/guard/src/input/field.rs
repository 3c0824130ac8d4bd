//! Values as they come from outside, before anybody has made a number of them.
//!
//! A text never becomes a number here, not even `3`: whoever wrote it as a text wrote the rest of the
//! column, too. Which kind of text it is, is told: a word for a missing value (in Cyrillic, Greek or
//! full-width letters as well), a number, a truth value, or something else.
//!
//! A whole number must be exact in `f32`. Any other number is rounded to the nearest `f32`, as reading a
//! decimal does, unless it stands where bins stand or would vanish to zero.

use super::{Feature, Kind, Rule, kernel};

/// One value as it comes from outside.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Field<'a> {
    /// Nothing: JSON's `null`, SQL's `NULL`.
    Missing,
    /// True or false.
    Truth(bool),
    /// A whole number.
    Integer(i64),
    /// A number.
    Number(f64),
    /// A text.
    Text(&'a str),
    /// A list or an object.
    Nested,
}

impl<'a> From<&'a serde_json::Value> for Field<'a> {
    fn from(value: &'a serde_json::Value) -> Self {
        use serde_json::Value;
        match value {
            Value::Null => Self::Missing,
            Value::Bool(truth) => Self::Truth(*truth),
            Value::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(whole), _) => Self::Integer(whole),
                (None, Some(number)) => Self::Number(number),
                (None, None) => Self::Nested,
            },
            Value::String(text) => Self::Text(text),
            Value::Array(_) | Value::Object(_) => Self::Nested,
        }
    }
}

impl Field<'_> {
    /// The number that a column would hold, or why it may not.
    pub(crate) fn admit(self, feature: &Feature) -> Result<f32, Rule> {
        let checked = |value: f32| match kernel::fault(feature, value) {
            None => Ok(value),
            Some(rule) => Err(rule),
        };
        match self {
            Self::Missing => checked(f32::NAN),
            Self::Truth(_) => Err(Rule::Truth),
            Self::Nested => Err(Rule::Nested),
            Self::Text(text) => Err(text_rule(text)),
            Self::Integer(whole) => {
                let value = checked(whole as f32)?;
                let exact = value as i128 == i128::from(whole);
                if exact { Ok(value) } else { Err(Rule::Inexact) }
            }
            Self::Number(number) => {
                rounded(feature, number).map_or_else(|| checked(number as f32), Err)
            }
        }
    }

    /// The value in words, a text in quotation marks and shortened.
    pub(crate) fn words(self) -> String {
        match self {
            Self::Missing => "missing".into(),
            Self::Truth(truth) => truth.to_string(),
            Self::Integer(whole) => whole.to_string(),
            Self::Number(number) => format!("{number:?}"),
            Self::Text(text) => {
                let short: String = text.chars().take(40).collect();
                format!("{short:?}")
            }
            Self::Nested => "a list or object".into(),
        }
    }
}

/// What rounding to `f32` would hide.
fn rounded(feature: &Feature, number: f64) -> Option<Rule> {
    if !number.is_finite() {
        return None;
    }
    let value = number as f32;
    match &feature.kind {
        Kind::Bins { .. } if number.fract() != 0.0 => Some(Rule::Fraction),
        Kind::Bins { .. } => value.is_infinite().then_some(Rule::UnknownBin),
        _ if number != 0.0 && value == 0.0 => Some(Rule::Subnormal),
        _ if value.is_finite() => None,
        Kind::Set { .. } => Some(Rule::UnknownValue),
        Kind::Number { .. } if number > 0.0 => Some(Rule::Above),
        Kind::Number { .. } => Some(Rule::Below),
    }
}

const MISSING: [&str; 19] = [
    "NULL",
    "NAN",
    "NA",
    "N/A",
    "N.A.",
    "NONE",
    "NIL",
    "NAT",
    "<NA>",
    "#N/A",
    "#NULL!",
    "#VALUE!",
    "\\N",
    "MISSING",
    "UNDEFINED",
    "1.#QNAN",
    "1.#IND",
    "?",
    ".",
];
const TRUTH: [&str; 10] = ["TRUE", "FALSE", "YES", "NO", "T", "F", "Y", "N", "ON", "OFF"];

fn text_rule(text: &str) -> Rule {
    let blank = |c: char| c.is_whitespace() || c.is_control() || "\u{feff}\u{200b}".contains(c);
    let text = text.trim_matches(blank);
    let unquoted = text.trim_matches(['"', '\'']);
    let word: String = unquoted.chars().map(latin).collect::<String>().to_uppercase();
    let bare = word.trim_start_matches(['-', '+', '−', '–', '—']);
    if bare.is_empty() || MISSING.contains(&bare) {
        Rule::TextMissing
    } else if TRUTH.contains(&bare) {
        Rule::TextTruth
    } else if is_number(&word) {
        Rule::TextNumber
    } else {
        Rule::Text
    }
}

/// Whether a text reads as a number in some notation: plain, hexadecimal, with a decimal comma,
/// thousands, a percent sign, in other digits.
fn is_number(word: &str) -> bool {
    let hexadecimal = word.trim_start_matches(['-', '+']).strip_prefix("0X");
    let bare = word.trim_start_matches(['-', '+']);
    let marks = |c: char| "+-−.,E_%' \u{a0}\u{202f}∞".contains(c);
    let digits = |text: &str| text.chars().any(char::is_numeric);
    matches!(bare, "INF" | "INFINITY" | "∞" | "1.#INF")
        || hexadecimal.is_some_and(|rest| {
            !rest.is_empty() && rest.chars().all(|c| c.is_ascii_hexdigit() || ".P+-_".contains(c))
        })
        || digits(word) && word.chars().all(|c| c.is_numeric() || marks(c))
}

/// The Latin letter that a letter looks like, or sounds like where it stands for `NULL`.
fn latin(c: char) -> char {
    match c {
        'А' | 'а' | 'Α' | 'α' => 'A',
        'Н' | 'н' | 'Ν' | 'И' | 'и' => 'N',
        'У' | 'у' | 'υ' => 'U',
        'Л' | 'л' | 'Λ' | 'Ӏ' => 'L',
        'О' | 'о' | 'Ο' | 'ο' => 'O',
        'Е' | 'е' | 'Ε' | 'ε' => 'E',
        'І' | 'і' | 'Ι' | 'ι' => 'I',
        'Т' | 'т' | 'Τ' => 'T',
        'Ѕ' | 'ѕ' => 'S',
        'М' | 'м' | 'Μ' => 'M',
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_told_apart() {
        for text in [
            "",
            " ",
            "\t",
            "NaN",
            "nan",
            "-nan",
            "NULL",
            "НULL",
            "Нулл",
            "Null",
            "N/A",
            "\u{feff}",
            "-",
            "\"\"",
            "ＮａＮ",
            "none",
            "?",
        ] {
            assert_eq!(text_rule(text), Rule::TextMissing, "{text:?}");
        }
        for text in [
            "3",
            "-1",
            "1e400",
            "0x1",
            "1,5",
            "1.000,5",
            "5%",
            "1_000",
            "inf",
            "-Infinity",
            "٣",
            " 2 ",
            "−4",
            "1.#INF",
        ] {
            assert_eq!(text_rule(text), Rule::TextNumber, "{text:?}");
        }
        for text in ["true", "False", "yes", "N"] {
            assert_eq!(text_rule(text), Rule::TextTruth, "{text:?}");
        }
        for text in ["abc", "0x", "1;2", "two", "e", "2024-01-01T00:00", "\u{fffd}"] {
            assert_eq!(text_rule(text), Rule::Text, "{text:?}");
        }
    }

    #[test]
    fn json_keeps_its_types() {
        let value: serde_json::Value =
            serde_json::from_str(r#"[null,true,3,2.5,"3",[],1e30]"#).unwrap();
        let fields: Vec<Field<'_>> = value.as_array().unwrap().iter().map(Field::from).collect();
        let expected = [
            Field::Missing,
            Field::Truth(true),
            Field::Integer(3),
            Field::Number(2.5),
            Field::Text("3"),
            Field::Nested,
            Field::Number(1e30),
        ];
        assert_eq!(fields, expected);
    }
}
