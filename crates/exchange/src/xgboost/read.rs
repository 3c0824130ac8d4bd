//! From an XGBoost document to a forest: booster, features, objective, base score.

use fattail_trees::{Feature, Forest, Tree};
use serde_json::Value;

use super::FORMAT;
use super::objective::Objective;
use super::read_tree::read_tree;
use crate::categories::{self, Budget};
use crate::document::{Place, shown};
use crate::{Error, Result};

/// Features that a file may declare without naming them.
const FEATURES: usize = 1 << 20;
/// Outputs that a file may declare.
const OUTPUTS: usize = 1 << 16;

/// Reads a model.
pub(super) fn model(document: &Value) -> Result<Forest> {
    let learner = Place::root(document).at("learner")?;
    let shape = Shape::read(&learner.at("learner_model_param")?)?;
    let objective = learner.at("objective")?;
    let (known, parameters) = read_objective(&objective)?;
    let booster = Booster::read(&learner.at("gradient_booster")?)?;
    let mut forest = Forest {
        features: read_features(&learner, shape.features)?,
        outputs: shape.outputs,
        trees: booster.trees(&shape)?,
        start: read_base_score(&learner.at("learner_model_param")?, known, shape.outputs)?,
        average: false,
        link: known.link,
        objective: known.in_lightgbm(shape.outputs),
        parameters,
    };
    categories::name(&mut forest);
    forest.check()?;
    Ok(forest)
}

/// The numbers that the parts of a model share.
pub(super) struct Shape {
    pub(super) features: usize,
    pub(super) outputs: usize,
}

impl Shape {
    fn read(place: &Place<'_>) -> Result<Self> {
        let classes = bounded(place, "num_class", OUTPUTS)?;
        let targets = bounded(place, "num_target", OUTPUTS)?;
        let features = bounded(place, "num_feature", FEATURES)?;
        Ok(Self { features, outputs: classes.max(targets).max(1) })
    }
}

fn bounded(place: &Place<'_>, key: &str, limit: usize) -> Result<usize> {
    let Some(place) = place.find(key)? else { return Ok(0) };
    let number: usize = place.parsed("a count")?;
    if number > limit {
        return Err(place.error(format!("{number} is given, allowed is 0 to {limit}")));
    }
    Ok(number)
}

fn read_objective(place: &Place<'_>) -> Result<(&'static Objective, Vec<(String, String)>)> {
    let name = place.at("name")?.text()?;
    let known = Objective::named(name).ok_or_else(|| Error::Unrepresentable {
        format: FORMAT,
        what: format!("the objective {:?}", shown(name)),
    })?;
    let mut parameters = vec![("objective".to_owned(), name.to_owned())];
    for (key, group) in place.entries()? {
        if key != "name" {
            for (key, value) in group.entries()? {
                parameters.push((key.to_owned(), value.text()?.to_owned()));
            }
        }
    }
    Ok((known, parameters))
}

fn read_features(learner: &Place<'_>, count: usize) -> Result<Vec<Feature>> {
    let Some(place) = learner.find("feature_names")? else { return Ok(unnamed(count)) };
    let names = place.texts()?;
    match names.len() {
        0 => Ok(unnamed(count)),
        given if given == count => {
            Ok(names.into_iter().map(|name| feature(name.to_owned())).collect())
        }
        given => Err(place.error(format!("{given} names of {count} features"))),
    }
}

fn unnamed(count: usize) -> Vec<Feature> {
    (0..count).map(|at| feature(format!("f{at}"))).collect()
}

fn feature(name: String) -> Feature {
    Feature { name, ..Feature::default() }
}

fn read_base_score(place: &Place<'_>, known: &Objective, outputs: usize) -> Result<Vec<f64>> {
    let place = place.at("base_score")?;
    let text = place.text()?;
    let inside = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let bases = inside.unwrap_or(text).split(',').map(str::trim);
    let allowed = known.space.allowed();
    let margins = bases.map(|base| {
        let margin = base.parse().ok().and_then(|base| known.space.margin(base));
        margin.map(f64::from).ok_or_else(|| {
            place.error(format!(
                "{:?} is given, allowed for {} is {allowed}",
                shown(base),
                known.name
            ))
        })
    });
    let margins = margins.collect::<Result<Vec<f64>>>()?;
    match margins[..] {
        [margin] => Ok(vec![margin; outputs]),
        _ if margins.len() == outputs => Ok(margins),
        _ => Err(place.error(format!("{} base scores of {outputs} outputs", margins.len()))),
    }
}

/// The part of the document that holds the trees.
struct Booster<'a> {
    model: Place<'a>,
    dropped: Option<Place<'a>>,
}

impl<'a> Booster<'a> {
    fn read(place: &Place<'a>) -> Result<Self> {
        match place.at("name")?.text()? {
            "gbtree" => Ok(Self { model: place.at("model")?, dropped: None }),
            "dart" => {
                let model = place.at("gbtree")?.at("model")?;
                Ok(Self { model, dropped: Some(place.at("weight_drop")?) })
            }
            name => Err(Error::Unrepresentable {
                format: FORMAT,
                what: format!("the booster {:?}", shown(name)),
            }),
        }
    }

    fn trees(&self, shape: &Shape) -> Result<Vec<Tree>> {
        let places = self.model.at("trees")?.items()?;
        let info = self.model.at("tree_info")?;
        let outputs = info.indices()?;
        if outputs.len() != places.len() {
            return Err(info.error(format!("{} entries of {} trees", outputs.len(), places.len())));
        }
        if let Some(at) = outputs.iter().position(|&output| output >= shape.outputs) {
            return Err(info.error_at(at, format!("output {} of {}", outputs[at], shape.outputs)));
        }
        let mut budget = Budget::default();
        let mut trees = Vec::with_capacity(places.len());
        for (place, output) in places.iter().zip(outputs) {
            trees.push(read_tree(place, shape, output, &mut budget)?);
        }
        self.weigh(&mut trees)?;
        in_iterations(trees, shape.outputs, &info)
    }

    /// Multiplies the weights of dropped trees into their leaves.
    fn weigh(&self, trees: &mut [Tree]) -> Result<()> {
        let Some(place) = &self.dropped else { return Ok(()) };
        let weights = place.singles()?;
        if weights.len() != trees.len() {
            return Err(place.error(format!("{} weights of {} trees", weights.len(), trees.len())));
        }
        for (tree, weight) in trees.iter_mut().zip(weights) {
            tree.scale(f64::from(weight));
        }
        Ok(())
    }
}

/// Puts the trees of each output in turn: XGBoost writes the parallel trees of an output together.
fn in_iterations(trees: Vec<Tree>, outputs: usize, info: &Place<'_>) -> Result<Vec<Tree>> {
    let vectors = trees.iter().filter(|tree| tree.width > 1).count();
    if outputs == 1 || vectors == trees.len() {
        return Ok(trees);
    }
    if vectors > 0 {
        return Err(info.error("trees with one value a leaf stand among trees with several"));
    }
    let count = trees.len() / outputs;
    let mut queues = vec![Vec::new(); outputs];
    trees.into_iter().for_each(|tree| queues[tree.output].push(tree));
    if let Some(output) = queues.iter().position(|queue| queue.len() != count) {
        let given = queues[output].len();
        return Err(info.error(format!("output {output} has {given} trees, others have not")));
    }
    let mut queues: Vec<_> = queues.into_iter().map(Vec::into_iter).collect();
    let turns = (0..count).flat_map(|_| 0..outputs);
    Ok(turns.filter_map(|output| queues[output].next()).collect())
}
