//! XGBoost's own files and predictions, and files that are none.
//!
//! Margins agree within 1e-6 of the sum of sizes (XGBoost sums in single precision: a few units of
//! 6e-8 a tree), leaves exactly.

use fattail_exchange::{Error, xgboost};
use fattail_trees::{Forest, Link, Missing, Rule, Tree};
use serde_json::{Value, json};

use crate::hostile;

/// The cases of `reference/xgboost/make.py`, read the same way whichever file they come from.
pub(crate) const NAMES: [&str; 31] = [
    "squared_error",
    "squared_log_error",
    "absolute_error",
    "pseudo_huber",
    "quantiles",
    "logistic",
    "logistic_regression",
    "logit_raw",
    "hinge",
    "poisson",
    "gamma",
    "tweedie",
    "cox",
    "aft",
    "softprob",
    "softmax",
    "softprob_forest",
    "forest",
    "dart",
    "several_targets",
    "several_labels",
    "vector_leaves",
    "vector_classes",
    "pruned",
    "lossguide",
    "rank_ndcg",
    "rank_pairwise",
    "rank_map",
    "partition",
    "one_hot",
    "edges",
];

fn file(name: &str) -> Vec<u8> {
    let path = format!("{}/tests/reference/xgboost/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(path).unwrap()
}

/// The rows that XGBoost was asked about.
pub(crate) fn inputs(name: &str) -> Vec<Vec<f64>> {
    let cases: Value = serde_json::from_slice(&file("cases.json")).unwrap();
    rows(&cases[name]["x"])
}

fn document(name: &str) -> Value {
    serde_json::from_slice(&file(&format!("{name}.json"))).unwrap()
}

fn read(document: &Value) -> Result<Forest, Error> {
    xgboost::read_json(document.to_string().as_bytes())
}

fn numbers(value: &Value) -> Vec<f64> {
    let one = |x: &Value| x.as_f64().map_or(f64::NAN, |x| f64::from(x as f32));
    value.as_array().unwrap().iter().map(one).collect()
}

fn rows(value: &Value) -> Vec<Vec<f64>> {
    value.as_array().unwrap().iter().map(numbers).collect()
}

fn near(given: &[f64], expected: &[f64], at: &str) {
    assert_eq!(given.len(), expected.len(), "{at}");
    for (x, y) in given.iter().zip(expected) {
        assert!((x - y).abs() <= 1e-6 * (1.0 + y.abs()), "{at}: {x} for {y}");
    }
}

/// The numbers of the leaves that the root of XGBoost's tree leads to.
fn leaves_of(tree: &Value) -> Vec<usize> {
    let side = |key: &str| -> Vec<i64> {
        tree[key].as_array().unwrap().iter().map(|x| x.as_i64().unwrap()).collect()
    };
    let (left, right) = (side("left_children"), side("right_children"));
    let (mut stack, mut leaves) = (vec![0], Vec::new());
    while let Some(at) = stack.pop() {
        if left[at] < 0 {
            leaves.push(at);
        } else {
            stack.extend([left[at] as usize, right[at] as usize]);
        }
    }
    leaves.sort_unstable();
    leaves
}

/// XGBoost's trees in the order round, parallel tree, output.
fn trees_of(document: &Value, outputs: usize) -> Vec<Value> {
    let booster = &document["learner"]["gradient_booster"];
    let model =
        if booster["name"] == "dart" { &booster["gbtree"]["model"] } else { &booster["model"] };
    let trees = model["trees"].as_array().unwrap();
    if model["tree_info"].as_array().unwrap().iter().all(|output| output == 0) {
        return trees.clone();
    }
    let of = |output| {
        let info = model["tree_info"].as_array().unwrap().iter();
        info.zip(trees).filter(move |(given, _)| **given == output).map(|(_, tree)| tree)
    };
    let lists: Vec<Vec<&Value>> = (0..outputs).map(|output| of(output).collect()).collect();
    (0..lists[0].len()).flat_map(|turn| lists.iter().map(move |list| list[turn].clone())).collect()
}

#[test]
fn margins_leaves_and_predictions_are_xgboosts() {
    let cases: Value = serde_json::from_slice(&file("cases.json")).unwrap();
    assert_eq!(cases.as_object().unwrap().len(), NAMES.len());
    for name in NAMES {
        let forest = xgboost::read_json(&file(&format!("{name}.json"))).unwrap();
        let trees = trees_of(&document(name), forest.outputs);
        let numbers_there: Vec<Vec<usize>> = trees.iter().map(leaves_of).collect();
        let case = &cases[name];
        let (margins, predictions) = (rows(&case["margin"]), rows(&case["prediction"]));
        let leaves = rows(&case["leaves"]);
        for (at, row) in rows(&case["x"]).iter().enumerate() {
            let raw = forest.raw_row(row).unwrap();
            let label = name == "softmax" || name == "hinge";
            if name != "softmax" {
                near(&raw, &margins[at], name);
            }
            if !label {
                near(&forest.predict_row(row).unwrap(), &predictions[at], name);
            }
            let found = forest.trees.iter().zip(&numbers_there);
            let found: Vec<f64> = found.map(|(tree, there)| there[tree.find(row)] as f64).collect();
            assert_eq!(found, leaves[at], "{name}, row {at}");
        }
    }
}

#[test]
fn labels_follow_from_scores() {
    let cases: Value = serde_json::from_slice(&file("cases.json")).unwrap();
    let score = |name: &str, label: fn(&[f64]) -> f64| {
        let forest = xgboost::read_json(&file(&format!("{name}.json"))).unwrap();
        for (row, expected) in rows(&cases[name]["x"]).iter().zip(rows(&cases[name]["prediction"]))
        {
            assert_eq!(label(&forest.predict_row(row).unwrap()), expected[0], "{name}");
        }
    };
    score("hinge", |row| f64::from(u8::from(row[0] > 0.0)));
    score("softmax", |row| {
        let largest = row.iter().copied().fold(f64::MIN, f64::max);
        row.iter().position(|&x| x == largest).unwrap() as f64
    });
}

#[test]
fn both_forms_read_alike() {
    for name in NAMES {
        let text = xgboost::read_json(&file(&format!("{name}.json"))).unwrap();
        let binary = xgboost::read_ubjson(&file(&format!("{name}.ubj"))).unwrap();
        assert_eq!(text, binary, "{name}");
    }
}

#[test]
fn what_is_written_reads_back() {
    for name in NAMES {
        let forest = xgboost::read_json(&file(&format!("{name}.json"))).unwrap();
        let text = xgboost::read_json(xgboost::write_json(&forest).unwrap().as_bytes()).unwrap();
        let binary = xgboost::read_ubjson(&xgboost::write_ubjson(&forest).unwrap()).unwrap();
        assert_eq!(text, binary, "{name}");
        assert_eq!(text.objective, forest.objective, "{name}");
        assert_eq!(text.features, forest.features, "{name}");
        assert_eq!(text.start, forest.start, "{name}");
        for (new, old) in text.trees.iter().zip(&forest.trees) {
            // A dropped tree's weight is multiplied in and rounded.
            near(&new.values, &old.values, name);
            let rules = |tree: &Tree| -> Vec<Rule> {
                tree.nodes.iter().map(|node| node.rule.clone()).collect()
            };
            assert_eq!(rules(new), rules(old), "{name}");
        }
    }
}

#[test]
fn objectives_have_links() {
    let link = |name: &str| xgboost::read_json(&file(&format!("{name}.json"))).unwrap().link;
    assert_eq!(link("squared_error"), Link::Identity);
    assert_eq!(link("logistic"), Link::Sigmoid { scale: 1.0 });
    assert_eq!(link("logit_raw"), Link::Identity);
    assert_eq!(link("tweedie"), Link::Exp);
    assert_eq!(link("aft"), Link::Exp);
    assert_eq!(link("vector_classes"), Link::Softmax);
}

#[test]
fn starts_scales_and_averages_survive_writing() {
    let forest = xgboost::read_json(&file("logistic.json")).unwrap();
    let changed =
        Forest { start: vec![30.0], average: true, link: Link::Sigmoid { scale: 0.5 }, ..forest };
    let back = xgboost::read_json(xgboost::write_json(&changed).unwrap().as_bytes()).unwrap();
    assert_eq!((back.link, back.average), (Link::Sigmoid { scale: 1.0 }, false));
    for row in [[0.0, 0.0, 0.0], [1.0, -1.0, f64::NAN]] {
        let raw = changed.raw_row(&row).unwrap()[0] * 0.5;
        near(&back.raw_row(&row).unwrap(), &[raw], "start");
    }
}

#[test]
fn what_xgboost_has_no_place_for_is_refused() {
    let forest = || xgboost::read_json(&file("squared_error.json")).unwrap();
    let refused = |forest: &Forest, part: &str| {
        let error = xgboost::write_json(forest).unwrap_err();
        assert!(matches!(error, Error::Unrepresentable { .. }), "{error}");
        assert!(error.to_string().contains(part), "{error}");
    };
    let mut zero = forest();
    zero.trees[1].nodes[0].rule =
        Rule::Numeric { threshold: -1.0, missing: Missing::Zero, default_left: true };
    refused(&zero, "zero as a missing value in tree 1");
    let mut linear = forest();
    linear.trees[0].linear = vec![Default::default(); linear.trees[0].leaves()];
    refused(&linear, "lines in the leaves of tree 0");
    refused(&Forest { link: Link::SignedSquare, ..forest() }, "SignedSquare");
    let mut large = forest();
    large.trees[0].values[1] = 1e39;
    refused(&large, "leaf 1 of tree 0");
    let error = xgboost::read_json(&file("linear.json")).unwrap_err();
    assert_eq!(error.to_string(), "XGBoost: the booster \"gblinear\" cannot be represented");
    let mut unknown = document("squared_error");
    unknown["learner"]["objective"]["name"] = "reg:magic".into();
    assert!(read(&unknown).unwrap_err().to_string().contains("the objective \"reg:magic\""));
}

#[test]
fn a_broken_part_is_named() {
    let broken = |pointer: &str, value: Value| {
        let mut document = document("partition");
        *document.pointer_mut(pointer).unwrap() = value;
        read(&document).unwrap_err().to_string()
    };
    let tree = "/learner/gradient_booster/model/trees/0";
    let path = "learner.gradient_booster.model.trees[0]";
    for (key, value, reason) in [
        ("left_children/0", json!(0), "left_children[0]: node 0 would have a second parent"),
        ("right_children/0", json!(1), "right_children[0]: node 1 would have a second parent"),
        ("right_children/0", json!(99), "right_children[0]: node 99 of 7"),
        ("right_children/0", json!(-7), "right_children[0]: node -7 of 7"),
        ("split_indices/0", json!(3), "split_indices[0]: feature 3 of 3"),
        (
            "split_indices/0",
            json!("1"),
            "split_indices[0]: an index is expected, a string is found",
        ),
        (
            "split_conditions/1",
            json!(null),
            "split_conditions[1]: a number of single precision is expected, null or a number that is not finite is found",
        ),
        (
            "split_conditions/1",
            json!(1e300),
            "split_conditions[1]: a number of single precision is expected, another number is found",
        ),
        (
            "default_left/2",
            json!(2),
            "default_left[2]: true, false, 0 or 1 is expected, another number is found",
        ),
        ("sum_hessian", json!([1.0]), "sum_hessian: 1 entries of 7 nodes"),
        ("categories_nodes/0", json!(70), "categories_nodes[0]: node 70 of 7"),
        ("categories_sizes/0", json!(u64::MAX), "categories_sizes[0]: the segment leaves the"),
        ("categories_segments/0", json!(u64::MAX), "categories_sizes[0]: the segment leaves the"),
        (
            "categories/0",
            json!(u64::MAX),
            "categories: lists and sets of categories are larger than",
        ),
        ("tree_param/num_nodes", json!("0"), "tree_param.num_nodes: 0 nodes, allowed is 1 to"),
        ("tree_param/num_nodes", json!(7), "tree_param.num_nodes: a string is expected"),
        ("tree_param/size_leaf_vector", json!("9"), "tree_param.size_leaf_vector: 9 values a leaf"),
    ] {
        let error = broken(&format!("{tree}/{key}"), value);
        assert!(error.starts_with(&format!("{path}.{reason}")), "{error}");
    }
    for (key, value, reason) in [
        ("num_feature", "9999999999", "num_feature: 9999999999 is given, allowed is 0 to 1048576"),
        ("num_class", "70000", "num_class: 70000 is given, allowed is 0 to 65536"),
        ("num_class", "-1", "num_class: a count is expected, \"-1\" is found"),
        ("base_score", "[1,2]", "base_score: 2 base scores of 1 outputs"),
        (
            "base_score",
            "nan",
            "base_score: \"nan\" is given, allowed for reg:squarederror is a finite number",
        ),
    ] {
        let error = broken(&format!("/learner/learner_model_param/{key}"), value.into());
        assert!(error.starts_with(&format!("learner.learner_model_param.{reason}")), "{error}");
    }
    assert!(
        broken("/learner/gradient_booster/model/tree_info/0", json!(1))
            .contains("tree_info[0]: output 1 of 1")
    );
    assert!(
        broken("/learner/gradient_booster/model/trees", json!([]))
            .contains("tree_info: 3 entries of 0 trees")
    );
}

#[test]
fn overlapping_segments_do_not_multiply() {
    let mut document = document("partition");
    let tree = &mut document["learner"]["gradient_booster"]["model"]["trees"][0];
    let many = 20_000;
    tree["categories"] = vec![1; many].into();
    tree["categories_nodes"] = vec![0; many].into();
    tree["categories_segments"] = vec![0; many].into();
    tree["categories_sizes"] = vec![many; many].into();
    assert!(read(&document).unwrap_err().to_string().contains("larger than"));
}

#[test]
fn hostile_files_are_refused_or_read() {
    for name in ["partition", "dart", "vector_leaves", "softprob_forest"] {
        hostile::attack(&file(&format!("{name}.json")), 2_000, xgboost::read_json);
        hostile::attack(&file(&format!("{name}.ubj")), 2_000, xgboost::read_ubjson);
    }
}
