//! What a node weighs and would be worth, from what is below it.

use fattail_trees::{Child, Tree};

/// The value (0 where leaves hold several) and weight of a child.
fn side(tree: &Tree, child: Child) -> (f64, f64) {
    match child {
        Child::Node(node) => {
            let node = &tree.nodes[node as usize];
            (node.value, node.weight)
        }
        Child::Leaf(leaf) => {
            let leaf = leaf as usize;
            let value = if tree.width == 1 { tree.values[leaf] } else { 0.0 };
            (value, tree.weights[leaf])
        }
    }
}

/// Fills the nodes' weights with the sums of what is below them.
pub(crate) fn fill_weights(tree: &mut Tree) {
    for at in (0..tree.nodes.len()).rev() {
        let (left, right) = (tree.nodes[at].left, tree.nodes[at].right);
        tree.nodes[at].weight = side(tree, left).1 + side(tree, right).1;
    }
}

/// Fills the nodes' values with the means of what is below them, by weight.
pub(crate) fn fill_values(tree: &mut Tree) {
    for at in (0..tree.nodes.len()).rev() {
        let [(a, m), (b, n)] =
            [tree.nodes[at].left, tree.nodes[at].right].map(|child| side(tree, child));
        let mean = if m + n > 0.0 { (a * m + b * n) / (m + n) } else { (a + b) / 2.0 };
        tree.nodes[at].value = mean;
    }
}

#[cfg(test)]
mod tests {
    use fattail_trees::{Missing, Node, Rule};

    use super::*;

    #[test]
    fn a_node_is_the_mean_of_its_leaves() {
        let rule = Rule::Numeric { threshold: 0.0, missing: Missing::Nan, default_left: true };
        let node = |left, right| Node {
            feature: 0,
            rule: rule.clone(),
            left,
            right,
            gain: 0.0,
            value: 0.0,
            weight: 0.0,
            count: 0,
        };
        let mut tree = Tree::constant(vec![1.0], 0);
        tree.nodes =
            vec![node(Child::Leaf(0), Child::Node(1)), node(Child::Leaf(1), Child::Leaf(2))];
        (tree.values, tree.weights) = (vec![1.0, 2.0, 6.0], vec![4.0, 3.0, 1.0]);
        fill_weights(&mut tree);
        fill_values(&mut tree);
        let filled = |at: usize| (tree.nodes[at].value, tree.nodes[at].weight);
        assert_eq!((filled(0), filled(1)), ((2.0, 8.0), (3.0, 4.0)));
    }
}
