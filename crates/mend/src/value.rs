//! A cell that its column does not read at once: what is meant, by which rule.

use crate::{
    cell::{DateOrder, NumberForm, is_marker, plain_letters, split_unit, trimmed},
    column::{Column, Kind, Value},
    rule::Rule,
};

/// What a cell means, and the rule that says so.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Meaning {
    Plain(Value),
    Mended(Value, Rule),
    /// No value of the column's kind, but one of a wider kind.
    Wider(Wider),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wider {
    Fraction,
    Wide,
    Timed,
}

/// Units longer than this are words.
const UNIT_BYTES: usize = 5;

/// What a cell of a column that is not text means.
#[cold]
pub(crate) fn meaning(column: &Column, cell: &[u8]) -> Meaning {
    let cell = trimmed(cell);
    if cell.is_empty() || column.is_missing(cell) {
        return Meaning::Plain(Value::Missing);
    }
    if let Some(value) = column.kind.read(cell) {
        return Meaning::Plain(value);
    }
    if let Some(wider) = wider(column.kind, cell) {
        return Meaning::Wider(wider);
    }
    let (clean, rule) = cleaned(cell);
    if let Some(rule) = rule {
        return match meaning(column, &clean) {
            Meaning::Plain(value) => Meaning::Mended(value, rule),
            other => other,
        };
    }
    if is_marker(cell) {
        return Meaning::Mended(Value::Missing, Rule::MissingMarker);
    }
    if plain_letters(cell).is_some_and(|plain| is_marker(&plain)) {
        return Meaning::Mended(Value::Missing, Rule::HomoglyphMarker);
    }
    match reread(column.kind, cell) {
        Some((value, rule)) => Meaning::Mended(value, rule),
        None => Meaning::Mended(Value::Missing, Rule::Misfit),
    }
}

/// Whether a wider kind reads the cell as it stands.
fn wider(kind: Kind, cell: &[u8]) -> Option<Wider> {
    match kind {
        Kind::Integer { form, wide } => match form.read_integer(cell) {
            Some(_) if !wide => Some(Wider::Wide),
            _ => form.read(cell).map(|_| Wider::Fraction),
        },
        Kind::Date { order } => {
            let timed = Kind::Timestamp { order, zoned: false }.read(cell);
            timed.map(|_| Wider::Timed)
        }
        _ => None,
    }
}

/// The cell without bytes that nobody wrote on purpose, and what was taken out first.
fn cleaned(cell: &[u8]) -> (Vec<u8>, Option<Rule>) {
    let control = |byte: &u8| *byte < 0x20 || *byte == 0x7f;
    if cell.iter().any(control) {
        let rule = if cell.contains(&0) { Rule::NullByte } else { Rule::ControlCharacter };
        return (cell.iter().copied().filter(|byte| !control(byte)).collect(), Some(rule));
    }
    let quote = |byte: &u8| matches!(byte, b'"' | b'\'');
    if cell.first().is_some_and(quote) || cell.last().is_some_and(quote) {
        return (
            cell.iter().copied().filter(|byte| !quote(byte)).collect(),
            Some(Rule::StrayQuote),
        );
    }
    if std::str::from_utf8(cell).is_err() {
        let valid = cell.iter().copied().filter(u8::is_ascii).collect();
        return (valid, Some(Rule::InvalidSequence));
    }
    (Vec::new(), None)
}

/// The one other way to read the cell.
fn reread(kind: Kind, cell: &[u8]) -> Option<(Value, Rule)> {
    match kind {
        Kind::Integer { form, wide } => {
            let (value, rule) = number(form, cell)?;
            let whole = (value.fract() == 0.0 && value.abs() < 9e15).then_some(value as i64)?;
            (wide || i32::try_from(whole).is_ok()).then_some((Value::Integer(whole), rule))
        }
        Kind::Float { form } => {
            let (value, rule) = number(form, cell)?;
            Some((Value::Float(value), rule))
        }
        Kind::Date { order } => other_order(cell, order, |order| Kind::Date { order }),
        Kind::Timestamp { order, zoned } => {
            other_order(cell, order, |order| Kind::Timestamp { order, zoned })
        }
        Kind::Boolean => match cell {
            b"1" => Some((Value::Boolean(true), Rule::NumberMarks)),
            b"0" => Some((Value::Boolean(false), Rule::NumberMarks)),
            _ => None,
        },
        Kind::Time | Kind::Text { .. } => None,
    }
}

/// A number with other marks or another unit than its column's, if that says one number.
fn number(form: NumberForm, cell: &[u8]) -> Option<(f64, Rule)> {
    let bare = without_unit(cell);
    let mut found: Option<f64> = None;
    for (decimal, thousands) in NumberForm::MARKS {
        let digits = NumberForm { decimal, thousands, unit: None };
        let Some(value) = digits.read(bare) else { continue };
        // 0,123 has no thousands.
        let grouped = thousands.is_some_and(|mark| bare.contains(&mark));
        let digits = bare.strip_prefix(b"-").unwrap_or(bare);
        if grouped && digits.starts_with(b"0") {
            continue;
        }
        match found {
            Some(other) if other != value => return None,
            _ => found = Some(value),
        }
    }
    let own = NumberForm { unit: None, ..form }.read(bare);
    let rule =
        if bare.len() < cell.len() || form.unit.is_some() { Rule::Unit } else { Rule::NumberMarks };
    Some((own.or(found)?, rule))
}

/// The number in front of or behind a short word.
fn without_unit(cell: &[u8]) -> &[u8] {
    let (unit, rest) = split_unit(cell);
    if unit.is_some() {
        return rest;
    }
    let word = |byte: &u8| byte.is_ascii_alphabetic() || !byte.is_ascii() || *byte == b'%';
    let behind = cell.iter().rev().take_while(|byte| word(byte)).count();
    if (1..=UNIT_BYTES).contains(&behind) && behind < cell.len() {
        return cell[..cell.len() - behind].trim_ascii();
    }
    cell
}

/// A date in another order, if there is only one.
fn other_order(
    cell: &[u8],
    own: DateOrder,
    kind: impl Fn(DateOrder) -> Kind,
) -> Option<(Value, Rule)> {
    let mut found = None;
    for order in DateOrder::ALL.into_iter().filter(|&order| order != own) {
        match (kind(order).read(cell), found) {
            (Some(value), Some(other)) if value != other => return None,
            (Some(value), _) => found = Some(value),
            (None, _) => {}
        }
    }
    found.map(|value| (value, Rule::DateOrder))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn float(text: &str) -> Meaning {
        let column = Column::new("x", Kind::Float { form: NumberForm::default() });
        meaning(&column, text.as_bytes())
    }

    #[test]
    fn every_rule_of_a_number() {
        let mended = |value, rule| Meaning::Mended(Value::Float(value), rule);
        assert_eq!(float(" 1.5 "), Meaning::Plain(Value::Float(1.5)));
        assert_eq!(float("1\0.5"), mended(1.5, Rule::NullByte));
        assert_eq!(float("\"1.5"), mended(1.5, Rule::StrayQuote));
        assert_eq!(float("1,5"), mended(1.5, Rule::NumberMarks));
        assert_eq!(float("0,125"), mended(0.125, Rule::NumberMarks));
        assert_eq!(float("1.234,5"), mended(1234.5, Rule::NumberMarks));
        assert_eq!(float("1.5 kg"), mended(1.5, Rule::Unit));
        assert_eq!(float("$2"), mended(2.0, Rule::Unit));
        for (text, rule) in [
            ("NaN", Rule::MissingMarker),
            ("NУLL", Rule::HomoglyphMarker),
            ("1,234", Rule::Misfit),
            ("none of it", Rule::Misfit),
            ("12 apples", Rule::Misfit),
        ] {
            assert_eq!(float(text), Meaning::Mended(Value::Missing, rule), "{text}");
        }
    }

    #[test]
    fn dates_with_one_other_reading() {
        let column = Column::new("day", Kind::Date { order: DateOrder::DayFirst });
        let read = |text: &str| meaning(&column, text.as_bytes());
        assert_eq!(read("1/28/2018"), Meaning::Mended(Value::Integer(17_559), Rule::DateOrder));
        assert_eq!(read("2018-01-28"), Meaning::Mended(Value::Integer(17_559), Rule::DateOrder));
        assert_eq!(read("28/01/2018 10:00"), Meaning::Wider(Wider::Timed));
        assert_eq!(read("31/31/2018"), Meaning::Mended(Value::Missing, Rule::Misfit));
    }
}
