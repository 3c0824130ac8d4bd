//! The arrows of the house as a table: an edge that is not in it fails, and so does a row that no
//! edge needs any more. A new edge is a visible line in review.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

/// Each room and what it may use in the house, ground floor first.
const ROOMS: &[(&str, &[&str])] = &[
    ("core", &[]),
    ("stats", &[]),
    ("store", &["core"]),
    ("mend", &[]),
    ("ingest", &["core", "mend"]),
    ("evaluate", &["core", "stats"]),
    ("luck", &["stats"]),
    ("drift", &["core", "stats"]),
    ("guard", &["core", "stats"]),
    ("certificate", &["core", "evaluate", "stats"]),
    ("gate", &["core", "evaluate", "stats", "luck", "certificate"]),
    ("prepare", &["core", "stats"]),
    ("descent", &["core"]),
    ("report", &["core", "evaluate"]),
    ("linear", &["core", "descent"]),
    ("trees", &["core"]),
    ("exchange", &["core", "trees"]),
    ("bins", &["core", "trees"]),
    ("objective", &["core", "stats", "descent", "trees"]),
    ("gbdt", &["core", "stats", "descent", "trees", "bins", "objective"]),
    ("fused", &[]),
    ("mlp", &[]),
    ("training", &["core", "descent"]),
    ("neural", &["core", "descent", "fused", "mlp", "training"]),
    (
        "fattail",
        &[
            "core",
            "stats",
            "store",
            "evaluate",
            "luck",
            "drift",
            "guard",
            "certificate",
            "gate",
            "prepare",
            "descent",
            "report",
            "linear",
            "trees",
            "exchange",
            "ingest",
            "mend",
            "bins",
            "objective",
            "gbdt",
            "fused",
            "mlp",
            "training",
            "neural",
        ],
    ),
    ("testing", &["core", "stats", "evaluate", "descent"]),
    ("examples", &["fattail", "testing"]),
    ("benches", &["fattail"]),
    ("tests", &["fattail", "testing"]),
];

/// Outside crates and the only rooms that may name them.
const DOORS: &[(&str, &[&str])] =
    &[("arrow", &["store", "ingest"]), ("parquet", &["store", "ingest"]), ("burn", &["neural"])];

/// Non-blank lines that a file may have, tests at its end not counted.
const FILE_LINES: usize = 700;
/// Lines that a `lib.rs` may have.
const LIB_LINES: usize = 80;
/// Lines that the main of a binary may have.
const MAIN_LINES: usize = 120;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The packages of the workspace, as cargo tells them.
fn packages() -> Vec<Value> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON");
    metadata["packages"].as_array().expect("packages").clone()
}

fn room(package: &str) -> &str {
    package.strip_prefix("fattail-").unwrap_or(package)
}

/// Names of what a package depends on, development left out.
fn dependencies(package: &Value) -> BTreeSet<String> {
    let list = package["dependencies"].as_array().expect("dependencies");
    let normal = list.iter().filter(|dependency| dependency["kind"] != "dev");
    normal.map(|dependency| dependency["name"].as_str().expect("a name").to_owned()).collect()
}

fn name(package: &Value) -> &str {
    package["name"].as_str().expect("a name")
}

#[test]
fn every_arrow_is_in_the_table() {
    let allowed: BTreeMap<&str, BTreeSet<&str>> =
        ROOMS.iter().map(|(room, uses)| (*room, uses.iter().copied().collect())).collect();
    for package in packages() {
        let here = room(name(&package));
        let table =
            allowed.get(here).unwrap_or_else(|| panic!("room '{here}' is not in the table"));
        let names = dependencies(&package);
        let house = names.iter().filter(|name| name.starts_with("fattail"));
        let found: BTreeSet<&str> = house.map(|name| room(name)).collect();
        assert_eq!(
            &found, table,
            "the arrows of '{here}' (left) are not those of the table (right)"
        );
    }
}

#[test]
fn every_arrow_points_down() {
    let mut below = BTreeSet::new();
    for (room, uses) in ROOMS {
        for used in *uses {
            assert!(below.contains(used), "'{room}' uses '{used}', which is not below it");
        }
        below.insert(*room);
    }
}

#[test]
fn every_door_belongs_to_one_room() {
    for package in packages() {
        let here = room(name(&package)).to_owned();
        for dependency in dependencies(&package) {
            for (door, keepers) in DOORS {
                let named = dependency == *door || dependency.starts_with(&format!("{door}-"));
                assert!(
                    !named || keepers.contains(&here.as_str()),
                    "'{here}' names '{dependency}', which only {keepers:?} may"
                );
            }
        }
    }
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Non-blank lines above the tests of a file.
fn lines(text: &str) -> usize {
    let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    code.lines().filter(|line| !line.trim().is_empty()).count()
}

#[test]
fn files_stay_small_and_rooms_forbid_unsafe_code() {
    let mut files = Vec::new();
    sources(&root().join("crates"), &mut files);
    sources(&root().join("examples"), &mut files);
    let source = |path: &&PathBuf| path.components().any(|part| part.as_os_str() == "src");
    for path in files.iter().filter(source) {
        let text = std::fs::read_to_string(path).expect("readable");
        let limit = if path.ends_with("src/lib.rs") {
            let lifted = ["store/src/lib.rs", "trees/src/lib.rs", "fused/src/lib.rs"]
                .iter()
                .any(|may| path.ends_with(may));
            assert!(
                text.contains("#![forbid(unsafe_code)]") || lifted,
                "{} does not forbid unsafe code",
                path.display()
            );
            LIB_LINES
        } else if path.parent().is_some_and(|folder| folder.ends_with("src/bin")) {
            MAIN_LINES
        } else {
            FILE_LINES
        };
        assert!(
            lines(&text) <= limit,
            "{} has {} lines, {limit} are allowed",
            path.display(),
            lines(&text)
        );
    }
    assert!(files.len() > 50, "the walk found only {} files", files.len());
}
