//! One tree of an XGBoost document.
//!
//! A tree is a set of arrays over its nodes, in which children may stand anywhere; a pruned tree keeps
//! nodes that nothing points to. Nodes are numbered here from the root level by level, leaves in the
//! order of their numbers there.

use fattail_trees::{Child, Missing, Node, Rule, Tree};

use super::read::Shape;
use crate::categories::{Budget, set};
use crate::document::Place;
use crate::{Result, means, single};

/// Reads a tree of the given output.
pub(super) fn read_tree(
    place: &Place<'_>,
    shape: &Shape,
    output: usize,
    budget: &mut Budget,
) -> Result<Tree> {
    let arrays = Arrays::read(place)?;
    let sets = read_sets(place, arrays.len(), budget)?;
    let layout = Layout::new(&arrays, place)?;
    let width = read_width(place, shape)?;
    let mut values = vec![0.0; layout.leaves.len() * width];
    for (leaf, row) in layout.leaves.iter().zip(values.chunks_exact_mut(width)) {
        arrays.read_leaf(place, *leaf, row)?;
    }
    let weight = |&at: &usize| f64::from(arrays.weights[at]);
    let mut tree = Tree {
        nodes: Vec::with_capacity(layout.nodes.len()),
        values,
        weights: layout.leaves.iter().map(weight).collect(),
        counts: vec![0; layout.leaves.len()],
        linear: Vec::new(),
        width,
        output: if width > 1 { 0 } else { output },
        shrinkage: 1.0,
    };
    for &at in &layout.nodes {
        tree.nodes.push(arrays.node(place, at, shape, &sets, &layout)?);
    }
    means::fill_values(&mut tree);
    Ok(tree)
}

fn read_width(place: &Place<'_>, shape: &Shape) -> Result<usize> {
    let size = place.at("tree_param")?.at("size_leaf_vector")?;
    match size.parsed("a count")? {
        0 | 1 => Ok(1),
        given if given == shape.outputs => Ok(given),
        given => {
            Err(size
                .error(format!("{given} values a leaf, the model has {} outputs", shape.outputs)))
        }
    }
}

/// The arrays over the nodes, all of one length.
struct Arrays {
    left: Vec<i64>,
    right: Vec<i64>,
    features: Vec<usize>,
    conditions: Vec<f32>,
    default_left: Vec<bool>,
    categorical: Vec<bool>,
    gains: Vec<f32>,
    weights: Vec<f32>,
    base: Vec<f32>,
    leaf_weights: Option<Vec<f32>>,
}

impl Arrays {
    fn read(place: &Place<'_>) -> Result<Self> {
        let left = place.at("left_children")?.integers()?;
        let categorical = match place.find("split_type")? {
            Some(place) => place.flags()?,
            None => vec![false; left.len()],
        };
        let leaf_weights = place.find("leaf_weights")?.map(|place| place.singles()).transpose()?;
        let arrays = Self {
            right: place.at("right_children")?.integers()?,
            features: place.at("split_indices")?.indices()?,
            conditions: place.at("split_conditions")?.singles()?,
            default_left: place.at("default_left")?.flags()?,
            gains: place.at("loss_changes")?.singles()?,
            weights: place.at("sum_hessian")?.singles()?,
            base: place.at("base_weights")?.singles()?,
            left,
            categorical,
            leaf_weights,
        };
        arrays.check_lengths(place)?;
        Ok(arrays)
    }

    fn len(&self) -> usize {
        self.left.len()
    }

    fn check_lengths(&self, place: &Place<'_>) -> Result<()> {
        let param = place.at("tree_param")?.at("num_nodes")?;
        let count: usize = param.parsed("a count")?;
        if count == 0 || count > u32::MAX as usize {
            return Err(param.error(format!("{count} nodes, allowed is 1 to {}", u32::MAX)));
        }
        let lengths = [
            ("left_children", self.left.len()),
            ("right_children", self.right.len()),
            ("split_indices", self.features.len()),
            ("split_conditions", self.conditions.len()),
            ("default_left", self.default_left.len()),
            ("split_type", self.categorical.len()),
            ("loss_changes", self.gains.len()),
            ("sum_hessian", self.weights.len()),
        ];
        match lengths.into_iter().find(|&(_, length)| length != count) {
            Some((key, length)) => {
                Err(place.at(key)?.error(format!("{length} entries of {count} nodes")))
            }
            None => Ok(()),
        }
    }

    fn is_leaf(&self, at: usize) -> bool {
        self.left[at] == -1
    }

    /// The values of a leaf: its condition, or a row of vectors.
    fn read_leaf(&self, place: &Place<'_>, at: usize, values: &mut [f64]) -> Result<()> {
        if let [value] = values {
            *value = f64::from(self.conditions[at]);
            return Ok(());
        }
        // The right child of a leaf with a vector is the vector's number; older files keep the
        // vectors of all nodes in `base_weights`.
        let (list, row) = match &self.leaf_weights {
            Some(list) => (list, usize::try_from(self.right[at]).ok()),
            None => (&self.base, Some(at)),
        };
        let first = row.and_then(|row| row.checked_mul(values.len()));
        let row = first.and_then(|first| list.get(first..)?.get(..values.len()));
        let Some(row) = row else {
            return Err(place.error(format!("leaf {at} has no vector of {} values", values.len())));
        };
        values.iter_mut().zip(row).for_each(|(value, &x)| *value = f64::from(x));
        Ok(())
    }

    fn node(
        &self,
        place: &Place<'_>,
        at: usize,
        shape: &Shape,
        sets: &[Option<Box<[u32]>>],
        layout: &Layout,
    ) -> Result<Node> {
        let feature = self.features[at];
        if feature >= shape.features {
            let reason = format!("feature {feature} of {}", shape.features);
            return Err(place.at("split_indices")?.error_at(at, reason));
        }
        let mut children = [self.left[at], self.right[at]].map(|child| layout.child(child));
        let rule = if self.categorical[at] {
            // Those in the set go right there.
            children.reverse();
            let set = sets.get(at).and_then(Option::clone).ok_or_else(|| {
                place.error(format!("node {at} is categorical and has no categories"))
            })?;
            let default_left = !self.default_left[at];
            Rule::Categorical { left: set, missing: Missing::Nan, default_left }
        } else {
            single::below(self.conditions[at], self.default_left[at])
        };
        Ok(Node {
            feature: feature as u32,
            rule,
            left: children[0],
            right: children[1],
            gain: f64::from(self.gains[at]),
            value: 0.0,
            weight: f64::from(self.weights[at]),
            count: 0,
        })
    }
}

/// The nodes and leaves that the root leads to, and where each goes.
struct Layout {
    nodes: Vec<usize>,
    leaves: Vec<usize>,
    places: Vec<Option<Child>>,
}

impl Layout {
    fn new(arrays: &Arrays, place: &Place<'_>) -> Result<Self> {
        let mut seen = vec![false; arrays.len()];
        let (mut nodes, mut leaves, mut queue) = (Vec::new(), Vec::new(), vec![0]);
        seen[0] = true;
        let mut next = 0;
        while let Some(&at) = queue.get(next) {
            next += 1;
            if arrays.is_leaf(at) {
                leaves.push(at);
                continue;
            }
            nodes.push(at);
            for (key, child) in
                [("left_children", arrays.left[at]), ("right_children", arrays.right[at])]
            {
                let slot = usize::try_from(child).ok().and_then(|child| seen.get_mut(child));
                match slot {
                    Some(slot) if !*slot => *slot = true,
                    Some(_) => {
                        let reason = format!("node {child} would have a second parent");
                        return Err(place.at(key)?.error_at(at, reason));
                    }
                    None => {
                        let reason = format!("node {child} of {}", arrays.len());
                        return Err(place.at(key)?.error_at(at, reason));
                    }
                }
                queue.push(child as usize);
            }
        }
        leaves.sort_unstable();
        let mut places = vec![None; arrays.len()];
        let list = |list: &[usize]| list.iter().copied().zip(0..).collect::<Vec<(usize, u32)>>();
        list(&nodes).into_iter().for_each(|(at, to)| places[at] = Some(Child::Node(to)));
        list(&leaves).into_iter().for_each(|(at, to)| places[at] = Some(Child::Leaf(to)));
        Ok(Self { nodes, leaves, places })
    }

    /// Where a node went; every child of a laid out node has a place.
    fn child(&self, at: i64) -> Child {
        let place = usize::try_from(at).ok().and_then(|at| self.places.get(at).copied().flatten());
        place.expect("the layout follows every child")
    }
}

/// The category sets of the nodes; empty when no node has one.
fn read_sets(
    place: &Place<'_>,
    nodes: usize,
    budget: &mut Budget,
) -> Result<Vec<Option<Box<[u32]>>>> {
    let Some(owners) = place.find("categories_nodes")? else { return Ok(Vec::new()) };
    let owner_list = owners.indices()?;
    if owner_list.is_empty() {
        return Ok(Vec::new());
    }
    let (starts, sizes) = (place.at("categories_segments")?, place.at("categories_sizes")?);
    let (start_list, size_list) = (starts.indices()?, sizes.indices()?);
    let categories = place.at("categories")?;
    let all = categories.indices()?;
    for (place, list) in [(&starts, &start_list), (&sizes, &size_list)] {
        if list.len() != owner_list.len() {
            let reason = format!("{} entries of {} nodes", list.len(), owner_list.len());
            return Err(place.error(reason));
        }
    }
    let mut sets = vec![None; nodes];
    for (index, &owner) in owner_list.iter().enumerate() {
        let slot = sets
            .get_mut(owner)
            .ok_or_else(|| owners.error_at(index, format!("node {owner} of {nodes}")))?;
        let list = all.get(start_list[index]..).and_then(|rest| rest.get(..size_list[index]));
        let list = list.ok_or_else(|| {
            sizes.error_at(index, format!("the segment leaves the {} categories", all.len()))
        })?;
        let words = list.iter().max().map_or(0, |&last| last / 32 + 1);
        let fits = budget.charge(words.saturating_add(list.len()));
        fits.map_err(|reason| categories.error(reason))?;
        *slot = Some(set(list));
    }
    Ok(sets)
}
