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
    Boosting, CategoricalMethod, Error, Gbdt,
    grow::Allowed,
    histogram::{Alone, Reduce},
};

impl Fit for Gbdt {
    type Fitted = GbdtModel;

    fn fit(&self, train: &Panel) -> Result<GbdtModel> {
        self.fit_observed(train, &silent)
    }
}

impl Gbdt {
    /// Trains and tells an observer after each round.
    ///
    /// # Errors
    /// When a setting is out of range or the panel lacks what the fit needs.
    pub fn fit_observed(&self, train: &Panel, observer: Observer<'_>) -> Result<GbdtModel> {
        self.fit_after(train, None, observer)
    }

    /// Trains on: new trees upon those of a forest, whose raw scores they begin at. The model holds the
    /// trees of both; early stopping may take away new ones only.
    ///
    /// ```
    /// use fattail_core::{Fit, Panel};
    /// use fattail_gbdt::{Gbdt, Limits};
    ///
    /// let panel = Panel::builder()
    ///     .feature("x", vec![0u8, 1, 2, 0, 1, 2])
    ///     .target("y", vec![0.0f32, 0.0, 1.0, 0.0, 0.0, 1.0])
    ///     .build()?;
    /// let limits = Limits { min_data_in_leaf: 1, ..Limits::default() };
    /// let settings = Gbdt { limits, rounds: 10, ..Gbdt::default() };
    /// let model = settings.fit(&panel)?;
    /// let longer = settings.fit_from(&model.forest, &panel)?;
    /// assert_eq!(longer.forest.iterations(), 20);
    /// # Ok::<(), fattail_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// When a setting is out of range, the panel lacks what the fit needs, or the forest has other
    /// features, outputs or another link than the new trees would have.
    pub fn fit_from(&self, forest: &Forest, train: &Panel) -> Result<GbdtModel> {
        start::check_average(self, forest)?;
        self.fit_after(train, Some(forest), &silent)
    }

    fn fit_after(
        &self,
        train: &Panel,
        old: Option<&Forest>,
        observer: Observer<'_>,
    ) -> Result<GbdtModel> {
        self.check()?;
        let (train, holdout) = hold_out(train, self)?;
        let fit = |settings: &Self, train: &Panel, holdout: Option<Panel>| {
            let mappers = Mappers::learn(train, &settings.bins)?;
            settings.train(train, holdout.as_ref(), &mappers, old, (&Alone, observer))
        };
        let Some(prior) = self.prior() else { return fit(self, &train, holdout) };
        if old.is_some() {
            return refuse("ordered target statistics", GOING_ON, "its trees ask about categories");
        }
        let (encoder, train) = Encoder::learn(&train, self, prior)?;
        let holdout = holdout.map(|panel| encoder.apply(&panel)).transpose()?;
        Ok(encoder.restore(fit(&encoder.settings(self, &train), &train, holdout)?))
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
        let ordered = self.boosting == Boosting::Ordered;
        let alone = [
            (self.prior().is_some(), "ordered target statistics"),
            (self.linear.is_some() && !reduce.is_alone(), "linear leaves"),
            (ordered && !reduce.is_alone(), "ordered boosting"),
        ];
        if let Some((_, first)) = alone.into_iter().find(|(wrong, _)| *wrong) {
            return refuse(first, "rows spread over workers", "it needs all rows in one place");
        }
        if ordered && old.is_some() {
            return refuse("ordered boosting", GOING_ON, "its trees have seen every row");
        }
        Ok(())
    }

    /// Trains on the rows of one worker of several that share `mappers` and sum over `reduce`.
    ///
    /// # Errors
    /// When a setting is out of range or the panel lacks what the fit needs.
    pub fn fit_shard(
        &self,
        train: &Panel,
        holdout: Option<&Panel>,
        mappers: &Mappers,
        reduce: &dyn Reduce,
        observer: Observer<'_>,
    ) -> Result<GbdtModel> {
        self.train(train, holdout, mappers, None, (reduce, observer))
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
        let histograms = need.histograms(self.max_memory)?;
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
                histograms,
            };
            let held_rows = held.as_ref().map_or(0, Data::rows);
            let mut start = Start::new(self, objective, data.rows(), held_rows);
            if let Some(old) = old {
                start::check_old(objective, old)?;
                start = start.after(old, train, holdout)?;
            }
            let score = std::mem::take(&mut start.holdout);
            let holdout = held.as_ref().zip(self.stop.as_ref());
            let holdout =
                holdout.map(|(data, stop)| Holdout::new(data, self, stop, objective, score));
            let holdout = holdout.transpose()?;
            let outcome = if reduce.is_alone() {
                // On a thread of the pool: from outside, each parallel step puts the caller to sleep.
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
