//! The limit as a setting: `1GB`, `512MiB`, `80%`.
//!
//! Powers of ten: `kB`, `MB`, `GB`, `TB`; powers of two: `KiB`, `MiB`, `GiB`, `TiB`; a number alone or with
//! `B` is bytes. Fractions are allowed before a unit and rounded down to a byte.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{Bound, Machine, Source};
use crate::{Error, Result};

/// How much of the machine's limits may be taken.
///
/// ```
/// use fattail_guard::Limit;
/// assert_eq!("1.5GiB".parse::<Limit>()?, Limit::Bytes(3 << 29));
/// assert_eq!("80%".parse::<Limit>()?, Limit::Share(0.8));
/// assert!("1 gigabyte".parse::<Limit>().is_err());
/// # Ok::<(), fattail_guard::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Limit {
    /// This share of every limit of the machine, above 0 and at most 1.
    Share(f64),
    /// So many bytes for the whole process, and all that the machine allows.
    Bytes(u64),
}

impl Default for Limit {
    /// 80 percent.
    fn default() -> Self {
        Self::Share(0.8)
    }
}

const UNITS: [(&str, u64); 10] = [
    ("KIB", 1 << 10),
    ("MIB", 1 << 20),
    ("GIB", 1 << 30),
    ("TIB", 1 << 40),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("B", 1),
    ("", 1),
];

impl FromStr for Limit {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = || Error::setting("memory", format!("'{text}'"), "such as 1GB, 512MiB or 80%");
        let word = text.trim().to_ascii_uppercase();
        let number = |digits: &str| -> Option<f64> {
            let digits = digits.trim_end();
            let plain = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
            digits.parse().ok().filter(|_| plain)
        };
        if let Some(percent) = word.strip_suffix('%') {
            let limit = Self::Share(number(percent).ok_or_else(wrong)? / 100.0);
            return limit.check().map(|()| limit);
        }
        let unit = UNITS.iter().find_map(|(unit, size)| Some((word.strip_suffix(unit)?, *size)));
        let (digits, size) = unit.ok_or_else(wrong)?;
        let limit = match digits.trim_end().parse::<u64>() {
            Ok(whole) => Self::Bytes(whole.checked_mul(size).ok_or_else(wrong)?),
            Err(_) => {
                let bytes = number(digits).ok_or_else(wrong)? * size as f64;
                Self::Bytes(if bytes < 9e18 { bytes as u64 } else { return Err(wrong()) })
            }
        };
        limit.check().map(|()| limit)
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Share(share) => write!(f, "{}%", share * 100.0),
            Self::Bytes(bytes) => write!(f, "{bytes}B"),
        }
    }
}

impl TryFrom<String> for Limit {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Limit> for String {
    fn from(limit: Limit) -> Self {
        limit.to_string()
    }
}

impl Limit {
    fn check(&self) -> Result<()> {
        match self {
            Self::Share(share) if !(*share > 0.0 && *share <= 1.0) => {
                Err(Error::setting("memory", self, "above 0% and at most 100%"))
            }
            Self::Bytes(0) => Err(Error::setting("memory", self, "at least a byte")),
            _ => Ok(()),
        }
    }

    /// The limits of the machine under this setting.
    pub(crate) fn bounds(&self, machine: &Machine) -> Result<Vec<Bound>> {
        self.check()?;
        match self {
            Self::Share(share) => {
                let mut bounds = machine.bounds()?;
                for bound in &mut bounds {
                    bound.limit = (bound.limit as f64 * share) as u64;
                }
                Ok(bounds)
            }
            Self::Bytes(bytes) => {
                let mut bounds = machine.bounds_seen(false)?;
                let used = machine.resident()?;
                bounds.push(Bound { source: Source::Setting, limit: *bytes, used });
                Ok(bounds)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_by_hand() {
        let read = |text: &str| text.parse::<Limit>().ok();
        assert_eq!(read("1GB"), Some(Limit::Bytes(1_000_000_000)));
        assert_eq!(read(" 2 gib "), Some(Limit::Bytes(2 << 30)));
        assert_eq!(read("123"), Some(Limit::Bytes(123)));
        assert_eq!(read("0.5kB"), Some(Limit::Bytes(500)));
        assert_eq!(read("18446744073709551615"), Some(Limit::Bytes(u64::MAX)));
        for text in [
            "",
            "GB",
            "-1GB",
            "1e9",
            "NaN",
            "inf%",
            "0%",
            "101%",
            "0",
            "1XB",
            "20000000TB",
            "1,5GB",
            "1.5.0MB",
        ] {
            assert_eq!(read(text), None, "{text:?}");
        }
    }

    #[test]
    fn json_is_the_text() {
        let limit: Limit = serde_json::from_str("\"75%\"").unwrap();
        assert_eq!(limit, Limit::Share(0.75));
        assert_eq!(serde_json::to_string(&limit).unwrap(), "\"75%\"");
        assert!(serde_json::from_str::<Limit>("\"0%\"").is_err());
        assert!(Limit::Share(f64::NAN).bounds(&Machine::here()).is_err());
    }
}
