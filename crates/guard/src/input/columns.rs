//! Which columns a batch has, against those that it must have.
//!
//! A model reads its features by position, so that a column that is missing, stands twice, has another
//! name or stands elsewhere refuses the batch before a value is looked at.

use std::collections::{HashMap, HashSet};

use fattail_core::{Panel, nearest};

/// Missing columns for which a near name is looked for: each is compared with every stranger.
const NEAR: usize = 16;

use super::{Additional, BatchVerdict, Feature, Gate, Kind, Presence, Rule};

impl Gate {
    /// Refuses names of feature columns that are not those of the schema, in its order.
    pub(crate) fn header(&self, names: &[&str]) -> Vec<BatchVerdict> {
        let (mut refused, additional) = compare(&self.schema.features, names);
        // A row is read by position: a column too many is one too many.
        refused.extend(additional);
        refused
    }

    /// The refusals of a panel's columns, and those that are left out with its leave.
    pub(crate) fn columns(&self, panel: &Panel) -> (Vec<BatchVerdict>, Vec<BatchVerdict>) {
        let schema = panel.schema();
        let names: Vec<&str> = schema.features().iter().map(|name| &**name).collect();
        let (mut refused, mut unknown) = compare(&self.schema.features, &names);
        let mut unnamed = |kind: &str, names: &[std::sync::Arc<str>], known: &HashSet<&str>| {
            for name in names.iter().filter(|name| !known.contains(&***name)) {
                unknown.push(
                    BatchVerdict::new(Rule::ColumnAdditional, format!("{kind} '{name}'"), "none")
                        .column(&**name),
                );
            }
        };
        let targets = &self.schema.targets;
        let known = targets.columns.iter().map(|target| &target.name).chain(&targets.unchecked);
        let known: HashSet<&str> = known.map(|name| &**name).collect();
        if targets.presence != Presence::Forbidden {
            unnamed("target", schema.targets(), &known);
        }
        unnamed(
            "extra column",
            schema.extras(),
            &self.schema.extras.iter().map(|n| &**n).collect(),
        );
        refused.extend(self.targets(panel));
        refused.extend(self.kinds(panel));
        match self.schema.additional {
            Additional::Refuse => {
                refused.extend(unknown);
                (refused, Vec::new())
            }
            Additional::LeaveOut => (refused, unknown),
        }
    }

    fn targets(&self, panel: &Panel) -> Option<BatchVerdict> {
        let (given, targets) = (panel.schema().targets(), &self.schema.targets);
        match targets.presence {
            Presence::Forbidden => given.first().map(|name| {
                let verdict = BatchVerdict::new(Rule::TargetPresent, name, "none").column(&**name);
                BatchVerdict { count: given.len(), ..verdict }
            }),
            Presence::Allowed => None,
            Presence::Required => {
                let known = targets.columns.iter().map(|target| &target.name);
                let absent = |target: &&String| !given.iter().any(|name| **name == ***target);
                let mut missing = known.chain(&targets.unchecked).filter(absent);
                let first = missing.next()?;
                let verdict = BatchVerdict::new(Rule::TargetMissing, "missing", first);
                Some(BatchVerdict { count: 1 + missing.count(), ..verdict.column(first) })
            }
        }
    }

    /// Columns of numbers where bins must be, and the other way round.
    fn kinds(&self, panel: &Panel) -> Vec<BatchVerdict> {
        let mut refused = Vec::new();
        for feature in &self.schema.features {
            let Ok(column) = panel.feature_named(&feature.name) else { continue };
            let bins = matches!(feature.kind, Kind::Bins { .. });
            if column.is_u8() != bins {
                let words = |bins| if bins { "bins (u8)" } else { "numbers (f32)" };
                let verdict =
                    BatchVerdict::new(Rule::ColumnKind, words(column.is_u8()), words(bins));
                refused.push(verdict.column(&feature.name));
            }
        }
        refused
    }
}

/// Refusals, and columns that are not known.
fn compare(features: &[Feature], given: &[&str]) -> (Vec<BatchVerdict>, Vec<BatchVerdict>) {
    let (mut refused, mut additional) = (Vec::new(), Vec::new());
    let known: HashSet<&str> = features.iter().map(|feature| &*feature.name).collect();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for (at, name) in given.iter().enumerate() {
        if let Some(first) = places.insert(name, at) {
            let value = format!("'{name}' at {first} and at {at}");
            refused.push(BatchVerdict::new(Rule::ColumnTwice, value, "once").column(*name));
        }
    }
    let mut strangers: Vec<&str> =
        given.iter().copied().filter(|name| !known.contains(name)).collect();
    let mut looked = 0;
    for (position, feature) in features.iter().enumerate() {
        if places.contains_key(&*feature.name) {
            continue;
        }
        // A stranger in its place, or one whose name is near, is the column under another name.
        let here = given.get(position).copied().filter(|name| strangers.contains(name));
        let mut near = || {
            looked += 1;
            let names = strangers.iter().copied();
            (looked <= NEAR).then(|| nearest(&feature.name, names)).flatten()
        };
        let verdict = match here.map(str::to_owned).or_else(&mut near) {
            Some(name) => {
                strangers.retain(|stranger| *stranger != name);
                BatchVerdict::new(Rule::ColumnRenamed, format!("'{name}'"), &feature.name)
            }
            None => BatchVerdict::new(Rule::ColumnMissing, "missing", &feature.name),
        };
        refused.push(verdict.column(&feature.name));
    }
    for name in strangers {
        let verdict = BatchVerdict::new(Rule::ColumnAdditional, format!("'{name}'"), "none");
        additional.push(verdict.column(name));
    }
    if refused.is_empty() {
        let mut here = given.iter().filter(|name| known.contains(*name));
        let moved = features.iter().position(|feature| here.next() != Some(&&*feature.name));
        refused.extend(moved.map(|at| {
            let name = &features[at].name;
            let place = places.get(&**name).copied().unwrap_or(at);
            let (value, allowed) = (format!("'{name}' at {place}"), format!("at {at}"));
            BatchVerdict::new(Rule::ColumnOrder, value, allowed).column(name)
        }));
    }
    (refused, additional)
}
