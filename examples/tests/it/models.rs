//! `numerai` with several models.

use serde_json::Value;

use crate::workshop::{GATE_OFF, Workshop};

const NUMERAI: &str = env!("CARGO_BIN_EXE_numerai");

fn json(shop: &Workshop, name: &str) -> Value {
    serde_json::from_slice(&std::fs::read(shop.path(name)).expect("the file")).expect("JSON")
}

/// A market in a file, small enough to fit many times.
fn shop() -> Workshop {
    let shop = Workshop::new();
    let market =
        fattail_testing::Market { eras: 120, rows: 40, features: 16, ..Default::default() };
    fattail::store::write_parquet(&market.panel().unwrap(), shop.path("m.parquet")).unwrap();
    shop
}

/// Runs `numerai` on the market with words between spaces and reads its report.
#[track_caller]
fn report(shop: &Workshop, words: &str) -> Value {
    // What is learnt of so few rows is not what a gate lets through.
    let mut args = vec!["--data", "@m.parquet", "--out", "@out", "--json", "@r.json"];
    args.extend(GATE_OFF);
    args.extend(words.split_whitespace());
    let output = shop.run(NUMERAI, &args);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    json(shop, "r.json")
}

fn settings(report: &Value, model: usize) -> Vec<String> {
    let lines = report["models"][model]["settings"].as_array().unwrap().iter();
    lines.map(|line| line.as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_embedded_market_with_both_models() {
    let shop = Workshop::new();
    let args = ["--model", "ridge,gbdt", "--out", "@out", "--json", "@r.json"];
    let output = shop.run(NUMERAI, &args);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(table.contains("gbdt − ridge") && table.contains("report.html"), "{table}");
    let report = json(&shop, "r.json");
    assert_eq!(report, json(&shop, "out/report.json"));

    let names: Vec<_> = report["models"].as_array().unwrap().iter().map(|m| &m["name"]).collect();
    assert_eq!(names, ["ridge", "gbdt"]);
    let (ridge, gbdt) = (&report["models"][0], &report["models"][1]);
    assert_eq!(ridge["folds"].as_array().unwrap().len(), 5);
    let eras = |model: &Value| -> Vec<(Value, Value)> {
        let folds = model["folds"].as_array().unwrap().iter();
        folds.map(|fold| (fold["train_last"].clone(), fold["test_first"].clone())).collect()
    };
    assert_eq!(eras(ridge), eras(gbdt), "the folds differ");
    for model in [ridge, gbdt] {
        let corr = &model["metrics"][0];
        assert!(corr["model"]["summary"]["interval"][0].as_f64().unwrap() > 0.0, "no signal found");
        assert!(corr["model"]["summary"]["bootstrap_interval"][0].is_f64());
        assert_eq!(corr["constant"]["scores"]["eras"][0]["reason"], "predictions are constant");
    }

    let value = |scores: &Value, era: usize| scores["eras"][era]["value"].as_f64().unwrap();
    let first = &report["differences"][0];
    assert_eq!((&first["model"], &first["minus"]), (&"gbdt".into(), &"ridge".into()));
    let of = |model: &Value| value(&model["metrics"][0]["model"]["scores"], 3);
    assert_eq!(value(&first["scored"]["scores"], 3), of(gbdt) - of(ridge));
    assert!(first["scored"]["summary"]["interval"][1].is_f64());
    let against = |d: &Value| d["minus"] == "constant" && d["model"] == "gbdt";
    assert!(report["differences"].as_array().unwrap().iter().any(against));

    let model = std::fs::read(shop.path("out/model.txt")).unwrap();
    let forest = fattail::exchange::read(&model).unwrap();
    assert_eq!(forest.trees.len(), 400);
    for name in
        ["model.json", "predictions_ridge.parquet", "predictions_gbdt.parquet", "report.html"]
    {
        assert!(shop.path("out").join(name).exists(), "{name}");
    }
    let page = std::fs::read_to_string(shop.path("out/report.html")).unwrap();
    assert!(page.contains("Differences, era by era"));
    assert!(page.contains("Running sum of the difference of corr"));
}

#[test]
fn the_submission_is_that_of_the_model_named() {
    let shop = shop();
    let submission = |words: &str| {
        report(&shop, &format!("{words} --rounds 20 --folds 2"));
        std::fs::read(shop.path("out/submission.csv")).unwrap()
    };
    let both = "--model gbdt,ridge";
    let alone = submission("--model gbdt");
    assert!(shop.path("out/predictions.parquet").exists() && !shop.path("out/model.json").exists());
    let first = submission(both);
    let named = submission(&format!("{both} --submit ridge"));
    assert!(alone == first, "the first is submitted");
    assert!(first != named);
    report(&shop, "--model ridge --folds 2");
    assert!(named == std::fs::read(shop.path("out/submission.csv")).unwrap());
}

#[test]
fn options_reach_the_trees() {
    let shop = shop();
    let told =
        |words: &str| settings(&report(&shop, &format!("--model gbdt --folds 2 {words}")), 0);
    let lines = told(
        "--rounds 30 --leaves 8 --depth 4 --columns-by-tree 0.5 --min-data-in-leaf 40 \
        --era-criterion directional --era-share 0.7 --param eta=0.2 --learning-rate 0.1",
    );
    for line in [
        "num_iterations=30",
        "num_leaves=8",
        "max_depth=4",
        "feature_fraction=0.5",
        "min_data_in_leaf=40",
        "era_criterion=directional",
        "bagging_fraction=0.7",
        "trees for the live era: 30",
    ] {
        assert!(lines.iter().any(|found| found == line), "'{line}' is not in {lines:?}");
    }
    let rate = |line: &&String| line.starts_with("learning_rate=");
    assert!(lines.iter().find(rate).is_none(), "0.1 is LightGBM's own: {lines:?}");
    assert!(lines.iter().any(|line| line.contains("'learning_rate' does not count")), "{lines:?}");

    shop.write("p.conf", "eta = 0.3 # fast\ndata = other.csv\nnum_trees = 10\n");
    let lines = told("--param learning-rate=0.2 --config p.conf");
    for line in ["num_iterations=10", "learning_rate=0.2", "max_depth=5"] {
        assert!(lines.iter().any(|found| found == line), "'{line}' is not in {lines:?}");
    }
    assert!(lines.iter().any(|line| line == "files and columns among the parameters do not count"));
}

#[test]
fn early_stopping_leaves_the_gap_of_the_horizon() {
    let shop = shop();
    let report = report(&shop, "--model gbdt --folds 2 --early-stopping 3 --learning-rate 0.3");
    let lines = settings(&report, 0);
    assert!(lines.contains(&"early_stopping_gap=5".to_owned()), "{lines:?}");
    let trees = lines.iter().find_map(|line| line.strip_prefix("trees for the live era: "));
    assert!(trees.unwrap().parse::<usize>().unwrap() < 400, "{lines:?}");
}

fn names(report: &Value) -> Vec<&str> {
    let models = report["models"].as_array().unwrap().iter();
    models.map(|model| model["name"].as_str().unwrap()).collect()
}

const ALL: &str = "ridge,gbdt,mlp,transformer,gnn";

#[test]
fn networks_stand_beside_the_others_with_the_same_bytes_for_any_number_of_threads() {
    let shop = shop();
    let run = |threads: usize| {
        let few = "--folds 2 --rounds 5 --epochs 1 --vae 2 --batch-size 64";
        let report = report(&shop, &format!("--model {ALL} {few} --threads {threads}"));
        let left = ["mlp.safetensors", "transformer.safetensors", "gnn.safetensors", "mlp.json"];
        let more = ["ridge_vae.safetensors", "gnn_vae.safetensors", "model.txt", "submission.csv"];
        let read = |name: &&str| std::fs::read(shop.path("out").join(name)).expect(name);
        (report, left.iter().chain(&more).map(read).collect::<Vec<_>>())
    };
    let (report, files) = run(1);
    assert_eq!(names(&report), ALL.split(',').collect::<Vec<_>>());
    assert_eq!(report["warnings"].as_array().unwrap().len(), 0);
    let pairs = report["differences"].as_array().unwrap();
    for name in ALL.split(',').skip(1) {
        let against = |other: &str| pairs.iter().any(|d| d["model"] == name && d["minus"] == other);
        assert!(against("ridge") && against("constant"), "{name}");
    }
    let model = fattail::neural::NeuralModel::from_bytes(&files[0]).unwrap();
    assert_eq!(model.features.len(), 18, "the latent values are features");
    assert!(run(2) == (report, files), "threads changed the bytes");
}

#[test]
fn latent_values_are_appended_and_reach_the_submission() {
    let shop = shop();
    let run = |words: &str| {
        let report = report(&shop, &format!("--folds 2 {words}"));
        let coefficients = report["models"][0]["coefficients"].as_array().unwrap().len();
        (coefficients, std::fs::read(shop.path("out/submission.csv")).unwrap())
    };
    let (plain, with) = (run(""), run("--vae 3"));
    assert_eq!((plain.0, with.0), (16, 19));
    assert!(plain.1 != with.1);
}

/// A rate with which the first step throws the weights out of what a number can be.
const RUINOUS: &str = "--network-rate 1e38 --batch-size 32 --folds 2";

#[test]
fn a_model_that_fails_is_set_aside_and_the_rest_goes_on() {
    let shop = shop();
    let submission = || std::fs::read(shop.path("out/submission.csv")).unwrap();
    report(&shop, "--model ridge --folds 2");
    let alone = submission();
    let words = format!("--model mlp,ridge {RUINOUS}");
    // What is learnt of so few rows is not what a gate lets through.
    let mut args = vec!["--data", "@m.parquet", "--out", "@out", "--json", "@r.json"];
    args.extend(GATE_OFF);
    args.extend(words.split_whitespace());
    let output = shop.run(NUMERAI, &args);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told = String::from_utf8(output.stdout).unwrap();
    let report = json(&shop, "r.json");
    assert_eq!(names(&report), ["ridge"]);
    let warnings: Vec<&str> =
        report["warnings"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
    assert!(warnings[0].starts_with("mlp failed and is set aside: the run was given up"));
    assert_eq!(warnings[1], "the submission is that of ridge, because mlp failed");
    let page = std::fs::read_to_string(shop.path("out/report.html")).unwrap();
    for warning in warnings {
        assert!(told.contains(&format!("warning: {warning}\n")), "{told}");
        assert!(page.contains(warning));
    }
    assert!(submission() == alone && !shop.path("out/mlp.safetensors").exists());
}

#[test]
fn a_model_that_does_not_fit_its_memory_is_set_aside_with_the_numbers() {
    let shop = shop();
    let words = "--model ridge,mlp,gbdt --folds 2 --rounds 5 --epochs 1";
    let little = report(&shop, &format!("{words} --max-memory 20k"));
    assert_eq!(names(&little), ["ridge"]);
    let told = |at: usize| little["warnings"][at].as_str().unwrap();
    assert!(
        told(0).starts_with("mlp failed") && told(0).contains("allowed are 20480"),
        "{}",
        told(0)
    );
    assert!(told(1).starts_with("gbdt failed") && told(1).contains("20480"), "{}", told(1));
    let enough = report(&shop, &format!("{words} --max-memory 1g --vae 2"));
    assert_eq!(names(&enough), ["ridge", "mlp", "gbdt"]);
    assert!(settings(&enough, 1).contains(&"at most 1073741824 bytes of memory".to_owned()));
    assert!(shop.path("out/ridge_vae.json").exists());
    let told = settings(&enough, 0);
    assert!(told.iter().any(|line| line.starts_with("autoencoder: epochs")), "{told:?}");
}

#[test]
fn when_all_models_fail_the_job_does_and_leaves_nothing() {
    let shop = shop();
    for (models, told) in [
        ("mlp", "error: the run was given up"),
        ("mlp,gnn", "error: every model failed: mlp: the run was given up"),
    ] {
        let words = format!("--data @m.parquet --model {models} {RUINOUS} --out @out");
        let found = shop.refusal(&words.split_whitespace().collect::<Vec<_>>());
        assert!(found.contains(told), "'{told}' is not in: {found}");
    }
}

#[test]
fn bad_options_are_refused_in_one_line() {
    let shop = Workshop::new();
    for (words, told) in [
        ("--model forest", "'forest', allowed are ridge, gbdt, mlp, transformer and gnn"),
        ("--model ridge,ridge", "--model names 'ridge' twice"),
        ("--model ridge, --rounds 3", "--model is ''"),
        ("--rounds 3", "need --model gbdt"),
        ("--epochs 3", "need --model mlp, transformer or gnn"),
        ("--vae 0", "--vae is 0"),
        ("--max-memory 1g", "--max-memory needs --vae, or --model gbdt"),
        ("--model mlp --batch-size 0", "'batch_size' is 0"),
        ("--model ridge,gnn --network-rate -1", "'rate' is -1"),
        ("--model gbdt --submit ridge", "--submit is 'ridge'"),
        ("--model gbdt --rounds many", "'num_iterations' is 'many'"),
        ("--model gbdt --learning-rate -1", "'learning_rate' is '-1'"),
        ("--model gbdt --columns-by-tree 2", "'feature_fraction' is '2'"),
        ("--model gbdt --era-share 0", "'bagging_fraction' is '0'"),
        ("--model gbdt --era-criterion best", "'era_criterion' is 'best'"),
        ("--model gbdt --param num_leafs=3", "did you mean 'num_leaf'"),
        ("--model gbdt --param leaves", "--param is 'leaves', allowed is NAME=VALUE"),
        ("--model gbdt --config none.conf", "'none.conf'"),
        ("--model gbdt --param task=predict", "task"),
    ] {
        let args: Vec<&str> = words.split_whitespace().chain(["--out", "@out"]).collect();
        let found = shop.refusal(&args);
        assert!(found.contains(told), "'{told}' is not in: {found}");
    }
}
