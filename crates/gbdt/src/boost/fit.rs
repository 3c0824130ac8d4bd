//! From settings and a panel to a model.

use fattail_bins::{Binned, Mappers};
use fattail_core::{Fit, Observer, Panel, Result, silent};
use fattail_trees::Feature;

use super::{
    GbdtModel,
    data::{Data, hold_out},
    encode::Encoder,
    holdout::Holdout,
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
        self.check()?;
        let (train, holdout) = hold_out(train, self)?;
        let fit = |settings: &Self, train: &Panel, holdout: Option<Panel>| {
            let mappers = Mappers::learn(train, &settings.bins)?;
            settings.fit_shard(train, holdout.as_ref(), &mappers, &Alone, observer)
        };
        let Some(prior) = self.prior() else { return fit(self, &train, holdout) };
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

    /// Refuses what needs all rows in one place.
    fn check_alone(&self, reduce: &dyn Reduce) -> Result<()> {
        let alone = [
            (self.prior().is_some(), "ordered target statistics"),
            (self.linear.is_some() && !reduce.is_alone(), "linear leaves"),
            (self.boosting == Boosting::Ordered && !reduce.is_alone(), "ordered boosting"),
        ];
        let Some((_, first)) = alone.into_iter().find(|(wrong, _)| *wrong) else { return Ok(()) };
        let (second, reason) = ("rows spread over workers", "it needs all rows in one place");
        Err(Error::Contradiction { first, second, reason }.into())
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
        self.check_alone(reduce)?;
        let allowed = Allowed::new(&self.constraints, train.schema())?;
        let data = Data::new(train, mappers, self)?;
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
            };
            let holdout = held.as_ref().zip(self.stop.as_ref());
            let holdout = holdout.map(|(data, stop)| Holdout::new(data, stop, objective));
            let outcome = training.run(holdout)?;
            let features = self.features(train, &data.binned);
            Ok(train::forest(self, objective, mappers, outcome, features))
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
