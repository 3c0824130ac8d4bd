//! LightGBM's own examples, called LightGBM's way.
//!
//! Keys, values and names of files are those of `examples/*/train.conf` and `predict.conf` of LightGBM
//! 4.7, without their comments. The data is made here.

use super::{ROWS, Row, done, json, refused, rows, run};
use crate::workshop::Workshop;

/// What all of the examples say.
const TRAIN: &str = "task = train
boosting_type = gbdt
metric_freq = 1
is_training_metric = true
max_bin = 255
tree_learner = serial
bagging_freq = 5 # the ranking draws in every round
min_sum_hessian_in_leaf = 5.0
is_enable_sparse = true
use_two_round_loading = false
is_save_binary_file = false
output_model = LightGBM_model.txt
num_machines = 1
local_listen_port = 12400
machine_list_file = mlist.txt
";

const BINARY: &str = "objective = binary
metric = binary_logloss,auc
data = binary.train
valid_data = binary.test
num_trees = 100
learning_rate = 0.1
num_leaves = 63
feature_fraction = 0.8
bagging_fraction = 0.8
min_data_in_leaf = 50
";

const REGRESSION: &str = "objective = regression
metric = l2
label_column = 0
data = regression.train
valid_data = regression.test
num_trees = 100
learning_rate = 0.05
num_leaves = 31
feature_fraction = 0.9
bagging_fraction = 0.8
min_data_in_leaf = 100
";

const LAMBDARANK: &str = "objective = lambdarank
metric = ndcg
ndcg_eval_at = 1,3,5
data = rank.train
valid_data = rank.test
num_trees = 100
learning_rate = 0.1
num_leaves = 31
feature_fraction = 1.0
bagging_fraction = 0.9
min_data_in_leaf = 50
";

/// Rows to train on; the others are to test.
const TRAINED: usize = 13 * ROWS;

/// A folder with both configuration files, and the data: lines of training and test rows.
fn shop(conf: &str, name: &str, line: impl Fn(&Row) -> String) -> Workshop {
    let shop = Workshop::new();
    shop.write("train.conf", format!("{TRAIN}{conf}"));
    let predict =
        format!("task = predict\n\ndata = {name}.test\n\ninput_model= LightGBM_model.txt\n");
    shop.write("predict.conf", predict);
    let lines: Vec<String> = rows().iter().map(line).collect();
    shop.write(&format!("{name}.train"), lines[..TRAINED].join("\n"));
    shop.write(&format!("{name}.test"), lines[TRAINED..].join("\n"));
    shop
}

/// The label and the features, with tabs between them.
fn tabs(label: usize) -> impl Fn(&Row) -> String {
    move |row| format!("{}\t{}", row[label], row[2..6].join("\t"))
}

/// A grade of 0 to 4 and the features, as LIBSVM.
fn graded(row: &Row) -> String {
    let grade = (row[6].parse::<f64>().unwrap() * 2.0 + 1.0).clamp(0.0, 4.0) as u8;
    let cells = row[2..6].iter().enumerate().map(|(at, cell)| format!("{at}:{cell}"));
    format!("{grade} {}", cells.collect::<Vec<_>>().join(" "))
}

/// Predictions in LightGBM's form: one number a line, of the test rows.
fn predicted(shop: &Workshop) -> Vec<f64> {
    let text = std::fs::read_to_string(shop.path("LightGBM_predict_result.txt")).unwrap();
    let numbers: Vec<f64> = text.lines().map(|line| line.parse().unwrap()).collect();
    assert_eq!(numbers.len(), rows().len() - TRAINED);
    numbers
}

fn tested(column: usize) -> Vec<f64> {
    let labels = rows().into_iter().skip(TRAINED);
    labels.map(|row| f64::from(row[column].parse::<f32>().unwrap())).collect()
}

#[test]
fn binary_classification() {
    let shop = shop(BINARY, "binary", tabs(7));
    let weights = |rows: usize| "1\n".repeat(rows);
    shop.write("binary.train.weight", weights(TRAINED));
    shop.write("binary.test.weight", weights(rows().len() - TRAINED));
    let told = done(&shop, "config=train.conf");
    let line = told.lines().last().unwrap();
    assert!(
        line.starts_with("100 trees from 390 rows in 1 eras of 4 features written to "),
        "{told}"
    );
    let watched = "LightGBM_model.txt; on binary.test binary_logloss was best at iteration ";
    assert!(line.contains(watched) && line.contains(", auc 0.9"), "{told}");
    assert!(told.contains("note: parameter 'machine_list_filename' does not count"), "{told}");
    let told = done(&shop, "config=predict.conf");
    assert!(told.contains("210 predictions written to LightGBM_predict_result.txt"), "{told}");
    let right = |(chance, label): (&f64, &f64)| (*chance > 0.5) == (*label > 0.5);
    let right = predicted(&shop).iter().zip(&tested(7)).filter(|pair| right(*pair)).count();
    assert!(right > 160, "{right} of 210");
}

#[test]
fn regression_with_early_stopping() {
    let shop = shop(REGRESSION, "regression", tabs(6));
    let words = "config=train.conf early_stopping_round=5 learning_rate=0.5 --json r.json";
    done(&shop, words);
    let report = json(&shop, "r.json");
    let (trees, rounds) = (report["trees"].as_u64().unwrap(), report["rounds"].as_u64().unwrap());
    assert_eq!(rounds, trees + 5, "it does not stop early");
    assert_eq!(report["watched"]["best_iteration"], trees);
    done(&shop, "config=predict.conf");
    let (predicted, labels) = (predicted(&shop), tested(6));
    let squares = predicted.iter().zip(&labels).map(|(p, y)| (p - y).powi(2));
    let l2 = squares.sum::<f64>() / labels.len() as f64;
    for told in [&report["watched"]["best"], &report["watched"]["metrics"][0]["value"]] {
        assert!((told.as_f64().unwrap() - l2).abs() < 1e-9, "{told} for {l2}");
    }
    // Without early stopping the metric is told and no tree is taken away.
    let told = done(&shop, "config=train.conf learning_rate=0.5 --out @m.txt --json r.json");
    assert!(told.contains("on regression.test l2 was best at iteration "), "{told}");
    let report = json(&shop, "r.json");
    assert_eq!((report["trees"].as_u64(), report["rounds"].as_u64()), (Some(100), Some(100)));
    assert_eq!(report["history"].as_array().unwrap().len(), 100);
    // Trees that change or are averaged are scored as a whole.
    for boosting in ["dart", "rf"] {
        let words = format!("config=train.conf num_trees=5 boosting={boosting} --json r.json");
        let told = done(&shop, &words);
        assert!(told.contains("; on regression.test l2 0."), "{told}");
        assert!(json(&shop, "r.json")["watched"]["best"].is_null());
    }
}

#[test]
fn ranking_with_files_of_queries() {
    let shop = shop(LAMBDARANK, "rank", graded);
    let train = "config=train.conf bagging_freq=1";
    refused(&shop, train, &["lambdarank", "rank.train", "--era", "rank.train.query"]);
    shop.write("rank.train.query", "10\n".repeat(TRAINED / 10));
    refused(&shop, train, &["'rank.test' has no queries", "rank.test.query"]);
    shop.write("rank.test.query", "10\n".repeat((rows().len() - TRAINED) / 10));
    let told = done(&shop, train);
    assert!(told.contains("from 390 rows in 39 eras of 4 features"), "{told}");
    assert!(told.contains("on rank.test ndcg@1 was best at iteration "), "{told}");
    assert!(told.contains(", ndcg@3 0.") && told.contains(", ndcg@5 0."), "{told}");
    done(&shop, "config=predict.conf");
    let scores = predicted(&shop);
    assert!(scores.iter().any(|score| *score != scores[0]));
    done(&shop, "config=train.conf objective=rank_xendcg objective_seed=1 num_trees=5");
    let cv = "cv --config train.conf --folds 3 --gap 1 num_trees=5";
    let told = done(&shop, cv);
    assert!(told.contains("fold 3: eras 27 to 39") && told.contains("ndcg@3: mean 0."), "{told}");
    assert!(told.contains("note: parameter 'valid' does not count"), "{told}");
}

#[test]
fn the_task_is_the_command() {
    let shop = shop(REGRESSION, "regression", tabs(6));
    done(&shop, "--config=train.conf num_trees=3 output_model=m.txt");
    done(&shop, "task=convert_model input_model=m.txt convert_model=m.json");
    done(&shop, "task=predict data=regression.test input_model=m.json output_result=p.tsv");
    let text = std::fs::read_to_string(shop.path("p.tsv")).unwrap();
    assert!(text.lines().next().unwrap().parse::<f64>().is_ok(), "{text}");
    // Contributions stand between tabs; leaves too, and --raw is an option as ever.
    done(&shop, "config=predict.conf input_model=m.txt predict_contrib=true");
    let text = std::fs::read_to_string(shop.path("LightGBM_predict_result.txt")).unwrap();
    assert_eq!(text.lines().next().unwrap().split('\t').count(), 5);
    done(&shop, "--raw config=predict.conf input_model=m.txt");
    refused(&shop, "task=fly", &["'task' is 'fly'", "train, predict, convert_model or refit"]);
    refused(&shop, "config=none.conf", &["none.conf"]);
    refused(&shop, "task=convert_model input_model=m.txt", &["--to"]);
    refused(&shop, "train --config predict.conf --out @m.txt", &["'task'", "this command trains"]);
    assert_eq!(run(&shop, "fly --data x").status.code(), Some(2));
}
