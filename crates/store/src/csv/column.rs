//! A column of a text file while it grows: bins as long as every cell is an integer in 0..=255.

use fattail_core::ColumnData;

use crate::{Missing, plan::Role};

/// The values so far.
#[derive(Debug)]
pub(super) enum Growing {
    Bins(Vec<u8>),
    Numbers(Vec<f32>),
}

impl Growing {
    pub(super) fn new(role: Role) -> Self {
        match role {
            Role::Feature => Self::Bins(Vec::new()),
            Role::Target | Role::Extra | Role::Weight => Self::Numbers(Vec::new()),
        }
    }

    /// Adds a cell. Answers what was expected where the cell is not it.
    pub(super) fn push(&mut self, cell: &[u8], missing: Missing) -> Result<(), &'static str> {
        if let Self::Bins(bins) = self {
            if let Some(bin) = bin(cell) {
                bins.push(bin);
                return Ok(());
            }
            *self = Self::Numbers(bins.iter().map(|&bin| f32::from(bin)).collect());
        }
        let Self::Numbers(numbers) = self else { return Ok(()) };
        numbers.push(match (cell.is_empty(), missing) {
            (true, Missing::Keep) => f32::NAN,
            (true, Missing::Refuse) => return Err("a finite number"),
            (false, _) => number(cell).ok_or("a finite number or an empty cell")?,
        });
        Ok(())
    }

    pub(super) fn finish(self) -> ColumnData {
        match self {
            Self::Bins(bins) => bins.into(),
            Self::Numbers(numbers) => numbers.into(),
        }
    }
}

/// One to three digits up to 255.
fn bin(cell: &[u8]) -> Option<u8> {
    if cell.is_empty() || cell.len() > 3 {
        return None;
    }
    let mut value = 0u16;
    for byte in cell {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + u16::from(digit);
    }
    u8::try_from(value).ok()
}

/// A finite number. Words such as `NaN` and `inf` are text.
pub(super) fn number(cell: &[u8]) -> Option<f32> {
    let plain = |byte: &u8| matches!(byte, b'0'..=b'9' | b'.' | b'+' | b'-' | b'e' | b'E');
    if !cell.iter().all(plain) {
        return None;
    }
    let number: f32 = std::str::from_utf8(cell).ok()?.parse().ok()?;
    number.is_finite().then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_widen_at_the_first_number() {
        let mut column = Growing::new(Role::Feature);
        for cell in ["0", "255", "07"] {
            column.push(cell.as_bytes(), Missing::Refuse).unwrap();
        }
        assert!(matches!(&column, Growing::Bins(bins) if bins[..] == [0, 255, 7]));
        column.push(b"-0.5", Missing::Refuse).unwrap();
        column.push(b"", Missing::Keep).unwrap();
        let Growing::Numbers(numbers) = column else { panic!("bins") };
        assert_eq!(numbers[..4], [0.0, 255.0, 7.0, -0.5]);
        assert!(numbers[4].is_nan());
    }

    #[test]
    fn words_are_not_numbers() {
        for cell in ["NaN", "nan", "inf", "infinity", "1e39", "NULL", " 1", "1,5", "0x1", ""] {
            assert_eq!(number(cell.as_bytes()), None, "{cell}");
        }
        assert_eq!(number(b"1e-3"), Some(0.001));
        assert_eq!(bin(b"256"), None);
    }
}
