//! Every engine and every level of the processor against the plain twin, bit for bit.

use fattail_core::{ColumnData, Eras, Panel, Predict};
use proptest::prelude::*;

use super::{lanes::Level, plan::Form, *};
use crate::{Child, Feature, LinearLeaf, Missing, Node, Rule, Tree};

/// Features of the panels: bins, numbers, categories as bins, categories as numbers.
const FEATURES: usize = 6;

fn threshold() -> impl Strategy<Value = f64> {
    prop_oneof![
        6 => (-1i32..6).prop_map(f64::from),
        3 => -2.0..6.0_f64,
        1 => prop::sample::select(vec![
            0.0, -0.0, f64::INFINITY, f64::NEG_INFINITY, 1e-35, 2e-35, -1e-36, 0.1,
            Tree::ZERO, f64::from(f32::MAX), 1e300, 1e-300, 254.5, 255.0,
        ]),
    ]
}

fn missing() -> impl Strategy<Value = Missing> {
    prop::sample::select(vec![Missing::None, Missing::Zero, Missing::Nan])
}

/// A feature and a rule about it: the last two features are categories.
fn question() -> impl Strategy<Value = (u32, Rule)> {
    let numeric = (0..4u32, threshold(), missing(), any::<bool>()).prop_map(
        |(feature, threshold, missing, default_left)| {
            (feature, Rule::Numeric { threshold, missing, default_left })
        },
    );
    let set = prop_oneof![
        4 => prop::collection::vec(any::<u32>(), 1..3),
        1 => prop::collection::vec(any::<u32>(), 7..12),
    ];
    let categorical = (4..6u32, set, missing(), any::<bool>()).prop_map(
        |(feature, left, missing, default_left)| {
            let left = left.into();
            (feature, Rule::Categorical { left, missing, default_left })
        },
    );
    prop_oneof![5 => numeric, 1 => categorical]
}

/// A random tree: each question splits a leaf, or all leaves where the tree is oblivious.
fn tree(most: usize) -> impl Strategy<Value = Tree> {
    let splits = prop::collection::vec((question(), any::<prop::sample::Index>()), 0..most);
    (splits, any::<bool>(), any::<bool>(), 0u64..1000).prop_map(
        |(splits, oblivious, linear, seed)| {
            let mut tree = Tree::constant(vec![0.0], 0);
            for ((feature, rule), at) in splits {
                let leaves = if tree.nodes.is_empty() { 1 } else { tree.nodes.len() + 1 };
                if !oblivious {
                    split(&mut tree, at.index(leaves) as u32, feature, &rule);
                } else if leaves < 32 {
                    (0..leaves).for_each(|leaf| split(&mut tree, leaf as u32, feature, &rule));
                }
            }
            let leaves = tree.nodes.len() + 1;
            let value = |at: usize| ((at as u64 * 2_654_435_761 + seed) % 1009) as f64 / 97.0 - 5.0;
            tree.values = (0..leaves).map(value).collect();
            (tree.weights, tree.counts) = (vec![0.0; leaves], vec![0; leaves]);
            if linear && seed % 3 == 0 {
                let line = |leaf: usize| LinearLeaf {
                    constant: value(leaf),
                    terms: vec![((leaf % FEATURES) as u32, 0.1), (1, -0.3)],
                };
                tree.linear = (0..leaves).map(line).collect();
            }
            tree
        },
    )
}

/// Splits a leaf; the new leaf is the last.
fn split(tree: &mut Tree, leaf: u32, feature: u32, rule: &Rule) {
    let new = tree.nodes.len() as u32;
    for node in &mut tree.nodes {
        for child in [&mut node.left, &mut node.right] {
            if *child == Child::Leaf(leaf) {
                *child = Child::Node(new);
            }
        }
    }
    tree.nodes.push(node(feature, rule.clone(), Child::Leaf(leaf), Child::Leaf(new + 1)));
}

fn node(feature: u32, rule: Rule, left: Child, right: Child) -> Node {
    Node { feature, rule, left, right, gain: 0.0, value: 0.0, weight: 0.0, count: 0 }
}

/// A forest: one output, several with a tree each, or several in one tree.
fn forest(most: usize) -> impl Strategy<Value = Forest> {
    let trees = prop::collection::vec(tree(most), 0..13);
    (trees, 1..4usize, any::<bool>(), any::<bool>(), any::<bool>()).prop_map(
        |(mut trees, outputs, wide, average, start)| {
            let period = if wide { 1 } else { outputs };
            trees.truncate(trees.len() / period * period);
            for (at, tree) in trees.iter_mut().enumerate() {
                tree.output = at % period;
                if wide && outputs > 1 {
                    tree.width = outputs;
                    tree.linear.clear();
                    let add = |value: &f64| (0..outputs).map(|k| value + k as f64).collect();
                    tree.values = tree.values.iter().map(add).collect::<Vec<Vec<f64>>>().concat();
                }
            }
            let features =
                (0..FEATURES).map(|at| Feature { name: format!("x{at}"), ..Feature::default() });
            let start = if start { (0..outputs).map(|k| 0.3 + k as f64).collect() } else { vec![] };
            Forest {
                features: features.collect(),
                outputs,
                trees,
                start,
                average,
                ..Forest::default()
            }
        },
    )
}

fn number() -> impl Strategy<Value = f32> {
    prop_oneof![
        4 => (-1i32..6).prop_map(|x| x as f32),
        3 => -2.0..6.0_f32,
        2 => prop::sample::select(vec![
            f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 0.0, -0.0, 1e-35, -1e-35, 1.1e-35, 1e-40,
            f32::MAX, f32::MIN, 0.1, 300.0, -300.0, 253.0, 254.0, 255.0, 256.5,
        ]),
    ]
}

/// A panel of a few rows, repeated over several blocks, in eras that may not lie end to end.
fn panel() -> impl Strategy<Value = Panel> {
    let bin = prop_oneof![5 => 0..6u8, 1 => any::<u8>()];
    let rows = prop::collection::vec((bin, prop::collection::vec(number(), 3)), 20..60);
    (rows, any::<[bool; FEATURES]>(), 30..2600usize, any::<bool>()).prop_map(
        |(some, bins, rows, cut)| {
            let era = |at: usize| (format!("{at}").into(), rows.div_ceil(3));
            let eras = Eras::from_runs((0..3).map(era)).unwrap();
            let total = eras.rows();
            let mut builder = Panel::builder().era_runs(eras);
            for (feature, as_bins) in bins.into_iter().enumerate() {
                let at = |row: usize| &some[(row * (feature + 3) + feature) % some.len()];
                let data: ColumnData = if as_bins {
                    (0..total).map(|row| at(row).0).collect::<Vec<u8>>().into()
                } else {
                    (0..total).map(|row| at(row).1[feature % 3]).collect::<Vec<f32>>().into()
                };
                builder = builder.feature(format!("x{feature}"), data);
            }
            let panel = builder.build().unwrap();
            if cut { panel.cut(&[0, 2]).unwrap() } else { panel }
        },
    )
}

fn rows(panel: &Panel) -> Vec<Vec<f64>> {
    let columns: Vec<Vec<f64>> = (0..panel.width()).map(|at| panel.feature(at).to_f64()).collect();
    (0..panel.rows()).map(|row| columns.iter().map(|column| column[row]).collect()).collect()
}

fn bits(values: &[f64]) -> Vec<u64> {
    values.iter().map(|value| value.to_bits()).collect()
}

fn plain(forest: &Forest, rows: &[Vec<f64>]) -> Vec<u64> {
    rows.iter().flat_map(|row| bits(&forest.raw_row(row).unwrap())).collect()
}

const FORMS: [Option<Form>; 4] = [None, Some(Form::Sliced), Some(Form::Walked), Some(Form::Plain)];

fn predictors(forest: &Forest) -> impl Iterator<Item = Predictor> {
    let levels = Level::available();
    FORMS.into_iter().flat_map(move |form| {
        levels.clone().into_iter().map(move |level| Predictor::with(forest, level, form).unwrap())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn every_engine_gives_the_bits_of_the_plain_twin(forest in forest(40), panel in panel()) {
        let rows = rows(&panel);
        let expected = plain(&forest, &rows);
        for predictor in predictors(&forest) {
            prop_assert_eq!(&bits(&predictor.raw(&panel).unwrap()), &expected);
        }
    }

    #[test]
    fn leaves_are_those_of_the_tree(forest in forest(40), panel in panel()) {
        let rows = rows(&panel);
        let find = |row: &Vec<f64>| -> Vec<u32> {
            forest.trees.iter().map(|tree| tree.find(row) as u32).collect()
        };
        let expected: Vec<u32> = rows.iter().flat_map(find).collect();
        for predictor in predictors(&forest) {
            prop_assert_eq!(&predictor.leaves(&panel).unwrap(), &expected);
        }
    }

    #[test]
    fn stages_are_truncated_forests(forest in forest(10), panel in panel()) {
        let stages: Vec<usize> = (0..=forest.iterations() + 1).collect();
        let predictor = Predictor::new(&forest).unwrap();
        let staged = predictor.raw_staged(&panel, &stages).unwrap();
        prop_assert!(predictor.raw_staged(&panel, &[1, 1]).is_err());
        for (&stage, raw) in stages.iter().zip(&staged) {
            let whole = Predictor::new(&forest.truncated(stage)).unwrap().raw(&panel).unwrap();
            prop_assert_eq!(bits(raw), bits(&whole));
            prop_assert_eq!(bits(&predictor.raw_range(&panel, 0..stage).unwrap()), bits(&whole));
        }
    }

    #[test]
    fn one_row_has_the_bits_of_the_plain_twin(forest in forest(40), panel in panel()) {
        let predictor = Predictor::new(&forest).unwrap();
        let mut raw = vec![f64::NAN; forest.outputs];
        for row in rows(&panel).iter().take(200) {
            predictor.raw_row(row, &mut raw).unwrap();
            prop_assert_eq!(bits(&raw), bits(&forest.raw_row(row).unwrap()));
        }
    }
}

/// A chain of `nodes` questions, each with a leaf to the left.
fn chain(nodes: usize, threshold: impl Fn(usize) -> f64) -> Forest {
    let mut tree = Tree::constant(vec![0.0], 0);
    for at in 0..nodes {
        let rule = Rule::Numeric {
            threshold: threshold(at),
            missing: Missing::Nan,
            default_left: at % 2 == 0,
        };
        let next = at as u32 + 1;
        let right = if at + 1 < nodes { Child::Node(next) } else { Child::Leaf(next) };
        tree.nodes.push(node(0, rule, Child::Leaf(at as u32), right));
    }
    tree.values = (0..=nodes).map(|at| at as f64).collect();
    (tree.weights, tree.counts) = (vec![0.0; nodes + 1], vec![0; nodes + 1]);
    let features = vec![Feature { name: "x".into(), ..Feature::default() }];
    Forest { features, trees: vec![tree.clone(), tree], ..Forest::default() }
}

#[test]
fn many_thresholds_take_several_columns() {
    let forest = chain(1500, |at| at as f64 / 10.0 - 20.0);
    let values: Vec<f32> = (0..3000).map(|at| at as f32 / 17.0 - 25.0).collect();
    let values: Vec<f32> = values.into_iter().chain([f32::NAN, f32::INFINITY]).collect();
    let bins = (0..3002).map(|at| (at % 256) as u8).collect::<Vec<_>>();
    for column in [ColumnData::from(values), ColumnData::from(bins)] {
        let panel = Panel::builder().feature("x", column).build().unwrap();
        let expected = plain(&forest, &rows(&panel));
        for predictor in predictors(&forest) {
            assert_eq!(bits(&predictor.raw(&panel).unwrap()), expected);
        }
    }
}

#[test]
fn a_deep_chain_does_not_overflow_the_stack() {
    let forest = chain(100_000, |at| at as f64);
    let panel = Panel::builder().feature("x", vec![-1.0_f32, 99_999.5, f32::NAN]).build().unwrap();
    let raw = Predictor::new(&forest).unwrap().raw(&panel).unwrap();
    assert_eq!(bits(&raw), plain(&forest, &rows(&panel)));
}

#[test]
fn a_panel_of_other_features_is_refused() {
    let forest = chain(3, |at| at as f64);
    let panel = Panel::builder().feature("y", vec![1.0_f32]).build().unwrap();
    let predictor = Predictor::new(&forest).unwrap();
    let error = predictor.raw(&panel).unwrap_err().to_string();
    assert!(error.contains("'y'") || error.contains('y'), "{error}");
    assert!(predictor.leaves(&panel).is_err() && predictor.raw_staged(&panel, &[1]).is_err());
    assert!(predictor.raw_row(&[1.0, 2.0], &mut [0.0]).is_err());
    assert!(predictor.raw_row(&[1.0], &mut [0.0, 0.0]).is_err());
}

#[test]
fn a_forest_predicts_its_first_output() {
    let mut forest = chain(3, |at| at as f64);
    forest.link = crate::Link::Sigmoid { scale: 1.0 };
    let panel = Panel::builder().feature("x", vec![0.5_f32, 9.0]).build().unwrap();
    let expected: Vec<f32> =
        rows(&panel).iter().map(|row| forest.predict_row(row).unwrap()[0] as f32).collect();
    assert_eq!(forest.predict(&panel).unwrap(), expected);
}

#[test]
fn predictors_are_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Predictor>();
}

#[test]
fn the_levels_that_this_processor_lacks_are_told() {
    for level in [Level::Avx2, Level::Avx512] {
        if !Level::available().contains(&level) {
            println!("{level:?} is not tested: the processor lacks it");
        }
    }
}
