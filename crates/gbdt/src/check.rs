//! Settings in their ranges.

use fattail_core::{Error, Result};

use crate::{Boosting, Gbdt, Rows};

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
        self.check_together()
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
