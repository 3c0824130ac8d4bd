//! Sizes of memory as people write them.

/// What stands behind a number. `KIB` and `KB` end with `B`: the longer ones come first.
const UNITS: [(&str, u64); 18] = [
    ("KIB", 1 << 10),
    ("MIB", 1 << 20),
    ("GIB", 1 << 30),
    ("TIB", 1 << 40),
    ("KI", 1 << 10),
    ("MI", 1 << 20),
    ("GI", 1 << 30),
    ("TI", 1 << 40),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("K", 1 << 10),
    ("M", 1 << 20),
    ("G", 1 << 30),
    ("T", 1 << 40),
    ("B", 1),
    ("", 1),
];

/// Reads a number of bytes such as `4g`, `512MiB`, `1.5 GB` or `1000`, in any case of letters.
///
/// A letter alone (`k`, `m`, `g`, `t`) and the units with an `i` are powers of 1,024, those with a `b` alone powers
/// of 1,000. Fractions are rounded down to a byte, and `2.5e9` is a number. Nothing for any other text, and for more
/// than a `u64` holds.
///
/// ```
/// use fattail_core::parse_bytes;
/// assert_eq!(parse_bytes("800m"), Some(800 << 20));
/// assert_eq!(parse_bytes("1.5 GiB"), Some(3 << 29));
/// assert_eq!(parse_bytes("1.5 GB"), Some(1_500_000_000));
/// assert_eq!((parse_bytes("0"), parse_bytes("much")), (Some(0), None));
/// ```
#[must_use]
pub fn parse_bytes(text: &str) -> Option<u64> {
    let word = text.trim().to_ascii_uppercase();
    let (digits, unit) =
        UNITS.iter().find_map(|(unit, size)| Some((word.strip_suffix(unit)?.trim_end(), *size)))?;
    let number = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'E' | b'+' | b'-');
    if digits.starts_with(['E', '+', '-']) || !digits.bytes().all(number) {
        return None;
    }
    if let Ok(whole) = digits.parse::<u64>() {
        return whole.checked_mul(unit);
    }
    let bytes = digits.parse::<f64>().ok()? * unit as f64;
    // 2⁶⁴, which is the first that does not fit.
    (bytes < 18_446_744_073_709_551_616.0).then_some(bytes as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_by_hand() {
        for (text, bytes) in [
            ("1GB", 1_000_000_000),
            (" 2 gib ", 2 << 30),
            ("2G", 2 << 30),
            ("1t", 1 << 40),
            ("123", 123),
            ("17b", 17),
            ("0.5kB", 500),
            (".5k", 512),
            ("0.9", 0),
            ("18446744073709551615", u64::MAX),
            ("2.5e9", 2_500_000_000),
            ("1e-3k", 1),
            ("4Gi", 4 << 30),
            ("4gb", 4_000_000_000),
        ] {
            assert_eq!(parse_bytes(text), Some(bytes), "{text:?}");
        }
    }

    #[test]
    fn what_is_no_size() {
        for text in [
            "",
            "GB",
            "-1GB",
            "+1",
            "1e",
            "1e999",
            "e9",
            "NaN",
            "inf",
            "1XB",
            "20000000TB",
            "1,5GB",
            "1.5.0MB",
            ".",
            "1 2",
            "18446744073709551616",
            "ib",
            "1ib",
        ] {
            assert_eq!(parse_bytes(text), None, "{text:?}");
        }
    }
}
