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

/// The same of a list of numbers, for `#[serde(with = "fattail_core::null::list")]`.
pub mod list {
    use super::{Deserialize, Deserializer, Serializer};

    /// Writes the numbers, `null` for what is not finite.
    ///
    /// # Errors
    /// When the serialiser fails.
    pub fn serialize<S: Serializer>(values: &[f64], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(values.iter().map(|value| value.is_finite().then_some(*value)))
    }

    /// Reads the numbers, NaN for `null`.
    ///
    /// # Errors
    /// When there is no list of numbers.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f64>, D::Error> {
        let values: Vec<Option<f64>> = Vec::deserialize(deserializer)?;
        Ok(values.into_iter().map(|value| value.unwrap_or(f64::NAN)).collect())
    }
}

/// The same of lists of numbers, for `#[serde(with = "fattail_core::null::rows")]`.
pub mod rows {
    use super::{Deserialize, Deserializer, Serialize, Serializer, list};

    /// One list, as [`list`] writes and reads it.
    struct Row<T>(T);

    impl Serialize for Row<&Vec<f64>> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            list::serialize(self.0, serializer)
        }
    }

    impl<'de> Deserialize<'de> for Row<Vec<f64>> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            list::deserialize(deserializer).map(Row)
        }
    }

    /// Writes the lists, `null` for what is not finite.
    ///
    /// # Errors
    /// When the serialiser fails.
    pub fn serialize<S: Serializer>(values: &[Vec<f64>], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(values.iter().map(Row))
    }

    /// Reads the lists, NaN for `null`.
    ///
    /// # Errors
    /// When there are no lists of numbers.
    pub fn deserialize<'de, D>(deserializer: D) -> Result<Vec<Vec<f64>>, D::Error>
    where
        D: Deserializer<'de>,
    {
        let rows: Vec<Row<Vec<f64>>> = Vec::deserialize(deserializer)?;
        Ok(rows.into_iter().map(|row| row.0).collect())
    }
}
