//! The settings of boosted trees in the weekly job: Numerai's, and what the command line changes.
//!
//! The defaults are those of Numerai's small baseline (depth 5, 31 leaves, a tenth of the columns a
//! tree), but for 400 rounds at a rate of 0.05 instead of 2,000 at 0.01: the same sum of rates in a
//! fifth of the time. `--rounds 2000 --learning-rate 0.01` is the baseline itself.

use std::path::PathBuf;

use clap::Args;
use fattail::{
    Panel,
    gbdt::{
        Gbdt,
        parameters::{Columns, Parameters, describe, full_name, read_conf},
    },
};

use crate::{
    Outcome,
    boost::{Pairs, refuse, settings, told},
};

/// Numerai's settings, by LightGBM's names.
const NUMERAI: &[(&str, &str)] = &[
    ("num_iterations", "400"),
    ("learning_rate", "0.05"),
    ("max_depth", "5"),
    ("num_leaves", "31"),
    ("feature_fraction", "0.1"),
];

/// The options of boosted trees.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Boosted trees")]
pub struct BoostedArgs {
    /// Trees at most [default: 400]
    #[arg(long, value_name = "N")]
    pub rounds: Option<String>,
    /// The share of each tree that is added [default: 0.05]
    #[arg(long, value_name = "RATE")]
    pub learning_rate: Option<String>,
    /// The most leaves of a tree [default: 31]
    #[arg(long, value_name = "N")]
    pub leaves: Option<String>,
    /// The most questions from root to leaf; -1 for no limit [default: 5]
    #[arg(long, value_name = "N")]
    pub depth: Option<String>,
    /// The share of the columns that a tree sees [default: 0.1]
    #[arg(long, value_name = "SHARE")]
    pub columns_by_tree: Option<String>,
    /// Rows of a leaf at least [default: 20]
    #[arg(long, value_name = "N")]
    pub min_data_in_leaf: Option<String>,
    /// What judges a split: pooled, directional, t or split [default: pooled]
    #[arg(long, value_name = "CRITERION")]
    pub era_criterion: Option<String>,
    /// The share of the eras, whole, that a tree sees [default: 1]
    #[arg(long, value_name = "SHARE")]
    pub era_share: Option<String>,
    /// Stops after this many rounds without improvement on the last fifth of the training eras
    #[arg(long, value_name = "ROUNDS")]
    pub early_stopping: Option<String>,
    /// Any other parameter, by LightGBM's name or an alias; may come several times
    #[arg(long, value_name = "NAME=VALUE")]
    pub param: Vec<String>,
    /// LightGBM configuration file: `name = value` lines
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// Boosted trees with their settings.
#[derive(Debug)]
pub struct Boosted {
    /// The learner.
    pub gbdt: Gbdt,
    /// What differs from LightGBM's defaults, `name=value`, and what was given and does not count.
    pub told: Vec<String>,
}

impl BoostedArgs {
    /// The settings for a panel; `gap` eras are left out before those that early stopping looks at.
    /// Options count before `--param`, that before the configuration file, that before the defaults.
    ///
    /// # Errors
    /// When a parameter is unknown, out of range or contradicted, or a file cannot be read.
    pub fn boosted(&self, panel: &Panel, gap: usize, seed: u64) -> Outcome<Boosted> {
        let pairs = self.pairs()?;
        let gap = gap.to_string();
        let seed = seed.to_string();
        let others = [("early_stopping_gap", &*gap), ("seed", &*seed)];
        let parameters = Parameters::parse(with_defaults(pairs, NUMERAI.iter().chain(&others)))?;
        refuse(&parameters)?;
        let gbdt = settings(&parameters, panel)?;
        gbdt.check()?;
        let mut lines = differing(&gbdt, panel);
        lines.extend(parameters.notes.iter().map(told));
        let files = &parameters.files;
        let named = files.data.is_some() || files.output_model.is_some() || files.config.is_some();
        if named || parameters.columns != Columns::default() {
            lines.push("files and columns among the parameters do not count".into());
        }
        Ok(Boosted { gbdt, told: lines })
    }

    /// What is asked for, by LightGBM's names, the first of a name being what counts.
    fn pairs(&self) -> Outcome<Pairs> {
        let mut pairs = Pairs::new();
        let criterion = self.era_criterion.as_deref().map(|name| match name {
            "split" => "era_split".to_owned(),
            name => name.to_owned(),
        });
        for (name, value) in [
            ("num_iterations", &self.rounds),
            ("learning_rate", &self.learning_rate),
            ("num_leaves", &self.leaves),
            ("max_depth", &self.depth),
            ("feature_fraction", &self.columns_by_tree),
            ("min_data_in_leaf", &self.min_data_in_leaf),
            ("era_criterion", &criterion),
            ("bagging_fraction", &self.era_share),
            ("early_stopping_round", &self.early_stopping),
        ] {
            pairs.extend(value.clone().map(|value| (name.to_owned(), value)));
        }
        if self.era_share.is_some() {
            pairs.push(("bagging_freq".into(), "1".into()));
            pairs.push(("bagging_by_query".into(), "true".into()));
        }
        for pair in &self.param {
            let broken = || format!("--param is '{pair}', allowed is NAME=VALUE");
            let (name, value) = pair.split_once('=').ok_or_else(broken)?;
            pairs.push((full_name(name)?.to_owned(), value.to_owned()));
        }
        if let Some(path) = &self.config {
            let told = |error: &dyn std::fmt::Display| format!("'{}': {error}", path.display());
            let text = std::fs::read_to_string(path).map_err(|error| told(&error))?;
            for (name, value) in read_conf(&text).map_err(|error| told(&error))? {
                pairs.push((full_name(&name).map_err(|error| told(&error))?.to_owned(), value));
            }
        }
        Ok(pairs)
    }

    /// Whether any option of boosted trees is given.
    #[must_use]
    pub fn is_given(&self) -> bool {
        let options = [
            &self.rounds,
            &self.learning_rate,
            &self.leaves,
            &self.depth,
            &self.columns_by_tree,
            &self.min_data_in_leaf,
            &self.era_criterion,
            &self.era_share,
            &self.early_stopping,
        ];
        options.into_iter().any(Option::is_some) || !self.param.is_empty() || self.config.is_some()
    }
}

/// The pairs, and the defaults of names that they do not hold.
fn with_defaults<'a>(
    mut pairs: Pairs,
    defaults: impl Iterator<Item = &'a (&'a str, &'a str)>,
) -> Pairs {
    for (name, value) in defaults {
        if !pairs.iter().any(|(given, _)| given == name) {
            pairs.push(((*name).to_owned(), (*value).to_owned()));
        }
    }
    pairs
}

/// The parameters that differ from the defaults, as `name=value`.
fn differing(gbdt: &Gbdt, panel: &Panel) -> Vec<String> {
    let features = panel.schema().features();
    let defaults = describe(&Gbdt::default(), features);
    let named = describe(gbdt, features).into_iter().filter(|pair| !defaults.contains(pair));
    named.map(|(name, value)| format!("{name}={value}")).collect()
}
