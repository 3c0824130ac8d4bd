//! Dates and times: figures in any order, names of months, the forms of ISO 8601.

use serde::{Deserialize, Serialize};

/// The order of day, month and year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DateOrder {
    /// 2018-01-28.
    #[default]
    YearFirst,
    /// 28/01/2018.
    DayFirst,
    /// 1/28/2018.
    MonthFirst,
}

impl DateOrder {
    /// Every order.
    pub const ALL: [Self; 3] = [Self::YearFirst, Self::DayFirst, Self::MonthFirst];
}

/// A date, with a time where the text has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    /// Days since 1970-01-01.
    pub(crate) days: i32,
    /// Microseconds since midnight; `None` where only the date is told.
    pub(crate) micros: Option<i64>,
    /// Minutes east of Greenwich, where the text tells them.
    pub(crate) zone: Option<i32>,
}

/// Microseconds in a day.
pub(crate) const DAY: i64 = 86_400_000_000;

impl Moment {
    /// Microseconds since 1970-01-01T00:00, in UTC where the zone is told.
    pub(crate) fn timestamp(self) -> i64 {
        let zone = i64::from(self.zone.unwrap_or(0)) * 60_000_000;
        i64::from(self.days) * DAY + self.micros.unwrap_or(0) - zone
    }
}

const MONTHS: [&[u8]; 12] = [
    b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec",
];

/// Reads a date in an order, with or without a time behind it.
pub(crate) fn date(cell: &[u8], order: DateOrder) -> Option<Moment> {
    if cell.len() < 6 || cell.len() > 40 {
        return None;
    }
    let (days, rest) = calendar(cell, order)?;
    let rest = match rest {
        [] => return Some(Moment { days, micros: None, zone: None }),
        [b' ' | b'T' | b't', rest @ ..] => rest.trim_ascii(),
        _ => return None,
    };
    let (micros, rest) = clock(rest)?;
    Some(Moment { days, micros: Some(micros), zone: zone(rest.trim_ascii())? })
}

/// Reads a time of day, in microseconds since midnight.
pub(crate) fn time(cell: &[u8]) -> Option<i64> {
    if !(4..=20).contains(&cell.len()) {
        return None;
    }
    clock(cell).filter(|(_, rest)| rest.is_empty()).map(|(micros, _)| micros)
}

/// The day, and what follows it.
fn calendar(cell: &[u8], order: DateOrder) -> Option<(i32, &[u8])> {
    if order == DateOrder::YearFirst && cell.len() >= 8 && cell[..8].iter().all(u8::is_ascii_digit)
    {
        let (year, month, day) =
            (figures(&cell[..4])?, figures(&cell[4..6])?, figures(&cell[6..8])?);
        return Some((days(year, month, day)?, &cell[8..]));
    }
    let (first, rest) = part(cell)?;
    let (&mark, rest) = rest.split_first().filter(|(mark, _)| b"-/. ".contains(mark))?;
    let (second, rest) = part(rest)?;
    // Behind a month's name a comma may stand: Jan 28, 2018.
    let comma = rest.strip_prefix(b", ");
    let rest = comma.or_else(|| rest.strip_prefix(&[mark]))?;
    let (third, rest) = part(rest)?;
    let (year, month, day) = match order {
        DateOrder::YearFirst if first.figures == 4 => (first, second, third),
        DateOrder::DayFirst if first.figures <= 2 => (third, second, first),
        DateOrder::MonthFirst if first.figures <= 2 => (third, first, second),
        _ => return None,
    };
    let full = match (year.figures, year.value) {
        (4, year) => year,
        (2, year) => year + if year < 70 { 2000 } else { 1900 },
        _ => return None,
    };
    // A month in figures has one or two, and a comma stands only behind names.
    let named = [year, month, day].iter().any(|part| part.figures == 0);
    let figures = month.figures <= 2 && (1..=2).contains(&day.figures);
    (figures && (comma.is_none() || named)).then_some(())?;
    Some((days(full, month.value, day.value)?, rest))
}

/// Figures, or the name of a month.
#[derive(Clone, Copy)]
struct Part {
    value: u32,
    /// How many figures; 0 for a name.
    figures: usize,
}

fn part(cell: &[u8]) -> Option<(Part, &[u8])> {
    let count = cell.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if count > 0 {
        let (digits, rest) = cell.split_at(count);
        return (count <= 4).then_some((Part { value: figures(digits)?, figures: count }, rest));
    }
    let letters = cell.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    let (name, rest) = cell.split_at(letters);
    let begins = |month: &&[u8]| name.get(..3).is_some_and(|name| name.eq_ignore_ascii_case(month));
    let month = MONTHS.iter().position(begins).filter(|_| letters <= 9)?;
    Some((Part { value: u32::try_from(month).ok()? + 1, figures: 0 }, rest))
}

fn figures(digits: &[u8]) -> Option<u32> {
    let digit = |value: u32, byte: &u8| {
        let figure = byte.checked_sub(b'0').filter(|figure| *figure < 10)?;
        value.checked_mul(10)?.checked_add(figure.into())
    };
    digits.iter().try_fold(0, digit)
}

/// Hours, minutes, seconds and fraction, and what follows.
fn clock(cell: &[u8]) -> Option<(i64, &[u8])> {
    let (hours, rest) = two(cell)?;
    let both = |text: &[u8]| text.get(..2).is_some_and(|text| text.iter().all(u8::is_ascii_digit));
    let (minutes, rest) = rest.strip_prefix(b":").filter(|rest| both(rest)).and_then(two)?;
    let (seconds, rest) = match rest {
        [b':', rest @ ..] if both(rest) => two(rest)?,
        _ => (0, rest),
    };
    let (fraction, rest) = match rest {
        [b'.' | b',', rest @ ..] => {
            let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            (1..=9).contains(&count).then_some(())?;
            let (digits, rest) = rest.split_at(count);
            let micros = digits[..count.min(6)]
                .iter()
                .fold(0, |value, byte| value * 10 + i64::from(byte - b'0'));
            (micros * 10i64.pow(6 - u32::try_from(count.min(6)).ok()?), rest)
        }
        _ => (0, rest),
    };
    let (hours, rest) = half_day(hours, rest)?;
    (hours < 24 && minutes < 60 && seconds < 60).then_some(())?;
    Some((((hours * 60 + minutes) * 60 + seconds) * 1_000_000 + fraction, rest))
}

/// The hour of the day where AM or PM follows.
fn half_day(hours: i64, rest: &[u8]) -> Option<(i64, &[u8])> {
    let word = rest.trim_ascii_start();
    let is = |text: &[u8]| word.get(..2).is_some_and(|word| word.eq_ignore_ascii_case(text));
    if !is(b"am") && !is(b"pm") {
        return Some((hours, rest));
    }
    (1..=12).contains(&hours).then_some(())?;
    Some((hours % 12 + if is(b"pm") { 12 } else { 0 }, &word[2..]))
}

fn two(cell: &[u8]) -> Option<(i64, &[u8])> {
    let count = cell.iter().take(2).take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = cell.split_at(count);
    Some((i64::from(figures(digits).filter(|_| count > 0)?), rest))
}

/// Minutes east of Greenwich, or nothing; `None` for what is neither.
fn zone(text: &[u8]) -> Option<Option<i32>> {
    match text {
        [] => Some(None),
        b"Z" | b"z" | b"UTC" | b"GMT" => Some(Some(0)),
        [sign @ (b'+' | b'-'), rest @ ..] => {
            let (hours, rest) = two(rest)?;
            let minutes = match rest.strip_prefix(b":").unwrap_or(rest) {
                [] => 0,
                rest => two(rest).filter(|(_, rest)| rest.is_empty())?.0,
            };
            (hours <= 14 && minutes < 60).then_some(())?;
            let east = i32::try_from(hours * 60 + minutes).ok()?;
            Some(Some(if *sign == b'-' { -east } else { east }))
        }
        _ => None,
    }
}

/// Days since 1970-01-01 in the Gregorian calendar (Howard Hinnant, chrono-compatible low-level date
/// algorithms, days_from_civil).
fn days(year: u32, month: u32, day: u32) -> Option<i32> {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let length = match month {
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u32::from(leap),
        1..=12 => 31,
        _ => return None,
    };
    (1..=length).contains(&day).then_some(())?;
    let year = i32::try_from(year).ok()? - i32::from(month <= 2);
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year =
        (153 * ((i32::try_from(month).ok()? + 9) % 12) + 2) / 5 + i32::try_from(day).ok()? - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

/// A day as ISO 8601 has it; the way back from [`days`] (Hinnant, civil_from_days).
pub(crate) fn told_day(days: i64) -> String {
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + 400 * era + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

/// Microseconds since midnight as a time of day; a fraction where there is one.
pub(crate) fn told_clock(micros: i64) -> String {
    let (seconds, fraction) = (micros / 1_000_000, micros % 1_000_000);
    let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60);
    let clock = format!("{hours:02}:{minutes:02}:{:02}", seconds % 60);
    if fraction == 0 { clock } else { format!("{clock}.{fraction:06}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, order: DateOrder) -> Option<i64> {
        date(text.as_bytes(), order).map(Moment::timestamp)
    }

    #[test]
    fn the_same_day_in_every_form() {
        use DateOrder::{DayFirst, MonthFirst, YearFirst};
        let day = Some(17_559 * DAY);
        for (text, order) in [
            ("2018-01-28", YearFirst),
            ("20180128", YearFirst),
            ("2018/1/28", YearFirst),
            ("28.01.2018", DayFirst),
            ("28 January 2018", DayFirst),
            ("28-Jan-18", DayFirst),
            ("1/28/18", MonthFirst),
            ("Jan 28, 2018", MonthFirst),
        ] {
            assert_eq!(read(text, order), day, "{text}");
        }
        for (text, order) in [
            ("28/01/2018", MonthFirst),
            ("30/02/2018", DayFirst),
            ("2018-13-01", YearFirst),
            ("1/2", DayFirst),
            ("2018-01-28x", YearFirst),
            ("MG-8769-12", YearFirst),
        ] {
            assert_eq!(read(text, order), None, "{text}");
        }
    }

    #[test]
    fn days_and_times_are_told_as_they_are_read() {
        for year in 0..=9999 {
            for (month, day) in [(1, 1), (2, 28), (2, 29), (3, 1), (8, 31), (12, 31)] {
                let Some(days) = days(year, month, day) else { continue };
                assert_eq!(told_day(days.into()), format!("{year:04}-{month:02}-{day:02}"));
            }
        }
        for text in ["00:00:00", "23:59:59", "01:02:03.500000"] {
            assert_eq!(time(text.as_bytes()).map(told_clock).as_deref(), Some(text));
        }
    }

    #[test]
    fn times_and_zones() {
        let base = 17_559 * DAY;
        let at = |text| read(text, DateOrder::YearFirst);
        assert_eq!(at("2018-01-28T01:02:03.5Z"), Some(base + 3_723_500_000));
        assert_eq!(at("2018-01-28 01:00+02:00"), Some(base - 3_600_000_000));
        assert_eq!(at("2018-01-28 12:00 am"), Some(base));
        assert_eq!(at("2018-01-28 25:00"), None);
        assert_eq!(time(b"00:15"), Some(900_000_000));
        assert_eq!((time(b"01:009"), time(b"1"), time(b"24:00")), (None, None, None));
    }
}
