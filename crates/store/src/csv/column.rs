//! A column of a text file while it grows: bins as long as every cell is an integer in 0..=255.

use crate::{
    Missing,
    error::{NUMBER, TOO_LARGE},
    panel::Filling,
};

/// Adds a cell, empty where it is missing. Answers what was expected where the cell is not it.
pub(super) fn push(
    column: &mut Filling,
    cell: &[u8],
    missing: Missing,
) -> Result<(), &'static str> {
    if let Filling::Bins(bins) = column {
        if let Some(bin) = bin(cell) {
            bins.push(bin);
            return Ok(());
        }
        *column = Filling::Numbers(bins.iter().map(|&bin| f32::from(bin)).collect());
    }
    let Filling::Numbers(numbers) = column else { return Ok(()) };
    numbers.push(match (cell.is_empty(), missing) {
        (true, Missing::Keep) => f32::NAN,
        (true, Missing::Refuse) => return Err(NUMBER),
        (false, _) => number(cell)?,
    });
    Ok(())
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

/// A finite number, or what was expected. Words such as `NaN` and `inf` are text.
fn number(cell: &[u8]) -> Result<f32, &'static str> {
    match parsed(cell) {
        Some(number) if number.is_finite() => Ok(number),
        Some(_) => Err(TOO_LARGE),
        None => Err("a finite number or an empty cell"),
    }
}

/// Whether the cell may stand in a column of numbers, be it too large for one.
pub(super) fn is_number(cell: &[u8]) -> bool {
    cell.is_empty() || parsed(cell).is_some()
}

/// A number; infinity where it is too large.
fn parsed(cell: &[u8]) -> Option<f32> {
    let plain = |byte: &u8| matches!(byte, b'0'..=b'9' | b'.' | b'+' | b'-' | b'e' | b'E');
    if !cell.iter().all(plain) {
        return None;
    }
    std::str::from_utf8(cell).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_widen_at_the_first_number() {
        let mut column = Filling::new(true, 0);
        for cell in ["0", "255", "07"] {
            push(&mut column, cell.as_bytes(), Missing::Refuse).unwrap();
        }
        assert!(matches!(&column, Filling::Bins(bins) if bins[..] == [0, 255, 7]));
        push(&mut column, b"-0.5", Missing::Refuse).unwrap();
        push(&mut column, b"", Missing::Keep).unwrap();
        let Filling::Numbers(numbers) = column else { panic!("bins") };
        assert_eq!(numbers[..4], [0.0, 255.0, 7.0, -0.5]);
        assert!(numbers[4].is_nan());
    }

    #[test]
    fn words_are_not_numbers() {
        for cell in ["NaN", "nan", "inf", "infinity", "NULL", " 1", "1,5", "0x1", ""] {
            assert!(number(cell.as_bytes()).is_err_and(|expected| expected != TOO_LARGE), "{cell}");
        }
        assert_eq!(number(b"1e-3"), Ok(0.001));
        assert_eq!(number(b"-1e39"), Err(TOO_LARGE));
        assert!(is_number(b"-1e39") && is_number(b"") && !is_number(b"NaN"));
        assert_eq!(bin(b"256"), None);
    }
}
