//! SHAP values and interactions against sums over all sets of features.

use fattail_core::Panel;
use fattail_trees::{
    Child, Feature, Forest, Missing, Node, Rule, Tree,
    explain::{Explainer, Interactions, ShapValues},
};
use proptest::prelude::*;

const FEATURES: usize = 8;

/// Decides where the next node of a random tree goes and what it asks.
#[derive(Debug, Clone)]
struct Choice {
    leaf: prop::sample::Index,
    feature: u32,
    threshold: f64,
    kind: u8,
    default_left: bool,
    set: u32,
}

fn choice() -> impl Strategy<Value = Choice> {
    let numbers = (0..FEATURES as u32, -3i8..4, 0u8..4, any::<bool>(), any::<u32>());
    (any::<prop::sample::Index>(), numbers).prop_map(
        |(leaf, (feature, threshold, kind, default_left, set))| Choice {
            leaf,
            feature,
            threshold: f64::from(threshold) / 2.0,
            kind,
            default_left,
            set,
        },
    )
}

fn rule(choice: &Choice) -> Rule {
    let &Choice { threshold, default_left, set, .. } = choice;
    let missing = [Missing::None, Missing::Zero, Missing::Nan][choice.kind as usize % 3];
    match choice.kind {
        3 => Rule::Categorical { left: [set].into(), missing: Missing::None, default_left: false },
        _ => Rule::Numeric { threshold, missing, default_left },
    }
}

/// Splits random leaves; `weights` stands for the cover where counts are zero.
fn tree(choices: &[Choice], width: usize, output: usize, seed: u64, counts: bool) -> Tree {
    let mut tree = Tree::constant(vec![0.0; width], output);
    for choice in choices {
        let split = choice.leaf.index(tree.nodes.len() + 1) as u32;
        let (fresh, new) = (tree.nodes.len() as u32 + 1, tree.nodes.len() as u32);
        for node in &mut tree.nodes {
            for child in [&mut node.left, &mut node.right] {
                if *child == Child::Leaf(split) {
                    *child = Child::Node(new);
                }
            }
        }
        tree.nodes.push(Node {
            feature: choice.feature,
            rule: rule(choice),
            left: Child::Leaf(split),
            right: Child::Leaf(fresh),
            gain: 1.0,
            value: 0.0,
            weight: 0.0,
            count: 0,
        });
    }
    let leaves = tree.nodes.len() + 1;
    let number = |at: usize| (seed.wrapping_mul(at as u64 + 7) >> 5) % 23;
    tree.values = (0..leaves * width).map(|at| number(at) as f64 / 4.0 - 2.0).collect();
    // Some leaves have no training rows.
    tree.counts = (0..leaves).map(|at| if counts { number(at + 99) } else { 0 }).collect();
    tree.weights = (0..leaves).map(|at| number(at + 50) as f64 / 3.0).collect();
    tree
}

fn forest(trees: Vec<Tree>, outputs: usize, average: bool) -> Forest {
    let feature = |at| Feature { name: format!("f{at}"), ..Feature::default() };
    let start = (0..outputs).map(|at| 0.5 + at as f64).collect();
    let features = (0..FEATURES).map(feature).collect();
    Forest { features, outputs, trees, start, average, ..Forest::default() }
}

prop_compose! {
    fn forests()(
        kind in 0u8..4,
        average: bool,
        seed: u64,
        counts: bool,
        trees in prop::collection::vec(prop::collection::vec(choice(), 0..14), 1..3),
    ) -> Forest {
        // One output, three with a tree each, three in vector leaves.
        let grow = |width: usize, output: usize, at: usize| {
            tree(&trees[at % trees.len()], width, output, seed.wrapping_add(at as u64), counts)
        };
        match kind {
            0 => forest((0..3).map(|at| grow(1, at, at)).collect(), 3, average),
            1 => forest((0..2).map(|at| grow(3, 0, at)).collect(), 3, average),
            _ => forest((0..trees.len()).map(|at| grow(1, 0, at)).collect(), 1, average),
        }
    }
}

fn cell() -> impl Strategy<Value = f32> {
    prop_oneof![1 => Just(f32::NAN), 8 => (-4i8..8).prop_map(|x| f32::from(x) / 2.0)]
}

fn rows(count: usize) -> impl Strategy<Value = Vec<[f32; FEATURES]>> {
    prop::collection::vec(prop::array::uniform8(cell()), count)
}

fn panel(rows: &[[f32; FEATURES]]) -> Panel {
    let column = |at: usize| rows.iter().map(|row| row[at]).collect::<Vec<f32>>();
    let start = Panel::builder();
    (0..FEATURES)
        .fold(start, |panel, at| panel.feature(format!("f{at}"), column(at)))
        .build()
        .unwrap()
}

/// Leaf counts below a child, or weights where there are no counts.
fn cover(tree: &Tree, child: Child) -> f64 {
    match child {
        Child::Leaf(leaf) if tree.counts.iter().all(|&count| count == 0) => {
            tree.weights[leaf as usize]
        }
        Child::Leaf(leaf) => tree.counts[leaf as usize] as f64,
        Child::Node(node) => {
            let node = &tree.nodes[node as usize];
            cover(tree, node.left) + cover(tree, node.right)
        }
    }
}

/// The expected value below `at` in one output when the features of `known` are known.
fn expectation(tree: &Tree, at: Child, row: &[f64], known: usize, output: usize) -> f64 {
    let node = match at {
        Child::Leaf(leaf) => return tree.leaf(leaf as usize)[output],
        Child::Node(node) => &tree.nodes[node as usize],
    };
    let go = |child| expectation(tree, child, row, known, output);
    if known >> node.feature & 1 == 1 {
        let left = node.rule.goes_left(row[node.feature as usize]);
        return go(if left { node.left } else { node.right });
    }
    let (left, right) = (cover(tree, node.left), cover(tree, node.right));
    let share = if left + right > 0.0 { left / (left + right) } else { 0.5 };
    share * go(node.left) + (1.0 - share) * go(node.right)
}

/// The expected raw score of an output for every set of known features.
fn game(forest: &Forest, row: &[f64], output: usize) -> Vec<f64> {
    let value = |known: usize| {
        let inside = |tree: &&Tree| (tree.output..tree.output + tree.width).contains(&output);
        let trees = forest.trees.iter().filter(inside).map(|tree| {
            let root = if tree.nodes.is_empty() { Child::Leaf(0) } else { Child::Node(0) };
            expectation(tree, root, row, known, output - tree.output)
        });
        let sum: f64 = trees.sum();
        sum / if forest.average { forest.iterations() as f64 } else { 1.0 } + forest.start[output]
    };
    (0..1 << FEATURES).map(value).collect()
}

fn factorial(n: usize) -> f64 {
    (1..=n).map(|k| k as f64).product()
}

fn shap(game: &[f64], feature: usize) -> f64 {
    let without = (0..game.len()).filter(|set| set >> feature & 1 == 0);
    let part = |set: usize| {
        let size = set.count_ones() as usize;
        let weight = factorial(size) * factorial(FEATURES - size - 1) / factorial(FEATURES);
        weight * (game[set | 1 << feature] - game[set])
    };
    without.map(part).sum()
}

fn interaction(game: &[f64], a: usize, b: usize) -> f64 {
    let without = (0..game.len()).filter(|set| set >> a & 1 == 0 && set >> b & 1 == 0);
    let part = |set: usize| {
        let size = set.count_ones() as usize;
        let weight =
            factorial(size) * factorial(FEATURES - size - 2) / factorial(FEATURES - 1) / 2.0;
        let both = game[set | 1 << a | 1 << b] + game[set];
        weight * (both - game[set | 1 << a] - game[set | 1 << b])
    };
    without.map(part).sum()
}

// Values are of size 1; both sides round some hundred times.
const TOLERANCE: f64 = 1e-11;

fn check_shap(found: &ShapValues, at: usize, games: &[Vec<f64>]) {
    for (output, game) in games.iter().enumerate() {
        let values = found.row(at, output);
        for (feature, &value) in values[..FEATURES].iter().enumerate() {
            let plain = shap(game, feature);
            assert!(
                (value - plain).abs() < TOLERANCE,
                "row {at} feature {feature}: {value} {plain}"
            );
        }
        assert!((values[FEATURES] - game[0]).abs() < TOLERANCE);
        let sum: f64 = values.iter().sum();
        assert!((sum - game[game.len() - 1]).abs() < TOLERANCE);
    }
}

fn check_interactions(found: &Interactions, at: usize, games: &[Vec<f64>]) {
    for (output, game) in games.iter().enumerate() {
        for a in 0..FEATURES {
            for b in (0..FEATURES).filter(|&b| b != a) {
                let (value, plain) = (found.value(at, output, (a, b)), interaction(game, a, b));
                assert!((value - plain).abs() < TOLERANCE, "({a}, {b}): {value} {plain}");
                assert_eq!(value.to_bits(), found.value(at, output, (b, a)).to_bits());
            }
            let sum: f64 = (0..FEATURES).map(|b| found.value(at, output, (a, b))).sum();
            assert!((sum - shap(game, a)).abs() < TOLERANCE);
        }
        assert_eq!(found.value(at, output, (FEATURES, 0)), 0.0);
        assert!((found.value(at, output, (FEATURES, FEATURES)) - game[0]).abs() < TOLERANCE);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    // One row goes by quadrature alone.
    #[test]
    fn one_row_equals_all_sets(forest in forests(), row in rows(1)) {
        let row: Vec<f64> = row[0].iter().map(|&x| f64::from(x)).collect();
        let explainer = Explainer::new(&forest).unwrap();
        let games: Vec<_> = (0..forest.outputs).map(|output| game(&forest, &row, output)).collect();
        check_shap(&explainer.shap_row(&row).unwrap(), 0, &games);
        check_interactions(&explainer.interactions_row(&row).unwrap(), 0, &games);
        let raw = forest.raw_row(&row).unwrap();
        for (raw, game) in raw.iter().zip(&games) {
            prop_assert!((raw - game[game.len() - 1]).abs() < TOLERANCE);
        }
    }

    // Rows enough for tables: of all patterns, of some, and of a group for a whole tree.
    #[test]
    fn many_rows_equal_all_sets(
        forest in forests(),
        few in rows(5),
        copies in prop::sample::select(vec![4usize, 30, 250, 900]),
    ) {
        let rows: Vec<_> = few.iter().copied().cycle().take(5 * copies).collect();
        let explainer = Explainer::new(&forest).unwrap();
        let panel = panel(&rows);
        let (found, pairs) =
            (explainer.shap(&panel).unwrap(), explainer.interactions(&panel).unwrap());
        for (at, row) in few.iter().enumerate() {
            let row: Vec<f64> = row.iter().map(|&x| f64::from(x)).collect();
            let games: Vec<_> = (0..forest.outputs).map(|output| game(&forest, &row, output)).collect();
            check_shap(&found, at, &games);
            check_interactions(&pairs, at, &games);
        }
        for at in 5..rows.len() {
            prop_assert_eq!(found.row(at, 0), found.row(at % 5, 0));
        }
    }
}
