//! Metrics of a model on data.

use fattail::{
    Panel,
    gbdt::{Gbdt, parameters::Parameters},
    objective::{Evaluation, Labels},
    trees::{Forest, Predictor},
};

use crate::Outcome;

/// The metrics asked for, or the objective's own.
pub(super) fn metrics(parameters: &Parameters, gbdt: &Gbdt) -> Outcome<Vec<Evaluation>> {
    if parameters.metrics.is_empty() {
        return Ok(vec![gbdt.objective.evaluation()]);
    }
    let of = |name: &String| Ok(gbdt.objective.evaluation_named(name)?);
    parameters.metrics.iter().map(of).collect()
}

/// The values of metrics.
pub(super) fn values(
    metrics: &[Evaluation],
    gbdt: &Gbdt,
    forest: &Forest,
    panel: &Panel,
) -> Outcome<Vec<f64>> {
    let raw = Predictor::new(forest)?.raw(panel)?;
    let outputs = forest.outputs;
    let column = |output: usize| raw.iter().skip(output).step_by(outputs).copied();
    let scores: Vec<f64> = (0..outputs).flat_map(column).collect();
    let targets = targets(gbdt, panel)?;
    let targets: Vec<&[f32]> = targets.iter().map(Vec::as_slice).collect();
    let weights = panel.weights().map(|weights| weights.to_f32());
    let ends = panel.eras().ranges().map(|range| range.end);
    let eras: Vec<usize> = std::iter::once(0).chain(ends).collect();
    let labels = Labels { targets: &targets, weights: weights.as_deref(), eras: &eras };
    let value = |metric: &Evaluation| Ok(metric.value(&labels, &scores, forest.link)?);
    metrics.iter().map(value).collect()
}

/// The targets that the objective gets.
fn targets(gbdt: &Gbdt, panel: &Panel) -> Outcome<Vec<Vec<f32>>> {
    if gbdt.targets.is_empty() {
        return Ok(vec![panel.target()?.to_f32()]);
    }
    gbdt.targets.iter().map(|name| Ok(panel.target_named(name)?.to_f32())).collect()
}
