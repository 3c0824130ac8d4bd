//! Bad input is refused in one line that names the place; nothing is left behind.

use super::runs::csv;
use crate::workshop::Workshop;

/// Runs `robust` in a folder and gives the one line that it must fail with.
#[track_caller]
fn refusal(shop: &Workshop, args: &[&str]) -> String {
    let before = shop.names();
    let output = shop.run(env!("CARGO_BIN_EXE_robust"), args);
    let told = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert_eq!(told.lines().count(), 1, "not one line: {told}");
    assert!(told.starts_with("error: "), "{told}");
    assert!(output.stdout.is_empty());
    assert_eq!(shop.names(), before, "something was left behind");
    told
}

/// What a file with one line replaced is refused with.
#[track_caller]
fn refused(line: usize, with: &str, parts: &[&str]) {
    let shop = Workshop::new();
    let text = csv(300);
    let lines: Vec<&str> =
        text.lines().enumerate().map(|(at, old)| if at == line { with } else { old }).collect();
    shop.write("bars.csv", lines.join("\n"));
    let told = refusal(&shop, &["--data", "@bars.csv", "--out", "@out"]);
    for part in parts.iter().chain(&["bars.csv"]) {
        assert!(told.contains(part), "'{part}' is not in: {told}");
    }
}

#[test]
fn columns_that_are_not_there() {
    refused(0, "Date,First,High,low,Close,Adj Close,Amount", &["'open', 'volume'", "'First'"]);
    refused(0, "Date,OPEN,High,low,Adj Close,Other,Volume", &["no column 'close'"]);
}

#[test]
fn cells_that_are_no_prices() {
    refused(7, "9000,nan,1,1,1,1,1", &["line 8", "OPEN"]);
    refused(7, "9000,1,inf,1,1,1,1", &["line 8", "High"]);
    refused(7, "9000,1,1,x,1,1,1", &["line 8", "low", "'x'"]);
    refused(7, "9000,1,1,1,,1,1", &["line 8", "Close"]);
    refused(7, "576,1,1,1,0,1,1", &["row 6", "Close", "found 0", "above 0"]);
    refused(7, "576,1,1,1,1,1,-3", &["row 6", "Volume", "found -3", "not negative"]);
}

#[test]
fn bars_that_are_not_sorted() {
    refused(9, "3,1,1,1,1,1,1", &["line 10", "'3'"]);
}

#[test]
fn files_that_are_none_and_too_few_bars() {
    let shop = Workshop::new();
    let told = refusal(&shop, &["--data", "@missing.csv", "--out", "@out"]);
    assert!(told.contains("missing.csv"), "{told}");
    shop.write("short.csv", csv(8));
    let told = refusal(&shop, &["--data", "@short.csv", "--out", "@out"]);
    assert!(told.contains("8 bars are too few"), "{told}");
    shop.write("empty.csv", csv(8).lines().next().unwrap());
    let told = refusal(&shop, &["--data", "@empty.csv", "--out", "@out"]);
    assert!(told.contains("empty.csv") && told.contains("no rows"), "{told}");
    // A training part whose holdout and gap leave nothing.
    let args = ["--bars", "100", "--holdout", "0.9", "--gap", "10", "--out", "@out"];
    let told = refusal(&shop, &args);
    assert!(told.contains("training part") && told.contains("empty"), "{told}");
}

#[test]
fn options_that_contradict() {
    let shop = Workshop::new();
    shop.write("bars.csv", csv(300));
    for (args, parts) in [
        (&["--horizon", "9", "--gap", "3"][..], &["--gap is 3", "at least --horizon, 9"][..]),
        (&["--horizon", "0"], &["periods", "0"]),
        (&["--train-share", "1"], &["--train-share is 1"]),
        (&["--learning-rate", "-1"], &["--learning-rate is -1"]),
        (&["--dropout", "1.5"], &["dropout", "1.5"]),
        (&["--hidden-dims", "16,0"], &["hidden"]),
        (&["--batch-size", "0"], &["batch_size"]),
        (&["--epochs", "0"], &["epochs"]),
        (&["--device", "abacus"], &["abacus", "cpu"]),
        (&["--threads", "5000"], &["--threads is 5000"]),
    ] {
        let told = refusal(&shop, &[args, &["--bars", "500", "--out", "@out"]].concat());
        for part in parts {
            assert!(told.contains(part), "{args:?}: '{part}' is not in: {told}");
        }
    }
    let args = ["--data", "@bars.csv", "--signal", "1", "--out", "@out"];
    assert!(refusal(&shop, &args).contains("--signal"));
}

#[test]
fn memory_that_is_too_little() {
    let shop = Workshop::new();
    let told = |size: &str| {
        let args =
            ["--bars", "5000", "--batch-size", "2048", "--max-memory", size, "--out", "@out"];
        refusal(&shop, &args)
    };
    let little = told("900k");
    for part in ["on 2048 samples together", "parameters 1196", "allowed are 921600", "would fit"] {
        assert!(little.contains(part), "'{part}' is not in: {little}");
    }
    assert!(told("10k").contains("not even one sample fits"));
}

#[test]
fn checkpoints_that_are_none_or_of_another_run() {
    let shop = Workshop::new();
    let robust = env!("CARGO_BIN_EXE_robust");
    let run = ["--bars", "2000", "--epochs", "1", "--out", "@out", "--checkpoint", "@c"];
    assert!(shop.run(robust, &run).status.success());
    let bytes = std::fs::read(shop.path("c")).unwrap();
    shop.write("cut", &bytes[..bytes.len() / 2]);
    shop.write("text", "not a checkpoint");
    for name in ["@cut", "@text"] {
        let told = refusal(&shop, &["--bars", "2000", "--resume", name, "--out", "@new"]);
        assert!(told.contains("not a checkpoint"), "{told}");
    }
    for (args, part) in [
        (&["--bars", "2000", "--epochs", "1", "--hidden-dims", "8,8"][..], "network"),
        (&["--bars", "2000", "--epochs", "2"], "settings"),
        (&["--bars", "2000", "--epochs", "1", "--signal", "0.3"], "samples"),
    ] {
        let told = refusal(&shop, &[args, &["--resume", "@c", "--out", "@new"]].concat());
        assert!(told.contains("of another run") && told.contains(part), "{told}");
    }
    let told = refusal(&shop, &["--bars", "2000", "--resume", "@none", "--out", "@new"]);
    assert!(told.contains("none"), "{told}");
}

#[test]
fn places_that_cannot_be_written() {
    let shop = Workshop::new();
    shop.write("file", "x");
    for out in ["@file/below", "."] {
        let told = refusal(&shop, &["--bars", "500", "--epochs", "1", "--out", out]);
        assert!(told.contains("cannot write") || told.contains("not replaced"), "{told}");
    }
    let args = ["--bars", "500", "--epochs", "1", "--checkpoint", "@file/c", "--out", "@out"];
    let told = refusal(&shop, &args);
    assert!(told.contains("cannot write"), "{told}");
}
