//! Explanations of tiny forests, by hand.

use fattail_core::{Era, Metric, Panel, Predict};
use fattail_trees::{
    Child, Error, Feature, Forest, LinearLeaf, Missing, Node, Rule, Tree,
    explain::{DecisionPath, Drawing, Explainer, Importance, Permutation, era_gain},
};

fn node(feature: u32, threshold: f64, left: Child, right: Child) -> Node {
    let rule = Rule::Numeric { threshold, missing: Missing::Nan, default_left: true };
    Node { feature, rule, left, right, gain: 2.0, value: 0.0, weight: 1.0, count: 4 }
}

/// `a <= 0 ? 0 : (b <= 0 ? 4 : 8)`; of eight rows four, two and two are in the leaves.
fn nested() -> Tree {
    let nodes = vec![
        node(0, 0.0, Child::Leaf(0), Child::Node(1)),
        node(1, 0.0, Child::Leaf(1), Child::Leaf(2)),
    ];
    let (counts, weights) = (vec![4, 2, 2], vec![4.0, 2.0, 2.0]);
    Tree { nodes, values: vec![0.0, 4.0, 8.0], counts, weights, ..Tree::constant(vec![0.0], 0) }
}

fn forest(trees: Vec<Tree>) -> Forest {
    let feature = |name: &str| Feature { name: name.into(), ..Feature::default() };
    let features = vec![feature("a"), feature("b"), feature("c")];
    Forest { features, trees, ..Forest::default() }
}

#[test]
fn a_nested_tree_by_hand() {
    // v() = 3, v(a) = 6, v(b) = 4, v(a, b) = 8: each order of joining counts a half.
    let forest = forest(vec![nested()]);
    let explainer = Explainer::new(&forest).unwrap();
    let found = explainer.shap_row(&[1.0, 1.0, 1.0]).unwrap();
    for (value, expected) in found.values.iter().zip([3.5, 1.5, 0.0, 3.0]) {
        assert!((value - expected).abs() < 1e-14, "{found:?}");
    }
    // v(a, b) - v(a) - v(b) + v() = 1, a half on each side.
    let pairs = explainer.interactions_row(&[1.0, 1.0, 1.0]).unwrap();
    let expected = [3.0, 0.5, 0.0, 0.0, 0.5, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 3.0];
    for (value, expected) in pairs.values.iter().zip(expected) {
        assert!((value - expected).abs() < 1e-14, "{pairs:?}");
    }
    let (size, expected) = (found.mean_sizes(), [3.5, 1.5, 0.0]);
    assert!(size.iter().zip(expected).all(|(x, y)| (x - y).abs() < 1e-14));
}

#[test]
fn a_path_of_many_features_is_exact() {
    // A chain x_0 > 0 and ... and x_{n-1} > 0 pays 1: all features are alike, so each gets an equal
    // part of what is beyond the expectation.
    for length in [1u32, 8, 9, 16, 17, 24, 25, 33, 65, 130] {
        let below = |at: u32| if at == length { Child::Leaf(length) } else { Child::Node(at) };
        let nodes = (0..length).map(|at| node(at, 0.0, Child::Leaf(at), below(at + 1))).collect();
        // Half of the rows leave at each node, so the shares are equal.
        let weights: Vec<f64> =
            (0..=length).map(|at| 0.5f64.powi(at.min(length - 1) as i32 + 1)).collect();
        let mut values = vec![0.0; length as usize + 1];
        values[length as usize] = 1.0;
        let counts = vec![0; weights.len()];
        let tree = Tree { nodes, values, weights, counts, ..Tree::constant(vec![0.0], 0) };
        let feature = |at| Feature { name: format!("x{at}"), ..Feature::default() };
        let features = (0..length).map(feature).collect();
        let forest = Forest { features, trees: vec![tree], ..Forest::default() };
        let explainer = Explainer::new(&forest).unwrap();
        let found = explainer.shap_row(&vec![1.0; length as usize]).unwrap();
        let expected = (1.0 - 0.5f64.powi(length as i32)) / f64::from(length);
        for value in &found.values[..length as usize] {
            assert!((value - expected).abs() < 1e-13, "{length}: {value} for {expected}");
        }
    }
}

#[test]
fn what_cannot_be_explained_is_refused() {
    let mut linear = nested();
    linear.linear = vec![LinearLeaf::default(); 3];
    let linear = forest(vec![linear]);
    assert!(matches!(Explainer::new(&linear), Err(Error::Unsupported { .. })));
    let good = forest(vec![nested()]);
    let explainer = Explainer::new(&good).unwrap();
    assert_eq!(explainer.shap_row(&[1.0]).unwrap_err(), Error::Width { given: 1, expected: 3 });
    let narrow = Panel::builder().feature("a", vec![1.0f32]).build().unwrap();
    assert!(explainer.shap(&narrow).is_err());
    let message = explainer.with_budget(100).interactions_row(&[0.0; 3]).unwrap_err().to_string();
    assert_eq!(message, "an interaction of all rows needs 128 bytes, allowed are 100 bytes");
}

#[test]
fn constant_trees_and_starts_are_expected() {
    let mut forest = forest(vec![Tree::constant(vec![0.5], 0), nested()]);
    forest.start = vec![0.25];
    assert_eq!(Explainer::new(&forest).unwrap().expected(), [3.75]);
    forest.average = true;
    assert_eq!(Explainer::new(&forest).unwrap().expected(), [2.0]);
    let empty = Forest { trees: vec![], ..forest };
    let found = Explainer::new(&empty).unwrap().shap_row(&[0.0; 3]).unwrap();
    assert_eq!(found.values, [0.0, 0.0, 0.0, 0.25]);
}

#[test]
fn threads_do_not_change_a_bit() {
    let forest = forest(vec![nested(), Tree::constant(vec![0.1], 0), nested()]);
    let column =
        |step: usize| (0..5000).map(|row| (row * step % 7) as f32 - 3.0).collect::<Vec<_>>();
    let panel = Panel::builder().feature("a", column(3)).feature("b", column(5));
    let panel = panel.feature("c", column(1)).build().unwrap();
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| Explainer::new(&forest).unwrap().shap(&panel).unwrap().values)
    };
    let one = with(1);
    assert_eq!(one, with(2));
    assert_eq!(one, with(3));
}

#[test]
fn importances_add_up_nodes_that_won() {
    let mut lost = nested();
    lost.nodes[1].gain = 0.0;
    let forest = forest(vec![nested(), lost]);
    assert_eq!(Importance::Gain.of(&forest).unwrap(), [4.0, 2.0, 0.0]);
    assert_eq!(Importance::Splits.of(&forest).unwrap(), [2.0, 1.0, 0.0]);
    assert_eq!(Importance::Cover.of(&forest).unwrap(), [16.0, 4.0, 0.0]);
}

#[test]
fn a_path_tells_its_questions() {
    let forest = forest(vec![nested()]);
    let row = [1.0, -1.0, 0.0];
    let path = DecisionPath::new(&forest, 0, &row).unwrap();
    assert_eq!((path.leaf, path.values.as_slice()), (1, &[4.0][..]));
    let told = "node 0: a <= 0 or missing? a = 1: no\nnode 1: b <= 0 or missing? b = -1: yes\nleaf 1: [4.0]";
    assert_eq!(path.to_string(), told);
    assert!(DecisionPath::new(&forest, 1, &row).is_err());
    let drawn = "node 0: a <= 0 or missing? gain 2, 4 rows
  leaf 0: [0.0], 4 rows
  node 1: b <= 0 or missing? gain 2, 4 rows
    leaf 1: [4.0], 2 rows
    leaf 2: [8.0], 2 rows
";
    let drawing = Drawing::new(&forest, 0).unwrap();
    assert_eq!(drawing.to_string(), drawn);
    assert!(drawing.dot().contains("    node0 -> node1 [label=\"no\"];\n"));
}

/// Two eras of two rows; a alone tells the target in the first, b in the second.
fn two_eras() -> Panel {
    let panel = Panel::builder().eras(&["1", "1", "2", "2"]).unwrap();
    let panel = panel.feature("a", vec![-1.0f32, 1.0, 1.0, 1.0]);
    let panel = panel.feature("b", vec![1.0f32, 1.0, -1.0, 1.0]).feature("c", vec![0u8, 1, 2, 3]);
    panel.target("target", vec![0.0f32, 6.0, 1.0, 5.0]).build().unwrap()
}

#[test]
fn gains_of_eras_by_hand() {
    // Era 1 at node a: 1/2 (0 - 6)^2; era 2 at node b: 1/2 (1 - 5)^2. The second tree sees what the
    // first leaves: in era 1 0 and 6 - 8, in era 2 1 - 4 and 5 - 8.
    let panel = two_eras();
    let found = era_gain(&forest(vec![nested()]), &panel).unwrap();
    assert_eq!(found.values, [18.0, 0.0, 0.0, 8.0, 0.0, 0.0]);
    let found = era_gain(&forest(vec![nested(), nested()]), &panel).unwrap();
    assert_eq!(found.values, [20.0, 0.0, 0.0, 8.0, 0.0, 0.0]);
    assert_eq!(found.summary(0), (10.0, 200f64.sqrt()));
    assert_eq!(
        (found.of(1), found.eras.as_slice()),
        (&[0.0, 8.0][..], &["1", "2"].map(String::from)[..])
    );
}

struct Sum;

impl Predict for Sum {
    fn predict(&self, panel: &Panel) -> fattail_core::Result<Vec<f32>> {
        let (a, b) = (panel.feature(0).to_f32(), panel.feature(1).to_f32());
        Ok(a.iter().zip(&b).map(|(a, b)| a + b).collect())
    }
}

struct Product;

impl Metric for Product {
    fn name(&self) -> &str {
        "product"
    }

    fn score(&self, era: &Era<'_>, prediction: &[f32]) -> fattail_core::Result<f64> {
        if era.label() == "2" {
            return Err(era.undefined("product", "the test says so"));
        }
        Ok(prediction.iter().zip(era.target()?).map(|(x, y)| f64::from(x * y)).sum())
    }
}

#[test]
fn permutation_is_seeded_and_stays_in_eras() {
    let panel = two_eras();
    let settings = Permutation { seed: 3, repeats: 200 };
    let found = settings.importance(&panel, &Sum, &Product).unwrap();
    let again = settings.importance(&panel, &Sum, &Product).unwrap();
    // Bits, since the second era's score is not defined.
    assert!(found.values.iter().zip(&again.values).all(|(x, y)| x.to_bits() == y.to_bits()));
    // Half of the shuffles of two rows swap them, and a swap of a costs 2 * 6.
    let (mean, _) = found.summary(0);
    assert!((mean - 6.0).abs() < 1.5, "{mean}");
    assert!(found.of(0)[1].is_nan());
    assert_eq!((found.of(1)[0], found.of(2)[0]), (0.0, 0.0));
    let none = Permutation { repeats: 0, ..settings };
    let message = none.importance(&panel, &Sum, &Product).unwrap_err().to_string();
    assert_eq!(message, "setting 'repeats' is 0, allowed is at least 1");
}
