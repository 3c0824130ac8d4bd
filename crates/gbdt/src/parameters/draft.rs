//! What parameters add up to, one after the other, before it is put together and checked.

use super::{
    ParameterResult, Parameters, conflicts,
    names::Given,
    objective::ObjectiveDraft,
    seeds::{Following, without_usual},
};
use crate::{Boosting, CategoricalMethod, Criterion, Dart, EarlyStop, Gbdt, Rows};

/// Settings whose parts come from several parameters, and the rest.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub(super) out: Parameters,
    pub(super) gbdt: Gbdt,
    pub(super) booster: Booster,
    /// `boosting=goss`, the older way to ask for it.
    pub(super) goss_by_booster: bool,
    pub(super) strategy: Strategy,
    pub(super) dart: Dart,
    pub(super) bag: Bag,
    pub(super) objective: ObjectiveDraft,
    /// Positions at which ranking metrics are taken; empty where they are not given.
    pub(super) eval_at: Vec<usize>,
    /// Within how many of the best classes the right one must be.
    pub(super) multi_error_top: usize,
    /// Whether leaves are linear, and their penalty.
    pub(super) linear: (bool, f64),
    pub(super) ordered_target: bool,
    pub(super) prior: f64,
    pub(super) eras: Eras,
    /// No rounds stand for no early stopping.
    pub(super) stop: EarlyStop,
}

/// How trees add up, without settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Booster {
    Gradient,
    Dart,
    Forest,
    Ordered,
}

/// How rows are drawn, without settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Strategy {
    Bagging,
    Goss,
    MinimalVariance,
}

/// Shares of rows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bag {
    pub(super) fraction: f64,
    /// Of the rows whose label is above 0.
    pub(super) positive: f64,
    /// Of the others.
    pub(super) negative: f64,
    pub(super) every: usize,
    pub(super) whole_eras: bool,
    pub(super) top: f64,
    pub(super) other: f64,
}

impl Bag {
    /// Whether rows are drawn at all.
    pub(super) fn draws(&self) -> bool {
        (self.fraction < 1.0 || self.by_class()) && self.every > 0
    }

    /// Whether classes have their own shares, before which the share of all rows does not count.
    pub(super) fn by_class(&self) -> bool {
        self.positive < 1.0 || self.negative < 1.0
    }
}

/// The criterion without its settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CriterionName {
    Pooled,
    EraSplit,
    Directional,
    TStatistic,
}

/// The criterion and the settings of all of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Eras {
    pub(super) criterion: CriterionName,
    pub(super) alpha: f64,
    pub(super) gamma: f64,
    pub(super) directional: f64,
    pub(super) pooled: f64,
    pub(super) power: f64,
    pub(super) least: f64,
}

impl Default for Draft {
    fn default() -> Self {
        Self {
            out: Parameters::default(),
            gbdt: Gbdt::default(),
            booster: Booster::Gradient,
            goss_by_booster: false,
            strategy: Strategy::Bagging,
            dart: Dart::default(),
            bag: Bag {
                fraction: 1.0,
                positive: 1.0,
                negative: 1.0,
                every: 0,
                whole_eras: false,
                top: 0.2,
                other: 0.1,
            },
            objective: ObjectiveDraft::default(),
            eval_at: Vec::new(),
            multi_error_top: 1,
            linear: (false, 0.0),
            ordered_target: false,
            prior: 1.0,
            eras: Eras {
                criterion: CriterionName::Pooled,
                alpha: 0.0,
                gamma: 1.0,
                directional: 0.0,
                pooled: 0.0,
                power: 1.0,
                least: 0.0,
            },
            stop: EarlyStop { rounds: 0, ..EarlyStop::default() },
        }
    }
}

impl Draft {
    /// Refuses contradictions and puts the settings together.
    pub(super) fn finish(mut self, given: &Given) -> ParameterResult<Parameters> {
        if self.goss_by_booster {
            self.strategy = Strategy::Goss;
        }
        conflicts::check(&self, given)?;
        self.agree_with_lightgbm(given);
        self.out.metrics = self.metrics();
        self.gbdt.objective = self.objective.build();
        self.gbdt.boosting = match self.booster {
            Booster::Gradient => Boosting::Gradient,
            Booster::Dart => Boosting::Dart(self.dart),
            Booster::Forest => Boosting::RandomForest,
            Booster::Ordered => Boosting::Ordered,
        };
        self.gbdt.sampling.rows = self.rows();
        self.gbdt.eras.criterion = self.criterion();
        self.gbdt.linear = self.linear.0.then_some(self.linear.1);
        if self.ordered_target {
            self.gbdt.categorical.method = CategoricalMethod::OrderedTarget { prior: self.prior };
        }
        // Without early stopping, validation data is still watched.
        if self.stop.rounds > 0 || !self.out.files.valid.is_empty() {
            self.stop.metric = self.out.metrics.first().cloned();
            self.gbdt.stop = Some(self.stop);
        }
        Ok(Parameters { gbdt: self.gbdt, ..self.out })
    }

    fn rows(&self) -> Rows {
        let Bag { fraction, positive, negative, every, whole_eras, top, other } = self.bag;
        match self.strategy {
            Strategy::Goss => Rows::Goss { top, other },
            Strategy::MinimalVariance => Rows::MinimalVariance { fraction },
            Strategy::Bagging if !self.bag.draws() => Rows::All,
            Strategy::Bagging if whole_eras => Rows::Eras { fraction, every },
            Strategy::Bagging if self.bag.by_class() => {
                Rows::BagByClass { positive, negative, every }
            }
            Strategy::Bagging => Rows::Bag { fraction, every },
        }
    }

    fn criterion(&self) -> Criterion {
        let Eras { criterion, alpha, gamma, directional, pooled, power, least } = self.eras;
        match criterion {
            CriterionName::Pooled => Criterion::Pooled,
            CriterionName::EraSplit => Criterion::EraSplit { alpha, gamma, directional, pooled },
            CriterionName::Directional => Criterion::Directional { power, least },
            CriterionName::TStatistic => Criterion::TStatistic { least },
        }
    }

    /// What LightGBM settles by itself: seeds that follow from the seed, leaves that the depth allows,
    /// rows of a leaf under path smoothing.
    fn agree_with_lightgbm(&mut self, given: &Given) {
        let seed = self.gbdt.seed;
        let following = Following::of(seed);
        if given.holds("seed") && !given.holds("data_random_seed") {
            self.gbdt.bins.seed = following.bins;
        }
        if given.holds("seed") {
            self.objective.seed.get_or_insert(following.objective);
        }
        self.gbdt.seeds = without_usual(self.gbdt.seeds, seed);
        let most = self.gbdt.depth.and_then(|depth| 1usize.checked_shl(depth as u32));
        if let Some(most) = most.filter(|&most| most < self.gbdt.leaves) {
            self.gbdt.leaves = most;
        }
        let limits = &mut self.gbdt.limits;
        if limits.path_smooth > 0.0 {
            limits.min_data_in_leaf = limits.min_data_in_leaf.max(2);
        }
    }
}
