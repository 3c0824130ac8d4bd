//! A forest in LightGBM's layout: every tree of one value a leaf, in each iteration one tree an output, and
//! nothing added outside of the trees.
//!
//! A tree of several outputs becomes one tree an output, all with its nodes. The start goes into the first
//! tree of each output, or into every tree where the model is the mean of its trees.

use std::borrow::Cow;

use fattail_trees::{Forest, Tree};

use crate::{Error, Result};

/// The trees to write.
pub(super) fn trees(forest: &Forest) -> Result<Vec<Cow<'_, Tree>>> {
    let mut list = Vec::with_capacity(forest.trees.len());
    for (at, tree) in forest.trees.iter().enumerate() {
        if tree.width > 1 && list.len().is_multiple_of(forest.outputs) {
            list.extend((0..forest.outputs).map(|output| Cow::Owned(single(tree, output))));
        } else if tree.width == 1 && tree.output == list.len() % forest.outputs {
            list.push(Cow::Borrowed(tree));
        } else {
            return Err(cannot(format!(
                "tree {at}, which is not output {}'s,",
                list.len() % forest.outputs
            )));
        }
    }
    let iterations = list.len() / forest.outputs;
    if !list.len().is_multiple_of(forest.outputs)
        || forest.average && iterations != forest.iterations()
    {
        return Err(cannot("trees of one output and of several in one forest".into()));
    }
    start(forest, &mut list);
    Ok(list)
}

pub(super) fn cannot(what: String) -> Error {
    Error::Unrepresentable { format: "lightgbm", what }
}

/// The tree of one output; where the tree says nothing about it, nothing is added.
fn single(tree: &Tree, output: usize) -> Tree {
    match output.checked_sub(tree.output).filter(|&at| at < tree.width) {
        None => Tree::constant(vec![0.0], output),
        Some(at) => Tree {
            values: tree.values.iter().skip(at).step_by(tree.width).copied().collect(),
            width: 1,
            output,
            ..tree.clone()
        },
    }
}

fn start(forest: &Forest, list: &mut Vec<Cow<'_, Tree>>) {
    if forest.start.iter().all(|&start| start == 0.0) {
        return;
    }
    if list.is_empty() {
        list.extend(
            (0..forest.outputs).map(|output| Cow::Owned(Tree::constant(vec![0.0], output))),
        );
    }
    let shifted = if forest.average { list.len() } else { forest.outputs };
    for tree in &mut list[..shifted] {
        let output = tree.output;
        tree.to_mut().shift(output, forest.start[output]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forest(trees: Vec<Tree>, start: Vec<f64>, average: bool) -> Forest {
        Forest { outputs: 2, trees, start, average, ..Forest::default() }
    }

    fn values(forest: &Forest) -> Vec<f64> {
        trees(forest).unwrap().iter().map(|tree| tree.values[0]).collect()
    }

    #[test]
    fn several_outputs_become_several_trees() {
        let both = Tree::constant(vec![1.0, 2.0], 0);
        assert_eq!(values(&forest(vec![both.clone(), both], vec![], false)), [1.0, 2.0, 1.0, 2.0]);
    }

    #[test]
    fn start_goes_to_the_first_trees_or_to_all_of_a_mean() {
        let all: Vec<Tree> = (0..4).map(|at| Tree::constant(vec![1.0], at % 2)).collect();
        assert_eq!(values(&forest(all.clone(), vec![0.5, 2.0], false)), [1.5, 3.0, 1.0, 1.0]);
        assert_eq!(values(&forest(all, vec![0.5, 2.0], true)), [1.5, 3.0, 1.5, 3.0]);
        assert_eq!(values(&forest(vec![], vec![0.5, 2.0], false)), [0.5, 2.0]);
    }

    #[test]
    fn an_order_that_is_not_by_output_is_refused() {
        let wrong = vec![Tree::constant(vec![1.0], 1), Tree::constant(vec![1.0], 0)];
        let error = trees(&forest(wrong, vec![], false)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "lightgbm: tree 0, which is not output 0's, cannot be represented"
        );
    }
}
