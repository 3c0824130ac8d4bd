//! Models keep what is asked of them.

use std::collections::BTreeMap;

use fattail_core::{Fit, Panel, Predict};
use fattail_gbdt::{
    Constraints, Criterion, ForcedSplit, Gbdt, GbdtModel, Growth, Limits, MonotoneMethod,
};
use fattail_trees::{Child, Rule, Tree};
use proptest::prelude::*;

use crate::data::{self, Draws, name};

/// Rises with `f0`, falls with `f1`, both with waves that break the rule, and bends with the others.
fn waves(seed: u64, rows: usize) -> Panel {
    let mut draws = Draws::new(seed);
    let columns: Vec<Vec<f32>> =
        (0..4).map(|_| (0..rows).map(|_| draws.unit() as f32).collect()).collect();
    let target: Vec<f32> = (0..rows)
        .map(|row| {
            let x = |at: usize| f64::from(columns[at][row]);
            let up = x(0) + 0.4 * (12.0 * x(0)).sin() * x(2);
            let down = x(1) + 0.4 * (9.0 * x(1) + 3.0 * x(3)).sin();
            (up - down + x(2) * x(3) + 0.2 * draws.normal()) as f32
        })
        .collect();
    let columns = columns.into_iter().enumerate();
    let eras: Vec<String> = (0..rows).map(|row| format!("{}", row * 6 / rows)).collect();
    let panel = Panel::builder().eras(&eras).unwrap();
    let panel = columns.fold(panel, |panel, (at, column)| panel.feature(name(at), column));
    panel.target("y", target).build().unwrap()
}

fn settings(constraints: Constraints) -> Gbdt {
    let limits = Limits { min_data_in_leaf: 5, ..Limits::default() };
    Gbdt { rounds: 20, limits, constraints, ..Gbdt::default() }
}

fn monotone(method: MonotoneMethod) -> Constraints {
    let monotone = BTreeMap::from([(name(0), 1), (name(1), -1)]);
    Constraints { monotone, monotone_method: method, ..Constraints::default() }
}

/// The largest step in the wrong direction over sweeps of `f0` and `f1`.
fn wrong(model: &GbdtModel, seed: u64) -> f64 {
    let mut draws = Draws::new(seed);
    let mut worst = 0f64;
    for at in 0..120 {
        let mut row: Vec<f64> = (0..4).map(|_| draws.unit()).collect();
        let (feature, direction) = if at % 2 == 0 { (0, 1.0) } else { (1, -1.0) };
        let mut last = f64::NEG_INFINITY;
        for step in 0..=60 {
            row[feature] = f64::from(step) / 60.0;
            let found = direction * model.forest.raw_row(&row).unwrap()[0];
            worst = worst.max(last - found);
            last = found;
        }
    }
    worst
}

fn loss(model: &GbdtModel, panel: &Panel) -> f64 {
    let target = panel.target().unwrap().to_f32();
    let apart =
        model.predict(panel).unwrap().into_iter().zip(target).map(|(a, b)| f64::from(a - b));
    apart.map(|far| far * far).sum::<f64>() / panel.rows() as f64
}

/// The features on each path from the root to a leaf.
fn paths(tree: &Tree) -> Vec<Vec<u32>> {
    let mut open = vec![(Child::Node(0), Vec::new())];
    let mut paths = Vec::new();
    while let Some((at, path)) = open.pop() {
        match at {
            Child::Leaf(_) => paths.push(path),
            Child::Node(node) => {
                let node = &tree.nodes[node as usize];
                let path: Vec<u32> = path.into_iter().chain([node.feature]).collect();
                open.extend([(node.left, path.clone()), (node.right, path)]);
            }
        }
    }
    paths
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    #[test]
    fn monotone_models_never_step_the_wrong_way(seed in 0u64..1000) {
        let panel = waves(seed, 600);
        prop_assert!(wrong(&settings(Constraints::default()).fit(&panel).unwrap(), seed) > 0.01);
        for growth in [Growth::LeafWise, Growth::DepthWise, Growth::Oblivious] {
            for method in [MonotoneMethod::Basic, MonotoneMethod::Intermediate] {
                if growth == Growth::Oblivious && method == MonotoneMethod::Intermediate {
                    continue;
                }
                let settings = Gbdt { growth, ..settings(monotone(method)) };
                let found = wrong(&settings.fit(&panel).unwrap(), seed);
                prop_assert!(found <= 1e-12, "{growth:?} {method:?}: {found}");
            }
        }
    }
}

#[test]
fn monotone_models_stay_so_with_smoothing_and_when_eras_judge() {
    let panel = waves(9, 900);
    for method in [MonotoneMethod::Basic, MonotoneMethod::Intermediate] {
        let mut settings = settings(monotone(method));
        settings.limits.path_smooth = 30.0;
        settings.limits.lambda_l1 = 1.0;
        let smooth = wrong(&settings.fit(&panel).unwrap(), 1);
        settings.eras.criterion = Criterion::Directional { power: 1.0, least: 0.1 };
        let judged = wrong(&settings.fit(&panel).unwrap(), 1);
        assert!(smooth <= 1e-12 && judged <= 1e-12, "{method:?}: {smooth}, {judged}");
    }
}

#[test]
fn intermediate_bounds_lose_less_than_basic_ones() {
    let panel = waves(1, 2000);
    let basic = loss(&settings(monotone(MonotoneMethod::Basic)).fit(&panel).unwrap(), &panel);
    let values =
        loss(&settings(monotone(MonotoneMethod::Intermediate)).fit(&panel).unwrap(), &panel);
    assert!(values < basic, "{values} for {basic}");
}

#[test]
fn a_penalty_keeps_monotone_features_from_the_root() {
    let panel = waves(2, 600);
    let constraints = Constraints { monotone_penalty: 1.5, ..monotone(MonotoneMethod::Basic) };
    let model = settings(constraints).fit(&panel).unwrap();
    assert!(model.forest.trees.iter().all(|tree| tree.nodes[0].feature > 1));
    let free = settings(monotone(MonotoneMethod::Basic)).fit(&panel).unwrap();
    assert!(free.forest.trees.iter().any(|tree| tree.nodes[0].feature <= 1));
}

#[test]
fn paths_keep_to_a_set() {
    let panel = data::bins(3, 8, 100, 6, 0.5);
    let sets: [&[usize]; 2] = [&[0, 1], &[1, 2, 3]];
    let named = |set: &&[usize]| set.iter().map(|&at| name(at)).collect();
    let interaction =
        Constraints { interaction: sets.iter().map(named).collect(), ..Constraints::default() };
    for growth in [Growth::LeafWise, Growth::DepthWise, Growth::Oblivious] {
        let fits = |constraints: &Constraints| {
            let settings = Gbdt { growth, depth: Some(4), ..settings(constraints.clone()) };
            let model = settings.fit(&panel).unwrap();
            let kept = |path: &Vec<u32>| {
                sets.iter().any(|set| path.iter().all(|&feature| set.contains(&(feature as usize))))
            };
            model.forest.trees.iter().flat_map(paths).all(|path| kept(&path))
        };
        assert!(fits(&interaction), "{growth:?}");
        assert!(!fits(&Constraints::default()), "{growth:?}");
    }
}

#[test]
fn a_factor_of_zero_shuts_a_feature_out() {
    let panel = data::bins(4, 8, 100, 4, 0.5);
    let contribution = BTreeMap::from([(name(0), 0.0)]);
    let constraints = Constraints { contribution, ..Constraints::default() };
    for growth in [Growth::LeafWise, Growth::Oblivious] {
        let asks = |constraints: &Constraints| {
            let settings = Gbdt { growth, depth: Some(3), ..settings(constraints.clone()) };
            let model = settings.fit(&panel).unwrap();
            model.forest.trees.iter().flat_map(|tree| &tree.nodes).any(|node| node.feature == 0)
        };
        assert!(!asks(&constraints) && asks(&Constraints::default()), "{growth:?}");
    }
}

fn split(feature: usize, threshold: Option<f64>) -> ForcedSplit {
    ForcedSplit { feature: name(feature), threshold, left: None, right: None }
}

fn forced(split: ForcedSplit) -> Gbdt {
    settings(Constraints { forced: Some(Box::new(split)), ..Constraints::default() })
}

fn threshold(tree: &Tree, node: usize) -> f64 {
    match tree.nodes[node].rule {
        Rule::Numeric { threshold, .. } => threshold,
        Rule::Categorical { .. } => panic!("a category"),
    }
}

#[test]
fn trees_begin_with_the_forced_splits() {
    let panel = data::bins(5, 8, 100, 4, 0.5);
    let below = Some(Box::new(split(1, None)));
    let after = Some(Box::new(split(3, Some(2.9))));
    let root = ForcedSplit { left: below, right: after, ..split(2, Some(1.5)) };
    let model = forced(root).fit(&panel).unwrap();
    for tree in &model.forest.trees {
        let features: Vec<u32> = tree.nodes[..3].iter().map(|node| node.feature).collect();
        assert_eq!(features, [2, 1, 3]);
        assert_eq!((tree.nodes[0].left, tree.nodes[0].right), (Child::Node(1), Child::Node(2)));
        // 2.9 lies in the bin of 3.
        assert!((threshold(tree, 0) - 1.5).abs() < 1e-9 && (threshold(tree, 2) - 3.5).abs() < 1e-9);
    }
}

#[test]
fn a_forced_split_without_threshold_takes_the_best_one() {
    let panel = data::bins(6, 8, 100, 4, 0.5);
    let alone = settings(Constraints::default()).fit(&panel.select(&[name(2)]).unwrap()).unwrap();
    let model = forced(split(2, None)).fit(&panel).unwrap();
    let (found, best) = (&model.forest.trees[0], &alone.forest.trees[0]);
    assert_eq!((found.nodes[0].feature, threshold(found, 0)), (2, threshold(best, 0)));
    assert!((found.nodes[0].gain - best.nodes[0].gain).abs() <= 1e-9 * best.nodes[0].gain);
}

#[test]
fn an_impossible_forced_split_ends_them() {
    let panel = data::bins(6, 8, 100, 4, 0.5);
    let plain = settings(Constraints::default()).fit(&panel).unwrap();
    // Nothing is above 4.
    let after = Some(Box::new(split(1, Some(1.5))));
    let root = ForcedSplit { left: after, ..split(2, Some(4.0)) };
    assert_eq!(forced(root).fit(&panel).unwrap().forest, plain.forest);
}

#[test]
fn forced_splits_ask_about_columns_that_a_tree_has_not_drawn() {
    let panel = data::bins(6, 8, 100, 8, 0.5);
    let mut settings = forced(split(7, Some(1.5)));
    settings.sampling.columns_by_tree = 0.25;
    let model = settings.fit(&panel).unwrap();
    assert!(model.forest.trees.iter().all(|tree| tree.nodes[0].feature == 7));
}

#[test]
fn what_cannot_be_kept_is_refused() {
    let panel = data::bins(6, 4, 50, 4, 0.5);
    let strange = ForcedSplit { feature: "strange".into(), ..split(0, None) };
    assert!(forced(strange).fit(&panel).is_err());
    assert!(forced(split(0, Some(f64::NAN))).fit(&panel).is_err());
    let oblivious = Gbdt { growth: Growth::Oblivious, ..forced(split(0, None)) };
    let told = oblivious.fit(&panel).unwrap_err().to_string();
    assert!(told.contains("forced splits and oblivious growth cannot go together"), "{told}");
    let values = settings(monotone(MonotoneMethod::Intermediate));
    assert!(Gbdt { growth: Growth::Oblivious, ..values }.fit(&panel).is_err());
    let steep = Constraints { monotone: BTreeMap::from([(name(0), 2)]), ..Constraints::default() };
    assert!(settings(steep).fit(&panel).is_err());
    let negative = BTreeMap::from([(name(0), -1.0)]);
    let negative = Constraints { contribution: negative, ..Constraints::default() };
    assert!(settings(negative).fit(&panel).is_err());
}
