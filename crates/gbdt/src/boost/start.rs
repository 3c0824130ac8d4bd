//! Where scores begin: at constants that become part of the first trees, or at those of a forest.

use fattail_core::{Panel, Result};
use fattail_objective::Bound;
use fattail_trees::{Forest, Predictor};

use crate::{Boosting, Error, Gbdt};

/// Where scores begin.
#[derive(Debug, Clone, Default)]
pub(super) struct Start {
    /// What the first tree of each output gets, of an averaged forest every one.
    pub(super) constant: Vec<f64>,
    /// The raw scores of the training rows, output-major.
    pub(super) train: Vec<f64>,
    /// The same of the rows held out.
    pub(super) holdout: Vec<f64>,
    /// Iterations that have been.
    pub(super) iterations: usize,
}

impl Start {
    /// From the objective's best constant, or from 0.
    pub(super) fn new(settings: &Gbdt, objective: &dyn Bound, rows: usize, held: usize) -> Self {
        let constant =
            if settings.from_average { objective.start() } else { vec![0.0; objective.outputs()] };
        let spread = |rows: usize| -> Vec<f64> {
            constant.iter().flat_map(|&start| std::iter::repeat_n(start, rows)).collect()
        };
        Self { train: spread(rows), holdout: spread(held), constant, iterations: 0 }
    }

    /// From the scores of a forest; trees that are averaged do not build on others.
    pub(super) fn after(
        self,
        forest: &Forest,
        train: &Panel,
        holdout: Option<&Panel>,
    ) -> Result<Self> {
        let predictor = Predictor::new(forest)?;
        train.schema().expect_features(&names(forest))?;
        let iterations = forest.iterations();
        if forest.average {
            return Ok(Self { iterations, ..self });
        }
        let raw = |panel: &Panel| -> Result<Vec<f64>> {
            Ok(by_output(&predictor.raw(panel)?, forest.outputs))
        };
        let holdout = holdout.map(raw).transpose()?.unwrap_or_default();
        Ok(Self { constant: vec![0.0; forest.outputs], train: raw(train)?, holdout, iterations })
    }
}

fn names(forest: &Forest) -> Vec<std::sync::Arc<str>> {
    forest.features.iter().map(|feature| feature.name.as_str().into()).collect()
}

/// From row by row to output by output.
pub(super) fn by_output(scores: &[f64], outputs: usize) -> Vec<f64> {
    (0..outputs).flat_map(|output| scores.iter().skip(output).step_by(outputs)).copied().collect()
}

/// Refuses a forest whose scores are not the objective's.
pub(super) fn check_old(objective: &dyn Bound, forest: &Forest) -> Result<()> {
    let refuse =
        |second, reason| Err(Error::Contradiction { first: "the forest", second, reason }.into());
    if forest.outputs != objective.outputs() {
        return refuse("an objective with another number of outputs", "every output has its trees");
    }
    if forest.link != objective.link() {
        let reason = "raw scores of the one mean nothing to the other";
        return refuse("an objective with another link", reason);
    }
    Ok(())
}

/// Refuses to add trees that are averaged to trees that are added, and the other way round.
pub(super) fn check_average(settings: &Gbdt, forest: &Forest) -> Result<()> {
    if forest.average == (settings.boosting == Boosting::RandomForest) {
        return Ok(());
    }
    let (first, second) = ("a random forest", "trees that build on each other");
    let reason = "one is divided by its iterations, the other is not";
    Err(Error::Contradiction { first, second, reason }.into())
}
