//! Settings that cannot go together.

use fattail_core::{Error as CoreError, Result};
use fattail_objective::Objective;

use crate::{Boosting, CategoricalMethod, Criterion, Error, Gbdt, Growth};

impl Gbdt {
    /// Answers whether lines in leaves, trees of several outputs, ordered boosting and ordered target
    /// statistics go together with the other settings.
    pub(crate) fn check_together(&self) -> Result<()> {
        self.check_linear()?;
        self.check_multi_output()?;
        self.check_ordered()?;
        self.check_statistics()
    }

    fn check_linear(&self) -> Result<()> {
        if self.linear.is_none() {
            return Ok(());
        }
        let first = "linear leaves";
        let dropped = "what a dropped tree added is taken back from bins, lines need the values";
        refuse(self.renews_leaves(), first, RENEWING, "the new value is one number, not a line")?;
        refuse(self.bins.zero_as_missing, first, "zero_as_missing", "a line needs every value")?;
        refuse(self.multi_output, first, MULTI, "a line is of one output")?;
        refuse(matches!(self.boosting, Boosting::Dart(_)), first, "dart", dropped)
    }

    fn check_multi_output(&self) -> Result<()> {
        if !self.multi_output {
            return Ok(());
        }
        let by_eras = self.eras.criterion != Criterion::Pooled || self.eras.adaptive.is_some();
        let signed = self.constraints.monotone.values().any(|&direction| direction != 0);
        let dropped = "trees are dropped output by output";
        refuse(self.growth == Growth::Oblivious, MULTI, "oblivious growth", "it is of one output")?;
        refuse(by_eras, MULTI, "eras that judge splits", "they judge one output")?;
        refuse(signed, MULTI, "monotone constraints", "they bound one output")?;
        refuse(
            self.constraints.forced.is_some(),
            MULTI,
            "forced splits",
            "they are of one output",
        )?;
        refuse(matches!(self.boosting, Boosting::Dart(_)), MULTI, "dart", dropped)?;
        refuse(self.max_memory.is_some(), MULTI, "max_memory", UNCOUNTED)
    }

    fn check_ordered(&self) -> Result<()> {
        if self.boosting != Boosting::Ordered {
            return Ok(());
        }
        let first = "ordered boosting";
        let other = "leaves are valued by other gradients than those that chose the splits";
        let signed = self.constraints.monotone.values().any(|&direction| direction != 0);
        refuse(self.linear.is_some(), first, "linear leaves", other)?;
        refuse(self.multi_output, first, MULTI, other)?;
        refuse(self.renews_leaves(), first, RENEWING, other)?;
        refuse(signed, first, "monotone constraints", other)?;
        refuse(self.limits.path_smooth > 0.0, first, "path_smooth", other)?;
        refuse(self.eras.boosting.is_some(), first, "era boosting", other)?;
        refuse(self.eras.neutralise.is_some(), first, "neutralised gradients", other)?;
        refuse(self.max_memory.is_some(), first, "max_memory", UNCOUNTED)
    }

    fn check_statistics(&self) -> Result<()> {
        let CategoricalMethod::OrderedTarget { prior } = self.categorical.method else {
            return Ok(());
        };
        if !(prior > 0.0 && prior.is_finite()) {
            return Err(CoreError::setting("prior", prior, "above 0 and finite"));
        }
        let first = "ordered target statistics";
        let classes = matches!(
            self.objective,
            Objective::Multiclass { .. } | Objective::MulticlassOva { .. }
        );
        refuse(classes, first, "several classes", "the mean of class numbers says nothing")?;
        refuse(self.linear.is_some(), first, "linear leaves", "a category has no place on a line")
    }

    /// Whether the objective values leaves anew.
    pub(crate) fn renews_leaves(&self) -> bool {
        matches!(
            self.objective,
            Objective::RegressionL1 | Objective::Quantile { .. } | Objective::Mape
        )
    }
}

const MULTI: &str = "trees of several outputs";
const UNCOUNTED: &str = "what it needs is not counted";
const RENEWING: &str = "an objective that renews leaves";

fn refuse(
    wrong: bool,
    first: &'static str,
    second: &'static str,
    reason: &'static str,
) -> Result<()> {
    if wrong { Err(Error::Contradiction { first, second, reason }.into()) } else { Ok(()) }
}
