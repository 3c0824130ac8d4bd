//! A schema, checked and made ready.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::{Feature, GateSchema, Kind, RowVerdict, Rule, kernel, kernel::Kernel};
use crate::{Error, Result};

/// The input gate: a schema that rows and batches must pass.
///
/// ```
/// use fattail_core::Panel;
/// use fattail_guard::{GateRecipe, Rule};
///
/// let train = Panel::builder()
///     .eras(&["0001", "0001", "0002", "0002"])?
///     .feature("bins", vec![0u8, 1, 2, 1])
///     .feature("number", vec![-1.0f32, 0.5, 0.0, 1.0])
///     .build()?;
/// let gate = GateRecipe::default().learn(&train)?;
///
/// gate.row(&[2.0, 0.25])?;
/// assert_eq!(gate.row(&[0.5, 0.25]).unwrap_err().rule, Rule::Fraction);
/// assert_eq!(gate.row(&[2.0, f32::NAN]).unwrap_err().rule, Rule::Missing);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "GateSchema", into = "GateSchema")]
pub struct Gate {
    pub(crate) schema: GateSchema,
    pub(crate) kernel: Kernel,
}

impl TryFrom<GateSchema> for Gate {
    type Error = Error;

    fn try_from(schema: GateSchema) -> Result<Self> {
        Self::new(schema)
    }
}

impl From<Gate> for GateSchema {
    fn from(gate: Gate) -> Self {
        gate.schema
    }
}

impl PartialEq for Gate {
    fn eq(&self, other: &Self) -> bool {
        self.schema == other.schema
    }
}

impl Gate {
    /// A gate of a schema.
    ///
    /// # Errors
    /// [`Error::Version`] for a schema of another version, [`Error::Schema`] for one that is not well
    /// formed.
    pub fn new(schema: GateSchema) -> Result<Self> {
        schema.check()?;
        let kernel = Kernel::of(&schema.features);
        Ok(Self { schema, kernel })
    }

    /// What the gate knows.
    #[must_use]
    pub fn schema(&self) -> &GateSchema {
        &self.schema
    }

    /// Reads a gate that [`Gate::to_json`] wrote. The version is looked at before anything else.
    ///
    /// # Errors
    /// [`Error::Version`] for another version or none, [`Error::Json`] for another text,
    /// [`Error::Schema`] for a schema that is not well formed.
    pub fn from_json(text: &str) -> Result<Self> {
        let value: serde_json::Value = serde_json::from_str(text)?;
        let known = GateSchema::VERSION;
        match value.get("version") {
            Some(found) if found.as_u64() == Some(u64::from(known)) => {}
            found => {
                let found = found.map_or("none".into(), ToString::to_string);
                return Err(Error::Version { found, known });
            }
        }
        // From the text once more: a map would keep the last of two fields of one name.
        Self::new(serde_json::from_str(text)?)
    }

    /// The gate as JSON.
    ///
    /// # Errors
    /// None for a schema that passed; [`Error::Json`] is the writer's.
    pub fn to_json(&self) -> Result<String> {
        Ok(serde_json::to_string_pretty(&self.schema)?)
    }

    /// Refuses a row of feature values, in the order of the schema; NaN is missing.
    ///
    /// # Errors
    /// The first fault.
    pub fn row(&self, values: &[f32]) -> Result<(), RowVerdict> {
        let features = &self.schema.features;
        if values.len() == features.len() && self.kernel.admits(features, values) {
            return Ok(());
        }
        self.expect_width(values.len())?;
        for (position, (feature, &value)) in features.iter().zip(values).enumerate() {
            if let Some(rule) = kernel::fault(feature, value) {
                return Err(feature.verdict(position, rule, words(value)));
            }
        }
        Ok(())
    }

    /// The same gate for eras after this one: what the last batch held is not taken again.
    ///
    /// ```
    /// use fattail_core::Panel;
    /// use fattail_guard::{GateRecipe, Rule};
    ///
    /// let week = |label| Panel::builder().eras(&[label; 2])?.feature("x", vec![0u8, 1]).build();
    /// let gate = GateRecipe::default().learn(&week("0001")?)?;
    /// assert!(gate.batch(&week("0002")?).is_admitted());
    /// let gate = gate.after("0002");
    /// assert_eq!(gate.batch(&week("0002")?).verdicts[0].first.rule, Rule::EraStale);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn after(&self, era: impl Into<String>) -> Self {
        let mut gate = self.clone();
        gate.schema.eras.after = Some(era.into());
        gate
    }

    pub(crate) fn expect_width(&self, width: usize) -> Result<(), RowVerdict> {
        let expected = self.schema.features.len();
        match width == expected {
            true => Ok(()),
            false => Err(RowVerdict::of(Rule::Width, "row", width, expected)),
        }
    }
}

impl Feature {
    pub(crate) fn verdict(&self, position: usize, rule: Rule, value: String) -> RowVerdict {
        let position = Some(position);
        RowVerdict { rule, column: self.name.clone(), position, value, allowed: self.allowed() }
    }

    /// What the column allows, in words.
    pub(crate) fn allowed(&self) -> String {
        let list = |values: &mut dyn Iterator<Item = String>| {
            let mut out = String::new();
            for (at, value) in values.enumerate() {
                if at == 16 {
                    out.push_str(" ..");
                    break;
                }
                // Writing into a string does not fail.
                let _ = write!(out, "{}{value}", if at == 0 { "" } else { " " });
            }
            out
        };
        let mut allowed = match &self.kind {
            Kind::Bins { allowed } => list(&mut allowed.iter().map(u8::to_string)),
            Kind::Set { allowed } => list(&mut allowed.iter().map(|&value| words(value))),
            Kind::Number { low, high, .. } => format!("{} to {}", words(*low), words(*high)),
        };
        if self.missing.observed > 0.0 {
            allowed.push_str(" or missing");
        }
        allowed
    }
}

/// A number in words, never longer than it must be.
pub(crate) fn words(value: f32) -> String {
    let size = value.abs();
    match size == 0.0 || (1e-4..1e7).contains(&size) || !value.is_finite() {
        true => format!("{value:?}"),
        false => format!("{value:e}"),
    }
}
