//! What `score` puts together: predictions, targets, other models and features, joined by era and id.

use std::path::{Path, PathBuf};

use clap::Args;
use fattail::{
    Metric, Observer, Panel,
    evaluate::{
        AbsoluteError, Alpha, ContributionTo, CorrelationWith, HuberError, MeanExposure,
        NeutralContribution, NeutralCorrelation, PearsonCorr, PortfolioContribution, SquaredError,
        TieBrokenRankCorr,
    },
    store::{Features, ReadOptions, Targets, join, read, read_predictions},
};

use crate::{Outcome, metrics};

/// The files of `score`.
#[derive(Debug, Args)]
pub struct ScoreFiles {
    /// Predictions to score: columns id, era, prediction
    #[arg(long, value_name = "FILE")]
    pub predictions: PathBuf,
    /// Targets: columns id, era and the target
    #[arg(long, value_name = "FILE")]
    pub targets: PathBuf,
    /// Target to score against; without it `target`, or the first one
    #[arg(long, value_name = "NAME")]
    pub target: Option<String>,
    /// A meta model's predictions, for MMC and the correlation with it
    #[arg(long, value_name = "FILE")]
    pub meta: Option<PathBuf>,
    /// A benchmark model's predictions, for BMC
    #[arg(long, value_name = "FILE")]
    pub benchmark: Option<PathBuf>,
    /// Features, for FNC, neutral scores and exposures
    #[arg(long, value_name = "FILE")]
    pub features: Option<PathBuf>,
    /// Column of sample weights in the features file, for alpha
    #[arg(long, value_name = "COLUMN", requires = "features", requires = "neutralizers")]
    pub weights: Option<String>,
    /// Columns in the features file, split by commas, that are orthonormal under the weights in each
    /// era, for alpha
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',', requires = "weights")]
    pub neutralizers: Vec<String>,
    /// Other submissions, split by commas, for MPC beside alpha
    #[arg(long, value_name = "FILES", value_delimiter = ',', requires = "weights")]
    pub portfolio: Vec<PathBuf>,
    /// Stakes, split by commas: on the predictions, then on each file of the portfolio
    #[arg(long, value_name = "STAKES", value_delimiter = ',', requires = "portfolio")]
    pub stakes: Vec<f64>,
}

/// Everything in one panel, and the predictions in its order.
#[derive(Debug)]
pub struct Joined {
    /// Targets, features and other models of the eras that are predicted.
    pub panel: Panel,
    /// The predictions.
    pub predictions: Vec<f32>,
}

const META: &str = "meta_model";
const BENCHMARK: &str = "benchmark";
const PREDICTION: &str = "prediction";
/// The target while it is joined.
const ANSWER: &str = "target to join";

impl ScoreFiles {
    /// Reads the files and joins them by era and id.
    ///
    /// # Errors
    /// When a file cannot be read or a predicted era lacks a row.
    pub fn join(&self, observer: Observer<'_>) -> Outcome<Joined> {
        let predicted = read_predictions(&self.predictions)?;
        let targets = self.read_targets(observer)?;
        let eras: Vec<usize> = predicted
            .eras()
            .labels()
            .map(|label| targets.eras().position(label))
            .collect::<Result<_, _>>()?;
        let mut panel = targets.cut(&eras)?;
        if let Some(path) = &self.features {
            panel = self.with_features(path, &panel, observer)?;
        }
        for (column, file) in [(META, &self.meta), (BENCHMARK, &self.benchmark)] {
            if let Some(path) = file {
                let values = join(&panel, &read_predictions(path)?, PREDICTION)?;
                panel = panel.with_extra(column, values)?;
            }
        }
        for (at, path) in self.portfolio.iter().enumerate() {
            let values = join(&panel, &read_predictions(path)?, PREDICTION)?;
            panel = panel.with_extra(&submission(at), values)?;
        }
        let predictions = join(&panel, &predicted, PREDICTION)?;
        Ok(Joined { panel, predictions })
    }

    fn read_targets(&self, observer: Observer<'_>) -> Outcome<Panel> {
        let named = |name: &String| Targets::Named(vec![name.clone()]);
        let options = ReadOptions {
            features: Features::Named(Vec::new()),
            targets: self.target.as_ref().map_or_else(Targets::default, named),
            main_target: self.target.clone(),
            ..ReadOptions::default()
        };
        Ok(read(&self.targets, &options, observer)?)
    }

    /// The rows of the features file in the eras of `targets`, with their targets.
    fn with_features(
        &self,
        path: &Path,
        targets: &Panel,
        observer: Observer<'_>,
    ) -> Outcome<Panel> {
        let options = ReadOptions {
            targets: Targets::Named(Vec::new()),
            extras: self.weights.iter().chain(&self.neutralizers).cloned().collect(),
            ..ReadOptions::default()
        };
        let panel = read(path, &options, observer)?;
        let labels = targets.eras().labels();
        let eras: Vec<usize> =
            labels.map(|label| panel.eras().position(label)).collect::<Result<_, _>>()?;
        let panel = panel.cut(&eras)?;
        let name = targets.schema().target().unwrap_or_default();
        let table = targets.with_extra(ANSWER, targets.target()?.to_f32())?;
        Ok(panel.append_target(name, join(&panel, &table, ANSWER)?)?)
    }
}

/// The extra column of a submission of the portfolio.
fn submission(at: usize) -> String {
    format!("submission {}", at + 1)
}

/// Every score that the files allow.
#[must_use]
pub fn metrics_of(panel: &Panel, files: &ScoreFiles) -> Vec<Box<dyn Metric>> {
    let meta = files.meta.as_ref().map(|_| META);
    let mut all = metrics(panel, meta);
    all.extend([Box::new(TieBrokenRankCorr) as Box<dyn Metric>, Box::new(PearsonCorr)]);
    if let Some(column) = meta {
        all.push(Box::new(CorrelationWith { column: column.into() }));
    }
    if files.benchmark.is_some() {
        all.push(Box::new(ContributionTo::bmc(BENCHMARK)));
    }
    if panel.width() > 0 {
        all.push(Box::new(NeutralCorrelation::default()));
        all.push(Box::new(MeanExposure::default()));
        if let Some(column) = meta {
            let (column, settings) = (column.into(), Default::default());
            all.push(Box::new(NeutralContribution { column, features: None, settings }));
        }
    }
    if let Some(weights) = &files.weights {
        all.push(Box::new(Alpha {
            weights: weights.clone(),
            neutralizers: files.neutralizers.clone(),
        }));
        if !files.portfolio.is_empty() {
            all.push(Box::new(PortfolioContribution {
                others: (0..files.portfolio.len()).map(submission).collect(),
                stakes: files.stakes.clone(),
                weights: weights.clone(),
                neutralizers: files.neutralizers.clone(),
            }));
        }
    }
    all.extend([Box::new(SquaredError) as Box<dyn Metric>, Box::new(AbsoluteError)]);
    all.retain(|metric| metric.name() != HuberError::default().name());
    all
}
