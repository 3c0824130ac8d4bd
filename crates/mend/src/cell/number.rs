//! Numbers as people and programs write them.
//!
//! The plain form (`-12.5e3`) has a fast path: up to 17 digits are gathered in an integer m, and where
//! m < 2^53 and the fraction has at most 22 digits, m / 10^digits is the nearest double, because both
//! are exact (W. D. Clinger, How to read floating point numbers accurately, 1990). The rest is left to
//! `fast-float2`. `nan` and `inf` are words, not numbers.

use serde::{Deserialize, Serialize};

/// Powers of ten that are exact in a double.
const TENS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];

/// Below this, every integer is a double.
const EXACT: u64 = 1 << 53;

/// Reads a whole number that fits 64 bits.
#[inline]
pub(crate) fn integer(cell: &[u8]) -> Option<i64> {
    let (negative, digits) = sign(cell);
    if digits.is_empty() || digits.len() > 18 {
        return long_integer(cell);
    }
    let mut value = 0i64;
    for &byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + i64::from(digit);
    }
    Some(if negative { -value } else { value })
}

#[cold]
fn long_integer(cell: &[u8]) -> Option<i64> {
    std::str::from_utf8(cell).ok()?.parse().ok()
}

#[inline]
fn sign(cell: &[u8]) -> (bool, &[u8]) {
    match cell {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, cell),
    }
}

/// Reads a finite number in the plain form.
#[inline]
pub(crate) fn float(cell: &[u8]) -> Option<f64> {
    let (negative, digits) = sign(cell);
    let (mut mantissa, mut point) = (0u64, None);
    if digits.len() > 17 {
        return long_float(cell);
    }
    for (at, &byte) in digits.iter().enumerate() {
        let digit = byte.wrapping_sub(b'0');
        if digit <= 9 {
            mantissa = mantissa.wrapping_mul(10).wrapping_add(u64::from(digit));
        } else if byte == b'.' && point.is_none() {
            point = Some(at + 1);
        } else {
            return long_float(cell);
        }
    }
    let fraction = digits.len() - point.unwrap_or(digits.len());
    let count = digits.len() - usize::from(point.is_some());
    if count == 0 || mantissa >= EXACT {
        return long_float(cell);
    }
    let value = mantissa as f64 / TENS[fraction];
    Some(if negative { -value } else { value })
}

/// With an exponent, or with more digits than are exact.
fn long_float(cell: &[u8]) -> Option<f64> {
    let allowed = |byte: &u8| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-');
    if !cell.iter().all(allowed) {
        return None;
    }
    let value: f64 = fast_float2::parse(cell).ok()?;
    value.is_finite().then_some(value)
}

/// Sixteen bytes of text that end where a cell does.
type Window = [u8; 16];

/// Every byte of a word the same.
const fn every(byte: u8) -> u128 {
    u128::from_le_bytes([byte; 16])
}

/// Reads a plain number of at most 15 figures and a sign, whose `length` bytes end the window: all bytes at once.
/// `None` where it is something else, a longer number among them.
///
/// The sign is taken off and bytes before the cell become zeros; the bytes before the point move up by one, over
/// it; what is left has to be 16 figures, and two words of eight make the mantissa in three products each (after
/// W. Muła, SIMD-ized parsing of numbers, 2014, and D. Lemire, Number parsing at a gigabyte per second, 2021).
#[inline(always)]
pub(crate) fn windowed_float(window: &Window, length: usize) -> Option<f64> {
    let (negative, figures, count) = unsigned(window, length)?;
    let dots = figures ^ every(b'.');
    let zero = dots.wrapping_sub(every(1)) & !dots & every(0x80);
    let (digits, fraction) = match zero {
        0 => (figures, 0),
        _ => {
            let at = zero.trailing_zeros() as usize / 8;
            let below = (1u128 << (8 * at)) - 1;
            let above = if at == 15 { 0 } else { figures & (!0u128 << (8 * (at + 1))) };
            (above | (figures & below) << 8 | u128::from(b'0'), 15 - at)
        }
    };
    // A point alone is no number.
    if zero != 0 && count < 2 {
        return None;
    }
    let value = mantissa(digits)? as f64 / TENS[fraction];
    // The sign is set without a branch: which numbers are negative cannot be foreseen.
    Some(f64::from_bits(value.to_bits() | u64::from(negative) << 63))
}

/// Reads a whole number of at most 15 figures and a sign, whose `length` bytes end the window.
#[inline(always)]
pub(crate) fn windowed_integer(window: &Window, length: usize) -> Option<i64> {
    if let (1, digit @ b'0'..=b'9') = (length, window[15]) {
        return Some(i64::from(digit - b'0'));
    }
    let (negative, figures, _) = unsigned(window, length)?;
    let value = mantissa(figures)? as i64;
    let sign = -i64::from(negative);
    Some((value ^ sign) - sign)
}

/// Whether there is a minus, the cell without it behind zeros, and its length.
#[inline(always)]
fn unsigned(window: &Window, length: usize) -> Option<(bool, u128, usize)> {
    if length.wrapping_sub(1) > 14 {
        return None;
    }
    let first = window[16 - length];
    let count = length - usize::from(first == b'-');
    if count == 0 {
        return None;
    }
    let kept = !0u128 << (8 * (16 - count));
    Some((first == b'-', u128::from_le_bytes(*window) & kept | every(b'0') & !kept, count))
}

/// The number that 16 figures are, the last byte the last figure.
#[inline(always)]
fn mantissa(digits: u128) -> Option<u64> {
    let high = digits & every(0xf0);
    let over = digits.wrapping_add(every(6)) & every(0xf0);
    if (high ^ every(0x30)) | (over ^ every(0x30)) != 0 {
        return None;
    }
    Some(eight(digits as u64) * 100_000_000 + eight((digits >> 64) as u64))
}

#[inline(always)]
fn eight(digits: u64) -> u64 {
    let digits = digits - 0x3030_3030_3030_3030;
    let pairs = digits.wrapping_mul(10) + (digits >> 8);
    let low = (pairs & 0x0000_00ff_0000_00ff).wrapping_mul(0x000f_4240_0000_0064);
    let high = (pairs >> 16 & 0x0000_00ff_0000_00ff).wrapping_mul(0x0000_2710_0000_0001);
    low.wrapping_add(high) >> 32
}

/// Currencies and the like that may stand before or behind the numbers of a column.
const UNITS: &[&str] = &["$", "€", "£", "¥", "%", "EUR", "USD", "GBP", "CHF", "JPY"];

/// How the numbers of a column are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumberForm {
    /// Before the digits of a fraction.
    pub decimal: u8,
    /// Between groups of three digits.
    pub thousands: Option<u8>,
    /// What stands before or behind every number, such as `$`.
    pub unit: Option<Unit>,
}

/// A currency or another unit, by its place in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Unit(u8);

impl Unit {
    /// The text.
    pub fn text(self) -> &'static str {
        UNITS[usize::from(self.0)]
    }
}

impl From<Unit> for String {
    fn from(unit: Unit) -> Self {
        unit.text().into()
    }
}

impl TryFrom<String> for Unit {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let at = UNITS.iter().position(|unit| *unit == text);
        let unit = at.and_then(|at| u8::try_from(at).ok()).map(Self);
        unit.ok_or_else(|| format!("unit '{text}' is not one of {}", UNITS.join(" ")))
    }
}

impl Default for NumberForm {
    fn default() -> Self {
        Self { decimal: b'.', thousands: None, unit: None }
    }
}

impl NumberForm {
    /// The forms that are told apart, the plain one first.
    pub(crate) const MARKS: [(u8, Option<u8>); 7] = [
        (b'.', None),
        (b',', None),
        (b'.', Some(b',')),
        (b',', Some(b'.')),
        (b'.', Some(b' ')),
        (b',', Some(b' ')),
        (b'.', Some(b'\'')),
    ];

    /// Whether the fast path reads it.
    pub(crate) fn is_plain(&self) -> bool {
        *self == Self::default()
    }

    /// Reads a finite number in this form.
    pub(crate) fn read(&self, cell: &[u8]) -> Option<f64> {
        if self.is_plain() {
            return float(cell);
        }
        let (unit, digits) = split_unit(cell);
        if unit != self.unit {
            return None;
        }
        self.unmarked(digits, float)
    }

    /// Reads a whole number in this form.
    pub(crate) fn read_integer(&self, cell: &[u8]) -> Option<i64> {
        if self.is_plain() {
            return integer(cell);
        }
        let (unit, digits) = split_unit(cell);
        if unit != self.unit {
            return None;
        }
        self.unmarked(digits, integer)
    }

    /// Reads the digits without thousands marks and with a point.
    fn unmarked<T>(&self, digits: &[u8], read: impl Fn(&[u8]) -> Option<T>) -> Option<T> {
        let mut plain = [0u8; 64];
        let (mut length, mut group, mut fraction) = (0, None, false);
        for &byte in digits {
            if Some(byte) == self.thousands && !fraction {
                // The first group has one to three digits, each further one three.
                let digits = group.unwrap_or_else(|| length - usize::from(is_sign(plain[0])));
                if !(1..=3).contains(&digits) || group.is_some_and(|digits| digits != 3) {
                    return None;
                }
                group = Some(0);
                continue;
            }
            if byte == self.decimal {
                fraction = true;
            } else if byte == b'.' {
                return None;
            } else if let (Some(digits), false) = (&mut group, fraction) {
                *digits += 1;
            }
            *plain.get_mut(length)? = if byte == self.decimal { b'.' } else { byte };
            length += 1;
        }
        if group.is_some_and(|digits| digits != 3) {
            return None;
        }
        read(&plain[..length])
    }
}

fn is_sign(byte: u8) -> bool {
    matches!(byte, b'-' | b'+')
}

/// The unit before or behind a number, and the number.
pub(crate) fn split_unit(cell: &[u8]) -> (Option<Unit>, &[u8]) {
    let starts = cell.first().is_some_and(|first| first.is_ascii_digit() || is_sign(*first));
    let ends = cell.last().is_some_and(u8::is_ascii_digit);
    if starts && ends {
        return (None, cell);
    }
    for (at, unit) in UNITS.iter().enumerate() {
        let unit = unit.as_bytes();
        let found = cell.strip_prefix(unit).or_else(|| cell.strip_suffix(unit));
        if let (Some(rest), Ok(at)) = (found, u8::try_from(at)) {
            return (Some(Unit(at)), rest.trim_ascii());
        }
    }
    (None, cell)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn plain_numbers_are_those_of_the_standard_library() {
        for text in [
            "0",
            "-0.0",
            "12",
            "+7.25",
            ".5",
            "5.",
            "-1e-7",
            "123456789.123456789",
            "1e308",
            "0.1",
            "9007199254740993",
            "0.30000000000000004",
            "179769313486231570000000000000",
        ] {
            let expected: f64 = text.parse().unwrap();
            let read = float(text.as_bytes()).unwrap();
            assert_eq!(read.to_bits(), expected.to_bits(), "{text}");
        }
        for text in ["", "-", ".", "+.", "nan", "inf", "1e999", "1.2.3", "1,5", "0x10", "1 ", "--1"]
        {
            assert_eq!(float(text.as_bytes()), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn all_bytes_at_once_are_byte_by_byte(
            text in prop_oneof![
                "[-+]?[0-9]{0,9}[.]?[0-9]{0,8}",
                "[-+.0-9e,x/:]{0,16}",
            ],
            before in "[0-9.,-]{16}",
        ) {
            let cell = text.as_bytes();
            let bytes = [before.as_bytes(), cell].concat();
            let window: &Window = bytes.last_chunk().unwrap();
            if let Some(value) = windowed_float(window, cell.len()) {
                prop_assert_eq!(Some(value.to_bits()), float(cell).map(f64::to_bits), "{}", text);
            } else {
                let plain = cell.len() <= 15 && !cell.starts_with(b"+") && !text.contains('e');
                prop_assert!(!plain || float(cell).is_none(), "{} is not read", text);
            }
            if let Some(value) = windowed_integer(window, cell.len()) {
                prop_assert_eq!(Some(value), integer(cell), "{}", text);
            } else {
                let plain = cell.len() <= 15 && !cell.starts_with(b"+");
                prop_assert!(!plain || integer(cell).is_none(), "{} is not read", text);
            }
        }
    }

    #[test]
    fn whole_numbers_end_where_64_bits_end() {
        assert_eq!(integer(b"-0012"), Some(-12));
        assert_eq!(integer(b"9223372036854775807"), Some(i64::MAX));
        assert_eq!(integer(b"9223372036854775808"), None);
        assert_eq!((integer(b""), integer(b"-"), integer(b"1.0")), (None, None, None));
    }

    #[test]
    fn marks_and_units() {
        let form = |decimal, thousands| NumberForm { decimal, thousands, unit: None };
        let german = form(b',', Some(b'.'));
        assert_eq!(german.read(b"-1.234.567,5"), Some(-1_234_567.5));
        assert_eq!(german.read(b"12,5"), Some(12.5));
        assert_eq!(german.read(b"12.5"), None);
        assert_eq!(german.read(b"1234.567"), None);
        assert_eq!(form(b'.', Some(b',')).read(b"1,234.5"), Some(1234.5));
        assert_eq!(form(b'.', Some(b',')).read(b"1,23"), None);
        let (unit, rest) = split_unit("12,5 €".as_bytes());
        assert_eq!((unit.map(Unit::text), rest), (Some("€"), &b"12,5"[..]));
        let euro = NumberForm { unit, ..german };
        assert_eq!(euro.read("€1.000".as_bytes()), Some(1000.0));
        assert_eq!(euro.read(b"1.000"), None);
    }
}
