//! How far features moved from where they were learnt: facts handed to a report.

use fattail_core::null;
use serde::{Deserialize, Serialize};

use crate::number;
use crate::table::Table;

/// Rows listed where nothing is flagged.
const LISTED: usize = 10;

/// A measure of drift of features in eras.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct DriftMap {
    /// What is measured, such as `PSI`; larger is further.
    pub measure: String,
    /// The eras compared.
    pub eras: Vec<String>,
    /// The features.
    pub features: Vec<String>,
    /// A list a feature, a value an era.
    #[serde(with = "null::rows")]
    pub values: Vec<Vec<f64>>,
    /// Levels with their names, the highest last.
    pub thresholds: Vec<DriftThreshold>,
    /// The features that raise an alarm.
    pub flagged: Vec<DriftFlag>,
    /// What was compared with what, in a sentence.
    pub note: String,
}

/// A level of a drift measure.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct DriftThreshold {
    /// What it means to be above it, such as `alarm`.
    pub name: String,
    /// The level.
    #[serde(with = "null")]
    pub value: f64,
}

/// A feature that raises an alarm.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct DriftFlag {
    /// The feature.
    pub feature: String,
    /// Its largest value, or another figure that raised the alarm.
    #[serde(with = "null")]
    pub value: f64,
    /// Why, in a few words; may be empty.
    pub note: String,
}

impl DriftMap {
    /// How many features are flagged, in a sentence.
    pub(crate) fn sentence(&self) -> String {
        let (flagged, all) = (self.flagged.len(), self.features.len());
        let told = match flagged {
            0 => format!("None of {all} features is flagged."),
            1 => format!("One of {all} features is flagged."),
            flagged => format!("{flagged} of {all} features are flagged."),
        };
        format!("{} {told}", self.note).trim().to_owned()
    }

    /// The largest value of a feature; NaN without one.
    pub(crate) fn largest(&self, feature: usize) -> f64 {
        let values = self.values.get(feature).map(Vec::as_slice).unwrap_or_default();
        values.iter().copied().filter(|value| value.is_finite()).fold(f64::NAN, f64::max)
    }

    /// Positions of the features, those flagged first, then those that moved furthest.
    pub(crate) fn order(&self) -> Vec<usize> {
        let calm = |at: usize| !self.is_flagged(&self.features[at]);
        let size = |at: usize| Some(self.largest(at)).filter(|v| !v.is_nan()).unwrap_or(-1.0);
        let mut order: Vec<usize> = (0..self.features.len()).collect();
        order.sort_by(|&a, &b| calm(a).cmp(&calm(b)).then(size(b).total_cmp(&size(a))));
        order
    }

    pub(crate) fn is_flagged(&self, feature: &str) -> bool {
        self.flagged.iter().any(|flag| flag.feature == feature)
    }

    /// The flagged features, or those that moved furthest.
    pub(crate) fn table(&self) -> Table {
        let mut table = Table::new(2, ["Feature", "Note", &self.measure]);
        for flag in &self.flagged {
            table.row([flag.feature.clone(), flag.note.clone(), number::figure(flag.value)]);
        }
        if self.flagged.is_empty() {
            for at in self.order().into_iter().take(LISTED) {
                let largest = number::figure(self.largest(at));
                table.row([self.features[at].clone(), "not flagged".into(), largest]);
            }
        }
        table
    }

    /// The levels in words.
    pub(crate) fn levels(&self) -> String {
        let levels = self.thresholds.iter();
        let levels: Vec<String> = levels
            .map(|level| format!("{} from {}", level.name, number::figure(level.value)))
            .collect();
        levels.join(", ")
    }
}
