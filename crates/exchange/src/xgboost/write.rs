//! From a forest to an XGBoost document: booster, features, objective, base score.

use fattail_trees::{Forest, Info, Link, Rule};
use serde_json::{Value, json};

use super::FORMAT;
use super::objective::Objective;
use super::write_tree::write_tree;
use crate::{Error, Result};

/// The version whose form of document is written.
const VERSION: [i32; 3] = [3, 2, 0];

/// The error that XGBoost has no place for something.
pub(super) fn refuse(what: impl Into<String>) -> Error {
    Error::Unrepresentable { format: FORMAT, what: what.into() }
}

/// The document of a forest.
pub(super) fn model(forest: &Forest) -> Result<Value> {
    forest.check()?;
    let objective = choose(forest)?;
    let (forest, bases) = settle(forest, objective)?;
    let softmax = forest.link == Link::Softmax;
    let (classes, targets) = if softmax { (forest.outputs, 1) } else { (0, forest.outputs) };
    let bases: Vec<String> = bases.iter().map(|base| format!("{base:E}")).collect();
    let (names, types) = describe(&forest);
    Ok(json!({
        "version": VERSION,
        "learner": {
            "attributes": {},
            "feature_names": names,
            "feature_types": types,
            "gradient_booster": { "name": "gbtree", "model": booster(&forest)? },
            "learner_model_param": {
                "base_score": format!("[{}]", bases.join(",")),
                "boost_from_average": "1",
                "num_class": classes.to_string(),
                "num_feature": forest.features.len().to_string(),
                "num_target": targets.to_string(),
            },
            "objective": describe_objective(objective, &forest),
        },
    }))
}

/// The objective that the forest came with, or the usual one of its link.
fn choose(forest: &Forest) -> Result<&'static Objective> {
    let usual =
        Objective::of(forest.link).ok_or_else(|| refuse(format!("the link {:?}", forest.link)))?;
    let given = parameter(forest, "objective").and_then(Objective::named);
    Ok(given.filter(|given| given.link == usual.link).unwrap_or(usual))
}

fn parameter<'a>(forest: &'a Forest, name: &str) -> Option<&'a str> {
    let found = forest.parameters.iter().find(|(given, _)| given == name);
    found.map(|(_, value)| value.as_str())
}

/// A forest of plain sums, and the base scores that its starts became.
///
/// A start that the space of predictions cannot hold goes into the leaves of its first tree, and then
/// all of them do. The scale of a sigmoid goes into the leaves.
fn settle(forest: &Forest, objective: &Objective) -> Result<(Forest, Vec<f32>)> {
    let mut forest = forest.clone();
    let scale = match forest.link {
        Link::Sigmoid { scale } => scale,
        _ => 1.0,
    };
    let share = if forest.average { forest.iterations().max(1) as f64 } else { 1.0 };
    if scale != share {
        forest.trees.iter_mut().for_each(|tree| tree.scale(scale / share));
    }
    let starts: Vec<f64> = match forest.start.is_empty() {
        true => vec![0.0; forest.outputs],
        false => forest.start.iter().map(|start| start * scale).collect(),
    };
    let bases: Option<Vec<f32>> =
        starts.iter().map(|&start| objective.space.faithful(start)).collect();
    if let Some(bases) = bases {
        return Ok((forest, bases));
    }
    if forest.trees.is_empty() {
        return Err(refuse(format!("the starts {starts:?} without a tree")));
    }
    for (output, start) in starts.into_iter().enumerate() {
        let holds = |tree: &&mut fattail_trees::Tree| {
            (tree.output..tree.output + tree.width).contains(&output)
        };
        if let Some(tree) = forest.trees.iter_mut().find(holds) {
            tree.shift(output, start);
        }
    }
    let bases = vec![objective.space.neutral(); forest.outputs];
    Ok((forest, bases))
}

fn booster(forest: &Forest) -> Result<Value> {
    let period = forest.trees_per_iteration();
    let trees = forest.trees.iter().enumerate();
    let trees = trees.map(|(id, tree)| write_tree(id, tree, forest)).collect::<Result<Vec<_>>>()?;
    let starts: Vec<usize> =
        (0..=forest.iterations()).map(|iteration| iteration * period).collect();
    let outputs: Vec<usize> = forest.trees.iter().map(|tree| tree.output).collect();
    Ok(json!({
        "cats": { "enc": [], "feature_segments": [], "sorted_idx": [] },
        "gbtree_model_param": {
            "num_parallel_tree": "1",
            "num_trees": forest.trees.len().to_string(),
        },
        "iteration_indptr": starts,
        "tree_info": outputs,
        "trees": trees,
    }))
}

/// The names and types of the features; no names where they are XGBoost's own.
fn describe(forest: &Forest) -> (Vec<&str>, Vec<&'static str>) {
    let features = &forest.features;
    let mut categorical: Vec<bool> =
        features.iter().map(|feature| matches!(feature.info, Info::Categories { .. })).collect();
    for node in forest.trees.iter().flat_map(|tree| &tree.nodes) {
        categorical[node.feature as usize] |= matches!(node.rule, Rule::Categorical { .. });
    }
    let own = features.iter().enumerate().all(|(at, feature)| feature.name == format!("f{at}"));
    let names = if own { Vec::new() } else { features.iter().map(|f| f.name.as_str()).collect() };
    let types = if own && !categorical.contains(&true) {
        Vec::new()
    } else {
        categorical.into_iter().map(|categorical| if categorical { "c" } else { "float" }).collect()
    };
    (names, types)
}

fn describe_objective(objective: &Objective, forest: &Forest) -> Value {
    let mut described = json!({ "name": objective.name });
    if !objective.group.is_empty() {
        let value = |&(name, usual): &(&str, &str)| {
            let value = match name {
                "num_class" => forest.outputs.to_string(),
                _ => parameter(forest, name).unwrap_or(usual).to_owned(),
            };
            (name.to_owned(), Value::String(value))
        };
        described[objective.group] =
            Value::Object(objective.parameters.iter().map(value).collect());
    }
    described
}
