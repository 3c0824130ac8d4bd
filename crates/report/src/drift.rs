//! How far features moved from where they were learnt: facts handed to a report.

use std::collections::HashSet;

use fattail_core::null;
use serde::{Deserialize, Serialize};

use crate::number;
use crate::table::Table;

/// Rows listed where nothing is flagged, and flags listed.
const LISTED: usize = 10;
const FLAGS: usize = 50;

/// A measure of drift of features in eras.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DriftMap {
    /// What is measured, such as `PSI`; larger is further.
    pub measure: String,
    /// The eras compared.
    pub eras: Vec<String>,
    /// The features.
    pub features: Vec<String>,
    /// A list a feature, a value an era; of the first features alone where there are fewer lists.
    #[serde(with = "null::rows")]
    pub values: Vec<Vec<f64>>,
    /// What the measure is without drift, NaN where it is not known. Of a PSI over `B` bins, `n` rows of an era
    /// and `m` rows to compare with it is about `(B - 1) (1 / n + 1 / m)`.
    #[serde(with = "null")]
    pub expected: f64,
    /// Levels with their names, the highest last; may be empty.
    pub thresholds: Vec<DriftThreshold>,
    /// What the test over all features says, in a few words; empty without one.
    pub verdict: String,
    /// The probability of a false alarm at which it says so; NaN where it is not known.
    #[serde(with = "null")]
    pub level: f64,
    /// The smallest p that the test can give; above the level it raises no alarm whatever happens. NaN where it is
    /// not known.
    #[serde(with = "null")]
    pub smallest_p: f64,
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

impl Default for DriftMap {
    /// Nothing, of which no figure is known.
    fn default() -> Self {
        Self {
            measure: String::new(),
            eras: Vec::new(),
            features: Vec::new(),
            values: Vec::new(),
            expected: f64::NAN,
            thresholds: Vec::new(),
            verdict: String::new(),
            level: f64::NAN,
            smallest_p: f64::NAN,
            flagged: Vec::new(),
            note: String::new(),
        }
    }
}

impl DriftMap {
    /// How many features are flagged and what the test says, in sentences.
    pub(crate) fn sentence(&self) -> String {
        let (flagged, all) = (self.flagged_names().len(), self.features.len());
        let told = match flagged {
            0 => format!("None of {all} features is flagged."),
            1 => format!("One of {all} features is flagged."),
            flagged => format!("{flagged} of {all} features are flagged."),
        };
        format!("{} {told}{}", self.note, self.test()).trim().to_owned()
    }

    /// The verdict with the level at which it was made, and whether it could have been another.
    fn test(&self) -> String {
        if self.verdict.is_empty() {
            return String::new();
        }
        let level = match self.level.is_finite() {
            true => format!(" at the level {}", number::figure(self.level)),
            false => String::new(),
        };
        let smallest = number::figure(self.smallest_p);
        let reach = match self.smallest_p.is_finite() {
            true if self.smallest_p > self.level => format!(
                " The smallest p that the test can give is {smallest}: it could not have raised an alarm."
            ),
            true => format!(" The smallest p that the test can give is {smallest}."),
            false => String::new(),
        };
        format!(" The test over all features{level} says: {}.{reach}", self.verdict)
    }

    /// The largest value of a feature; NaN without one.
    pub(crate) fn largest(&self, feature: usize) -> f64 {
        let values = self.values.get(feature).map(Vec::as_slice).unwrap_or_default();
        values.iter().copied().filter(|value| value.is_finite()).fold(f64::NAN, f64::max)
    }

    /// Positions of the features, those flagged first, then those that moved furthest.
    pub(crate) fn order(&self) -> Vec<usize> {
        let flagged = self.flagged_names();
        let calm = |at: usize| !flagged.contains(&*self.features[at]);
        let size = |at: usize| Some(self.largest(at)).filter(|v| !v.is_nan()).unwrap_or(-1.0);
        let mut order: Vec<usize> = (0..self.features.len()).collect();
        order.sort_by(|&a, &b| calm(a).cmp(&calm(b)).then(size(b).total_cmp(&size(a))));
        order
    }

    pub(crate) fn flagged_names(&self) -> HashSet<&str> {
        self.flagged.iter().map(|flag| &*flag.feature).collect()
    }

    /// The flagged features, or those that moved furthest.
    pub(crate) fn table(&self) -> Table {
        let mut table = Table::new(2, ["Feature", "Note", &self.measure]);
        for flag in self.flagged.iter().take(FLAGS) {
            table.row([flag.feature.clone(), flag.note.clone(), number::figure(flag.value)]);
        }
        let more = self.flagged.len().saturating_sub(FLAGS);
        if more > 0 {
            table.row([format!("and {more} more"), String::new(), String::new()]);
        }
        if self.flagged.is_empty() {
            for at in self.order().into_iter().take(LISTED) {
                let largest = number::figure(self.largest(at));
                table.row([self.features[at].clone(), "not flagged".into(), largest]);
            }
        }
        table
    }

    /// What is expected without drift, and the levels, in words.
    pub(crate) fn levels(&self) -> String {
        let mut words = String::new();
        if self.expected.is_finite() {
            words = format!(" Without drift it is about {}.", number::figure(self.expected));
        }
        let levels = self.thresholds.iter();
        let levels: Vec<String> = levels
            .map(|level| format!("{} from {}", level.name, number::figure(level.value)))
            .collect();
        if !levels.is_empty() {
            words.push_str(&format!(" Levels: {}.", levels.join(", ")));
        }
        words
    }
}
