//! From settings and a panel to a model.

use fattail_bins::{Binned, Mappers};
use fattail_core::{Fit, Observer, Panel, Result, silent};
use fattail_trees::{Feature, Forest};

use super::{
    GbdtModel,
    data::{Data, hold_out},
    encode::Encoder,
    holdout::Holdout,
    memory::Need,
    start::{self, Start},
    train::{self, Training},
};
use crate::{
    Boosting, CategoricalMethod, Criterion, EarlyStop, Error, Gbdt, Objective, Precision, Rows,
    grow::Allowed,
    histogram::{Alone, Reduce},
};

/// What training may get beside its panel.
#[derive(Debug, Clone, Copy, Default)]
pub struct Beside<'a> {
    /// The panel that the metric is told of after each round, in place of held-out eras.
    pub valid: Option<&'a Panel>,
    /// The forest that new trees come after: they begin at its raw scores, and the model holds the trees
    /// of both. Early stopping may take away new ones only.
    pub forest: Option<&'a Forest>,
}

impl Fit for Gbdt {
    type Fitted = GbdtModel;

    fn fit(&self, train: &Panel) -> Result<GbdtModel> {
        self.fit_with(train, Beside::default(), &silent)
    }
}

impl Gbdt {
    /// Trains with a validation panel, on from a forest, or both, and tells an observer after each round.
    ///
    /// ```
    /// use fattail_core::{Fit, Panel, silent};
    /// use fattail_gbdt::{Beside, Gbdt, Limits};
    ///
    /// let panel = Panel::builder()
    ///     .feature("x", vec![0u8, 1, 2, 0, 1, 2])
    ///     .target("y", vec![0.0f32, 0.0, 1.0, 0.0, 0.0, 1.0])
    ///     .build()?;
    /// let limits = Limits { min_data_in_leaf: 1, ..Limits::default() };
    /// let settings = Gbdt { limits, rounds: 10, ..Gbdt::default() };
    /// let model = settings.fit(&panel)?;
    /// let beside = Beside { forest: Some(&model.forest), valid: Some(&panel) };
    /// let longer = settings.fit_with(&panel, beside, &silent)?;
    /// assert_eq!(longer.forest.iterations(), 20);
    /// // The metric after each of the new rounds.
    /// assert_eq!((&*longer.metric, longer.history.len()), ("l2", 10));
    /// # Ok::<(), fattail_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// When a setting is out of range, a panel lacks what the fit needs or has other features than the
    /// training panel, or the forest has other features, outputs or another link than the new trees would
    /// have.
    pub fn fit_with(
        &self,
        train: &Panel,
        beside: Beside<'_>,
        observer: Observer<'_>,
    ) -> Result<GbdtModel> {
        self.check()?;
        if let Some(forest) = beside.forest {
            start::check_average(self, forest)?;
        }
        let (train, holdout) = self.panels(train, beside.valid)?;
        let fit = |settings: &Self, train: &Panel, holdout: Option<Panel>| {
            let mappers = Mappers::learn(train, &settings.bins)?;
            settings.train(train, holdout.as_ref(), &mappers, beside.forest, (&Alone, observer))
        };
        let Some(prior) = self.prior() else { return fit(self, &train, holdout) };
        if beside.forest.is_some() {
            return refuse("ordered target statistics", GOING_ON, "its trees ask about categories");
        }
        let (encoder, train) = Encoder::learn(&train, self, prior)?;
        let holdout = holdout.map(|panel| encoder.apply(&panel)).transpose()?;
        Ok(encoder.restore(fit(&encoder.settings(self, &train), &train, holdout)?))
    }

    /// The panel that is fitted on, and the one that the metric is told of.
    fn panels(&self, train: &Panel, valid: Option<&Panel>) -> Result<(Panel, Option<Panel>)> {
        let Some(valid) = valid else { return hold_out(train, self) };
        valid.schema().expect_features(train.schema().features())?;
        self.check_stop(&self.watched())?;
        Ok((train.clone(), Some(valid.clone())))
    }

    /// How the validation panel is watched: without early stopping by the objective's own metric.
    fn watched(&self) -> EarlyStop {
        self.stop.clone().unwrap_or(EarlyStop { rounds: 0, ..EarlyStop::default() })
    }

    /// The weight of the mean in the statistics of categories, where there are any.
    fn prior(&self) -> Option<f64> {
        match self.categorical.method {
            CategoricalMethod::OrderedTarget { prior } if !self.bins.categorical.is_empty() => {
                Some(prior)
            }
            _ => None,
        }
    }

    /// Refuses what needs all rows in one place, or to begin at the beginning.
    fn check_run(&self, reduce: &dyn Reduce, old: Option<&Forest>) -> Result<()> {
        let spread = self.needs_all_rows().filter(|_| !reduce.is_alone());
        if let Some(first) = spread {
            return refuse(first, "rows spread over workers", "it needs all rows in one place");
        }
        if self.boosting == Boosting::Ordered && old.is_some() {
            return refuse("ordered boosting", GOING_ON, "its trees have seen every row");
        }
        Ok(())
    }

    /// What of the settings depends on rows that other workers may hold, beyond the sums of a node.
    fn needs_all_rows(&self) -> Option<&'static str> {
        let eras = &self.eras;
        let judged = eras.criterion != Criterion::Pooled || eras.adaptive.is_some();
        let balanced = match &self.objective {
            Objective::Binary(binary) | Objective::MulticlassOva { binary, .. } => {
                binary.is_unbalance
            }
            _ => false,
        };
        let all = [
            (self.prior().is_some(), "ordered target statistics"),
            (self.linear.is_some(), "linear leaves"),
            (self.boosting == Boosting::Ordered, "ordered boosting"),
            (self.from_average, "a start from the average"),
            (self.renews_leaves(), "an objective that renews leaves"),
            (self.objective == Objective::Cox, "an order of all rows"),
            (balanced, "classes of equal weight"),
            (self.stop.as_ref().is_some_and(|stop| stop.rounds > 0), "early stopping"),
            (self.sampling.rows != Rows::All, "a sample of rows"),
            (eras.boosting.is_some(), "era boosting"),
            (judged, "eras that judge splits"),
            (self.precision == Precision::Double, "sums that depend on their order"),
        ];
        all.into_iter().find(|(needs, _)| *needs).map(|(_, what)| what)
    }

    /// Trains on the rows of one worker of several that share `mappers` and sum over `reduce`; eras and
    /// queries are whole. All of them get the same model. An error of one leaves the others waiting, unless
    /// `reduce` tells them.
    ///
    /// # Errors
    /// When a setting is out of range or needs all rows in one place, or the panel lacks what the fit needs.
    pub fn fit_shard(
        &self,
        train: &Panel,
        mappers: &Mappers,
        reduce: &dyn Reduce,
        observer: Observer<'_>,
    ) -> Result<GbdtModel> {
        self.check()?;
        self.train(train, None, mappers, None, (reduce, observer))
    }

    fn train(
        &self,
        train: &Panel,
        holdout: Option<&Panel>,
        mappers: &Mappers,
        old: Option<&Forest>,
        (reduce, observer): (&dyn Reduce, Observer<'_>),
    ) -> Result<GbdtModel> {
        self.check_run(reduce, old)?;
        let allowed = Allowed::new(&self.constraints, train.schema())?;
        let need = Need::new(self, mappers, train, holdout)?;
        let room = need.room(self.max_memory)?;
        let mut data = Data::new(train, mappers, self)?;
        if self.eras.equal_weights {
            data.weigh_eras_equally(reduce);
        }
        let held = holdout.map(|panel| Data::new(panel, mappers, self)).transpose()?;
        data.with_labels(|labels| {
            let objective = self.objective.bind(labels)?;
            let objective = &*objective;
            let training = Training {
                settings: self,
                data: &data,
                objective,
                allowed: &allowed,
                reduce,
                observer,
                room,
            };
            let held_rows = held.as_ref().map_or(0, Data::rows);
            let mut start = Start::new(self, objective, data.rows(), held_rows);
            if let Some(old) = old {
                start::check_old(objective, old)?;
                start = start.after(old, train, holdout)?;
            }
            let score = std::mem::take(&mut start.holdout);
            let watch = |data| Holdout::new(data, self, self.watched(), objective, score);
            let holdout = held.as_ref().map(watch).transpose()?;
            let outcome = if reduce.is_alone() {
                // On a thread of the pool: from outside, each parallel step puts the caller to sleep. Fits
                // from several threads share the pool as whole jobs, one after the other.
                rayon::scope(|_| training.run(start, holdout))
            } else {
                // A worker that waits for others must not keep a thread of the pool from them.
                training.run(start, holdout)
            }?;
            let features = self.features(train, &data.binned);
            train::model(self, objective, mappers, outcome, (features, old))
        })
    }

    fn features(&self, panel: &Panel, binned: &Binned) -> Vec<Feature> {
        let names = panel.schema().features().iter().zip(&binned.columns);
        let feature =
            |(name, column): (&std::sync::Arc<str>, &fattail_bins::BinnedColumn)| Feature {
                name: name.to_string(),
                info: column.mapper.info(),
                monotone: self.constraints.monotone.get(&**name).copied().unwrap_or(0),
            };
        names.map(feature).collect()
    }
}

const GOING_ON: &str = "the trees of another forest";

fn refuse<T>(first: &'static str, second: &'static str, reason: &'static str) -> Result<T> {
    Err(Error::Contradiction { first, second, reason }.into())
}
