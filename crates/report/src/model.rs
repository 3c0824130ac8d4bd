//! What a report is made of: facts, settings and what `evaluate` found. Nothing is computed here.

use fattail_evaluate::{Backtest, FoldRun, Scores, Summary, TearSheet};
use serde::{Deserialize, Serialize};

use crate::{CertificateFacts, DriftMap, GateOutcome, Overfitting};

use fattail_core::null;

/// One run, ready to be written as JSON, Markdown, HTML or a table for the terminal.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Report {
    /// The headline.
    pub title: String,
    /// The program and its version.
    pub generated_by: String,
    /// What was read.
    pub data: DataFacts,
    /// The settings of the run, in the order in which they are shown.
    pub settings: Vec<Setting>,
    /// How train and test eras were kept apart.
    pub split: Option<SplitFacts>,
    /// The models, the most important first.
    pub models: Vec<ModelReport>,
    /// The models against each other and against the constant predictor, era by era.
    #[serde(default)]
    pub differences: Vec<Difference>,
    /// What the models are measured against, such as the meta model: a line in the running sums.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub benchmark: Option<Benchmark>,
    /// What the submission gate decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate: Option<GateOutcome>,
    /// What the leak certificate states.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<CertificateFacts>,
    /// How likely the best model is best by chance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overfitting: Option<Overfitting>,
    /// How far features moved from where they were learnt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift: Option<DriftMap>,
    /// What the reader must know before trusting a figure.
    pub warnings: Vec<String>,
    /// Files that the run left beside the page.
    pub files: Vec<FileLink>,
}

/// Facts about the data.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DataFacts {
    /// The file's name, or what else the data is.
    pub source: String,
    /// The number of rows.
    pub rows: u64,
    /// The number of eras.
    pub eras: u64,
    /// The first era.
    pub first_era: String,
    /// The last era.
    pub last_era: String,
    /// The number of features.
    pub features: u64,
    /// The target's name.
    pub target: String,
    /// The panel's bytes in memory.
    pub bytes: u64,
}

/// A setting as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Setting {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

impl Setting {
    /// A setting from anything that can be shown.
    #[must_use]
    pub fn new(name: impl Into<String>, value: impl ToString) -> Self {
        Self { name: name.into(), value: value.to_string() }
    }
}

/// How train and test eras were kept apart.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SplitFacts {
    /// The split's name.
    pub name: String,
    /// Eras left out between train and test.
    pub gap_eras: usize,
    /// Where the gap comes from.
    pub rule: String,
}

/// One model's backtest.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ModelReport {
    /// The model's name.
    pub name: String,
    /// Its settings, a line a step of the pipeline.
    pub settings: Vec<String>,
    /// Its metrics, the most important first.
    pub metrics: Vec<MetricReport>,
    /// The folds, in order.
    pub folds: Vec<FoldRun>,
    /// The exposure to features, era by era: the first metric whose name ends with `exposure`.
    pub exposure: Option<Scores>,
    /// Coefficients, of models that have them.
    pub coefficients: Vec<Coefficient>,
    /// What the predictions earn, how long they last, what they follow and how they fail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tear_sheet: Option<TearSheet>,
}

impl ModelReport {
    /// Puts a backtest into a report; `summarize` is a form of [`Summary::of`].
    #[must_use]
    pub fn new(
        name: impl Into<String>,
        backtest: &Backtest,
        summarize: impl Fn(&[f64]) -> Summary,
    ) -> Self {
        let scored = |scores: &Scores| Scored {
            scores: scores.clone(),
            summary: summarize(&scores.values()),
        };
        let metric = |scores: &Scores| MetricReport {
            model: scored(scores),
            constant: backtest.constant.iter().find(|c| c.metric == scores.metric).map(scored),
        };
        let metrics: Vec<MetricReport> = backtest.scores.iter().map(metric).collect();
        let exposure = metrics.iter().find(|metric| metric.is_exposure());
        Self {
            name: name.into(),
            exposure: exposure.map(MetricReport::plain),
            metrics,
            folds: backtest.folds.clone(),
            ..Self::default()
        }
    }

    /// A metric by its name.
    pub(crate) fn metric(&self, name: &str) -> Option<&MetricReport> {
        self.metrics.iter().find(|metric| metric.name() == name)
    }
}

/// One metric of a model, and of the constant predictor beside it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricReport {
    /// The model's scores.
    pub model: Scored,
    /// The constant predictor's scores.
    pub constant: Option<Scored>,
}

impl MetricReport {
    /// The metric's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.model.scores.metric
    }

    /// Whether it is an error or an exposure, with a minus.
    pub(crate) fn is_cost(&self) -> bool {
        self.model.scores.is_negative()
    }

    /// The model's scores as they read without the minus that makes larger better.
    fn plain(&self) -> Scores {
        let scores = &self.model.scores;
        if self.is_cost() { scores.negated() } else { scores.clone() }
    }

    /// Whether it tells how close predictions follow features.
    pub(crate) fn is_exposure(&self) -> bool {
        self.name().ends_with("exposure")
    }
}

/// Scores and their summary.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scored {
    /// Era by era.
    pub scores: Scores,
    /// In summary.
    pub summary: Summary,
}

/// The scores of predictions that the models are measured against.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Benchmark {
    /// Its name.
    pub name: String,
    /// Its scores by metrics of the models, in the same eras.
    pub scores: Vec<Scores>,
}

/// What one model scores more than another in each era.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// The model.
    pub model: String,
    /// The model, or `constant`, whose scores are taken away.
    pub minus: String,
    /// The difference of the scores.
    pub scored: Scored,
}

/// How the constant predictor is called.
pub(crate) const CONSTANT: &str = "constant";

impl Difference {
    /// Every model minus each one before it, then minus the constant predictor where that has scores,
    /// metric by metric; `summarize` is a form of [`Summary::of`].
    #[must_use]
    pub fn all(models: &[ModelReport], summarize: impl Fn(&[f64]) -> Summary) -> Vec<Self> {
        let mut all = Vec::new();
        for metric in models.first().map(|model| &model.metrics[..]).unwrap_or_default() {
            let metrics = models.iter().map(|model| model.metric(metric.name()));
            let names = models.iter().map(|model| &*model.name);
            let of: Vec<(&str, &MetricReport)> =
                names.zip(metrics).filter_map(|(name, metric)| Some((name, metric?))).collect();
            let mut push = |model: &str, minus: &str, a: &Scores, b: &Scores| {
                let scores = a.minus(b);
                let scored = Scored { summary: summarize(&scores.values()), scores };
                all.push(Self { model: model.into(), minus: minus.into(), scored });
            };
            for (at, (name, later)) in of.iter().enumerate() {
                for (other, earlier) in &of[..at] {
                    push(name, other, &later.model.scores, &earlier.model.scores);
                }
            }
            for (name, metric) in &of {
                let constant = metric.constant.as_ref().map(|constant| &constant.scores);
                if let Some(constant) = constant.filter(|scores| scores.mean().is_finite()) {
                    push(name, CONSTANT, &metric.model.scores, constant);
                }
            }
        }
        all
    }

    /// The difference in words.
    pub(crate) fn name(&self) -> String {
        format!("{} − {}", self.model, self.minus)
    }
}

/// A coefficient and the interval that it is known to.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Coefficient {
    /// The feature's name.
    pub name: String,
    /// The estimate.
    #[serde(with = "null")]
    pub value: f64,
    /// The lower end of the interval; NaN where there is none.
    #[serde(with = "null")]
    pub low: f64,
    /// The upper end of the interval; NaN where there is none.
    #[serde(with = "null")]
    pub high: f64,
}

/// A file beside the page.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FileLink {
    /// What it is.
    pub label: String,
    /// Its path, relative to the page.
    pub path: String,
}
