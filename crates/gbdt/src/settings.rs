//! The settings of boosting. Defaults are LightGBM's, but for the era options, which are off.

use std::collections::BTreeMap;

use fattail_bins::Binning;
use fattail_objective::Objective;
use serde::{Deserialize, Serialize};

/// Gradient boosting of decision trees.
///
/// ```
/// use fattail_core::{Fit, Panel, Predict};
/// use fattail_gbdt::{Gbdt, Limits};
///
/// let panel = Panel::builder()
///     .eras(&["1", "1", "1", "2", "2", "2", "3", "3", "3"])?
///     .feature("x", vec![0u8, 1, 2, 0, 1, 2, 0, 1, 2])
///     .target("y", vec![0.0f32, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0])
///     .build()?;
/// let limits = Limits { min_data_in_leaf: 1, ..Limits::default() };
/// let model = Gbdt { limits, rounds: 50, ..Gbdt::default() }.fit(&panel)?;
/// assert!((model.predict(&panel)?[2] - 1.0).abs() < 0.01);
/// # Ok::<(), fattail_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Gbdt {
    /// What is minimised.
    pub objective: Objective,
    /// The targets, by name, that the objective gets; empty for the panel's main one. With several, a
    /// regression has as many outputs, and a row teaches those whose target it knows.
    pub targets: Vec<String>,
    /// Whether an objective of several outputs grows one tree a round, whose leaves hold a value for
    /// each: the sum of the outputs' gains chooses splits, the mean of their hessians limits leaves, and
    /// of categories each is tried against the rest. Otherwise every output has its own tree.
    pub multi_output: bool,
    /// How trees add up.
    pub boosting: Boosting,
    /// Iterations.
    pub rounds: usize,
    /// The share of each tree that is added.
    pub learning_rate: f64,
    /// Seed of every random choice.
    pub seed: u64,
    /// Seeds of some choices by themselves.
    pub seeds: Seeds,
    /// The order in which leaves are split.
    pub growth: Growth,
    /// The most leaves of a tree.
    pub leaves: usize,
    /// The most questions from root to leaf; none for no limit.
    pub depth: Option<usize>,
    /// What a split and a leaf must hold.
    pub limits: Limits,
    /// Which rows and columns a tree sees.
    pub sampling: Sampling,
    /// What the model may not do.
    pub constraints: Constraints,
    /// How columns become bins.
    pub bins: Binning,
    /// How categories are split.
    pub categorical: Categorical,
    /// What eras have to say.
    pub eras: EraSettings,
    /// When to stop before the last round.
    pub stop: Option<EarlyStop>,
    /// How gradients are summed.
    pub precision: Precision,
    /// Lines in the leaves, with this ridge penalty: in the numeric features on the way to the leaf,
    /// from the second round on. Monotone constraints and `max_delta_step` bind splits, not lines.
    pub linear: Option<f64>,
    /// Whether boosting begins at the objective's best constant.
    pub from_average: bool,
    /// The most bytes that training may take beside the panel; none for no limit.
    pub max_memory: Option<u64>,
}

impl Default for Gbdt {
    fn default() -> Self {
        Self {
            objective: Objective::default(),
            targets: Vec::new(),
            multi_output: false,
            boosting: Boosting::default(),
            rounds: 100,
            learning_rate: 0.1,
            seed: 0,
            seeds: Seeds::default(),
            growth: Growth::default(),
            leaves: 31,
            depth: None,
            limits: Limits::default(),
            sampling: Sampling::default(),
            constraints: Constraints::default(),
            bins: Binning::default(),
            categorical: Categorical::default(),
            eras: EraSettings::default(),
            stop: None,
            precision: Precision::default(),
            linear: None,
            from_average: true,
            max_memory: None,
        }
    }
}

/// Seeds of some choices by themselves; none for [`Gbdt::seed`].
///
/// No choice of such a seed is that of the same number as the general one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Seeds {
    /// Which rows or eras a tree sees.
    pub rows: Option<u64>,
    /// Which columns a tree or a node sees.
    pub columns: Option<u64>,
    /// Which threshold an extremely random tree tries.
    pub extra: Option<u64>,
    /// Which trees are dropped.
    pub drop: Option<u64>,
}

/// How trees add up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "boosting", rename_all = "snake_case")]
pub enum Boosting {
    /// Each tree fits what the others left.
    #[default]
    Gradient,
    /// Trees are dropped at random while the next one is fitted (Vinayak & Gilad-Bachrach 2015).
    Dart(Dart),
    /// Trees are fitted to the target by themselves, on samples, and averaged (Breiman 2001).
    RandomForest,
    /// Each row's gradient comes from models that have not seen it (Prokhorenkova et al. 2018,
    /// ordered boosting), in era order where there are eras, else in a random order.
    Ordered,
}

/// Settings of DART.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Dart {
    /// The chance of each tree to be dropped.
    pub drop_rate: f64,
    /// The most trees dropped in a round; none for no limit.
    pub max_drop: Option<usize>,
    /// The chance that nothing is dropped.
    pub skip_drop: f64,
    /// Whether trees weigh as in XGBoost.
    pub xgboost_mode: bool,
    /// Whether heavy trees are dropped no more often than light ones.
    pub uniform: bool,
}

impl Default for Dart {
    fn default() -> Self {
        Self {
            drop_rate: 0.1,
            max_drop: Some(50),
            skip_drop: 0.5,
            xgboost_mode: false,
            uniform: false,
        }
    }
}

/// The order in which leaves are split.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Growth {
    /// The leaf that wins most, first (LightGBM).
    #[default]
    LeafWise,
    /// Level by level (XGBoost).
    DepthWise,
    /// One question a level (CatBoost).
    Oblivious,
}

/// What a split and a leaf must hold.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// Rows of a leaf at least.
    pub min_data_in_leaf: usize,
    /// Sum of hessians of a leaf at least.
    pub min_sum_hessian_in_leaf: f64,
    /// What a split must win at least.
    pub min_gain_to_split: f64,
    /// Penalty on the absolute value of leaves.
    pub lambda_l1: f64,
    /// Penalty on the square of leaves.
    pub lambda_l2: f64,
    /// The most that a leaf may move a score; 0 for no limit.
    pub max_delta_step: f64,
    /// How much leaves lean towards their parent; 0 for not at all.
    pub path_smooth: f64,
    /// Whether one random threshold a feature is tried instead of all (Geurts et al. 2006).
    pub extra_trees: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            min_data_in_leaf: 20,
            min_sum_hessian_in_leaf: 1e-3,
            min_gain_to_split: 0.0,
            lambda_l1: 0.0,
            lambda_l2: 0.0,
            max_delta_step: 0.0,
            path_smooth: 0.0,
            extra_trees: false,
        }
    }
}

/// Which rows and columns a tree sees.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Sampling {
    /// Which rows.
    pub rows: Rows,
    /// The share of the columns that a tree sees.
    pub columns_by_tree: f64,
    /// The share of those that a node sees.
    pub columns_by_node: f64,
}

impl Default for Sampling {
    fn default() -> Self {
        Self { rows: Rows::All, columns_by_tree: 1.0, columns_by_node: 1.0 }
    }
}

/// Which rows a tree sees.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "rows", rename_all = "snake_case")]
pub enum Rows {
    /// All.
    #[default]
    All,
    /// A share of the rows, drawn anew every `every` rounds.
    Bag {
        /// The share.
        fraction: f64,
        /// Rounds between draws.
        every: usize,
    },
    /// A share of the rows of each class of a [`Objective::Binary`], drawn anew every `every` rounds.
    BagByClass {
        /// The share of the rows whose label is above 0.
        positive: f64,
        /// The share of the others.
        negative: f64,
        /// Rounds between draws.
        every: usize,
    },
    /// A share of the eras, whole, drawn anew every `every` rounds.
    Eras {
        /// The share.
        fraction: f64,
        /// Rounds between draws.
        every: usize,
    },
    /// The rows with the largest gradients and some of the others (LightGBM's GOSS, Ke et al. 2017).
    Goss {
        /// The share kept for the size of their gradients.
        top: f64,
        /// The share drawn from the rest.
        other: f64,
    },
    /// Rows by chance in proportion to their gradients (CatBoost's MVS, Ibragimov & Gusev 2019).
    MinimalVariance {
        /// The share kept on average.
        fraction: f64,
    },
}

/// What the model may not do. Features by name.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Constraints {
    /// 1 for features that predictions may only rise with, -1 for those they may only fall with.
    pub monotone: BTreeMap<String, i8>,
    /// How monotone constraints are kept.
    pub monotone_method: MonotoneMethod,
    /// How much the gain of splits on monotone features near the root is cut.
    pub monotone_penalty: f64,
    /// Sets of features that may meet on a path; empty for no limit.
    pub interaction: Vec<Vec<String>>,
    /// Splits that every tree begins with.
    pub forced: Option<Box<ForcedSplit>>,
    /// Factors of the gain of some features.
    pub contribution: BTreeMap<String, f64>,
}

/// How monotone constraints are kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MonotoneMethod {
    /// The middle of two children bounds both (fast, strict).
    #[default]
    Basic,
    /// Leaves bound each other by their values (slower, looser).
    Intermediate,
}

/// A split that is made whatever it wins, breadth first; the first that is impossible ends them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ForcedSplit {
    /// The feature, by name.
    pub feature: String,
    /// What goes left is at most this, or is this category; none for the best question.
    pub threshold: Option<f64>,
    /// The split of the left child.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<Box<ForcedSplit>>,
    /// The split of the right child.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub right: Option<Box<ForcedSplit>>,
}

/// How categories are split.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Categorical {
    /// The method.
    pub method: CategoricalMethod,
    /// Up to this many categories, one against the rest is tried.
    pub max_to_onehot: usize,
    /// The most categories on the smaller side.
    pub max_threshold: usize,
    /// Extra penalty on the square of leaves.
    pub l2: f64,
    /// Smoothing of the statistics of rare categories.
    pub smooth: f64,
    /// Rows of a group of categories at least.
    pub min_data_per_group: usize,
}

impl Default for Categorical {
    fn default() -> Self {
        Self {
            method: CategoricalMethod::Partition,
            max_to_onehot: 4,
            max_threshold: 32,
            l2: 10.0,
            smooth: 10.0,
            min_data_per_group: 100,
        }
    }
}

/// What becomes of categories.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "method", rename_all = "snake_case")]
pub enum CategoricalMethod {
    /// Sets of categories, sorted by their gradients (Fisher 1958; LightGBM).
    #[default]
    Partition,
    /// Numbers: means of the target over earlier rows of the category (CatBoost's ordered target
    /// statistics, Prokhorenkova et al. 2018).
    OrderedTarget {
        /// Weight of the overall mean, above 0. Columns of up to `max_to_onehot` categories stay
        /// categories.
        prior: f64,
    },
}

/// What eras have to say about a split.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct EraSettings {
    /// What a split is judged by.
    pub criterion: Criterion,
    /// Eras are joined, in order, into this many folds before they judge; none for every era.
    pub folds: Option<usize>,
    /// The share of the eras in the node in which both sides must hold rows.
    pub valid_share: f64,
    /// Rows that each side of such an era must hold.
    pub min_rows: usize,
    /// Whether every era weighs the same, however many rows it has.
    pub equal_weights: bool,
    /// Training goes on with the eras that are predicted worst; none for no era boosting. Rows are
    /// sampled among theirs. Of several workers each chooses among its own eras.
    pub boosting: Option<EraBoosting>,
    /// Part of the linear span of the features that is taken out of the gradients, era by era. It does
    /// not make predictions neutral out of sample. Workers must hold eras whole.
    pub neutralise: Option<Neutralise>,
    /// Strengthens `lambda_l2` in nodes whose gain differs between eras: the penalty is
    /// `lambda_l2 + factor * H * var_e(slope) / mean_e(slope)^2`, slope being the era's leaf difference.
    pub adaptive: Option<f64>,
}

impl Default for EraSettings {
    fn default() -> Self {
        Self {
            criterion: Criterion::Pooled,
            folds: None,
            valid_share: 0.0,
            min_rows: 1,
            equal_weights: false,
            boosting: None,
            neutralise: None,
            adaptive: None,
        }
    }
}

/// What a split is judged by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "criterion", rename_all = "snake_case")]
pub enum Criterion {
    /// The gain over all rows.
    #[default]
    Pooled,
    /// Era splitting (DeLise 2023): `gamma` times the Boltzmann mean of the eras' gains at `alpha`,
    /// plus `directional` times the agreement of their directions, plus `pooled` times the pooled gain.
    EraSplit {
        /// 0 for the mean, negative towards the least, positive towards the largest.
        alpha: f64,
        /// Weight of the era gain.
        gamma: f64,
        /// Weight of the agreement of directions.
        directional: f64,
        /// Weight of the pooled gain.
        pooled: f64,
    },
    /// The pooled gain times the agreement of the eras' directions to the power `power`; splits whose
    /// agreement is below `least` are refused.
    Directional {
        /// The power.
        power: f64,
        /// The least agreement, from 0 to 1.
        least: f64,
    },
    /// The t-statistic over eras of their gains, for splits that win in the pool.
    TStatistic {
        /// The least t-statistic.
        least: f64,
    },
}

/// Training goes on with the eras that are predicted worst.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct EraBoosting {
    /// The share of the eras that is kept.
    pub proportion: f64,
    /// Rounds between choices.
    pub every: usize,
}

impl Default for EraBoosting {
    fn default() -> Self {
        Self { proportion: 0.5, every: 10 }
    }
}

/// Neutralisation of gradients.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Neutralise {
    /// The part that is taken out.
    pub proportion: f64,
    /// The most principal components of an era's features that are taken out.
    pub components: usize,
}

impl Default for Neutralise {
    fn default() -> Self {
        Self { proportion: 1.0, components: 50 }
    }
}

/// When to stop before the last round. The last eras of the training panel are held out, with a gap.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct EarlyStop {
    /// Rounds without improvement that are borne. With none, no eras are held out and no tree is taken away:
    /// the metric of a validation panel is told, and that is all.
    pub rounds: usize,
    /// How much better a score must be.
    pub min_delta: f64,
    /// The share of the eras that is held out.
    pub holdout: f64,
    /// Eras between the last one fitted on and the first one held out.
    pub gap: usize,
    /// The metric, by LightGBM's name or one of the era metrics; none for the objective's own.
    pub metric: Option<String>,
}

impl Default for EarlyStop {
    fn default() -> Self {
        Self { rounds: 50, min_delta: 0.0, holdout: 0.2, gap: 0, metric: None }
    }
}

/// How gradients are summed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// As integers, exactly: the same model for any number of threads and row shards.
    #[default]
    Integer,
    /// As `f64`, in row order: the reference.
    Double,
}
