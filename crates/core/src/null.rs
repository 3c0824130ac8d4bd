//! Numbers in JSON, for `#[serde(with = "fattail_core::null")]`: what is not finite is written as
//! `null` and read back as NaN.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Writes a finite number, or `null`.
///
/// # Errors
/// When the serialiser fails.
pub fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    value.is_finite().then_some(*value).serialize(serializer)
}

/// Reads a number, or NaN for `null`.
///
/// # Errors
/// When there is neither.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(f64::NAN))
}
