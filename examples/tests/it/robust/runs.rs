//! Runs that succeed, what they leave, and runs that are killed and go on.

use std::{
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use fattail::{
    Fit, Predict, Transform,
    neural::{NeuralModel, RobustMlp},
    prepare::{EmpiricalTarget, Method},
    training::{Event, Response, Symptom},
};
use fattail_examples::robust::{
    Facts, Scaling, Series, Split, Summary, Trained, Trainer, Verdict, panel_of,
};
use fattail_testing::Bars;
use serde_json::Value;

use crate::workshop::Workshop;

const ROBUST: &str = env!("CARGO_BIN_EXE_robust");
/// All that a run leaves.
const FILES: [&str; 7] = [
    "best_model.safetensors",
    "final_model.safetensors",
    "training.json",
    "scaling.json",
    "log.jsonl",
    "curve.svg",
    "summary.json",
];

fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).expect("the file")).expect("JSON")
}

/// Bars as a CSV, with names in capitals and a column that nobody asked for.
pub(super) fn csv(bars: usize) -> String {
    let drawn = Bars { bars, seed: 5, signal: 0.2, ..Bars::default() }.series().unwrap();
    let row = |at: usize| {
        let (open, high, low) = (drawn.open[at], drawn.high[at], drawn.low[at]);
        let (close, volume, minute) = (drawn.close[at], drawn.volume[at], drawn.minute[at]);
        format!("{minute},{open},{high},{low},{close},{close},{volume}\n")
    };
    let rows: String = (0..bars).map(row).collect();
    format!("Date,OPEN,High,low,Close,Adj Close,Volume\n{rows}")
}

#[track_caller]
fn succeeds(shop: &Workshop, args: &[&str]) -> String {
    let output = shop.run(ROBUST, args);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn a_run_on_drawn_bars_leaves_a_whole_folder() {
    let shop = Workshop::new();
    let args = ["--bars", "20000", "--signal", "0.2", "--learning-rate", "1e-3"];
    let more = ["--epochs", "2", "--out", "@out", "--json", "@s.json", "--threads", "2"];
    let told = succeeds(&shop, &[&args[..], &more].concat());
    assert!(told.contains("Huber") && told.contains("MAE") && told.contains("299 parameters"));
    for file in FILES {
        assert!(shop.path("out").join(file).exists(), "{file}");
    }
    let summary = json(&shop.path("s.json"));
    assert_eq!(summary, json(&shop.path("out/summary.json")));
    assert_eq!(
        (&summary["data"]["train_rows"], &summary["data"]["test_rows"]),
        (&16000.into(), &3995.into())
    );
    assert_eq!(summary["test"]["rows"], 3990);
    assert!(summary["data"]["kurtosis"].as_f64().unwrap() > 100.0);
    assert!(summary["test"]["huber_gain"]["lower"].as_f64().unwrap() > 0.0, "{told}");
    assert!(summary["training"]["seconds_per_epoch"].as_f64().unwrap() > 0.0);
    // 16,000 rows of 5 features take 1 MB with what stands beside them.
    let memory = summary["training"]["memory"].as_u64().unwrap();
    assert!((1_000_000..10_000_000).contains(&memory), "{memory}");
    assert_eq!(shop.names(), ["out", "s.json"], "the log beside the folder is gone");

    let log = std::fs::read_to_string(shop.path("out/log.jsonl")).unwrap();
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.iter().filter(|line| line["kind"] == "epoch").count(), 2);
    assert_eq!(lines.last().unwrap()["kind"], "stopped");
    assert!(std::fs::read_to_string(shop.path("out/curve.svg")).unwrap().contains("holdout"));
    let training = json(&shop.path("out/training.json"));
    assert_eq!(training["learner"]["regime"]["objective"]["delta"], 0.1);

    // A second run replaces the folder.
    succeeds(&shop, &["--bars", "3000", "--epochs", "1", "--out", "@out"]);
    assert_eq!(json(&shop.path("out/summary.json"))["data"]["bars"], 3000);
}

#[test]
fn what_is_left_predicts_the_same() {
    let shop = Workshop::new();
    succeeds(&shop, &["--bars", "5000", "--epochs", "1", "--seed", "4", "--out", "@out"]);
    let bytes = std::fs::read(shop.path("out/final_model.safetensors")).unwrap();
    let model = NeuralModel::from_bytes(&bytes).unwrap();
    assert_eq!(model.parameters(), 299);
    // The scales in the file are all that it takes to predict bars that are new.
    let scaling: fattail_examples::robust::Scaling =
        serde_json::from_slice(&std::fs::read(shop.path("out/scaling.json")).unwrap()).unwrap();
    let series = Series::draw(&Bars { bars: 200, seed: 9, ..Bars::default() }).unwrap();
    let panel = scaling.apply(&panel_of(&series, 5).unwrap()).unwrap();
    let predictions = model.predict(&panel).unwrap();
    assert!(predictions.iter().all(|value| (0.3..0.7).contains(value)), "{predictions:?}");
    let quantiles = &json(&shop.path("out/scaling.json"))["target"]["quantiles"];
    assert_eq!(quantiles.as_array().unwrap().len(), 1001);
}

#[test]
fn a_file_of_bars_is_read_whatever_the_case_of_its_names() {
    let shop = Workshop::new();
    shop.write("bars.csv", csv(6000));
    let args = ["--data", "@bars.csv", "--epochs", "2", "--hidden-dims", "8", "--out", "@out"];
    let told = succeeds(&shop, &args);
    assert!(told.starts_with("bars.csv: 6000 bars"), "{told}");
    let training = json(&shop.path("out/training.json"));
    assert_eq!(training["features"].as_array().unwrap().len(), 5);
}

#[test]
fn same_seed_same_bytes_for_any_number_of_threads() {
    let shop = Workshop::new();
    for (threads, out) in [("1", "@a"), ("2", "@b")] {
        let args = ["--bars", "4000", "--epochs", "2", "--threads", threads, "--out", out];
        succeeds(&shop, &args);
    }
    for file in ["best_model.safetensors", "final_model.safetensors", "scaling.json", "log.jsonl"] {
        let read = |out: &str| std::fs::read(shop.path(out).join(file)).unwrap();
        assert!(read("a") == read("b"), "{file} differs");
    }
}

#[test]
fn a_killed_run_goes_on_and_ends_with_the_same_bytes() {
    let shop = Workshop::new();
    let options = ["--bars", "30000", "--epochs", "12", "--patience", "0"];
    let every = ["--checkpoint-every", "500", "--checkpoint", "@run.checkpoint"];
    let with = |more: &[&'static str]| [&options[..], &every, more].concat();
    succeeds(&shop, &with(&["--out", "@whole"]));
    std::fs::remove_file(shop.path("run.checkpoint")).unwrap();

    let path = |arg: &&str| match arg.strip_prefix('@') {
        Some(name) => shop.path(name).into_os_string(),
        None => (*arg).into(),
    };
    let mut child = Command::new(ROBUST)
        .args(with(&["--out", "@killed"]).iter().map(path))
        .stdout(Stdio::null())
        .spawn()
        .expect("the binary runs");
    // A run that is over by then is resumed at its end.
    for _ in 0..600_000 {
        if shop.path("run.checkpoint").exists() || child.try_wait().unwrap().is_some() {
            break;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().ok();
    child.wait().unwrap();
    let resume = [&with(&["--out", "@resumed"])[..], &["--resume", "@run.checkpoint"]].concat();
    succeeds(&shop, &resume);
    for file in ["best_model.safetensors", "final_model.safetensors", "log.jsonl"] {
        let read = |out: &str| std::fs::read(shop.path(out).join(file)).unwrap();
        assert!(read("whole") == read("resumed"), "{file} differs");
    }
}

#[test]
fn a_run_that_is_given_up_says_so_and_leaves_its_last_good_weights() {
    let shop = Workshop::new();
    // A rate with which the first step throws the weights out of what a number can be.
    let args = ["--bars", "3000", "--learning-rate", "1e38", "--warm-up", "0", "--out", "@out"];
    let output = shop.run(ROBUST, &[&args[..], &["--epochs", "9", "--json", "@s.json"]].concat());
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(output.stdout.is_empty());
    let last = told.lines().last().unwrap();
    assert!(last.starts_with("error: the run was given up: "), "{told}");
    assert!(last.contains("last_good_model.safetensors"), "{told}");
    let out = shop.path("out");
    let bytes = std::fs::read(out.join("last_good_model.safetensors")).unwrap();
    assert_eq!(NeuralModel::from_bytes(&bytes).unwrap().parameters(), 299);
    assert!(!out.join("best_model.safetensors").exists());
    assert!(!out.join("final_model.safetensors").exists());
    let log = std::fs::read_to_string(out.join("log.jsonl")).unwrap();
    assert!(log.lines().count() > 50 && log.contains("the run was given up"));
    let stopped = json(&shop.path("s.json"))["training"]["stopped"].as_str().unwrap().to_owned();
    assert!(stopped.contains("given up"), "{stopped}");
    assert_eq!(shop.names(), ["out", "s.json"]);
}

#[test]
fn a_run_that_fails_leaves_the_log_of_what_happened_before() {
    let shop = Workshop::new();
    let bars = Bars { bars: 3000, seed: 1, ..Bars::default() };
    let panel = panel_of(&Series::draw(&bars).unwrap(), 5).unwrap();
    let scaling = Scaling::fit(&panel, &Method::Standard).unwrap();
    let ranked = scaling.apply(&panel).unwrap();
    let half = vec![0.5f32; ranked.rows()];
    let train = ranked.with_target_values(half).unwrap();
    let learner = RobustMlp::default();
    let (checkpoint, log) = (shop.path("none/run.checkpoint"), shop.path("log.jsonl"));
    let trainer = Trainer {
        learner: &learner,
        checkpoint: Some(&checkpoint),
        resume: None,
        log: Some(&log),
        observer: &fattail::silent,
    };
    // The checkpoint at the end of the first epoch cannot be written.
    shop.write("none", "a file");
    trainer.train(&train).unwrap_err();
    let text = std::fs::read_to_string(&log).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((lines.len(), &lines[0]["kind"]), (1, &"epoch".into()));
}

#[test]
fn a_run_that_fell_back_was_on_the_cpu() {
    let bars = Bars { bars: 2000, seed: 1, ..Bars::default() };
    let series = Series::draw(&bars).unwrap();
    let split = Split { train: 0.8, horizon: 5, gap: 5 };
    let parts = split.cut(&panel_of(&series, 5).unwrap()).unwrap();
    let scaling = Scaling::fit(&parts.train, &Method::Standard).unwrap();
    let train = EmpiricalTarget {}.fit(&parts.train).unwrap();
    let train = train.transform(scaling.apply(&parts.train).unwrap()).unwrap();
    let learner = RobustMlp::default();
    let trainer = Trainer {
        learner: &learner,
        checkpoint: None,
        resume: None,
        log: None,
        observer: &fattail::silent,
    };
    let mut trained = trainer.train(&train).unwrap();
    let verdict = Verdict::new(&[0.5; 9], &[0.5; 9], 0.5, 0.1, 1).unwrap();
    let summary = |trained: &Trained| {
        Summary::new(Facts::new(&series, split, &parts), trained, verdict, "cuda")
    };
    assert_eq!(summary(&trained).training.device, "cuda");
    assert!(summary(&trained).training.memory > 0 && summary(&trained).warnings.is_empty());
    trained.best.warning = Some("cuda fails its second probe".into());
    let told = summary(&trained);
    assert_eq!((told.training.device.as_str(), told.warnings.len()), ("cpu", 1));
    trained.best.warning = None;
    let reason = "it was unplugged".to_owned();
    trained.run.events.push(Event {
        epoch: 0,
        step: 7,
        symptom: Symptom::DeviceLost { reason },
        response: Response::FellBack { step: 0 },
    });
    let told = summary(&trained);
    assert_eq!(told.training.device, "cpu");
    assert!(told.warnings[0].contains("unplugged"), "{:?}", told.warnings);
}

#[test]
fn a_device_that_is_absent_is_replaced_with_a_warning() {
    let shop = Workshop::new();
    let args = ["--bars", "2000", "--epochs", "1", "--device", "cuda:99", "--out", "@out"];
    let output = shop.run(ROBUST, &args);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{told}");
    assert!(
        told.lines().any(|line| line.starts_with("warning: ") && line.contains("cuda:99")),
        "{told}"
    );
    let summary = json(&shop.path("out/summary.json"));
    assert_eq!(summary["training"]["device"], "cpu");
    assert!(summary["warnings"][0].as_str().unwrap().contains("cuda:99"));
}
