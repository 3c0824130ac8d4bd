//! Text files of other houses: tabs, no header, words for what is missing, LIBSVM.

use fattail_core::{Panel, silent};
use fattail_store::{
    Features, Missing, ReadOptions, Result, Targets, TextForm, read, read_names, read_queries,
    read_weights,
};

/// Reads a text as a file of this name.
fn read_text(name: &str, text: &str, options: &ReadOptions) -> Result<Panel> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    read(&path, options, &silent)
}

fn options(target: &str) -> ReadOptions {
    ReadOptions {
        features: Features::All,
        targets: Targets::Named(vec![target.into()]),
        era: None,
        id: None,
        missing: Missing::Keep,
        ..ReadOptions::default()
    }
}

#[track_caller]
fn refused(name: &str, text: &str, options: &ReadOptions, parts: &[&str]) {
    let told = read_text(name, text, options).unwrap_err().to_string();
    for part in parts {
        assert!(told.contains(part), "'{part}' is not in: {told}");
    }
}

#[test]
fn tabs_are_seen() {
    let panel = read_text("a.tsv", "y\tx\n1\t2\n3\t4.5\n", &options("y")).unwrap();
    assert_eq!(panel.feature(0).to_f32(), [2.0, 4.5]);
    let panel = read_text("a.txt", "y,a\tb\n1,2\n", &options("y")).unwrap();
    assert_eq!(&*panel.schema().features()[0], "a\tb");
    let text = TextForm { separator: Some(b';'), ..TextForm::default() };
    let panel = read_text("a.csv", "y;x\n1;2\n", &ReadOptions { text, ..options("y") }).unwrap();
    assert_eq!(panel.width(), 1);
}

#[test]
fn without_a_header_columns_are_numbered() {
    let text = TextForm { header: false, ..TextForm::default() };
    let options = ReadOptions { text, ..options("Column_0") };
    let panel = read_text("a.csv", "1,2,3\n4,5,6\n", &options).unwrap();
    assert_eq!(panel.rows(), 2);
    assert_eq!(panel.target().unwrap().to_f32(), [1.0, 4.0]);
    assert_eq!(
        panel.schema().features().iter().map(|n| &**n).collect::<Vec<_>>(),
        ["Column_1", "Column_2"]
    );
    refused("a.csv", "", &options, &["no rows"]);
}

#[test]
fn words_for_missing_numbers() {
    let text = TextForm { missing: vec!["NA".into(), "nan".into()], ..TextForm::default() };
    let kept = ReadOptions { text, ..options("y") };
    let panel = read_text("a.csv", "y,x\nnan,NA\n1,2\n", &kept).unwrap();
    assert!(panel.feature(0).to_f32()[0].is_nan() && panel.target().unwrap().to_f32()[0].is_nan());
    let refuse = ReadOptions { missing: Missing::Refuse, ..kept };
    refused("a.csv", "y,x\n1,NA\n", &refuse, &["line 2", "'x'", "NA"]);
    refused("a.csv", "y,x\n1,2\n3,NA\n", &options("y"), &["line 3", "'NA'"]);
}

#[test]
fn libsvm_is_dense_after_reading() {
    let text = "1 qid:1 0:4 2:0.5\n# nothing\n0 qid:1 1:7\n2 qid:2\n0 qid:2 0:nan # end\n";
    let by_query = ReadOptions { era: Some("qid".into()), ..options("label") };
    let panel = read_text("a.train", text, &by_query).unwrap();
    assert_eq!((panel.rows(), panel.width(), panel.eras().len()), (4, 3, 2));
    assert_eq!(panel.feature(2).to_f32(), [0.5, 0.0, 0.0, 0.0]);
    assert!(panel.feature(1).is_u8() && !panel.feature(2).is_u8());
    assert!(panel.feature(0).to_f32()[3].is_nan());
    assert_eq!(panel.target().unwrap().to_f32(), [1.0, 0.0, 2.0, 0.0]);
    // Columns beyond the file's last one are zeros where they are named.
    let features = Features::Named(vec!["Column_4".into()]);
    let wide = ReadOptions { features, ..options("label") };
    assert_eq!(read_text("a.svm", text, &wide).unwrap().feature(0).to_f32(), [0.0; 4]);
}

#[test]
fn broken_libsvm_is_refused_with_its_place() {
    for (text, parts) in [
        ("1 0:1\n1 0:x\n", ["line 2", "'x'"]),
        ("1 0:1\n1 x\n", ["line 2", "index:value"]),
        ("1 1:1 0:2\n", ["line 1", "indices that increase"]),
        ("1 0:1 0:2\n", ["line 1", "indices that increase"]),
        ("1 4000000000:1\n", ["line 1", "below 1048576"]),
        ("1 0:inf\n", ["line 1", "a finite number"]),
        ("1 qid:1 0:1\n1 0:1\n", ["line 2", "a query in every line"]),
        ("1 0:1\n1 qid:1 0:1\n", ["line 2", "no query"]),
        ("", ["a.svm", "no rows"]),
    ] {
        let by_query = text.contains("qid").then(|| "qid".to_owned());
        refused("a.svm", text, &ReadOptions { era: by_query, ..options("label") }, &parts);
    }
    refused(
        "a.svm",
        "1 0:1\n",
        &ReadOptions { era: Some("qid".into()), ..options("label") },
        &["no column 'qid'"],
    );
    let refuse = ReadOptions { missing: Missing::Refuse, ..options("label") };
    refused("a.svm", "1 0:1\n1 0:nan\n", &refuse, &["line 2", "Column_0"]);
}

#[test]
fn names_are_told_whatever_the_format() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.tsv");
    let names = |text: &str, options: &ReadOptions| {
        std::fs::write(&path, text).unwrap();
        read_names(&path, options).unwrap()
    };
    let usual = ReadOptions::default();
    assert_eq!(names("id\tx\n1\t2\n", &usual), ["id", "x"]);
    let text = TextForm { header: false, ..TextForm::default() };
    assert_eq!(names("1\t2\n", &ReadOptions { text, ..usual.clone() }), ["Column_0", "Column_1"]);
    assert_eq!(names("1 qid:3 1:2\n", &usual), ["label", "qid", "Column_0", "Column_1"]);
    let panel = Panel::builder().feature("a", vec![1u8]).target("y", vec![1.0f32]).build().unwrap();
    for file in ["p.parquet", "p.arrow"] {
        let path = folder.path().join(file);
        match file {
            "p.arrow" => fattail_store::write_ipc(&panel, &path).unwrap(),
            _ => fattail_store::write_parquet(&panel, &path).unwrap(),
        }
        let names = read_names(&path, &usual).unwrap();
        assert!(names.contains(&"a".to_owned()) && names.contains(&"y".to_owned()), "{names:?}");
    }
}

#[test]
fn numbers_beside_the_data() {
    let folder = tempfile::tempdir().unwrap();
    let file = |text: &str| {
        let path = folder.path().join("beside");
        std::fs::write(&path, text).unwrap();
        path
    };
    assert_eq!(read_weights(file("1\r\n 0.5\n2e1\n\n")).unwrap(), [1.0, 0.5, 20.0]);
    assert!(read_weights(file("")).unwrap().is_empty());
    let told = |error: fattail_store::Error| error.to_string();
    for text in ["1\n\n2\n", "1\nnan\n", "1\n1,5"] {
        let told = told(read_weights(file(text)).unwrap_err());
        assert!(told.contains("line 2, column 'weight'"), "{told}");
    }
    let queries = told(read_queries(file("3\n-1\n")).unwrap_err());
    assert!(queries.contains("line 2") && queries.contains("found '-1'"), "{queries}");
    assert!(read_queries(folder.path().join("none")).is_err());
}
