//! From a CatBoost document to a forest: features, trees, scale and bias, loss.

use fattail_trees::{Forest, Tree};
use serde_json::Value;

use super::FORMAT;
use super::features::Features;
use super::loss::Loss;
use super::tree::{read_nested, read_oblivious};
use crate::document::Place;
use crate::{Error, Result, categories};

/// Reads a model.
pub(super) fn model(document: &Value) -> Result<Forest> {
    let document = Place::root(document);
    let mut features = Features::read(&document)?;
    let mut trees = read_trees(&document, &mut features)?;
    let (scale, start) = read_scale(&document.at("scale_and_bias")?, &trees)?;
    if scale != 1.0 {
        trees.iter_mut().for_each(|tree| tree.scale(scale));
    }
    let loss = Loss::read(&document)?;
    let outputs = start.len();
    let mut forest = Forest {
        features: features.into_columns(),
        outputs,
        trees,
        start,
        average: false,
        link: loss.link(),
        objective: loss.in_lightgbm(outputs),
        parameters: loss.parameters,
    };
    forest.check()?;
    categories::name(&mut forest);
    Ok(forest)
}

fn read_trees(document: &Place<'_>, features: &mut Features) -> Result<Vec<Tree>> {
    if let Some(place) = document.find("oblivious_trees")? {
        return place.items()?.iter().map(|tree| read_oblivious(tree, features)).collect();
    }
    let place = document.at("trees")?;
    let trees: Vec<Tree> =
        place.items()?.iter().map(|tree| read_nested(tree, features)).collect::<Result<_>>()?;
    let width = trees.first().map_or(1, |tree| tree.width);
    match trees.iter().position(|tree| tree.width != width) {
        None => Ok(trees),
        Some(at) => {
            let reason = format!("{} values a leaf, the first tree has {width}", trees[at].width);
            Err(place.error_at(at, reason))
        }
    }
}

/// The factor of the trees, and what is added for each output.
fn read_scale(place: &Place<'_>, trees: &[Tree]) -> Result<(f64, Vec<f64>)> {
    let items = place.items()?;
    let [scale, bias] = &items[..] else {
        return Err(place.error(format!("{} entries, allowed are 2", items.len())));
    };
    let biases = if bias.is_array() { bias.numbers()? } else { vec![bias.number()?] };
    let outputs = trees.first().map_or(biases.len(), |tree| tree.width);
    let start = match biases[..] {
        [bias] => vec![bias; outputs],
        _ if biases.len() == outputs && outputs > 0 => biases,
        _ => return Err(bias.error(format!("{} biases of {outputs} outputs", biases.len()))),
    };
    Ok((scale.number()?, start))
}

/// The error that there is no place for something of CatBoost's.
pub(super) fn refuse(what: String) -> Error {
    Error::Unrepresentable { format: FORMAT, what }
}
