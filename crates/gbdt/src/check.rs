//! Settings in their ranges.

use fattail_core::{Error, Result};

use crate::{Boosting, Criterion, Gbdt, Growth, Rows};

const SHARE: &str = "above 0, at most 1";
const POSITIVE: &str = "above 0 and finite";
const NOT_NEGATIVE: &str = "0 or more, and finite";

impl Gbdt {
    /// Answers whether the settings are in range.
    ///
    /// # Errors
    /// Names the setting, its value and what is allowed.
    pub fn check(&self) -> Result<()> {
        self.check_counts()?;
        self.check_limits()?;
        self.check_sampling()?;
        self.check_eras()?;
        self.check_criterion()?;
        self.check_era_pairs()
    }

    fn check_counts(&self) -> Result<()> {
        let leaves = 2..=131_072;
        if !leaves.contains(&self.leaves) {
            return Err(Error::setting("leaves", self.leaves, "2 to 131072"));
        }
        if self.depth == Some(0) {
            return Err(Error::setting("depth", 0, "at least 1"));
        }
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
            if !(value >= 0.0 && value.is_finite()) {
                return Err(Error::setting(name, value, NOT_NEGATIVE));
            }
        }
        Ok(())
    }

    fn check_sampling(&self) -> Result<()> {
        let sampling = &self.sampling;
        share("columns_by_tree", sampling.columns_by_tree)?;
        share("columns_by_node", sampling.columns_by_node)?;
        match sampling.rows {
            Rows::All => {}
            Rows::Bag { fraction, .. } | Rows::Eras { fraction, .. } => {
                share("fraction", fraction)?
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
        if self.boosting == Boosting::RandomForest && same && !self.limits.extra_trees {
            return Err(crate::Error::Contradiction {
                first: "a random forest",
                second: "no sampling of rows or columns",
                reason: "all its trees would be the same",
            }
            .into());
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
        let contradiction = |first, second, reason| {
            Err(crate::Error::Contradiction { first, second, reason }.into())
        };
        if self.eras.boosting.is_some() && self.boosting == Boosting::RandomForest {
            let reason = "its trees do not build on scores";
            return contradiction("era boosting", "a random forest", reason);
        }
        if self.eras.judge_splits() && self.growth == Growth::Oblivious {
            let reason = "its questions are for many nodes at once";
            return contradiction("eras that judge splits", "oblivious trees", reason);
        }
        Ok(())
    }
}

fn part(name: &'static str, value: f64) -> Result<()> {
    if (0.0..=1.0).contains(&value) { Ok(()) } else { Err(Error::setting(name, value, "0 to 1")) }
}

fn not_negative(name: &'static str, value: f64) -> Result<()> {
    if value >= 0.0 && value.is_finite() {
        Ok(())
    } else {
        Err(Error::setting(name, value, NOT_NEGATIVE))
    }
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
