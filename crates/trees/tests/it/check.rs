//! What `Forest::check` refuses: whatever a hostile file may hold.

use fattail_trees::{Child, Feature, Forest, LinearLeaf, Missing, Node, Predictor, Rule, Tree};
use proptest::prelude::*;

fn node(feature: u32, left: Child, right: Child) -> Node {
    let rule = Rule::Numeric { threshold: 0.5, missing: Missing::None, default_left: false };
    Node { feature, rule, left, right, gain: 1.0, value: 0.0, weight: 1.0, count: 1 }
}

/// Two questions, three leaves.
fn forest() -> Forest {
    let tree = Tree {
        nodes: vec![
            node(0, Child::Leaf(0), Child::Node(1)),
            node(1, Child::Leaf(1), Child::Leaf(2)),
        ],
        values: vec![1.0, 2.0, 3.0],
        weights: vec![1.0; 3],
        counts: vec![1; 3],
        ..Tree::constant(vec![0.0], 0)
    };
    let feature = |name: &str| Feature { name: name.into(), ..Feature::default() };
    Forest { features: vec![feature("a"), feature("b")], trees: vec![tree], ..Forest::default() }
}

fn refused(change: impl FnOnce(&mut Forest)) -> String {
    let mut forest = forest();
    assert!(forest.check().is_ok());
    change(&mut forest);
    let error = forest.check().unwrap_err();
    assert_eq!(Predictor::new(&forest).unwrap_err(), error);
    error.to_string()
}

#[test]
fn children_are_below_their_parent_and_have_no_other() {
    let cyclic = refused(|forest| forest.trees[0].nodes[1].left = Child::Node(0));
    assert!(cyclic.contains("node 1 points to Node(0)"), "{cyclic}");
    refused(|forest| forest.trees[0].nodes[1].right = Child::Node(1));
    refused(|forest| forest.trees[0].nodes[0].left = Child::Node(1));
    refused(|forest| forest.trees[0].nodes[0].left = Child::Leaf(2));
    refused(|forest| forest.trees[0].nodes[0].right = Child::Leaf(1));
    refused(|forest| forest.trees[0].nodes[1].right = Child::Node(u32::MAX));
    refused(|forest| forest.trees[0].nodes[1].right = Child::Leaf(3));
}

#[test]
fn thresholds_are_numbers() {
    let error = refused(|forest| {
        forest.trees[0].nodes[1].rule =
            Rule::Numeric { threshold: f64::NAN, missing: Missing::Nan, default_left: true };
    });
    assert_eq!(error, "tree 0: the threshold of node 1 is NaN");
}

#[test]
fn sizes_fit_together() {
    refused(|forest| forest.outputs = 0);
    refused(|forest| forest.start = vec![0.0, 1.0]);
    refused(|forest| forest.outputs = 2);
    refused(|forest| forest.trees[0].output = 1);
    refused(|forest| forest.trees[0].output = usize::MAX);
    refused(|forest| forest.trees[0].width = 0);
    refused(|forest| forest.trees[0].width = 2);
    refused(|forest| forest.trees[0].values = vec![]);
    refused(|forest| {
        forest.trees[0].values.pop();
    });
    refused(|forest| forest.trees[0].weights = vec![1.0]);
    refused(|forest| forest.trees[0].counts = vec![]);
    refused(|forest| forest.trees[0].nodes[1].feature = 2);
    refused(|forest| forest.trees[0].linear = vec![LinearLeaf::default()]);
    refused(|forest| {
        let line = LinearLeaf { constant: 0.0, terms: vec![(7, 1.0)] };
        forest.trees[0].linear = vec![line; 3];
    });
}

#[test]
fn classes_and_trees_of_all_targets_do_not_mix() {
    refused(|forest| {
        let wide = Tree::constant(vec![0.0, 1.0], 0);
        (forest.outputs, forest.trees) = (2, vec![wide, Tree::constant(vec![0.5], 1)]);
    });
}

proptest! {
    /// Whatever the children are, the check answers, and what it lets through predicts.
    #[test]
    fn random_children_are_refused_or_work(
        children in prop::collection::vec((any::<bool>(), 0..6u32), 8),
    ) {
        let child = |at: usize| {
            let (inner, index) = children[at];
            if inner { Child::Node(index) } else { Child::Leaf(index) }
        };
        let mut forest = forest();
        let tree = &mut forest.trees[0];
        tree.nodes = (0..4).map(|at| node(0, child(2 * at), child(2 * at + 1))).collect();
        tree.values = vec![0.0; 5];
        (tree.weights, tree.counts) = (vec![0.0; 5], vec![0; 5]);
        if let Ok(predictor) = Predictor::new(&forest) {
            let mut raw = [f64::NAN];
            predictor.raw_row(&[0.0, 1.0], &mut raw).unwrap();
            prop_assert_eq!(raw[0], 0.0);
        }
    }
}
