//! Statistics by one category: each category's value, from the tables that training filled.
//!
//! `value = ((good + prior) / (total + weight) + shift) scale` in single precision; `good` and `total` are
//! the rows of some classes of the target and of all, or the rows of the category and of the largest one.

use std::collections::HashMap;

use super::city::Codes;
use super::features::words;
use super::read::refuse;
use crate::Result;
use crate::document::{Place, shown};

/// The key of a free place in a table.
const FREE: u64 = u64::MAX;

/// A statistic of a categorical feature.
pub(super) struct Counter {
    pub(super) column: usize,
    /// Categories and their values.
    pub(super) values: Vec<(usize, f32)>,
    /// The value of a missing category.
    pub(super) missing: f32,
    /// The value of a category that the table does not hold.
    pub(super) unseen: f32,
    pub(super) borders: Vec<f32>,
}

/// What the statistics of a document are read with.
pub(super) struct Tables<'a> {
    /// The tables by their identifiers.
    pub(super) data: Place<'a>,
    pub(super) codes: &'a Codes,
    pub(super) by_key: HashMap<u64, i32>,
    /// The columns and names of the categorical features.
    pub(super) names: Vec<(usize, &'a str)>,
}

/// What is counted.
#[derive(Clone, Copy)]
enum Kind {
    /// Rows of the classes above the target's border.
    Borders,
    /// Rows of the class of the target's border.
    Buckets,
    /// The sum and the number of targets.
    Mean,
    /// Rows.
    Counter,
}

/// How counts become a value.
struct Formula {
    kind: Kind,
    class: usize,
    prior: f32,
    weight: f32,
    shift: f32,
    scale: f32,
    denominator: f32,
}

impl Counter {
    /// Reads a statistic, and the number of rows of its table.
    pub(super) fn read(place: &Place<'_>, tables: &Tables<'_>) -> Result<(Self, usize)> {
        let (column, name) = read_feature(place, tables)?;
        let table = tables.data.at(place.at("identifier")?.text()?)?;
        let formula = Formula::read(place, &table)?;
        let unseen = formula.value(0.0, 0.0);
        let borders = place.at("borders")?.singles()?;
        let mut counter = Self { column, values: Vec::new(), missing: unseen, unseen, borders };
        let (entries, rows) = formula.entries(&table)?;
        for (key, value) in entries {
            let hash = *tables.by_key.get(&key).ok_or_else(|| words(name))?;
            counter.values.extend(tables.codes.of(hash).iter().map(|&code| (code, value)));
            if hash == tables.codes.nan {
                counter.missing = value;
            }
        }
        counter.values.sort_by_key(|&(code, _)| code);
        counter.values.dedup_by_key(|&mut (code, _)| code);
        Ok((counter, rows))
    }
}

/// The column and name of the one categorical feature that a statistic is by.
fn read_feature<'a>(place: &Place<'_>, tables: &Tables<'a>) -> Result<(usize, &'a str)> {
    let elements = place.at("elements")?.items()?;
    let mut features = Vec::with_capacity(elements.len());
    for element in &elements {
        let kind = element.at("combination_element")?.text()?;
        if kind != "cat_feature_value" {
            return Err(refuse(format!("a statistic by {:?}", shown(kind))));
        }
        let index = element.at("cat_feature_index")?;
        let at = index.index()?;
        let feature = tables.names.get(at).copied();
        features.push(
            feature
                .ok_or_else(|| index.error(format!("feature {at} of {}", tables.names.len())))?,
        );
    }
    let [feature] = features[..] else {
        let names: Vec<String> =
            features.iter().map(|(_, name)| format!("'{}'", shown(name))).collect();
        return Err(refuse(format!(
            "a statistic by the features {} together",
            names.join(" and ")
        )));
    };
    Ok(feature)
}

impl Formula {
    fn read(place: &Place<'_>, table: &Place<'_>) -> Result<Self> {
        let kind = match place.at("ctr_type")?.text()? {
            "Borders" => Kind::Borders,
            "Buckets" => Kind::Buckets,
            "BinarizedTargetMeanValue" | "FloatTargetMeanValue" => Kind::Mean,
            "Counter" | "FeatureFreq" => Kind::Counter,
            other => return Err(refuse(format!("a statistic of the type {:?}", shown(other)))),
        };
        Ok(Self {
            kind,
            class: place.at("target_border_idx")?.index()?,
            prior: place.at("prior_numerator")?.single()?,
            weight: place.at("prior_denomerator")?.single()?,
            shift: place.at("shift")?.single()?,
            scale: place.at("scale")?.single()?,
            denominator: table.at("counter_denominator")?.single()?,
        })
    }

    fn value(&self, good: f32, total: f32) -> f32 {
        let total = if matches!(self.kind, Kind::Counter) { self.denominator } else { total };
        ((good + self.prior) / (total + self.weight) + self.shift) * self.scale
    }

    /// The keys of a table and their values, and the number of its rows.
    fn entries(&self, table: &Place<'_>) -> Result<(Vec<(u64, f32)>, usize)> {
        let stride = table.at("hash_stride")?;
        let width = stride.index()?;
        let map = table.at("hash_map")?;
        let items = map.items()?;
        let least = match self.kind {
            Kind::Counter => 2,
            Kind::Mean => 3,
            Kind::Borders | Kind::Buckets => self.class.saturating_add(2),
        };
        if width < least || items.len() % width != 0 {
            let reason = format!("{width} of {} entries, at least {least} are needed", items.len());
            return Err(stride.error(reason));
        }
        let mut entries = Vec::with_capacity(items.len() / width);
        for row in items.chunks_exact(width) {
            let key: u64 = row[0].parsed("a hash")?;
            let counts = row[1..].iter().map(Place::single).collect::<Result<Vec<f32>>>()?;
            if key != FREE {
                entries.push((key, self.of_counts(&counts)));
            }
        }
        Ok((entries, items.len() / width))
    }

    fn of_counts(&self, counts: &[f32]) -> f32 {
        let sum = |counts: &[f32]| counts.iter().sum::<f32>();
        let good = match self.kind {
            Kind::Borders => sum(&counts[(self.class + 1).min(counts.len())..]),
            Kind::Buckets => counts[self.class],
            Kind::Mean | Kind::Counter => counts[0],
        };
        let total = match self.kind {
            Kind::Mean => counts[1],
            _ => sum(counts),
        };
        self.value(good, total)
    }
}
