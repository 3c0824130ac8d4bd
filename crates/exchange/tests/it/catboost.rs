//! CatBoost's own files and predictions, and files that are none.
//!
//! Raw scores agree within 1e-12 of 1 + size: both sum in double precision, in different orders.

use fattail_exchange::{Error, catboost};
use fattail_trees::{Forest, Link};
use serde_json::{Value, json};

use crate::hostile;

const NAMES: [&str; 26] = [
    "ctr_buckets",
    "ctr_binarizedtargetmeanvalue",
    "rmse",
    "nan_max",
    "nan_absent",
    "scaled",
    "logloss",
    "cross_entropy",
    "multiclass",
    "one_vs_all",
    "multi_logloss",
    "poisson",
    "tweedie",
    "several_targets",
    "quantiles",
    "depthwise",
    "lossguide",
    "lossguide_classes",
    "constant",
    "constant_depthwise",
    "one_hot",
    "one_hot_lossguide",
    "ctr_usual",
    "ctr_classes",
    "ctr_borders",
    "ctr_counter",
];

fn file(name: &str) -> Vec<u8> {
    let path = format!("{}/tests/reference/catboost/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(path).unwrap()
}

fn forest(name: &str) -> Forest {
    catboost::read_json(&file(&format!("{name}.json"))).unwrap()
}

fn document(name: &str) -> Value {
    serde_json::from_slice(&file(&format!("{name}.json"))).unwrap()
}

fn read(document: &Value) -> Result<Forest, Error> {
    catboost::read_json(document.to_string().as_bytes())
}

fn rows(value: &Value) -> Vec<Vec<f64>> {
    let one = |x: &Value| x.as_f64().unwrap_or(f64::NAN);
    let row = |row: &Value| row.as_array().unwrap().iter().map(one).collect();
    value.as_array().unwrap().iter().map(row).collect()
}

fn near(given: &[f64], expected: &[f64], at: &str) {
    assert_eq!(given.len(), expected.len(), "{at}");
    for (x, y) in given.iter().zip(expected) {
        assert!((x - y).abs() <= 1e-12 * (1.0 + y.abs()), "{at}: {x} for {y}");
    }
}

#[test]
fn scores_and_predictions_are_catboosts() {
    let cases: Value = serde_json::from_slice(&file("cases.json")).unwrap();
    assert_eq!(cases.as_object().unwrap().len(), NAMES.len());
    for name in NAMES {
        let forest = forest(name);
        let case = &cases[name];
        let (raw, predictions) = (rows(&case["raw"]), rows(&case["prediction"]));
        for (at, row) in rows(&case["x"]).iter().enumerate() {
            // Inputs are single precision, as CatBoost rounds them.
            let row: Vec<f64> = row.iter().map(|&x| f64::from(x as f32)).collect();
            near(&forest.raw_row(&row).unwrap(), &raw[at], &format!("{name}, row {at}"));
            near(
                &forest.predict_row(&row).unwrap(),
                &predictions[at],
                &format!("{name}, row {at}"),
            );
        }
    }
}

#[test]
fn parts_have_their_names() {
    let names = |name: &str| -> Vec<String> {
        forest(name).features.into_iter().map(|feature| feature.name).collect()
    };
    assert_eq!(names("rmse"), ["a", "b b", "\u{fc}"]);
    assert_eq!(names("one_hot"), ["0", "1", "2"]);
    assert_eq!(forest("poisson").link, Link::Exp);
    assert_eq!(forest("poisson").objective, "poisson");
    assert_eq!(forest("multiclass").objective, "multiclass num_class:3");
    assert!(forest("rmse").parameters.contains(&("depth".into(), "3".into())));
}

#[test]
fn weights_add_up() {
    let tree = &forest("rmse").trees[0];
    assert_eq!(tree.nodes[0].weight, 40.0);
    assert_eq!(tree.weights.iter().sum::<f64>(), 40.0);
}

#[test]
fn a_tree_without_splits_is_a_leaf() {
    let mut document = document("rmse");
    for splits in [json!([]), json!(null)] {
        document["oblivious_trees"] =
            json!([{"leaf_values": [3.5], "leaf_weights": [40], "splits": splits}]);
        document["scale_and_bias"] = json!([2, 0.5]);
        assert_eq!(read(&document).unwrap().raw_row(&[0.0; 3]).unwrap(), [7.5]);
    }
}

#[test]
fn features_without_a_place_are_named() {
    let refused = |name: &str| {
        let error = catboost::read_json(&file(&format!("{name}.json"))).unwrap_err();
        assert!(matches!(error, Error::Unrepresentable { format: "CatBoost", .. }), "{error}");
        error.to_string()
    };
    assert_eq!(
        refused("words"),
        "CatBoost: the categorical feature '1', not all whole numbers from 0 to 65535, cannot be represented"
    );
    assert_eq!(
        refused("combination"),
        "CatBoost: a statistic by the features '1' and '2' together cannot be represented"
    );
}

#[test]
fn a_broken_part_is_named() {
    let broken = |name: &str, pointer: &str, value: Value| {
        let mut document = document(name);
        *document.pointer_mut(pointer).unwrap() = value;
        read(&document).unwrap_err().to_string()
    };
    for (pointer, value, error) in [
        (
            "/oblivious_trees/0/leaf_values",
            json!([1, 2, 3]),
            "oblivious_trees[0].leaf_values: 3 values of 8 leaves",
        ),
        (
            "/oblivious_trees/0/leaf_values/0",
            json!("1"),
            "oblivious_trees[0].leaf_values[0]: a number is expected, a string is found",
        ),
        (
            "/oblivious_trees/0/leaf_weights",
            json!([]),
            "oblivious_trees[0].leaf_weights: 0 weights of 8 leaves",
        ),
        (
            "/oblivious_trees/0/splits/1/float_feature_index",
            json!(3),
            "oblivious_trees[0].splits[1].float_feature_index: feature 3 of 3",
        ),
        (
            "/oblivious_trees/0/splits/1/border",
            json!(null),
            "oblivious_trees[0].splits[1].border: a number of single precision is expected, null or a number that is not finite is found",
        ),
        (
            "/oblivious_trees/0/splits/1/split_type",
            json!("Magic"),
            "CatBoost: a split of the type \"Magic\" cannot be represented",
        ),
        (
            "/features_info/float_features/2/flat_feature_index",
            json!(1_u64 << 40),
            "features_info.float_features[2].flat_feature_index: column 1099511627776, allowed is 0 to 1048575",
        ),
        (
            "/features_info/float_features/2/nan_value_treatment",
            json!("As"),
            "features_info.float_features[2].nan_value_treatment: \"As\" is given, allowed is AsIs, AsFalse or AsTrue",
        ),
        ("/scale_and_bias", json!([1]), "scale_and_bias: 1 entries, allowed are 2"),
        ("/scale_and_bias/1", json!([1, 2]), "scale_and_bias[1]: 2 biases of 1 outputs"),
    ] {
        assert_eq!(broken("rmse", pointer, value), error);
    }
    let many: Vec<Value> = vec![document("rmse")["oblivious_trees"][0]["splits"][0].clone(); 40];
    let error = broken("rmse", "/oblivious_trees/0/splits", many.into());
    assert_eq!(error, "oblivious_trees[0].splits: 40 splits, allowed are 0 to 24");
    let error = broken("lossguide_classes", "/trees/0/left/left/value", json!([1.0]));
    assert!(error.contains("values, other leaves have"), "{error}");
    let error = broken("ctr_counter", "/oblivious_trees/1/splits/1/split_index", json!(99));
    assert_eq!(
        error,
        "oblivious_trees[1].splits[1].split_index: split 99 is no border of a statistic"
    );
}

#[test]
fn hostile_files_are_refused_or_read() {
    for name in ["rmse", "lossguide_classes", "multiclass"] {
        hostile::attack(&file(&format!("{name}.json")), 1_500, catboost::read_json);
    }
    for name in ["ctr_usual", "one_hot_lossguide"] {
        hostile::attack(&file(&format!("{name}.json")), 400, catboost::read_json);
    }
}
