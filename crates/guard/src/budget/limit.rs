//! The limit as a setting: `1GB`, `512MiB`, `80%`.
//!
//! Sizes are those of [`parse_bytes`](fattail_core::parse_bytes).

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

impl FromStr for Limit {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = || Error::setting("memory", format!("'{text}'"), "such as 1GB, 512MiB or 80%");
        let limit = match text.trim().strip_suffix('%') {
            Some(percent) => {
                let digits = percent.trim_end();
                let plain = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
                let percent: Option<f64> = digits.parse().ok().filter(|_| plain);
                Self::Share(percent.ok_or_else(wrong)? / 100.0)
            }
            None => Self::Bytes(fattail_core::parse_bytes(text).ok_or_else(wrong)?),
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
        assert_eq!(read("2g"), Some(Limit::Bytes(2 << 30)));
        assert_eq!(read(" 12.5 % "), Some(Limit::Share(0.125)));
        for text in ["", "-1GB", "inf%", "1e1%", "-5%", "%", "0%", "101%", "0", "0.9"] {
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
