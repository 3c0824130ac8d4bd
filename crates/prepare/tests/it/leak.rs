//! The leak laws, for every transform of the table: later eras never change earlier outputs, streams
//! are batches, and a fit sees train rows only. Three laws of 350 random panels: more than 1,000 cases,
//! each over the whole table. The one transform that leaks is the positive control.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

use fattail_core::{Fit, Panel, Transform};
use fattail_prepare::*;
use proptest::test_runner::{Config, TestCaseError, TestCaseResult, TestRunner};

use crate::tables::{LEAKS, Plan, difference, eras_of, looking_back, panel, scalers, transforms};

const CASES: u32 = 350;

fn eras(panel: &Panel, range: std::ops::Range<usize>) -> Panel {
    panel.cut(&range.collect::<Vec<_>>()).unwrap()
}

fn rows(panel: &Panel, eras: usize) -> usize {
    panel.eras().ranges().take(eras).map(|range| range.len()).sum()
}

fn random(law: impl Fn(u64, usize, usize) -> TestCaseResult) {
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    let strategy = (0..u64::MAX / 2, 0..64usize, 0..64usize);
    TestRunner::new(config).run(&strategy, |(seed, a, b)| law(seed, a, b)).unwrap();
}

/// Fits on the first eras, changes everything from a later era on, in values and in rows.
#[test]
fn later_eras_never_change_earlier_outputs() {
    let (leaking, moving) = (RefCell::new(BTreeSet::new()), RefCell::new(BTreeMap::new()));
    random(|seed, a, b| {
        let all = eras_of(seed);
        let train = 2 + a % (all - 2);
        let cut = train + b % (all - train);
        let before = panel(Plan { seed, changed_from: usize::MAX });
        let after = panel(Plan { seed, changed_from: cut });
        for (name, recipe) in transforms() {
            let fitted = recipe.fit(&eras(&before, 0..train)).unwrap();
            for start in [0, train] {
                let of = |panel: &Panel| fitted.transform(eras(panel, start..all)).unwrap();
                let (x, y) = (of(&before), of(&after));
                let past = rows(&x, cut - start);
                if let Some(place) = difference(&x, &y, past) {
                    if name != LEAKS {
                        return Err(TestCaseError::fail(format!("{name} leaks at {place}")));
                    }
                    leaking.borrow_mut().insert(name.clone());
                }
                // What is cut off is the same as what never was.
                if name != LEAKS && cut > start {
                    let short = fitted.transform(eras(&before, start..cut)).unwrap();
                    if let Some(place) = difference(&short, &x, past) {
                        return Err(TestCaseError::fail(format!("{name} looks ahead at {place}")));
                    }
                }
                let common = x.rows().min(y.rows());
                let moved = difference(&x, &y, common).is_some();
                *moving.borrow_mut().entry(name.clone()).or_insert(false) |= moved;
            }
        }
        Ok(())
    });
    assert!(leaking.borrow().contains(LEAKS), "the control does not leak: the test sees nothing");
    let still: Vec<_> =
        moving.borrow().iter().filter(|(_, m)| !**m).map(|(n, _)| n.clone()).collect();
    assert!(still.is_empty(), "nothing that was changed reached {still:?}");
}

/// The columns behind a train panel hold later eras too; a fit must not see them.
#[test]
fn a_fit_sees_train_rows_only() {
    random(|seed, a, _| {
        let all = eras_of(seed);
        let train = 2 + a % (all - 2);
        let before = panel(Plan { seed, changed_from: usize::MAX });
        let after = panel(Plan { seed, changed_from: train });
        for (name, recipe) in transforms() {
            let of = |source: &Panel| {
                let fitted = recipe.fit(&eras(source, 0..train)).unwrap();
                let blind = before.without_targets();
                [eras(&before, 0..train), eras(&before, train..all), eras(&blind, train..all)]
                    .map(|panel| fitted.transform(panel).unwrap())
            };
            for (x, y) in of(&before).iter().zip(of(&after)) {
                if let Some(place) = difference(x, &y, x.rows()) {
                    return Err(TestCaseError::fail(format!("{name} saw test rows: {place}")));
                }
            }
        }
        Ok(())
    });
}

/// Era after era through the streams, against the panel as a whole.
#[test]
fn streams_are_batches() {
    random(|seed, a, b| {
        let all = eras_of(seed);
        let train = 2 + a % (all - 2);
        let whole = panel(Plan { seed, changed_from: usize::MAX });
        let later = eras(&whole, train..all);
        let table = scalers();
        let scaler = table[b % table.len()];
        let batch = scaler.fit(&eras(&whole, 0..train)).unwrap().transform(later.clone()).unwrap();
        let (length, closed) = match scaler.mode {
            Mode::Train => return Ok(()),
            Mode::PerEra => (Some(1), Closed::Both),
            Mode::Rolling { eras, closed } => (Some(eras), closed),
            Mode::Expanding { closed } => (None, closed),
        };
        for at in 0..whole.width() {
            let mut stream = ScalerStream::new(scaler.method, length, closed).unwrap();
            let mut streamed = Vec::new();
            for era in whole.feature(at).eras() {
                let mut out = vec![0.0; era.len()];
                stream.push(&era.to_f64(), &mut out).unwrap();
                streamed.extend(out.into_iter().map(|v| v as f32));
            }
            let expected = batch.feature(at).to_f32();
            let tail = &streamed[whole.rows() - later.rows()..];
            same(tail, &expected, &format!("{scaler:?}"))?;
        }
        follow_ids(&whole, train)
    });
}

/// Rolling features of a panel after train, against one stream an id over all eras.
fn follow_ids(whole: &Panel, train: usize) -> TestCaseResult {
    let all = whole.eras().len();
    let step = looking_back().fit(&eras(whole, 0..train)).unwrap();
    let batch = step.transform(eras(whole, train..all)).unwrap();
    let rolling = Rolling { min_periods: Some(1), ..Rolling::new(3) };
    let mut streams: BTreeMap<String, (RollingStream, EwmStream)> = BTreeMap::new();
    let (mut std, mut ewm) = (Vec::new(), Vec::new());
    let values = whole.feature_named("holes").unwrap().to_f32();
    for (row, &value) in values.iter().enumerate() {
        let fresh = || {
            let decay = EwmStream::new(Ewm::default()).unwrap();
            (RollingStream::new(rolling).unwrap(), decay)
        };
        let id = whole.id(row).unwrap().to_owned();
        let (window, decay) = streams.entry(id).or_insert_with(fresh);
        window.push(value.into());
        decay.push(value.into());
        std.push(window.get(Stat::Std) as f32);
        ewm.push(decay.mean() as f32);
    }
    let past = whole.rows() - batch.rows();
    let made = |name: &str| batch.feature_named(name).unwrap().to_f32();
    same(&std[past..], &made("holes_std_3"), "rolling features")?;
    same(&ewm[past..], &made("holes_ewm_mean"), "decaying features")
}

fn same(a: &[f32], b: &[f32], what: &str) -> TestCaseResult {
    let equal = |(a, b): (&f32, &f32)| a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan();
    if a.len() == b.len() && a.iter().zip(b).all(equal) {
        return Ok(());
    }
    Err(TestCaseError::fail(format!("{what}: stream {a:?}, batch {b:?}")))
}

/// Bars look back only.
#[test]
fn later_bars_never_change_earlier_features() {
    random(|seed, a, _| {
        let of = |changed: bool| {
            let draw = |row: u64, column: u64| {
                let key = if changed && row >= 20 { !seed } else { seed };
                let mixed = (key ^ (row * 8 + column)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
                1.0 + (mixed >> 40) as f64
            };
            let columns: Vec<Vec<f64>> =
                (0..5).map(|column| (0..40).map(|row| draw(row, column)).collect()).collect();
            let [open, high, low, close, volume] =
                [0, 1, 2, 3, 4].map(|at: usize| &columns[at][..]);
            let settings = BarSettings { window: 1 + a % 10, ..BarSettings::default() };
            bar_features(&Bars { open, high, low, close, volume }, &settings).unwrap()
        };
        for ((name, x), (_, y)) in of(false).into_iter().zip(of(true)) {
            let equal = (0..20).all(|row| x[row].to_bits() == y[row].to_bits() || x[row].is_nan());
            if !equal || x[20..] == y[20..] {
                return Err(TestCaseError::fail(format!("bar feature {name}")));
            }
        }
        Ok(())
    });
}
