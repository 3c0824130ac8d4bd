//! The shapes of trees.

use std::collections::BTreeSet;

use fattail_core::{Fit, Panel, Predict};
use fattail_gbdt::{Gbdt, Growth, Limits, Sampling};
use fattail_trees::{Child, Rule, Tree};

use crate::data::{self, Draws, name};

fn question(tree: &Tree, node: usize) -> (u32, f64) {
    let node = &tree.nodes[node];
    match node.rule {
        Rule::Numeric { threshold, .. } => (node.feature, threshold),
        Rule::Categorical { .. } => panic!("a category"),
    }
}

/// The questions of each level.
fn levels(tree: &Tree) -> Vec<Vec<(u32, f64)>> {
    let mut levels = Vec::new();
    let mut open = vec![Child::Node(0)];
    while !open.is_empty() {
        let nodes: Vec<usize> = open
            .iter()
            .filter_map(|child| match child {
                Child::Node(node) => Some(*node as usize),
                Child::Leaf(_) => None,
            })
            .collect();
        levels.extend(
            (!nodes.is_empty()).then(|| nodes.iter().map(|&at| question(tree, at)).collect()),
        );
        open = nodes.iter().flat_map(|&at| [tree.nodes[at].left, tree.nodes[at].right]).collect();
    }
    levels
}

#[test]
fn leaves_of_a_level_share_the_question() {
    let panel = data::bins(1, 6, 100, 6, 1.0);
    let settings = Gbdt { growth: Growth::Oblivious, depth: Some(4), rounds: 8, ..Gbdt::default() };
    for tree in &settings.fit(&panel).unwrap().forest.trees {
        let levels = levels(tree);
        assert_eq!((levels.len(), tree.leaves()), (4, 16));
        for (depth, level) in levels.iter().enumerate() {
            assert_eq!(level.len(), 1 << depth);
            assert!(level.iter().all(|asked| *asked == level[0]));
        }
    }
    let free = Gbdt { growth: Growth::LeafWise, ..settings };
    let trees = free.fit(&panel).unwrap().forest.trees;
    let shared =
        |tree: &Tree| levels(tree).iter().all(|level| level.iter().all(|asked| *asked == level[0]));
    assert!(!trees.iter().all(shared));
}

/// The question that wins most over leaves, rows by rows: for squared error `sum_leaf G^2 / n`.
fn best_question(x: &[Vec<u8>], g: &[f64], leaves: &[usize]) -> (usize, u8) {
    let worth = |feature: usize, bin: u8| {
        let mut sums = std::collections::BTreeMap::new();
        for (row, &leaf) in leaves.iter().enumerate() {
            let (sum, n) = sums.entry((leaf, x[feature][row] <= bin)).or_insert((0.0, 0.0));
            *sum += g[row];
            *n += 1.0;
        }
        sums.values().map(|(g, n)| g * g / n).sum::<f64>()
    };
    let all = (0..x.len()).flat_map(|feature| (0..3).map(move |bin| (feature, bin)));
    all.max_by(|a, b| worth(a.0, a.1).total_cmp(&worth(b.0, b.1))).unwrap()
}

#[test]
fn the_questions_of_levels_are_those_of_a_search_by_rows() {
    for seed in 0..20 {
        let mut draws = Draws::new(seed);
        let x: Vec<Vec<u8>> =
            (0..4).map(|_| (0..80).map(|_| (draws.unit() * 4.0) as u8).collect()).collect();
        let y: Vec<f32> =
            (0..80).map(|row| (draws.normal() + f64::from(x[0][row] * x[1][row])) as f32).collect();
        let panel = x
            .iter()
            .enumerate()
            .fold(Panel::builder(), |panel, (at, x)| panel.feature(name(at), x.clone()));
        let panel = panel.target("y", y.clone()).build().unwrap();
        let limits = Limits { min_data_in_leaf: 1, ..Limits::default() };
        let mut settings = Gbdt {
            growth: Growth::Oblivious,
            depth: Some(3),
            rounds: 1,
            limits,
            ..Gbdt::default()
        };
        settings.bins.min_data_in_bin = 1;
        let tree = settings.fit(&panel).unwrap().forest.trees.remove(0);
        let mean = y.iter().map(|&y| f64::from(y)).sum::<f64>() / 80.0;
        let g: Vec<f64> = y.iter().map(|&y| mean - f64::from(y)).collect();
        let mut leaves = vec![0; 80];
        for level in levels(&tree) {
            let (feature, bin) = best_question(&x, &g, &leaves);
            assert_eq!(level[0].0 as usize, feature, "seed {seed}");
            // The threshold of bin 0 is just above 0, the others lie half way.
            assert_eq!(level[0].1.floor() as u8, bin, "seed {seed}");
            for (row, leaf) in leaves.iter_mut().enumerate() {
                *leaf = 2 * *leaf + usize::from(x[feature][row] > bin);
            }
        }
    }
}

#[test]
fn oblivious_trees_ask_for_categories() {
    let mut draws = Draws::new(3);
    let category: Vec<u8> = (0..600).map(|_| (draws.unit() * 6.0) as u8).collect();
    let target: Vec<f32> =
        category.iter().map(|&c| f32::from(c == 4) + 0.1 * draws.normal() as f32).collect();
    let panel =
        Panel::builder().feature("c", category.clone()).target("y", target).build().unwrap();
    let mut settings = Gbdt {
        growth: Growth::Oblivious,
        depth: Some(1),
        learning_rate: 0.5,
        rounds: 20,
        ..Gbdt::default()
    };
    settings.bins.categorical = vec!["c".into()];
    let found = settings.fit(&panel).unwrap().predict(&panel).unwrap();
    for (category, found) in category.into_iter().zip(found) {
        assert!((found - f32::from(category == 4)).abs() < 0.1, "{category}: {found}");
    }
}

#[test]
fn the_order_of_splits_does_not_matter_for_full_trees() {
    let panel = data::bins(2, 6, 200, 6, 1.0);
    let by = |growth: Growth, leaves: usize| {
        let settings = Gbdt { growth, leaves, depth: Some(3), rounds: 10, ..Gbdt::default() };
        settings.fit(&panel).unwrap().predict(&panel).unwrap()
    };
    assert_eq!(by(Growth::LeafWise, 8), by(Growth::DepthWise, 8));
    assert_ne!(by(Growth::LeafWise, 5), by(Growth::DepthWise, 5));
}

#[test]
fn extremely_random_trees_draw_their_thresholds() {
    let panel = data::bins(3, 6, 100, 4, 1.0);
    for growth in [Growth::LeafWise, Growth::Oblivious] {
        let limits = Limits { extra_trees: true, ..Limits::default() };
        let fit = |seed: u64| {
            let settings =
                Gbdt { growth, limits, seed, rounds: 40, depth: Some(3), ..Gbdt::default() };
            settings.fit(&panel).unwrap().forest
        };
        assert_eq!(fit(1), fit(1));
        assert_ne!(fit(1), fit(2));
        let asked = |at: usize| {
            let trees = fit(1).trees;
            let all = trees
                .iter()
                .flat_map(|tree| (0..tree.nodes.len()).map(|node| question(tree, node)));
            all.filter(|asked| asked.0 as usize == at).map(|asked| asked.1.floor() as i32).collect()
        };
        // All four thresholds of the signal, the last one among them.
        let found: BTreeSet<i32> = asked(0);
        assert_eq!(found, BTreeSet::from([0, 1, 2, 3]), "{growth:?}");
    }
}

#[test]
fn smoothed_leaves_by_hand() {
    let y = [1.0f32, 2.0, 3.0, 10.0];
    let panel =
        Panel::builder().feature("x", vec![0u8, 0, 0, 1]).target("y", y.to_vec()).build().unwrap();
    let limits = Limits { min_data_in_leaf: 1, path_smooth: 2.0, ..Limits::default() };
    let mut settings =
        Gbdt { limits, rounds: 1, learning_rate: 1.0, from_average: false, ..Gbdt::default() };
    settings.bins.min_data_in_bin = 1;
    let tree = settings.fit(&panel).unwrap().forest.trees.remove(0);
    // The root is worth 4; the leaves 2 and 10, of 3 rows and 1, lean towards it by 2 rows.
    let expected = [(3.0 * 2.0 + 2.0 * 4.0) / 5.0, (10.0 + 2.0 * 4.0) / 3.0];
    for (found, expected) in tree.values.iter().zip(expected) {
        assert!((found - expected).abs() < 1e-6, "{found} for {expected}");
    }
}

#[test]
fn nodes_see_columns_of_their_own() {
    let panel = data::bins(4, 6, 100, 8, 0.3);
    for growth in [Growth::LeafWise, Growth::Oblivious] {
        let asked = |columns_by_node: f64| {
            let sampling = Sampling { columns_by_node, ..Sampling::default() };
            let settings = Gbdt { growth, sampling, depth: Some(2), rounds: 30, ..Gbdt::default() };
            let trees = settings.fit(&panel).unwrap().forest.trees;
            let roots: BTreeSet<u32> = trees.iter().map(|tree| tree.nodes[0].feature).collect();
            let mixed = trees
                .iter()
                .any(|tree| tree.nodes.iter().any(|n| n.feature != tree.nodes[0].feature));
            (roots.len(), mixed)
        };
        // One column a node: roots ask about most of the eight, and a tree about several.
        let (roots, mixed) = asked(0.125);
        assert!(roots >= 6 && mixed, "{growth:?}: {roots}");
        assert!(asked(1.0).0 < 6, "{growth:?}");
    }
}
