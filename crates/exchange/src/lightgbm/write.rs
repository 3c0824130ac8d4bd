//! A whole file, written: tree by tree in parallel, joined in order.

use std::borrow::Cow;

use fattail_trees::{Feature, Forest, Info, Tree};
use rayon::prelude::*;

use super::PANDAS;
use super::layout::{cannot, trees};
use super::number::push_general;
use super::objective::Objective;
use super::tree_text::tree_text;
use crate::Result;

/// Writes a model that LightGBM 4 loads.
///
/// Trees of several outputs become one tree an output, and the start of the raw scores goes into the first
/// trees: predictions stay, the structure changes. Subnormal numbers become 0, spaces in names `_`, as LightGBM has it.
///
/// ```
/// use fattail_exchange::lightgbm;
/// use fattail_trees::{Feature, Forest, Tree};
/// let forest = Forest {
///     features: vec![Feature { name: "x".into(), ..Feature::default() }],
///     trees: vec![Tree::constant(vec![0.1], 0)],
///     ..Forest::default()
/// };
/// let text = lightgbm::write(&forest)?;
/// assert!(text.contains("leaf_value=0.10000000000000001\n"));
/// assert_eq!(lightgbm::read(&text)?, forest);
/// # Ok::<(), fattail_exchange::Error>(())
/// ```
///
/// # Errors
/// When a part of the forest does not fit the rest, or LightGBM has no place for it: a categorical rule that
/// sends missing values left, a link of several outputs other than sigmoid and softmax, trees that are not
/// in the order of their outputs, a parameter or name with a line break.
pub fn write(forest: &Forest) -> Result<String> {
    forest.check()?;
    let trees = trees(forest)?;
    let names = names(&forest.features);
    let blocks: Vec<Result<String>> =
        trees.par_iter().enumerate().map(|(at, tree)| tree_text(at, tree)).collect();
    let blocks: Vec<String> = blocks.into_iter().collect::<Result<_>>()?;
    let mut text = header(forest, &names)?;
    let sizes: Vec<String> = blocks.iter().map(|block| block.len().to_string()).collect();
    push_line(&mut text, "tree_sizes=", &sizes.join(" "));
    text.push('\n');
    text.reserve(blocks.iter().map(String::len).sum());
    blocks.iter().for_each(|block| text.push_str(block));
    text.push_str("end of trees\n");
    push_importances(&mut text, &trees, &names);
    push_parameters(&mut text, &forest.parameters)?;
    Ok(text)
}

fn push_line(text: &mut String, key: &str, value: &str) {
    text.push_str(key);
    text.push_str(value);
    text.push('\n');
}

/// Names as LightGBM keeps them: no white space, no `=` at the ends, where its reader loses it, not empty.
fn names(features: &[Feature]) -> Vec<String> {
    features.iter().enumerate().map(|(at, feature)| name(at, &feature.name)).collect()
}

fn name(at: usize, given: &str) -> String {
    if given.is_empty() {
        return format!("Column_{at}");
    }
    let inside = given.trim_matches('=');
    let start = given.len() - given.trim_start_matches('=').len();
    let kept = start..start + inside.len();
    let letter = |(byte, c): (usize, char)| match c {
        '=' if !kept.contains(&byte) => '_',
        c if c.is_whitespace() || c.is_control() => '_',
        c => c,
    };
    given.char_indices().map(letter).collect()
}

fn header(forest: &Forest, names: &[String]) -> Result<String> {
    let mut text = String::from("tree\nversion=v4\n");
    push_line(&mut text, "num_class=", &forest.outputs.to_string());
    push_line(&mut text, "num_tree_per_iteration=", &forest.outputs.to_string());
    push_line(&mut text, "label_index=", "0");
    push_line(&mut text, "max_feature_idx=", &(names.len() as i64 - 1).to_string());
    if let Some(objective) = Objective::of(forest)? {
        push_line(&mut text, "objective=", &objective);
    }
    // The mean of no trees is NaN to LightGBM, here it is zero.
    if forest.average && !forest.trees.is_empty() {
        text.push_str("average_output\n");
    }
    push_line(&mut text, "feature_names=", &names.join(" "));
    if forest.features.iter().any(|feature| feature.monotone != 0) {
        let signs: Vec<String> =
            forest.features.iter().map(|feature| feature.monotone.signum().to_string()).collect();
        push_line(&mut text, "monotone_constraints=", &signs.join(" "));
    }
    let infos: Vec<String> = forest.features.iter().map(|feature| info(&feature.info)).collect();
    push_line(&mut text, "feature_infos=", &infos.join(" "));
    Ok(text)
}

fn info(info: &Info) -> String {
    match info {
        Info::Range { min, max } => {
            let mut text = String::from("[");
            push_general(&mut text, *min, 17);
            text.push(':');
            push_general(&mut text, *max, 17);
            text + "]"
        }
        Info::Categories { list } if !list.is_empty() => {
            list.iter().map(i32::to_string).collect::<Vec<_>>().join(":")
        }
        Info::Categories { .. } | Info::Unused => "none".into(),
    }
}

/// How many splits with a gain each feature has, most first.
fn push_importances(text: &mut String, trees: &[Cow<'_, Tree>], names: &[String]) {
    let mut counts: Vec<(usize, &String)> = names.iter().map(|name| (0, name)).collect();
    for node in trees.iter().flat_map(|tree| &tree.nodes).filter(|node| node.gain > 0.0) {
        counts[node.feature as usize].0 += 1;
    }
    counts.retain(|(count, _)| *count > 0);
    counts.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
    text.push_str("\nfeature_importances:\n");
    for (count, name) in counts {
        text.push_str(&format!("{name}={count}\n"));
    }
}

fn push_parameters(text: &mut String, parameters: &[(String, String)]) -> Result<()> {
    let (pandas, own): (Vec<_>, Vec<_>) = parameters.iter().partition(|(name, _)| name == PANDAS);
    if let Some((name, _)) = parameters.iter().find(|(name, value)| !fits(name, value)) {
        return Err(cannot(format!("the parameter '{}'", name.escape_default())));
    }
    if !own.is_empty() {
        text.push_str("\nparameters:\n");
        own.iter().for_each(|(name, value)| text.push_str(&format!("[{name}: {value}]\n")));
        text.push_str("\nend of parameters\n");
    }
    // Python looks for the line, and without it may cut a name of the importances within a letter.
    let pandas = pandas.last().map_or("null", |(_, value)| value);
    text.push_str(&format!("\npandas_categorical:{pandas}\n"));
    Ok(())
}

fn fits(name: &str, value: &str) -> bool {
    !name.contains(['\n', '\r', ':']) && !value.contains(['\n', '\r'])
}
