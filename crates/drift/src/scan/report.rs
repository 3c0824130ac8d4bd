//! What a scan tells.

use serde::{Deserialize, Serialize};

use super::Scan;
use crate::{
    found::{Found, Reason},
    null::Method,
};

/// What makes the verdict of a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Any adjusted p-value at most the level: exact for the panel as a whole.
    #[default]
    MaxStatistic,
    /// Any q-value at most the level.
    BenjaminiHochberg,
}

/// Every feature, and the panel as a whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScanReport {
    /// The panel as a whole.
    pub verdict: Verdict,
    /// Eras of the reference and of the current side.
    pub eras: [usize; 2],
    /// Rows of the reference and of the current side.
    pub rows: [usize; 2],
    /// Eras in a block: as the settings say, or as many as are current where these are fewer.
    pub block: usize,
    /// Blocks of eras of both sides, which the test counts as its observations.
    pub blocks: [usize; 2],
    /// The least p-value that is possible with so many blocks and deals.
    pub smallest_p: f64,
    /// How the p-values of eras were made.
    pub method: Method,
    /// Features that are not the same in a profile and a panel; empty for a scan of one panel.
    pub changed: Changed,
    /// The features compared, in the order of the reference.
    pub features: Vec<FeatureDrift>,
    /// The index of each era against the reference, when it was asked for.
    pub heat: Option<Heat>,
}

/// The verdict on a panel.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// What made it.
    pub rule: Rule,
    /// The stated rate of false alarms.
    pub level: f64,
    /// Whether the panel drifts, or why that cannot be said.
    pub found: Found,
    /// Features at or below the level.
    pub discoveries: usize,
    /// The smallest adjusted p-value or q-value.
    #[serde(with = "fattail_core::null")]
    pub smallest: f64,
    /// The least that a feature which drifts alone can have: by Benjamini and Hochberg's rule the least
    /// p-value times the number of features. Above the level, only many features together are found.
    pub alone: f64,
}

impl Verdict {
    /// `not_compared` counts the features of the reference that are not among `features`.
    pub(super) fn of(
        features: &[FeatureDrift],
        scan: &Scan,
        smallest_p: f64,
        not_compared: usize,
    ) -> Self {
        let Scan { rule, level, .. } = *scan;
        let value = |feature: &FeatureDrift| match rule {
            Rule::MaxStatistic => feature.adjusted,
            Rule::BenjaminiHochberg => feature.q,
        };
        let discoveries = features.iter().filter(|feature| value(feature) <= level).count();
        let smallest = features.iter().map(value).fold(f64::NAN, f64::min);
        let alone = match rule {
            Rule::MaxStatistic => smallest_p,
            Rule::BenjaminiHochberg => (smallest_p * features.len() as f64).min(1.0),
        };
        let found = if features.is_empty() {
            Found::Undecidable(Reason::NoFeatures)
        } else {
            match Found::by(smallest, smallest_p, level) {
                Found::None if not_compared > 0 => {
                    Found::Undecidable(Reason::NotCompared { features: not_compared })
                }
                found => found,
            }
        };
        Self { rule, level, found, discoveries, smallest, alone }
    }
}

/// Features that are not the same in a profile and a panel.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Changed {
    /// In the panel alone.
    pub added: Vec<String>,
    /// In the profile alone.
    pub removed: Vec<String>,
    /// Taken for renamed, from and to: one gone and one new of the same kind at the same place.
    pub renamed: Vec<(String, String)>,
    /// Bins in one and numbers in the other.
    pub retyped: Vec<String>,
}

impl Changed {
    /// Features of the profile that the panel could not be compared by.
    #[must_use]
    pub fn not_compared(&self) -> usize {
        self.removed.len() + self.renamed.len() + self.retyped.len()
    }
}

/// One feature, reference eras against current eras.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FeatureDrift {
    /// The feature.
    pub name: String,
    /// Population stability index.
    #[serde(with = "fattail_core::null")]
    pub psi: f64,
    /// Jensen and Shannon's distance.
    #[serde(with = "fattail_core::null")]
    pub jensen_shannon: f64,
    /// Kolmogorov and Smirnov's distance; of numbers against a profile, at the ends of its cells.
    #[serde(with = "fattail_core::null")]
    pub smirnov: f64,
    /// Wasserstein's distance in the feature's unit; NaN for numbers against a profile whose cells hold
    /// more than one value.
    #[serde(with = "fattail_core::null")]
    pub wasserstein: f64,
    /// Wasserstein's distance in standard deviations of the reference.
    #[serde(with = "fattail_core::null")]
    pub wasserstein_scaled: f64,
    /// Share of missing values on each side.
    pub missing: [f64; 2],
    /// Eras of each side in which every row holds the filler: the feature is missing there.
    pub filler_eras: [usize; 2],
    /// The era-aware statistic `T`.
    pub statistic: f64,
    /// Its p-value.
    pub p: f64,
    /// The q-value of Benjamini and Hochberg over all features.
    #[serde(with = "fattail_core::null")]
    pub q: f64,
    /// The p-value adjusted for all features by the largest statistic.
    #[serde(with = "fattail_core::null")]
    pub adjusted: f64,
    /// Chi-squared's p-value as if rows were independent.
    #[serde(with = "fattail_core::null")]
    pub row_p: f64,
}

/// The index of each era against the reference: a matrix for a heat map.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Heat {
    /// The eras, down.
    pub eras: Vec<String>,
    /// The features or groups of features, across.
    pub columns: Vec<String>,
    /// The index, `eras x columns`, era after era.
    #[serde(with = "holes")]
    pub psi: Vec<f32>,
}

/// Single precision in JSON: what is not finite is written as `null` and read back as NaN.
mod holes {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(
        values: &[f32],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(values.iter().map(|value| value.is_finite().then_some(*value)))
    }

    pub(super) fn deserialize<'de, D>(deserializer: D) -> Result<Vec<f32>, D::Error>
    where
        D: Deserializer<'de>,
    {
        let values: Vec<Option<f32>> = Vec::deserialize(deserializer)?;
        Ok(values.into_iter().map(|value| value.unwrap_or(f32::NAN)).collect())
    }
}

impl Heat {
    /// The mean index of groups of features; a name that is not a column is left out, and a group
    /// without any is NaN.
    ///
    /// ```
    /// use fattail_drift::Heat;
    /// let heat = Heat {
    ///     eras: vec!["1".into()],
    ///     columns: vec!["a".into(), "b".into(), "c".into()],
    ///     psi: vec![0.1, 0.3, 0.9],
    /// };
    /// let groups = heat.grouped(&[("ab", &["a", "b"][..]), ("c", &["c"][..])]);
    /// assert_eq!(groups.psi, [0.2, 0.9]);
    /// ```
    #[must_use]
    pub fn grouped<S: AsRef<str>>(&self, groups: &[(&str, &[S])]) -> Self {
        let place = |name: &S| self.columns.iter().position(|known| known == name.as_ref());
        let members: Vec<Vec<usize>> =
            groups.iter().map(|(_, names)| names.iter().filter_map(place).collect()).collect();
        let mut psi = Vec::with_capacity(self.eras.len() * groups.len());
        for row in self.psi.chunks(self.columns.len().max(1)) {
            for list in &members {
                let sum: f64 = list.iter().map(|&at| f64::from(row[at])).sum();
                psi.push((sum / list.len() as f64) as f32);
            }
        }
        let columns = groups.iter().map(|(name, _)| (*name).to_owned()).collect();
        Self { eras: self.eras.clone(), columns, psi }
    }
}
