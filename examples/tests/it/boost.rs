//! `boost`: boosted trees from the command line, and every bad input that it refuses.

mod again;
mod formats;
mod lightgbm;
mod positions;

use serde_json::Value;

use crate::workshop::Workshop;

const BOOST: &str = env!("CARGO_BIN_EXE_boost");
const ERAS: usize = 20;
const ROWS: usize = 30;

/// Cells of a row: id, era, three small features, a number, a target, two classes, three classes, weight.
type Row = [String; 10];

const HEADER: &str = "id,era,a,b,c,d,y,two,three,weight";

/// Rows whose target rises with `a` and `d` and falls with `b`.
fn rows() -> Vec<Row> {
    let mut state = 1_u64;
    let mut draw = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) % below
    };
    let row = |at: usize| {
        let [a, b, c] = [draw(5), draw(5), draw(5)];
        let d = draw(1000) as f64 / 500.0 - 1.0;
        let noise = draw(1000) as f64 / 2000.0;
        let y = a as f64 * 0.2 - b as f64 * 0.1 + d + noise;
        let classes = [u8::from(y > 0.4).to_string(), ((a + b) % 3).to_string()];
        let [two, three] = classes;
        let (id, era) = (format!("n{at}"), format!("{:04}", at / ROWS + 1));
        let numbers = [a, b, c].map(|x| x.to_string());
        let [a, b, c] = numbers;
        [id, era, a, b, c, format!("{d:.3}"), format!("{y:.4}"), two, three, "1".into()]
    };
    (0..ERAS * ROWS).map(row).collect()
}

/// The rows as CSV, each changed first.
fn csv(change: impl Fn(usize, &mut Row)) -> String {
    let mut text = HEADER.to_owned() + "\n";
    for (at, mut row) in rows().into_iter().enumerate() {
        change(at, &mut row);
        text += &(row.join(",") + "\n");
    }
    text
}

/// A folder with `t.csv` in it.
fn shop() -> Workshop {
    let shop = Workshop::new();
    shop.write("t.csv", csv(|_, _| ()));
    shop
}

/// Runs `boost` with words between spaces.
fn run(shop: &Workshop, words: &str) -> std::process::Output {
    shop.run(BOOST, &words.split_whitespace().collect::<Vec<_>>())
}

#[track_caller]
fn done(shop: &Workshop, words: &str) -> String {
    let output = run(shop, words);
    assert!(output.status.success(), "{words}: {}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The one line that a run fails with; it leaves nothing behind.
#[track_caller]
fn refused(shop: &Workshop, words: &str, parts: &[&str]) {
    let before = shop.names();
    let output = run(shop, words);
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{words}: {told}");
    assert_eq!((told.lines().count(), output.stdout.len()), (1, 0), "{told}");
    for part in parts.iter().chain(&["error: "]) {
        assert!(told.contains(part), "'{part}' is not in: {told}");
    }
    assert_eq!(shop.names(), before, "something was left behind");
}

/// The columns of a CSV file of numbers, from column `first` on.
fn numbers(shop: &Workshop, name: &str, first: usize) -> Vec<Vec<f64>> {
    let text = std::fs::read_to_string(shop.path(name)).unwrap();
    let row = |line: &str| line.split(',').skip(first).map(|cell| cell.parse().unwrap()).collect();
    text.lines().skip(1).map(row).collect()
}

fn json(shop: &Workshop, name: &str) -> Value {
    serde_json::from_slice(&std::fs::read(shop.path(name)).unwrap()).unwrap()
}

const OTHERS: &str = "--ignore-column name:two,three,weight --num-iterations 20 --num-leaves 7";

#[test]
fn train_predict_and_every_format() {
    let shop = shop();
    let told =
        done(&shop, &format!("train --data @t.csv --label y {OTHERS} --out @m.txt --json @r.json"));
    assert!(told.contains("20 trees from 600 rows in 20 eras of 4 features"), "{told}");
    let report = json(&shop, "r.json");
    assert_eq!((report["trees"].as_u64(), report["label"].as_str()), (Some(20), Some("y")));
    let text = std::fs::read_to_string(shop.path("m.txt")).unwrap();
    assert!(text.starts_with("tree\nversion=v4\n") && text.contains("[num_leaves: 7]"));

    done(&shop, "predict --model @m.txt --data @t.csv --out @p.csv");
    let predictions = numbers(&shop, "p.csv", 2);
    let targets: Vec<f64> = rows().iter().map(|row| row[6].parse().unwrap()).collect();
    let mean = targets.iter().sum::<f64>() / targets.len() as f64;
    let squares = |of: &dyn Fn(usize) -> f64| -> f64 {
        targets.iter().enumerate().map(|(row, target)| (target - of(row)).powi(2)).sum()
    };
    let (model, constant) = (squares(&|row| predictions[row][0]), squares(&|_| mean));
    assert!(model < constant / 4.0, "{model} against {constant}");

    // XGBoost keeps single precision.
    for file in ["m.json", "m.ubj"] {
        done(&shop, &format!("convert --from @m.txt --to @{file}"));
        done(&shop, &format!("predict --model @{file} --data @t.csv --out @q.csv"));
        for (a, b) in numbers(&shop, "q.csv", 2).iter().zip(&predictions) {
            assert!((a[0] - b[0]).abs() < 1e-5, "{file}: {a:?} {b:?}");
        }
    }
    for file in ["m.onnx", "m.treelite"] {
        done(&shop, &format!("convert --from @m.txt --to @{file}"));
        assert!(std::fs::metadata(shop.path(file)).unwrap().len() > 1000);
    }
}

#[test]
fn leaves_raw_scores_and_contributions_belong_together() {
    let shop = shop();
    let train =
        "train --data @t.csv --label two --objective binary --ignore-column name:y,three,weight";
    done(&shop, &format!("{train} --num_trees 5 --out @m.txt"));
    let table = |option: &str| {
        done(&shop, &format!("predict --model @m.txt --data @t.csv --out @p.csv {option}"));
        numbers(&shop, "p.csv", 2)
    };
    let (chance, raw, parts) = (table(""), table("--raw"), table("--contributions"));
    let leaves = table("--leaves");
    assert_eq!((parts[0].len(), leaves[0].len()), (5, 5));
    assert!(leaves.iter().flatten().all(|leaf| leaf.fract() == 0.0 && *leaf >= 0.0));
    for row in 0..raw.len() {
        let sum: f64 = parts[row].iter().sum();
        assert!((sum - raw[row][0]).abs() < 1e-9);
        assert!((chance[row][0] - 1.0 / (1.0 + (-raw[row][0]).exp())).abs() < 1e-12);
    }
    assert_ne!(table("--num_iteration_predict 2 --raw"), raw);
}

#[test]
fn parameters_by_any_spelling_and_from_a_file() {
    let shop = shop();
    shop.write("train.conf", "# LightGBM's way\ntask = train\nnum_trees = 3 # few\nmax_bin = 16\n");
    let model = |words: &str| {
        done(&shop, &format!("train --data @t.csv --label y {words} --out @m.txt"));
        std::fs::read(shop.path("m.txt")).unwrap()
    };
    let plain = model("--num-iterations 3 --max-bin 16 --learning-rate 0.2");
    assert_eq!(model("--num_trees=3 --max_bins=16 --eta=0.2"), plain);
    assert_eq!(model("num_round=3 max_bin=16 shrinkage_rate=0.2"), plain);
    assert_eq!(model("--config train.conf --eta 0.2"), plain);
    assert_eq!(model("config=train.conf eta=0.2"), plain);
    // Options count before the file, whatever it calls them.
    shop.write(
        "roles.conf",
        "label_column = name:two\nweight_column = name:three\nnum_trees = 3\n",
    );
    let roles = "--config roles.conf --max-bin 16 --eta 0.2 --weight weight";
    assert_eq!(model(roles), model("--num-trees 3 --max-bin 16 --eta 0.2 --weight weight"));
    // The command line counts before the file.
    assert_eq!(model("--config train.conf --num_trees 3 --eta 0.2"), plain);
    assert_ne!(model("--config train.conf --num_trees 4 --eta 0.2"), plain);
    let told = done(&shop, "train --data @t.csv --label y --num_trees 1 --device gpu --out @m.txt");
    assert!(told.contains("parameter 'device_type' does not count"), "{told}");
}

#[test]
fn same_bytes_for_any_number_of_threads() {
    let shop = shop();
    for threads in ["1", "2", "3"] {
        let sampled = "--bagging-fraction 0.5 --bagging-freq 1 --feature-fraction 0.5 --seed 3";
        let words = format!("train --data @t.csv --label y {OTHERS} {sampled} --threads {threads}");
        done(&shop, &format!("{words} --out @{threads}.txt"));
    }
    let read = |name: &str| std::fs::read(shop.path(name)).unwrap();
    assert!(read("1.txt") == read("2.txt") && read("2.txt") == read("3.txt"));
}

#[test]
fn text_without_a_header_and_libsvm() {
    let shop = shop();
    let (mut tsv, mut svm, mut blind) = (String::new(), String::new(), String::new());
    for row in rows() {
        tsv += &format!("{}\t{}\n", row[6], row[2..6].join("\t"));
        blind += &(row[2..6].join(",") + "\n");
        let cells = row[2..6].iter().enumerate().filter(|(_, cell)| *cell != "0");
        let cells: Vec<String> = cells.map(|(at, cell)| format!("{at}:{cell}")).collect();
        svm += &format!("{} {}\n", row[6], cells.join(" "));
    }
    shop.write("t.tsv", tsv);
    shop.write("t.svm", svm);
    shop.write("blind.csv", blind);
    done(&shop, &format!("train --data @t.csv --label y {OTHERS} --out @m.txt"));
    done(&shop, "predict --model @m.txt --data @t.csv --out @p.csv");
    let expected = numbers(&shop, "p.csv", 2);
    for data in ["t.tsv", "t.svm"] {
        let trees = "--num-iterations 20 --num-leaves 7";
        done(&shop, &format!("train --data @{data} {trees} --out @n.txt"));
        let text = std::fs::read_to_string(shop.path("n.txt")).unwrap();
        assert!(text.contains("feature_names=Column_0 Column_1 Column_2 Column_3\n"));
        for data in ["t.tsv", "t.svm", "blind.csv"] {
            done(&shop, &format!("predict --model @n.txt --data @{data} --out @q.csv"));
            assert_eq!(numbers(&shop, "q.csv", 0), expected, "{data}");
        }
    }
    // The label by position, and by the column's name.
    for label in ["6", "column=6", "name:y", "y"] {
        done(&shop, &format!("train --data @t.csv --label {label} {OTHERS} --out @l.txt"));
        assert!(
            std::fs::read(shop.path("l.txt")).unwrap()
                == std::fs::read(shop.path("m.txt")).unwrap()
        );
    }
}

#[test]
fn several_classes_have_several_columns() {
    let shop = shop();
    let words = "train --data @t.csv --label three --ignore-column name:y,two,weight";
    done(&shop, &format!("{words} --objective softmax --num-class 3 --num-trees 3 --out @m.txt"));
    done(&shop, "predict --model @m.txt --data @t.csv --out @p.csv");
    let predictions = numbers(&shop, "p.csv", 2);
    assert!(predictions.iter().all(|row| (row.iter().sum::<f64>() - 1.0).abs() < 1e-12));
    let text = std::fs::read_to_string(shop.path("p.csv")).unwrap();
    assert!(text.starts_with("id,era,prediction_0,prediction_1,prediction_2\n"));
}

#[test]
fn cross_validation_scores_every_era_once() {
    let shop = shop();
    let words =
        format!("cv --data @t.csv --label y {OTHERS} --metric l2,numerai_corr --folds 4 --gap 2");
    let told = done(&shop, &format!("{words} --json @cv.json"));
    assert!(told.contains("fold 4: eras 0016 to 0020, 13 eras trained on: l2 "), "{told}");
    let report = json(&shop, "cv.json");
    let tested: u64 =
        report["folds"].as_array().unwrap().iter().map(|f| f["test_rows"].as_u64().unwrap()).sum();
    assert_eq!(tested, 600);
    for metric in report["metrics"].as_array().unwrap() {
        let folds: Vec<f64> =
            metric["folds"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect();
        let mean = folds.iter().sum::<f64>() / 4.0;
        assert!((metric["mean"].as_f64().unwrap() - mean).abs() < 1e-12);
    }
    let corr = report["metrics"][1]["mean"].as_f64().unwrap();
    assert!(corr > 0.5, "{corr}");
    let forward = done(&shop, &format!("{words} --forward"));
    assert!(forward.contains("fold 1: eras 0005 to 0008, 2 eras trained on"), "{forward}");
}

#[test]
fn data_of_one_era_is_cut_into_blocks() {
    let shop = Workshop::new();
    shop.write("t.csv", csv(|_, row| row[1] = "1".into()));
    let words = format!("--data @t.csv --label y {OTHERS}");
    let cv = format!("cv {words} --folds 3");
    let told = done(&shop, &format!("{cv} --json @cv.json"));
    assert!(told.contains("no eras: the rows are cut into contiguous blocks"), "{told}");
    assert!(told.contains("fold 2: blocks 2 to 2, 2 blocks trained on: l2 0."), "{told}");
    let report = json(&shop, "cv.json");
    let rows = |fold: usize, key: &str| report["folds"][fold][key].as_u64().unwrap();
    for fold in 0..3 {
        assert_eq!((rows(fold, "test_rows"), rows(fold, "train_rows")), (200, 400));
    }
    done(&shop, &format!("{cv} --early-stopping-round 5 num_trees=5"));
    let forward = done(&shop, &format!("{cv} --forward num_trees=5"));
    assert!(forward.contains("fold 3: blocks 4 to 4, 3 blocks trained on"), "{forward}");
    refused(&shop, &format!("{cv} --gap 2"), &["--gap counts eras", "--era"]);
    refused(&shop, &format!("{cv} --era-criterion directional"), &["goes by eras", "--era"]);
    let one = format!("{cv} --forward --early-stopping-round 5");
    refused(&shop, &one, &["nothing to watch", "--folds"]);
    refused(&shop, &format!("cv {words} --folds 601"), &["--folds is 601", "600"]);
    let stop = format!("train {words} --early-stopping-round 5 --out @m.txt");
    refused(&shop, &stop, &["give --valid FILE or --era COLUMN"]);
    done(&shop, &format!("{stop} --valid @t.csv"));
}

#[test]
fn explanations_of_a_model_and_of_a_row() {
    let shop = shop();
    done(&shop, &format!("train --data @t.csv --label y {OTHERS} --out @m.txt"));
    let told = done(&shop, "explain input_model=m.txt verbosity=1");
    assert!(told.starts_with("note: parameter 'verbosity' does not count"), "{told}");
    assert!(told.contains("20 trees, 1 outputs, objective regression"), "{told}");
    let told = done(&shop, "explain --model @m.txt --data @t.csv --label y --row 3 --json @e.json");
    assert!(told.contains("row 3, output 0") && told.contains("tree 0:\n  node 0: "), "{told}");
    let report = json(&shop, "e.json");
    let feature = |name: &str| -> Value {
        let list = report["features"].as_array().unwrap();
        list.iter().find(|feature| feature["name"] == name).unwrap().clone()
    };
    let size = |name: &str, key: &str| feature(name)[key].as_f64().unwrap();
    for key in ["gain", "shap"] {
        assert!(size("d", key) > size("b", key) && size("b", key) > size("c", key), "{key}");
    }
    for key in ["era_gain", "permutation"] {
        assert_eq!(feature("d")[key]["values"].as_array().unwrap().len(), 20);
        assert!(feature("d")[key]["mean"].as_f64() > feature("c")[key]["mean"].as_f64());
    }
    let parts = &report["row"]["outputs"][0];
    let sum: f64 =
        parts["contributions"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).sum();
    let expected = parts["expected"].as_f64().unwrap();
    assert!((sum + expected - parts["raw"].as_f64().unwrap()).abs() < 1e-9);
}

#[test]
fn early_stopping_holds_out_the_last_eras() {
    let shop = shop();
    let words = format!("train --data @t.csv --label y {OTHERS} --eta 1 --num_trees 300");
    let stop = "--early-stopping-round 5 --early-stopping-holdout 0.25 --early-stopping-gap 2";
    done(&shop, &format!("{words} {stop} --out @m.txt --json @r.json"));
    let report = json(&shop, "r.json");
    let (trees, rounds) = (report["trees"].as_u64().unwrap(), report["rounds"].as_u64().unwrap());
    assert!(trees < 300 && trees <= rounds, "{trees} of {rounds}");
    assert_eq!(report["history"].as_array().unwrap().len() as u64, rounds);
}

#[test]
fn data_that_teaches_nothing() {
    let train = "train --data @t.csv --label y --num-iterations 3 --out @m.txt";
    let told = |text: String, words: &str, parts: &[&str]| {
        let shop = Workshop::new();
        shop.write("t.csv", text);
        refused(&shop, words, parts);
    };
    told(format!("{HEADER}\n"), train, &["t.csv", "no rows"]);
    told(csv(|_, row| row[6] = "0.5".into()), train, &["constant target", "0.5"]);
    told(csv(|_, row| row[6] = "nan".into()), train, &["600 rows"]);
    told(csv(|_, row| row[6] = "inf".into()), train, &["line 2", "'y'", "inf"]);
    let weighted = format!("{train} --weight weight");
    told(csv(|_, row| row[9] = "0".into()), &weighted, &["weight"]);
    told(
        csv(|at, row| row[9] = if at == 7 { "-1" } else { "1" }.into()),
        &weighted,
        &["weight", "-1", "7"],
    );
    let binary = "train --data @t.csv --label two --objective binary --out @m.txt";
    told(
        csv(|at, row| row[7] = if at == 5 { "2".into() } else { row[7].clone() }),
        binary,
        &["label 2", "row 5", "binary"],
    );
    let softmax =
        "train --data @t.csv --label three --objective multiclass --num-class 3 --out @m.txt";
    told(
        csv(|at, row| row[8] = if at == 7 { "5".into() } else { row[8].clone() }),
        softmax,
        &["label 5", "row 7", "3 classes"],
    );
    let gamma = "train --data @t.csv --label y --objective gamma --out @m.txt";
    told(csv(|_, _| ()), gamma, &["gamma", "label"]);
}

#[test]
fn a_column_that_is_all_missing_is_not_asked_about() {
    let shop = Workshop::new();
    shop.write("t.csv", csv(|at, row| row[4] = if at % 2 == 0 { "" } else { "NA" }.into()));
    done(&shop, &format!("train --data @t.csv --label y {OTHERS} --out @m.txt"));
    let text = std::fs::read_to_string(shop.path("m.txt")).unwrap();
    assert!(text.contains("\nfeature_infos=[0:4] [0:4] none ["), "{text}");
    done(&shop, "predict --model @m.txt --data @t.csv --out @p.csv");
}

#[test]
fn parameters_that_are_refused() {
    let shop = shop();
    for (words, parts) in [
        ("--num-leafs 7", ["unknown parameter 'num_leafs'", "did you mean 'num_leaf'?"]),
        ("--num-leaves 1", ["'num_leaves' is '1'", "2 to 131072"]),
        ("--boosting rf", ["contradictory parameters", "boosting is rf"]),
        ("--boosting goss --bagging-fraction 0.5 --bagging-freq 1", ["contradictory", "bagging"]),
        (
            "--objective binary --is-unbalance --scale-pos-weight 2",
            ["contradictory", "is_unbalance"],
        ),
        ("--linear-tree --objective l1", ["contradictory parameters", "linear_tree"]),
        ("--monotone-constraints 1,0", ["'monotone_constraints' has 2 values", "9 columns"]),
        ("--cegb-tradeoff 0.5", ["'cegb_tradeoff' is not supported", "cost-effective"]),
        ("--objective poison", ["unknown objective 'poison'", "did you mean 'poisson'?"]),
        ("--valid v.csv", ["v.csv", "No such file"]),
        ("--label yy", ["no column 'yy'", "did you mean 'y'?"]),
        ("--config no.conf", ["no.conf", "No such file"]),
    ] {
        let label = if words.contains("--label") { "" } else { "--label y" };
        refused(&shop, &format!("train --data @t.csv {label} {words} --out @m.txt"), &parts);
    }
    shop.write("bad.conf", "num_trees = 3\nnonsense\n");
    let words = "train --data @t.csv --label y --config bad.conf --out @m.txt";
    refused(&shop, words, &["bad.conf", "line 2", "nonsense"]);
    refused(&shop, "train --data @t.csv --out @m.txt", &["--label"]);
    refused(&shop, "train --label y --out @m.txt", &["--data"]);
    refused(&shop, "train --data @t.csv --label y", &["--out"]);
    refused(&shop, "cv --data @t.csv --label y --era two", &["era"]);
}

#[test]
fn memory_above_the_budget_is_told_before_it_is_taken() {
    let shop = shop();
    let words = "train --data @t.csv --label y --out @m.txt --max-memory";
    refused(&shop, &format!("{words} 1k"), &["training needs", "bytes", "1024"]);
    done(&shop, &format!("{words} 4g"));
}

#[test]
fn predictions_of_other_data_and_other_models() {
    let shop = shop();
    done(&shop, &format!("train --data @t.csv --label y {OTHERS} --out @m.txt"));
    shop.write("other.csv", csv(|_, _| ()).replacen(",d,", ",dd,", 1));
    let predict = "predict --model @m.txt --out @p.csv --data";
    refused(
        &shop,
        &format!("{predict} @other.csv"),
        &["other.csv", "no column 'd'", "did you mean"],
    );
    shop.write("narrow.tsv", "1\t2\t3\n2\t3\t4\n");
    refused(&shop, &format!("{predict} @narrow.tsv"), &["2 features, the model 4"]);
    refused(&shop, "predict --model @t.csv --data @t.csv --out @p.csv", &["t.csv", "no model"]);
    let model = std::fs::read(shop.path("m.txt")).unwrap();
    shop.write("cut.txt", &model[..model.len() / 2]);
    refused(&shop, "predict --model @cut.txt --data @t.csv --out @p.csv", &["cut.txt"]);
    refused(&shop, "convert --from @cut.txt --to @c.json", &["cut.txt"]);
    refused(&shop, "explain --model @m.txt --data @t.csv --row 600", &["--row is 600", "600 rows"]);
    refused(&shop, "explain --model @m.txt --data @t.csv --row 1 --tree 99", &["99", "below 20"]);
    let words = "predict --model @m.txt --data @t.csv --out @no/p.csv";
    refused(&shop, words, &["cannot write"]);
}

#[test]
fn help_names_the_parameters() {
    let shop = Workshop::new();
    let told = done(&shop, "train --help");
    assert!(told.contains("--label <COLUMN>") && told.contains("--num-leaves 63"), "{told}");
    assert!(done(&shop, "--help").contains("cv"));
}
