//! Parameters and data put together to a learner, and what is refused before it learns.

use fattail::{
    Panel,
    gbdt::{
        Boosting, Gbdt,
        parameters::{Column, Note, Parameters, Task},
    },
    objective::Objective,
};

use super::{forced::force, source::Source};
use crate::Outcome;

/// A note in words.
pub(crate) fn told(note: &Note) -> String {
    format!("parameter '{}' does not count: {}", note.parameter, note.reason)
}

/// The notes of parameters, a line each.
pub(super) fn told_all(parameters: &Parameters) -> String {
    parameters.notes.iter().map(|note| format!("note: {}\n", told(note))).collect()
}

/// Refuses what a program that only trains anew, on its own data, does not do.
pub(crate) fn refuse(parameters: &Parameters) -> Outcome {
    if !parameters.files.valid.is_empty() {
        return Err(
            "parameter 'valid' is not supported: early stopping holds out the last eras of the                     data, see --early-stopping-holdout and --early-stopping-gap"
                .into(),
        );
    }
    refuse_old(parameters)
}

/// Refuses what a program that only trains anew does not do.
pub(super) fn refuse_old(parameters: &Parameters) -> Outcome {
    if parameters.task != Task::Train {
        return Err("parameter 'task' is not train: this command trains".into());
    }
    if parameters.files.input_model.is_some() {
        return Err("parameter 'input_model' is not supported: training begins anew".into());
    }
    Ok(())
}

/// The settings for a panel of which the features are all columns.
///
/// # Errors
/// When a list does not fit its features, or a file of forced splits or bins is broken.
pub(crate) fn settings(parameters: &Parameters, panel: &Panel) -> Outcome<Gbdt> {
    let features = panel.schema().features().iter();
    settings_of(parameters, &features.map(|name| Column::feature(name)).collect::<Vec<_>>())
}

/// The settings for data of these columns, the labels left out.
fn settings_of(parameters: &Parameters, columns: &[Column]) -> Outcome<Gbdt> {
    let mut gbdt = parameters.gbdt_of(columns)?;
    force(parameters, columns, &mut gbdt)?;
    Ok(gbdt)
}

/// The settings for data: several labels are as many targets, and a ranking has queries.
pub(super) fn learner(parameters: &Parameters, source: &Source) -> Outcome<Gbdt> {
    let mut gbdt = settings_of(parameters, &source.columns)?;
    if source.roles.labels.len() > 1 {
        gbdt.targets.clone_from(&source.roles.labels);
    }
    check_queries(&gbdt, source)?;
    Ok(gbdt)
}

/// Whether rows are compared within queries.
pub(super) fn ranks(gbdt: &Gbdt) -> bool {
    matches!(gbdt.objective, Objective::Lambdarank(_) | Objective::RankXendcg { .. })
}

fn check_queries(gbdt: &Gbdt, source: &Source) -> Outcome {
    if !ranks(gbdt) || source.has_eras {
        return Ok(());
    }
    let (name, path) = (gbdt.objective.name(), source.path.display());
    let told = format!("objective is {name}, and '{path}' has no queries");
    Err(format!("{told}: name queries with --era or a file {path}.query").into())
}

/// Whether the metric can be told after each round: dart changes the trees before, and a random forest
/// averages them.
pub(super) fn tells_rounds(gbdt: &Gbdt) -> bool {
    matches!(gbdt.boosting, Boosting::Gradient | Boosting::Ordered)
}

/// Refuses early stopping that nothing is held out for, and validation data without queries.
pub(super) fn check_watch(gbdt: &Gbdt, train: &Source, valid: Option<&Source>) -> Outcome {
    let stops = gbdt.stop.as_ref().is_some_and(|stop| stop.rounds > 0);
    match valid {
        Some(valid) => check_queries(gbdt, valid),
        None if stops && train.panel.eras().len() == 1 => {
            Err("early stopping has nothing to watch: give --valid FILE or --era COLUMN".into())
        }
        None => Ok(()),
    }
}
