//! Options and the names in a file, resolved to columns with roles.

use std::{collections::HashMap, path::Path, sync::Arc};

use fattail_core::nearest;

use crate::{Error, Features, Missing, ReadOptions, Result, Targets};

/// Columns whose names begin so are features only where they are asked for by that beginning.
const TARGET: &str = "target";

/// The columns to read, by their position in the file.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) era: Option<usize>,
    pub(crate) id: Option<usize>,
    pub(crate) filter: Option<usize>,
    pub(crate) columns: Vec<Wanted>,
    pub(crate) main_target: Option<String>,
}

/// A column of numbers to read.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub(crate) at: usize,
    pub(crate) name: Arc<str>,
    pub(crate) role: Role,
    /// Whether a missing value is NaN or an error.
    pub(crate) missing: Missing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Feature,
    Target,
    Extra,
    Weight,
}

impl Plan {
    /// `numeric` answers whether a column holds numbers.
    pub(crate) fn new(
        path: &Path,
        names: &[impl AsRef<str>],
        numeric: impl Fn(usize) -> bool,
        options: &ReadOptions,
    ) -> Result<Self> {
        if options.eras.every == 0 {
            let cause = fattail_core::Error::setting("eras.every", 0, "1 and above");
            return Err(Error::Setting(cause));
        }
        let file = File::new(path, names)?;
        let era = file.optional(options.era.as_deref(), "era")?;
        let id = file.optional(options.id.as_deref(), "id")?;
        let filter = options.filter.as_ref().map(|filter| filter.column.as_str());
        let filter = file.optional(filter, "filter")?;
        let extras = file.named(&options.extras, "extra column")?;
        let weight = file.optional(options.weight.as_deref(), "weight")?;
        let mut taken: HashMap<usize, &'static str> = HashMap::new();
        for (at, role) in [(era, "era"), (id, "id"), (weight, "weight")] {
            taken.extend(at.map(|at| (at, role)));
        }
        taken.extend(extras.iter().map(|&at| (at, "extra column")));
        let targets = file.expect_one_role(file.targets(options)?, "target", &taken)?;
        taken.extend(targets.iter().map(|&at| (at, "target")));
        let spare = |at| numeric(at) && filter != Some(at);
        let features = file.features(options, spare, &taken)?;
        let wanted = |list: Vec<usize>, role, missing| {
            let names = &file.names;
            list.into_iter()
                .map(move |at| Wanted { at, name: names[at].into(), role, missing })
                .collect::<Vec<_>>()
        };
        let main_target = file.main_target(options, &targets);
        let columns = [
            wanted(features, Role::Feature, options.missing),
            wanted(targets, Role::Target, Missing::Keep),
            wanted(extras, Role::Extra, options.missing_extras),
            wanted(weight.into_iter().collect(), Role::Weight, Missing::Refuse),
        ]
        .concat();
        Ok(Self { era, id, filter, columns, main_target })
    }
}

/// The names of a file.
struct File<'a> {
    path: &'a Path,
    names: Vec<&'a str>,
    index: HashMap<&'a str, usize>,
}

impl<'a> File<'a> {
    fn new(path: &'a Path, names: &'a [impl AsRef<str>]) -> Result<Self> {
        let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
        let mut index = HashMap::with_capacity(names.len());
        for (at, &name) in names.iter().enumerate() {
            if index.insert(name, at).is_some() {
                return Err(Error::DuplicateColumn { path: path.into(), column: name.into() });
            }
        }
        Ok(Self { path, names, index })
    }

    fn position(&self, column: &str, role: &'static str) -> Result<usize> {
        self.index.get(column).copied().ok_or_else(|| Error::MissingColumn {
            path: self.path.into(),
            column: column.into(),
            role,
            nearest: nearest(column, self.names.iter().copied()),
        })
    }

    fn optional(&self, column: Option<&str>, role: &'static str) -> Result<Option<usize>> {
        column.map(|column| self.position(column, role)).transpose()
    }

    fn named(&self, columns: &[String], role: &'static str) -> Result<Vec<usize>> {
        columns.iter().map(|column| self.position(column, role)).collect()
    }

    fn matching(&self, keep: impl Fn(usize, &str) -> bool) -> Vec<usize> {
        (0..self.names.len()).filter(|&at| keep(at, self.names[at])).collect()
    }

    fn targets(&self, options: &ReadOptions) -> Result<Vec<usize>> {
        let claimed = |name: &str| {
            let others = [&options.era, &options.id, &options.weight].into_iter().flatten();
            others.chain(&options.extras).any(|other| other == name)
        };
        let mut targets = match &options.targets {
            Targets::Prefix(prefix) => {
                self.matching(|_, name| name.starts_with(prefix.as_str()) && !claimed(name))
            }
            Targets::Named(names) => self.named(names, "target")?,
        };
        if let Some(main) = &options.main_target {
            let main = self.position(main, "target")?;
            if !targets.contains(&main) {
                targets.insert(0, main);
            }
        }
        Ok(targets)
    }

    fn main_target(&self, options: &ReadOptions, targets: &[usize]) -> Option<String> {
        let usual = || targets.iter().map(|&at| self.names[at]).find(|&name| name == "target");
        options.main_target.clone().or_else(|| usual().map(str::to_owned))
    }

    /// A column with another role, in `taken`, is never a feature: a target would be known.
    fn features(
        &self,
        options: &ReadOptions,
        spare: impl Fn(usize) -> bool,
        taken: &HashMap<usize, &'static str>,
    ) -> Result<Vec<usize>> {
        let free = |at: usize| !taken.contains_key(&at);
        let answer = |name: &str| name.starts_with(TARGET);
        let (found, rule) = match &options.features {
            Features::All => (
                self.matching(|at, name| free(at) && !answer(name) && spare(at)),
                "of numbers without another role".into(),
            ),
            Features::Prefix(prefix) => {
                let begins = |name: &str| name.starts_with(prefix.as_str());
                let wanted = |name: &str| begins(name) && (answer(prefix) || !answer(name));
                (
                    self.matching(|at, name| free(at) && wanted(name)),
                    format!("begins with '{prefix}'"),
                )
            }
            Features::Named(names) => {
                let found = self.named(names, "feature")?;
                return self.expect_one_role(found, "feature", taken);
            }
        };
        match found.is_empty() {
            true => Err(Error::NoFeatures { path: self.path.into(), rule }),
            false => Ok(found),
        }
    }

    fn expect_one_role(
        &self,
        columns: Vec<usize>,
        role: &'static str,
        taken: &HashMap<usize, &'static str>,
    ) -> Result<Vec<usize>> {
        let twice = columns.iter().find_map(|at| Some((*at, *taken.get(at)?)));
        twice.map_or(Ok(columns), |(at, other)| {
            let (path, column) = (self.path.into(), self.names[at].into());
            Err(Error::TwoRoles { path, column, roles: [role, other] })
        })
    }
}
