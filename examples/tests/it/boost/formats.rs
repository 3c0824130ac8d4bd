//! Data and models of other houses, files beside the data, several labels.

use std::path::PathBuf;

use fattail::{
    silent,
    store::{Features, Missing, ReadOptions, Targets, read, write_ipc, write_parquet},
};
use serde_json::Value;

use super::{OTHERS, Row, csv, done, numbers, refused, shop};
use crate::workshop::Workshop;

#[test]
fn parquet_and_arrow_are_as_good_as_text() {
    let shop = shop();
    let options = ReadOptions {
        features: Features::All,
        targets: Targets::Named(vec!["y".into()]),
        missing: Missing::Keep,
        ..ReadOptions::default()
    };
    let panel = read(shop.path("t.csv"), &options, &silent).unwrap();
    write_parquet(&panel, shop.path("t.parquet")).unwrap();
    write_ipc(&panel, shop.path("t.arrow")).unwrap();
    let model = |data: &str| {
        let files = format!("--data @{data} --valid @{data}");
        done(&shop, &format!("train {files} --label y {OTHERS} --out @m.txt"));
        done(&shop, &format!("predict --model @m.txt --data @{data} --out @p.csv"));
        (std::fs::read(shop.path("m.txt")).unwrap(), numbers(&shop, "p.csv", 2))
    };
    let text = model("t.csv");
    assert!(model("t.parquet") == text && model("t.arrow") == text);
}

/// A reference model of another house with its rows and predictions, the rows as text without a header.
fn reference(house: &str, name: &str) -> (PathBuf, String, Vec<f64>) {
    let folder =
        format!("{}/../crates/exchange/tests/reference/{house}", env!("CARGO_MANIFEST_DIR"));
    let folder = PathBuf::from(folder);
    let cases = std::fs::read(folder.join("cases.json")).unwrap();
    let cases: Value = serde_json::from_slice(&cases).unwrap();
    let rows = |key: &str| cases[name][key].as_array().unwrap().iter();
    let cell = |cell: &Value| cell.as_f64().map_or(String::new(), |x| x.to_string());
    let line =
        |row: &Value| row.as_array().unwrap().iter().map(cell).collect::<Vec<_>>().join(",") + "\n";
    let predictions = rows("prediction").map(|row| row[0].as_f64().unwrap()).collect();
    (folder.join(format!("{name}.json")), rows("x").map(line).collect(), predictions)
}

#[test]
fn models_of_other_houses_predict() {
    for (house, name) in [("xgboost", "logistic"), ("catboost", "logloss")] {
        let (model, data, expected) = reference(house, name);
        let shop = Workshop::new();
        shop.write("x.csv", data);
        let model = model.to_str().unwrap();
        done(&shop, &format!("predict --model {model} --data @x.csv header=false --out @p.csv"));
        let found = numbers(&shop, "p.csv", 0);
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(&expected) {
            assert!((found[0] - expected).abs() < 1e-6, "{house}: {found:?} for {expected}");
        }
    }
}

/// The rows without some columns.
fn without(columns: &[usize], change: impl Fn(usize, &mut Row)) -> String {
    let kept = |line: &str| {
        let cells = line.split(',').enumerate().filter(|(at, _)| !columns.contains(at));
        cells.map(|(_, cell)| cell).collect::<Vec<_>>().join(",") + "\n"
    };
    csv(change).lines().map(kept).collect()
}

#[test]
fn weights_and_queries_lie_beside_the_data() {
    let shop = Workshop::new();
    let weight = |at: usize| (at % 3 + 1).to_string();
    let change = |at: usize, row: &mut Row| row[9] = weight(at);
    shop.write("t.csv", csv(change));
    shop.write("u.csv", without(&[9], change));
    shop.write("v.csv", without(&[1, 9], change));
    let weights: String = (0..600).map(|at| weight(at) + "\n").collect();
    shop.write("u.csv.weight", &weights);
    shop.write("v.csv.weight", &weights);
    shop.write("v.csv.query", "30\n".repeat(20));
    let ranking = "--label three --objective lambdarank --num-trees 5 --num-leaves 7";
    let model = |data: &str, words: &str| {
        let words = format!("train --data @{data} {ranking} {words} --out @m.txt");
        let told = done(&shop, &words);
        (told, std::fs::read(shop.path("m.txt")).unwrap())
    };
    let (_, named) = model("t.csv", "--ignore-column name:y,two --weight weight");
    let (told, weighted) = model("u.csv", "--ignore-column name:y,two");
    assert!(weighted == named && !told.contains("note"), "{told}");
    let (told, beside) = model("v.csv", "--ignore-column name:y,two");
    assert!(beside == named && told.contains("in 20 eras"), "{told}");
    // Columns count before files, and that is told.
    shop.write("t.csv.weight", "nonsense");
    shop.write("t.csv.query", "nonsense");
    let (told, both) = model("t.csv", "--ignore-column name:y,two --weight weight");
    assert!(both == named && told.contains("t.csv.weight' does not count: weights are column"));
    assert!(told.contains("t.csv.query' does not count: eras are column 'era'"), "{told}");
    // Predictions look at none of them.
    done(&shop, "predict --model @m.txt --data @v.csv --weight weight --out @p.csv");

    let train = "train --label three --num-trees 5 --out @n.txt --data";
    refused(&shop, &format!("{train} @t.csv"), &["t.csv.weight", "line 1", "nonsense"]);
    shop.write("u.csv.weight", "1\n2\n");
    refused(&shop, &format!("{train} @u.csv"), &["u.csv.weight", "2 rows", "600"]);
    shop.write("v.csv.query", "30\n30\n");
    refused(&shop, &format!("{train} @v.csv"), &["v.csv.query", "60 rows", "600"]);
    for ending in ["init", "position"] {
        let path = shop.write(&format!("w.csv.{ending}"), "0\n");
        shop.write("w.csv", csv(change));
        refused(&shop, &format!("{train} @w.csv"), &[&*format!("w.csv.{ending}"), "not supported"]);
        refused(&shop, &format!("{train} @t.csv --weight weight --valid @w.csv"), &["w.csv"]);
        std::fs::remove_file(path).unwrap();
    }
}

#[test]
fn validation_data_has_the_same_columns() {
    let shop = shop();
    let train = format!("train --label y {OTHERS}");
    // By name, in whichever order; by position without names.
    let turned: String = csv(|_, _| ())
        .lines()
        .map(|line| line.split(',').rev().collect::<Vec<_>>().join(",") + "\n")
        .collect();
    shop.write("turned.csv", turned);
    let watched = |data: &str, valid: &str, words: &str| {
        let told = done(&shop, &format!("{words} --data @{data} --valid @{valid} --out @m.txt"));
        let at = told.find(" l2 was best").unwrap();
        told[at..].to_owned()
    };
    let same = watched("t.csv", "t.csv", &train);
    assert_eq!(watched("t.csv", "turned.csv", &train), same);
    let bare: String = csv(|_, _| ())
        .lines()
        .skip(1)
        .map(|line| line.split(',').skip(2).take(5).collect::<Vec<_>>().join("\t") + "\n")
        .collect();
    shop.write("bare.tsv", bare);
    let bare = "train --label 4 --num-iterations 20 --num-leaves 7";
    assert_eq!(watched("bare.tsv", "bare.tsv", bare), same);
    // Ids are no numbers: they would be taken for a header.
    let named = without(&[0], |_, _| ());
    shop.write("headless.csv", named.split_inclusive('\n').skip(1).collect::<String>());
    shop.write("named.csv", named);
    assert_eq!(watched("named.csv", "headless.csv", &train), same);
    shop.write("other.csv", csv(|_, _| ()).replacen(",d,", ",dd,", 1));
    let refuse = |valid: &str, parts: &[&str]| {
        refused(&shop, &format!("{train} --data @t.csv --valid {valid} --out @m.txt"), parts);
    };
    refuse("@other.csv", &["other.csv", "no column 'd'"]);
    refuse("@bare.tsv", &["bare.tsv", "5 columns, the training data 10"]);
    refuse("t.csv,turned.csv", &["'valid' names 2 files"]);
    shop.write("narrow.tsv", "1\t2\t3\n2\t3\t4\n");
    let words = "train --label 0 --data @bare.tsv --valid @narrow.tsv --out @m.txt";
    refused(&shop, words, &["narrow.tsv", "3 columns, the training data 5"]);
}

#[test]
fn several_labels_are_several_outputs() {
    let shop = shop();
    let labels = "--label y,two --ignore-column name:three,weight";
    let trees = "--num-iterations 20 --num-leaves 7";
    done(&shop, &format!("train --data @t.csv {labels} {trees} --out @m.json --json @r.json"));
    assert_eq!(super::json(&shop, "r.json")["label"], "y,two");
    done(&shop, "predict --model @m.json --data @t.csv --out @p.csv");
    let both = numbers(&shop, "p.csv", 2);
    for (at, label) in ["y", "two"].into_iter().enumerate() {
        let others = if label == "y" { "two" } else { "y" };
        let ignored = format!("--ignore-column name:three,weight,{others}");
        let words = format!("train --data @t.csv --label {label} {ignored} {trees}");
        done(&shop, &format!("{words} --out @one.json"));
        done(&shop, "predict --model @one.json --data @t.csv --out @q.csv");
        for (one, both) in numbers(&shop, "q.csv", 2).iter().zip(&both) {
            assert!((one[0] - both[at]).abs() < 1e-5, "{label}: {one:?} {both:?}");
        }
    }
    let told = done(&shop, &format!("cv --data @t.csv {labels} {trees} --folds 3"));
    assert!(told.contains("l2: mean 0."), "{told}");
    // Survival times between two bounds.
    let bounds = |_: usize, row: &mut Row| {
        let time = row[6].parse::<f64>().unwrap().exp();
        (row[6], row[7]) = (format!("{time}"), format!("{}", time * 1.5));
    };
    shop.write("s.csv", csv(bounds));
    done(&shop, &format!("train --data @s.csv {labels} {trees} --objective aft --out @m.txt"));
    refused(
        &shop,
        "train --data @t.csv --label y,twoo --out @m.txt",
        &["no column 'twoo'", "did you mean 'two'"],
    );
}

#[test]
fn columns_left_out_are_told() {
    let shop = Workshop::new();
    let text = csv(|_, row| row[8] = "abc".into()).replacen(",weight", ",target_b", 1);
    shop.write("t.csv", text);
    let told = done(&shop, "train --data @t.csv --label y --num-trees 2 --out @m.txt");
    assert!(
        told.contains("note: columns whose names begin with 'target' are no features: target_b\n")
    );
    assert!(told.contains("note: columns that hold no numbers are no features: three\n"), "{told}");
    let words = "train --data @t.csv --label y --ignore-column name:thre --out @m.txt";
    refused(&shop, words, &["no column 'thre' to ignore"]);
}
