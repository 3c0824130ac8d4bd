//! Settings in their ranges.

use fattail_core::{Error, Result};

use fattail_objective::Objective;

use crate::{Boosting, Criterion, Dart, EarlyStop, Gbdt, Growth, MonotoneMethod, Rows};

const SHARE: &str = "above 0, at most 1";
const POSITIVE: &str = "above 0 and finite";
const NOT_NEGATIVE: &str = "0 or more, and finite";
const CHANCE: &str = "from 0 to 1";
const AT_LEAST_ONE: &str = "at least 1";

impl Gbdt {
    /// Answers whether the settings are in range.
    ///
    /// # Errors
    /// Names the setting, its value and what is allowed.
    pub fn check(&self) -> Result<()> {
        self.objective.check()?;
        self.check_counts()?;
        self.check_limits()?;
        self.check_oblivious()?;
        self.check_sampling()?;
        self.check_eras()?;
        self.check_criterion()?;
        self.check_era_pairs()?;
        self.check_boosting()?;
        self.check_together()?;
        self.stop.as_ref().map_or(Ok(()), |stop| self.check_stop(stop))
    }

    fn check_boosting(&self) -> Result<()> {
        if let Boosting::Dart(dart) = &self.boosting {
            dart.check()?;
        }
        let signed = self.constraints.monotone.values().any(|&direction| direction != 0);
        let renewed = matches!(
            self.objective,
            Objective::RegressionL1 | Objective::Quantile { .. } | Objective::Mape
        );
        if let Some(name) =
            self.bins.categorical.iter().find(|name| self.constraints.monotone.contains_key(*name))
        {
            return Err(Error::setting("monotone", name, "features that are not categorical"));
        }
        if signed && renewed {
            let (first, second) = ("monotone constraints", "an objective that renews leaves");
            return refuse(first, second, "a renewed value may break a constraint");
        }
        Ok(())
    }

    pub(crate) fn check_stop(&self, stop: &EarlyStop) -> Result<()> {
        not_negative("min_delta", stop.min_delta)?;
        if !(stop.holdout > 0.0 && stop.holdout < 1.0) {
            return Err(Error::setting("holdout", stop.holdout, "between 0 and 1, both excluded"));
        }
        stop.evaluation(self)?.check()?;
        let first = "early stopping";
        match self.boosting {
            Boosting::Dart(_) => {
                refuse(first, "dart", "trees of the best round change in later rounds")
            }
            Boosting::RandomForest => {
                refuse(first, "a random forest", "its trees do not build on each other")
            }
            Boosting::Gradient | Boosting::Ordered => Ok(()),
        }
    }

    fn check_counts(&self) -> Result<()> {
        let leaves = 2..=131_072;
        if !leaves.contains(&self.leaves) {
            return Err(Error::setting("leaves", self.leaves, "2 to 131072"));
        }
        if self.depth == Some(0) {
            return Err(Error::setting("depth", 0, AT_LEAST_ONE));
        }
        at_least_one("rounds", self.rounds)?;
        positive("learning_rate", self.learning_rate)
    }

    fn check_limits(&self) -> Result<()> {
        let limits = &self.limits;
        for (name, value) in [
            ("min_sum_hessian_in_leaf", limits.min_sum_hessian_in_leaf),
            ("min_gain_to_split", limits.min_gain_to_split),
            ("lambda_l1", limits.lambda_l1),
            ("lambda_l2", limits.lambda_l2),
            ("max_delta_step", limits.max_delta_step),
            ("path_smooth", limits.path_smooth),
            ("linear", self.linear.unwrap_or(0.0)),
        ] {
            not_negative(name, value)?;
        }
        Ok(())
    }

    /// Leaves of a level are split together, so what is settled leaf by leaf cannot hold.
    fn check_oblivious(&self) -> Result<()> {
        let constraints = &self.constraints;
        let by_value = !constraints.monotone.is_empty()
            && constraints.monotone_method == MonotoneMethod::Intermediate;
        let settled = [
            (constraints.forced.is_some(), "forced splits"),
            (by_value, "intermediate monotone constraints"),
        ];
        let first = settled.into_iter().find(|&(is_asked, _)| is_asked);
        match first.filter(|_| self.growth == Growth::Oblivious) {
            Some((_, first)) => Err(crate::Error::Contradiction {
                first,
                second: "oblivious growth",
                reason: "all leaves of a level are split by the same question",
            }
            .into()),
            None => Ok(()),
        }
    }

    fn check_sampling(&self) -> Result<()> {
        let sampling = &self.sampling;
        share("columns_by_tree", sampling.columns_by_tree)?;
        share("columns_by_node", sampling.columns_by_node)?;
        match sampling.rows {
            Rows::All => {}
            Rows::Bag { fraction, every } | Rows::Eras { fraction, every } => {
                share("fraction", fraction)?;
                at_least_one("every", every)?;
            }
            Rows::BagByClass { positive, negative, every } => {
                share("positive", positive)?;
                share("negative", negative)?;
                at_least_one("every", every)?;
            }
            Rows::MinimalVariance { fraction } => share("fraction", fraction)?,
            Rows::Goss { top, other } => {
                share("top", top)?;
                share("other", other)?;
                if top + other > 1.0 {
                    return Err(Error::setting("top + other", top + other, "at most 1"));
                }
            }
        }
        let same = sampling.rows == Rows::All
            && sampling.columns_by_tree >= 1.0
            && sampling.columns_by_node >= 1.0;
        let by_class = matches!(sampling.rows, Rows::BagByClass { .. });
        if by_class && !matches!(self.objective, Objective::Binary(_)) {
            let first = "rows drawn class by class";
            return refuse(first, "an objective that is not binary", "it has no two classes");
        }
        if self.boosting == Boosting::RandomForest && same && !self.limits.extra_trees {
            let second = "no sampling of rows or columns";
            return refuse("a random forest", second, "all its trees would be the same");
        }
        Ok(())
    }

    fn check_eras(&self) -> Result<()> {
        let eras = &self.eras;
        for (name, value) in [("folds", eras.folds.unwrap_or(1)), ("min_rows", eras.min_rows)] {
            if value == 0 {
                return Err(Error::setting(name, value, "at least 1"));
            }
        }
        part("valid_share", eras.valid_share)?;
        not_negative("adaptive", eras.adaptive.unwrap_or(0.0))?;
        if let Some(boosting) = eras.boosting {
            share("proportion", boosting.proportion)?;
            if boosting.every == 0 {
                return Err(Error::setting("every", 0, "at least 1"));
            }
        }
        if let Some(neutralise) = eras.neutralise {
            share("proportion", neutralise.proportion)?;
            let components = 1..=1024;
            if !components.contains(&neutralise.components) {
                return Err(Error::setting("components", neutralise.components, "1 to 1024"));
            }
        }
        Ok(())
    }

    fn check_criterion(&self) -> Result<()> {
        match self.eras.criterion {
            Criterion::Pooled => Ok(()),
            Criterion::EraSplit { alpha, gamma, directional, pooled } => {
                if !alpha.is_finite() {
                    return Err(Error::setting("alpha", alpha, "finite"));
                }
                not_negative("gamma", gamma)?;
                not_negative("directional", directional)?;
                not_negative("pooled", pooled)?;
                positive("gamma + directional + pooled", gamma + directional + pooled)
            }
            Criterion::Directional { power, least } => {
                not_negative("power", power)?;
                part("least", least)
            }
            Criterion::TStatistic { least } if least.is_finite() => Ok(()),
            Criterion::TStatistic { least } => Err(Error::setting("least", least, "finite")),
        }
    }

    fn check_era_pairs(&self) -> Result<()> {
        if self.eras.boosting.is_some() && self.boosting == Boosting::RandomForest {
            let reason = "its trees do not build on scores";
            return refuse("era boosting", "a random forest", reason);
        }
        if self.eras.judge_splits() && self.growth == Growth::Oblivious {
            let reason = "its questions are for many nodes at once";
            return refuse("eras that judge splits", "oblivious trees", reason);
        }
        Ok(())
    }
}

fn part(name: &'static str, value: f64) -> Result<()> {
    if (0.0..=1.0).contains(&value) { Ok(()) } else { Err(Error::setting(name, value, "0 to 1")) }
}

impl Dart {
    fn check(&self) -> Result<()> {
        for (name, value) in [("drop_rate", self.drop_rate), ("skip_drop", self.skip_drop)] {
            if !(0.0..=1.0).contains(&value) {
                return Err(Error::setting(name, value, CHANCE));
            }
        }
        self.max_drop.map_or(Ok(()), |most| at_least_one("max_drop", most))
    }
}

fn refuse(first: &'static str, second: &'static str, reason: &'static str) -> Result<()> {
    Err(crate::Error::Contradiction { first, second, reason }.into())
}

fn at_least_one(name: &'static str, value: usize) -> Result<()> {
    if value > 0 { Ok(()) } else { Err(Error::setting(name, value, AT_LEAST_ONE)) }
}

fn not_negative(name: &'static str, value: f64) -> Result<()> {
    let good = value >= 0.0 && value.is_finite();
    if good { Ok(()) } else { Err(Error::setting(name, value, NOT_NEGATIVE)) }
}

fn share(name: &'static str, value: f64) -> Result<()> {
    if value > 0.0 && value <= 1.0 { Ok(()) } else { Err(Error::setting(name, value, SHARE)) }
}

fn positive(name: &'static str, value: f64) -> Result<()> {
    if value > 0.0 && value.is_finite() {
        Ok(())
    } else {
        Err(Error::setting(name, value, POSITIVE))
    }
}
