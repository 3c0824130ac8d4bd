//! Each way to break a file, and what the error says.

use fattail_exchange::{Error, lightgbm};
use fattail_trees::{Feature, Forest, Link, Missing, Rule, Tree};

const MODEL: &str = "tree
version=v4
num_class=1
num_tree_per_iteration=1
label_index=0
max_feature_idx=1
objective=regression
feature_names=a b
feature_infos=[0:1] -1:3
tree_sizes=302

Tree=0
num_leaves=3
num_cat=1
split_feature=0 1
split_gain=2 1
threshold=0.5 0
decision_type=2 1
left_child=1 -1
right_child=-2 -3
leaf_value=1 2 3
leaf_weight=1 1 1
leaf_count=1 1 1
internal_value=2 2
internal_weight=3 2
internal_count=3 2
cat_boundaries=0 1
cat_threshold=8
is_linear=0
shrinkage=1


end of trees
";

#[test]
fn the_model_itself_is_sound() {
    let forest = lightgbm::read(MODEL).unwrap();
    assert_eq!(forest.raw_row(&[0.0, 3.0]).unwrap(), [1.0]);
    assert_eq!(forest.raw_row(&[0.0, 4.0]).unwrap(), [3.0]);
    assert_eq!(forest.raw_row(&[1.0, 3.0]).unwrap(), [2.0]);
}

/// Without its `tree_sizes`, which nearly every change would break first.
fn message(from: &str, to: &str) -> String {
    assert!(MODEL.contains(from), "{from}");
    let changed = MODEL.replacen("tree_sizes=302\n", "", 1).replacen(from, to, 1);
    lightgbm::read(changed).unwrap_err().to_string()
}

#[test]
fn headers() {
    let table = [
        ("tree\nv", "tray\nv", "line 1: tree: the first line has to be 'tree'"),
        ("version=v4", "version=v9", "line 2: version: 'v9', allowed are v2, v3, v4"),
        ("version=v4\n", "", "line 2: version: is missing"),
        ("num_class=1\n", "", "line 2: num_class: is missing"),
        ("num_class=1", "num_class=x", "line 3: num_class: 'x' is not a number that fits"),
        (
            "num_class=1",
            "num_class=999999999999",
            "line 3: num_class: 999999999999, allowed is at least 1 and what 476 bytes can hold",
        ),
        (
            "num_tree_per_iteration=1",
            "num_tree_per_iteration=2",
            "line 4: num_tree_per_iteration: 2, but num_class is 1",
        ),
        ("label_index=0\n", "", "line 2: label_index: is missing"),
        (
            "max_feature_idx=1",
            "max_feature_idx=9223372036854775807",
            "line 6: max_feature_idx: 9223372036854775807, allowed is -1 or more",
        ),
        (
            "max_feature_idx=1",
            "max_feature_idx=999999999",
            "line 8: feature_names: 2 values, expected are max_feature_idx + 1 = 1000000000",
        ),
        (
            "feature_infos=[0:1] -1:3",
            "feature_infos=[0:1]",
            "line 9: feature_infos: 1 values, expected are max_feature_idx + 1 = 2",
        ),
        (
            "feature_infos=[0:1]",
            "feature_infos=[0;1]",
            "line 9: feature_infos: 'a' has neither range nor categories",
        ),
        ("objective=regression", "objective=magic", "line 7: objective: unknown objective 'magic'"),
        (
            "objective=regression",
            "monotone_constraints=1 5",
            "line 7: monotone_constraints: 5, allowed are -1, 0, 1",
        ),
        ("label_index=0", "num_class=1", "line 5: num_class: stands twice"),
    ];
    for (from, to, expected) in table {
        assert_eq!(message(from, to), expected);
    }
}

#[test]
fn trees() {
    let table = [
        ("num_leaves=3\n", "", "line 11: num_leaves: is missing"),
        ("num_leaves=3", "num_leaves=0", "line 12: num_leaves: 0, allowed is at least 1"),
        (
            "num_leaves=3",
            "num_leaves=999999999999",
            "line 20: leaf_value: 3 values, expected are 999999999999",
        ),
        ("num_cat=1\n", "", "line 11: num_cat: is missing"),
        ("num_cat=1", "num_cat=18446744073709551615", "line 26: cat_boundaries: too many sets"),
        ("leaf_value=1 2 3", "leaf_value=1 2", "line 20: leaf_value: 2 values, expected are 3"),
        (
            "leaf_value=1 2 3",
            "leaf_value=1 two 3",
            "line 20: leaf_value: 'two' is not a number that fits",
        ),
        ("split_feature=0 1", "split_feature=0 2", "line 14: split_feature: feature 2 of 2"),
        ("threshold=0.5", "threshold=nan", "line 16: threshold: that of node 0 is NaN"),
        (
            "threshold=0.5 0",
            "threshold=0.5 1",
            "line 16: threshold: node 1 asks for set 1, which is another node's or none",
        ),
        (
            "decision_type=2 1",
            "decision_type=1 1",
            "line 16: threshold: node 0 asks for set 0.5, which is another node's or none",
        ),
        (
            "decision_type=2 1",
            "decision_type=12 1",
            "line 17: decision_type: 12, allowed is 0 to 11",
        ),
        (
            "left_child=1 -1",
            "left_child=1 0",
            "line 18: left_child: node 1 points to 0, which cannot be its child",
        ),
        (
            "left_child=1 -1",
            "left_child=7 -1",
            "line 18: left_child: node 0 points to 7, which cannot be its child",
        ),
        (
            "right_child=-2 -3",
            "right_child=1 -3",
            "line 19: right_child: node 0 points to 1, which cannot be its child",
        ),
        (
            "right_child=-2 -3",
            "right_child=-2 -2147483648",
            "line 19: right_child: node 1 points to -2147483648, which cannot be its child",
        ),
        (
            "leaf_count=1 1 1",
            "leaf_count=1 -1 1",
            "line 22: leaf_count: '-1' is not a number that fits",
        ),
    ];
    for (from, to, expected) in table {
        assert_eq!(message(from, to), expected);
    }
}

#[test]
fn sets_lines_and_ends() {
    let table = [
        (
            "cat_boundaries=0 1",
            "cat_boundaries=1 1",
            "line 26: cat_boundaries: the bounds do not rise from 0",
        ),
        (
            "cat_boundaries=0 1",
            "cat_boundaries=0 99999999999",
            "line 27: cat_threshold: 1 values, expected are 99999999999",
        ),
        ("is_linear=0", "is_linear=2", "line 28: is_linear: allowed are 0 and 1"),
        (
            "is_linear=0",
            "is_linear=1\nnum_features=9 18446744073709551615 1",
            "line 29: num_features: the sum is too large",
        ),
        (
            "is_linear=0",
            "is_linear=1\nnum_features=1 0 0\nleaf_features=2\nleaf_coeff=1",
            "line 30: leaf_features: feature 2 of 2",
        ),
        ("is_linear=0", "is_linear=0\na\nb\nc\nd\ne\nf", "line 34: f: more than 22 lines"),
        ("end of trees\n", "", "line 31: end of trees: is missing: the file is cut off"),
        (
            "end of trees\n",
            "end of trees\nparameters:\n[a: b]\n",
            "line 33: parameters: 'end of parameters' is missing",
        ),
    ];
    for (from, to, expected) in table {
        assert_eq!(message(from, to), expected);
    }
}

#[test]
fn sizes_that_lie() {
    let message = |to| lightgbm::read(MODEL.replace("tree_sizes=302", to)).unwrap_err().to_string();
    assert_eq!(message("tree_sizes=99"), "line 12: Tree=0: has 302 bytes, tree_sizes says 99");
    assert_eq!(message("tree_sizes=302 302"), "line 10: tree_sizes: 2 sizes, but 1 trees");
    assert_eq!(message("tree_sizes=-1"), "line 10: tree_sizes: '-1' is not a number that fits");
}

#[test]
fn not_text() {
    let error = lightgbm::read(b"tree\nversion=\xff\n").unwrap_err();
    assert_eq!(error.to_string(), "line 2: text: is not UTF-8");
    let long = format!("tree\nversion=v4\n{}\n{0}", "x".repeat(1_000_000));
    assert!(lightgbm::read(long).unwrap_err().to_string().len() < 200);
}

fn forest(change: impl FnOnce(&mut Forest)) -> Error {
    let mut forest = lightgbm::read(MODEL).unwrap();
    change(&mut forest);
    lightgbm::write(&forest).unwrap_err()
}

#[test]
fn what_lightgbm_has_no_place_for() {
    let error = forest(|forest| {
        forest.trees[0].nodes[1].rule =
            Rule::Categorical { left: [1].into(), missing: Missing::Nan, default_left: true };
    });
    let expected = "lightgbm: node 1 of tree 0, whose categories send missing values left, \
                    cannot be represented";
    assert_eq!(error.to_string(), expected);
    let error = forest(|forest| forest.parameters.push(("a".into(), "b\nc".into())));
    assert_eq!(error.to_string(), "lightgbm: the parameter 'a' cannot be represented");
    let error = forest(|forest| forest.link = Link::Sigmoid { scale: -1.0 });
    let expected = "lightgbm: the link Sigmoid { scale: -1.0 } of 1 outputs cannot be represented";
    assert_eq!(error.to_string(), expected);
    let error = forest(|forest| forest.trees[0].values.truncate(1));
    assert!(matches!(error, Error::Forest(_)), "{error}");
}

#[test]
fn names_without_spaces() {
    let named = |name: &str| Feature { name: name.into(), ..Feature::default() };
    let forest = Forest {
        features: vec![named("a b"), named(""), named("c\nd=e"), named("="), named("=f=")],
        trees: vec![Tree::constant(vec![1.0], 0)],
        ..Forest::default()
    };
    let read = lightgbm::read(lightgbm::write(&forest).unwrap()).unwrap();
    let names: Vec<&str> = read.features.iter().map(|feature| feature.name.as_str()).collect();
    assert_eq!(names, ["a_b", "Column_1", "c_d=e", "_", "_f_"]);
}

/// LightGBM aborts on the one and predicts NaN from the other.
#[test]
fn what_lightgbm_stumbles_over() {
    let subnormal = Tree::constant(vec![5e-324], 0);
    let forest = Forest { trees: vec![subnormal], ..Forest::default() };
    assert!(lightgbm::write(&forest).unwrap().contains("leaf_value=0\n"));
    let empty = Forest { average: true, ..Forest::default() };
    assert!(!lightgbm::write(&empty).unwrap().contains("average_output"));
}
