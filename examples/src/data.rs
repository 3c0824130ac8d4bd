//! Where the panel of a run comes from: a file, or the embedded synthetic market.

use std::path::{Path, PathBuf};

use clap::Args;
use fattail::{
    Observer, Panel,
    store::{Features, ReadOptions, Targets, read, read_feature_sets},
};
use fattail_testing::Market;

use crate::{Outcome, free_memory};

/// The options that say which data to read.
#[derive(Debug, Args)]
pub struct DataArgs {
    /// Panel to read: Parquet, CSV or Arrow IPC; without it a synthetic market is drawn
    #[arg(long, value_name = "FILE")]
    pub data: Option<PathBuf>,
    /// Feature set to use, by its name in the feature sets file
    #[arg(long, value_name = "SET", default_value = "all")]
    pub features: String,
    /// The feature sets; without it `features.json` beside the data
    #[arg(long, value_name = "FILE")]
    pub feature_sets: Option<PathBuf>,
    /// Target to fit and to score; without it `target`, or the first one. Behind commas others that tear sheets hold
    /// predictions against, such as the same over 60 days
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub target: Vec<String>,
    /// Extra column with a meta model's predictions, for MMC
    #[arg(long, value_name = "COLUMN")]
    pub meta: Option<String>,
}

/// A panel and what to call it.
#[derive(Debug)]
pub struct Source {
    /// The panel.
    pub panel: Panel,
    /// The file's name, or what else the data is.
    pub name: String,
    /// The extra column with a meta model's predictions.
    pub meta: Option<String>,
    /// The targets that predictions are held against, the one that is fitted first.
    pub targets: Vec<String>,
}

/// The meta model of the synthetic market.
const META: &str = "meta_model";

impl DataArgs {
    /// Whether a meta model will be there: it is named, or the market has one.
    #[must_use]
    pub fn has_meta(&self) -> bool {
        self.meta.is_some() || self.data.is_none()
    }

    /// Reads the file, or draws the market.
    ///
    /// # Errors
    /// When the file, a set or a column is not as asked for.
    pub fn source(&self, seed: u64, observer: Observer<'_>) -> Outcome<Source> {
        match &self.data {
            Some(path) => self.read(path, observer),
            None => self.draw(seed),
        }
    }

    fn read(&self, path: &Path, observer: Observer<'_>) -> Outcome<Source> {
        let options = ReadOptions {
            features: self.feature_choice(path)?,
            targets: match &self.target[..] {
                [] => Targets::default(),
                named => Targets::Named(named.to_vec()),
            },
            main_target: self.target.first().cloned(),
            extras: self.meta.iter().cloned().collect(),
            max_bytes: free_memory()?,
            ..ReadOptions::default()
        };
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        let panel = read(path, &options, observer)?;
        if !panel.has_target() {
            return Err(format!(
                "'{}' has no column 'target…': name one with --target",
                path.display()
            )
            .into());
        }
        Ok(Source { name, meta: self.meta.clone(), targets: self.held_against(&panel), panel })
    }

    fn feature_choice(&self, data: &Path) -> Outcome<Features> {
        if self.features == "all" && self.feature_sets.is_none() {
            return Ok(Features::default());
        }
        let beside = || data.with_file_name("features.json");
        let sets = read_feature_sets(self.feature_sets.clone().unwrap_or_else(beside))?;
        Ok(Features::Named(sets.get(&self.features)?.to_vec()))
    }

    fn draw(&self, seed: u64) -> Outcome<Source> {
        if self.features != "all" || self.feature_sets.is_some() {
            return Err(
                "--features and --feature-sets need --data: the synthetic market has no sets"
                    .into(),
            );
        }
        // All names must be there; the first one is left as the main target.
        let market = Market { seed, ..Market::default() }.panel()?;
        let panel =
            self.target.iter().rev().try_fold(market, |panel, name| panel.with_target(name))?;
        let meta = self.meta.clone().unwrap_or_else(|| META.into());
        panel.extra(&meta)?;
        let (name, targets) = (format!("synthetic market, seed {seed}"), self.held_against(&panel));
        Ok(Source { panel, name, meta: Some(meta), targets })
    }

    /// The targets that are named, or the main one and the same over other horizons: `target_x_20` and `target_x_60`.
    fn held_against(&self, panel: &Panel) -> Vec<String> {
        if !self.target.is_empty() {
            return self.target.clone();
        }
        let stem = |name: &str| name.trim_end_matches(|c: char| c.is_ascii_digit()).to_owned();
        let Some(main) = panel.schema().target() else { return Vec::new() };
        let others = panel.schema().targets().iter().map(|name| &**name);
        let others = others.filter(|name| *name != main && stem(name) == stem(main));
        std::iter::once(main).chain(others).map(str::to_owned).collect()
    }
}
