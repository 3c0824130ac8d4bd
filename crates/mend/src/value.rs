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
        // Two faults in one cell are one too many, unless it says that nothing is there.
        return match meaning(column, &clean) {
            Meaning::Plain(value) => Meaning::Mended(value, rule),
            Meaning::Mended(Value::Missing, Rule::MissingMarker) => {
                Meaning::Mended(Value::Missing, rule)
            }
            Meaning::Wider(wider) => Meaning::Wider(wider),
            Meaning::Mended(..) => Meaning::Mended(Value::Missing, Rule::Misfit),
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
    // A whole number beyond 64 bits is a name of something, not a quantity.
    let figures = cell.strip_prefix(b"-").unwrap_or(cell);
    let huge = figures.len() > 18 && figures.iter().all(u8::is_ascii_digit);
    match kind {
        Kind::Integer { wide: true, .. } if huge => None,
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

/// The cell without bytes that nobody wrote on purpose, and what was taken out first. Tabs and line ends part
/// words, quotes inside and bytes that are letters in other encodings mean something: they stay.
fn cleaned(cell: &[u8]) -> (Vec<u8>, Option<Rule>) {
    let control =
        |byte: &u8| (*byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r')) || *byte == 0x7f;
    if cell.iter().any(control) {
        let rule = if cell.contains(&0) { Rule::NullByte } else { Rule::ControlCharacter };
        return (cell.iter().copied().filter(|byte| !control(byte)).collect(), Some(rule));
    }
    let quote = |byte: &u8| matches!(byte, b'"' | b'\'');
    let start = cell.iter().take_while(|byte| quote(byte)).count();
    let inner = &cell[start..];
    let inner = &inner[..inner.len() - inner.iter().rev().take_while(|byte| quote(byte)).count()];
    if inner.len() < cell.len() {
        return (inner.to_vec(), Some(Rule::StrayQuote));
    }
    // Bytes that no text in UTF-8 has.
    let never = |byte: &u8| matches!(byte, 0xc0 | 0xc1 | 0xf5..);
    if cell.iter().any(never) && cell.iter().all(|byte| byte.is_ascii() || never(byte)) {
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
    let bare = without_unit(form, cell)?;
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

/// Units that may follow a number by mistake. Magnitudes such as `k` or `M` and the percent sign are none: they
/// change the number.
const UNITS: &[&str] = &[
    "kg", "g", "mg", "lb", "lbs", "oz", "km", "cm", "mm", "ft", "in", "ml", "sec", "min", "hrs",
    "days", "pc", "pcs", "units", "eur", "usd", "gbp", "chf", "jpy", "bps",
];

/// The number without a unit; `None` where what stands beside it changes it.
fn without_unit(form: NumberForm, cell: &[u8]) -> Option<&[u8]> {
    let (unit, rest) = split_unit(cell);
    if let Some(unit) = unit {
        let own = form.unit.is_none_or(|own| own == unit);
        return (own && unit.text() != "%").then_some(rest);
    }
    let behind = cell.iter().rev().take_while(|byte| byte.is_ascii_alphabetic()).count();
    let (number, word) = cell.split_at(cell.len() - behind);
    let known = UNITS.iter().any(|unit| word.eq_ignore_ascii_case(unit.as_bytes()));
    match behind {
        0 => Some(cell),
        _ => known.then(|| number.trim_ascii()),
    }
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
            ("5M", Rule::Misfit),
            ("50%", Rule::Misfit),
            ("1.5e", Rule::Misfit),
            ("5'11", Rule::Misfit),
            ("12\t34", Rule::Misfit),
            ("12\u{b7}5", Rule::Misfit),
            ("1\0,5", Rule::Misfit),
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
