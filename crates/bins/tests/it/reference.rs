//! Bins are LightGBM's: every bound to the last bit, every code.
//!
//! `reference/bins.py` made the cases. Nothing is tolerated, as both sides take the same steps
//! on the same numbers. Bounds that are not finite inside a column are compared as LightGBM writes
//! them into a model, as 1e300; positive infinity then has the bin above, as in LightGBM's predictions,
//! where its training has it with the largest finite values.

use std::fs;

use fattail_bins::{Binning, Kind};
use fattail_trees::Missing;
use serde::Deserialize;

use crate::panels::{binned, codes, single};

#[derive(Deserialize)]
struct Cases {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    #[serde(default)]
    values: Vec<Option<Value>>,
    #[serde(default)]
    hashed: Option<u64>,
    small: bool,
    categorical: bool,
    max_bins: usize,
    min_data_in_bin: usize,
    #[serde(default)]
    forced: Vec<f64>,
    sample: Option<usize>,
    seed: Option<u64>,
    use_missing: Option<bool>,
    zero_as_missing: Option<bool>,
    expected: Expected,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Value {
    Finite(f64),
    Infinite(String),
}

impl Value {
    fn number(&self) -> f64 {
        match self {
            Self::Finite(value) => *value,
            Self::Infinite(text) => text.parse().unwrap(),
        }
    }
}

#[derive(Deserialize)]
struct Expected {
    bins: usize,
    codes: Vec<usize>,
    missing: usize,
    #[serde(default)]
    upper: Vec<f64>,
    #[serde(default)]
    categories: Vec<i32>,
    zero_bin: usize,
    min: Value,
    max: Value,
}

impl Case {
    fn column(&self) -> Vec<f32> {
        let hash = |at: u64| ((at * 2_654_435_761 % (1 << 32)) >> 8) as f32 / 16_777_216.0;
        if let Some(rows) = self.hashed {
            return (0..rows).map(hash).collect();
        }
        let number = |value: &Option<Value>| value.as_ref().map_or(f32::NAN, |v| v.number() as f32);
        self.values.iter().map(number).collect()
    }

    fn binning(&self) -> Binning {
        let plain = Binning::default();
        let forced = (!self.forced.is_empty()).then(|| ("x".to_owned(), self.forced.clone()));
        Binning {
            max_bins: self.max_bins,
            min_data_in_bin: self.min_data_in_bin,
            sample: self.sample.unwrap_or(plain.sample),
            seed: self.seed.unwrap_or(plain.seed),
            use_missing: self.use_missing.unwrap_or(true),
            zero_as_missing: self.zero_as_missing.unwrap_or(false),
            categorical: if self.categorical { vec!["x".into()] } else { vec![] },
            forced: forced.into_iter().collect(),
            ..plain
        }
    }
}

fn cases() -> Vec<Case> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reference/bins.json");
    let text = fs::read_to_string(beside).unwrap();
    serde_json::from_str::<Cases>(&text).unwrap().cases
}

#[test]
fn bounds_and_codes_are_lightgbms() {
    for (at, case) in cases().iter().enumerate() {
        let column = case.column();
        let (mappers, binned) = binned(&single(column.clone()), &case.binning());
        let (mapper, expected) = (&mappers.mappers[0], &case.expected);
        match &mapper.kind {
            Kind::Numeric { upper } => assert_eq!(upper[..upper.len() - 1], expected.upper, "{at}"),
            Kind::Categorical { categories } => {
                assert_eq!(*categories, expected.categories, "{at}")
            }
        }
        let missing = [Missing::None, Missing::Zero, Missing::Nan][expected.missing];
        let found = (mapper.bins, mapper.missing, mapper.zero_bin, mapper.min, mapper.max);
        let known = (
            expected.bins,
            missing,
            expected.zero_bin,
            expected.min.number(),
            expected.max.number(),
        );
        assert_eq!(found, known, "case {at}");
        for (row, &known) in expected.codes.iter().enumerate() {
            let code = binned.columns[0].codes.get(row);
            if column[row] == f32::INFINITY {
                assert_eq!(code, expected.upper.len(), "row {row} of case {at}");
            } else {
                assert_eq!(code, known, "row {row} of case {at}");
            }
        }
    }
}

/// Small integers may keep their values as codes: then the thresholds between present values are
/// LightGBM's, and equal codes are equal codes there.
#[test]
fn small_integers_split_where_lightgbm_does() {
    let mut seen = 0;
    for (at, case) in cases().iter().enumerate().filter(|(_, case)| case.small) {
        let values: Vec<u8> = case.column().iter().map(|&x| x as u8).collect();
        let (mappers, binned) = binned(&single(values), &case.binning());
        let (mapper, codes) = (&mappers.mappers[0], codes(&binned, 0));
        for (&code, &known) in codes.iter().zip(&case.expected.codes) {
            if case.categorical {
                assert_eq!(code, known, "case {at}");
            } else {
                let bound = case.expected.upper.get(known).copied().unwrap_or(1e300);
                assert_eq!(mapper.threshold(code), bound, "case {at}, code {code}");
            }
        }
        seen += 1;
    }
    assert!(seen > 5, "{seen} columns of small integers");
}
