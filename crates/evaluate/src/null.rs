//! Pairs of numbers in JSON, as [`fattail_core::null`] writes single ones.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Pairs of a name and a number.
pub(crate) mod pairs {
    use super::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(
        pairs: &[(String, f64)],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let finite = |value: &f64| value.is_finite().then_some(*value);
        serializer.collect_seq(pairs.iter().map(|(name, value)| (name, finite(value))))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<(String, f64)>, D::Error> {
        let pairs: Vec<(String, Option<f64>)> = Vec::deserialize(deserializer)?;
        Ok(pairs.into_iter().map(|(name, value)| (name, value.unwrap_or(f64::NAN))).collect())
    }
}

/// Two numbers.
pub(crate) mod two {
    use super::{Deserialize, Deserializer, Serialize, Serializer};

    pub(crate) fn serialize<S: Serializer>(
        values: &[f64; 2],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        values.map(|value| value.is_finite().then_some(value)).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<[f64; 2], D::Error> {
        let values: [Option<f64>; 2] = Deserialize::deserialize(deserializer)?;
        Ok(values.map(|value| value.unwrap_or(f64::NAN)))
    }
}
