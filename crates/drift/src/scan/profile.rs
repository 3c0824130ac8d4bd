//! The reference of a scan, kept: what was learnt from is not at hand when live rows come.
//!
//! A profile holds the settings of the scan, the labels, places and rows of the reference's eras, and
//! of each feature its name, whether it is bins, and its rows in each era at each value. Numbers are
//! counted in four cells a bin, cut at the reference's quantiles. Four bytes a count: 2,400 features
//! of five bins and 1,000 eras are 58 MB in memory.
//!
//! Bins are scanned as [`Scan::run`] scans them. Of numbers, the index, Jensen and Shannon's distance,
//! the heat and the missing shares are the same too. The test's bins are cut on both sides together as
//! well as the cells allow, and cells are the reference's: so its p-value is exact in the limit of many
//! reference rows, not for any number. Kolmogorov and Smirnov's distance is the largest at an end of a
//! cell, thus at most the true one, and Wasserstein's is NaN unless every value is the end of a cell.
//!
//! The current eras are taken to follow the reference's last era at once, which is cautious: a gap
//! between blocks leaves out what lies closest.
//!
//! Features are known by name. Those of the reference that the panel lacks, or holds as another kind,
//! cannot be compared: they are told, and without drift in the others the verdict is
//! [`Found::Undecidable`](crate::Found::Undecidable). New features are told. A feature that is gone and
//! a new one of its kind at the same place after the same neighbour are told as renamed; that is a
//! guess, and they are not compared.

use std::collections::{HashMap, HashSet};

use fattail_core::{Panel, Values};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{
    Changed, Scan, ScanReport,
    counts::{Counted, Counts},
    plan::{Plan, Side},
};
use crate::error::{Error, Result};

/// The reference eras of a scan, counted; made by [`Scan::profile`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    settings: Scan,
    eras: Side,
    features: Vec<Feature>,
}

/// A feature of the reference.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Feature {
    name: String,
    bins: bool,
    counts: Counts,
}

/// Cells of numbers in a bin.
const FINER: usize = 4;

impl Scan {
    /// Counts the eras `reference` of `panel`, positions of eras, for scans of panels to come.
    ///
    /// # Errors
    /// When a setting is out of its range, or an era is given twice or is not in the panel.
    pub fn profile(&self, panel: &Panel, reference: &[usize]) -> Result<Profile> {
        self.check()?;
        let eras = Side::of(panel, reference, "reference")?;
        let cells = FINER.saturating_mul(self.binning.bins);
        let counted = |at: usize| {
            let values = values(panel, at, &eras);
            let counted = Counts::of_bins(&values, self.filler);
            Feature {
                name: panel.schema().features()[at].to_string(),
                bins: counted.is_some(),
                counts: counted.unwrap_or_else(|| Counts::of_numbers(&values, cells, self.filler)),
            }
        };
        let features = (0..panel.width()).into_par_iter().map(counted).collect();
        Ok(Profile { settings: *self, eras, features })
    }
}

impl Profile {
    /// Compares the eras `current` of `panel`, positions of eras, with the reference. One era is ranked
    /// among the reference's.
    ///
    /// ```
    /// use fattail_core::Panel;
    /// use fattail_drift::{Found, Profile, Scan};
    ///
    /// // 60 eras to learn from, of ten rows.
    /// let eras: Vec<String> = (0..600).map(|row| format!("{:04}", row / 10)).collect();
    /// let x: Vec<u8> = (0..600).map(|row| ((row * row / 7 + row / 13) % 5) as u8).collect();
    /// let y: Vec<u8> = x.iter().map(|x| 4 - x).collect();
    /// let past = Panel::builder().eras(&eras)?.feature("x", x).feature("y", y).build()?;
    /// let reference: Vec<usize> = (0..60).collect();
    /// let json = serde_json::to_string(&Scan::default().profile(&past, &reference)?)?;
    ///
    /// // This week: one era, in which `x` is high.
    /// let live = Panel::builder()
    ///     .eras(&["eraX"; 10])?
    ///     .feature("x", vec![3_u8, 4, 4, 4, 4, 4, 4, 4, 4, 4])
    ///     .feature("y", vec![0_u8, 1, 2, 3, 4, 0, 1, 2, 3, 4])
    ///     .build()?;
    /// let profile: Profile = serde_json::from_str(&json)?;
    /// let report = profile.scan(&live, &[0])?;
    /// assert_eq!((report.verdict.found, report.blocks), (Found::Drift, [60, 1]));
    /// // Further from the rest than any of 61 eras.
    /// assert_eq!(report.features[0].adjusted, 1.0 / 61.0);
    /// assert!(report.features[1].adjusted > 0.05);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// When a setting is out of its range, the profile's parts do not fit together, an era is given
    /// twice, is not in the panel, or bears the label of a reference era, or there are too few eras.
    pub fn scan(&self, panel: &Panel, current: &[usize]) -> Result<ScanReport> {
        self.check()?;
        let mut now = Side::of(panel, current, "current")?;
        let known: HashSet<&str> = self.eras.labels.iter().map(String::as_str).collect();
        if let Some(at) = now.labels.iter().position(|label| known.contains(label.as_str())) {
            let reason = "an era of the profile has its label";
            return Err(Error::Era { era: now.positions[at], side: "current", reason });
        }
        let eras = now.clone();
        let next = self.eras.positions.last().map_or(0, |last| last + 1);
        let first = now.positions.first().copied().unwrap_or(0);
        now.positions.iter_mut().for_each(|era| *era = next + (*era - first));
        let (changed, pairs) = self.compared(panel);
        let plan = Plan::new(&self.settings, &self.eras, &now)?;
        let filler = self.settings.filler;
        plan.report(pairs.len(), changed, |at| {
            let (feature, column) = pairs[at];
            let Feature { name, bins, counts } = &self.features[feature];
            let found = counts.alike(&values(panel, column, &eras), *bins, filler);
            // Kinds were compared.
            let found = found.ok_or(Error::Profile { part: "kinds" })?;
            Ok((name, Counted::of_counts(counts, &found, self.settings.binning.bins)))
        })
    }

    /// The settings of the scan.
    #[must_use]
    pub fn settings(&self) -> &Scan {
        &self.settings
    }

    /// The labels of the reference's eras.
    #[must_use]
    pub fn eras(&self) -> &[String] {
        &self.eras.labels
    }

    /// The features of the reference, in its order.
    pub fn features(&self) -> impl ExactSizeIterator<Item = &str> {
        self.features.iter().map(|feature| feature.name.as_str())
    }

    fn check(&self) -> Result<()> {
        self.settings.check()?;
        let Side { positions, labels, rows } = &self.eras;
        let rising = positions.is_sorted_by(|a, b| a < b);
        let near = positions.last().is_none_or(|last| u32::try_from(*last).is_ok());
        let filled = rows.iter().all(|&rows| rows > 0 && u32::try_from(rows).is_ok());
        if !(rising
            && near
            && filled
            && labels.len() == rows.len()
            && positions.len() == rows.len())
        {
            return Err(Error::Profile { part: "eras" });
        }
        self.features.iter().try_for_each(|feature| feature.counts.check(rows))
    }

    /// What changed, and the places of the features that are the same in the profile and the panel.
    fn compared(&self, panel: &Panel) -> (Changed, Vec<(usize, usize)>) {
        let names = panel.schema().features();
        let there: HashMap<&str, usize> = names.iter().map(|name| &**name).zip(0..).collect();
        let here: HashSet<&str> = self.features().collect();
        let (mut changed, mut pairs) = (Changed::default(), Vec::new());
        for (feature, at) in self.features.iter().zip(0..) {
            match there.get(feature.name.as_str()) {
                Some(&column) if panel.feature(column).is_u8() == feature.bins => {
                    pairs.push((at, column));
                }
                Some(_) => changed.retyped.push(feature.name.clone()),
                None => {}
            }
        }
        let gone = self.features.iter().map(|feature| (feature.name.as_str(), feature.bins));
        let gone = strangers(gone, |name| there.contains_key(name));
        let new = names.iter().zip(0..).map(|(name, at)| (&**name, panel.feature(at).is_u8()));
        let new = strangers(new, |name| here.contains(name));
        let mut at_place: HashMap<Place<'_>, &str> = new.iter().copied().collect();
        for (place, name) in gone {
            match at_place.remove(&place) {
                Some(now) => changed.renamed.push((name.to_owned(), now.to_owned())),
                None => changed.removed.push(name.to_owned()),
            }
        }
        let left = new.iter().filter(|(place, _)| at_place.contains_key(place));
        changed.added = left.map(|(_, name)| (*name).to_owned()).collect();
        (changed, pairs)
    }
}

/// The last neighbour before that both panels have, how many stand between, and whether it is bins.
type Place<'a> = (Option<&'a str>, usize, bool);

/// The features that the other panel lacks, each with its place.
fn strangers<'a>(
    features: impl Iterator<Item = (&'a str, bool)>,
    known: impl Fn(&str) -> bool,
) -> Vec<(Place<'a>, &'a str)> {
    let (mut last, mut since, mut found) = (None, 0, Vec::new());
    for (name, bins) in features {
        if known(name) {
            (last, since) = (Some(name), 0);
        } else {
            found.push(((last, since, bins), name));
            since += 1;
        }
    }
    found
}

/// The values of a feature in eras of a panel.
pub(super) fn values<'a>(panel: &'a Panel, feature: usize, eras: &Side) -> Vec<Values<'a>> {
    let column = panel.feature(feature);
    eras.positions.iter().map(|&era| column.era(era)).collect()
}
