//! The leak laws, for every transform of the table: later eras never change earlier outputs, of steps
//! that look back not even when they are fitted on them; streams are batches; a fit sees train rows
//! only. Each law has 1,000 random panels, each for the whole table. What leaks, and what learns from
//! all of train, are the positive controls.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Mutex,
};

use fattail_core::{Fit, Panel, Transform};
use fattail_prepare::*;
use proptest::test_runner::{Config, TestCaseError, TestCaseResult, TestRunner};

use crate::tables::{
    LEAKS, Plan, Sight, Step, difference, eras_of, looking_back, panel, scalers, transforms,
};

const CASES: u32 = 1000;

fn eras(panel: &Panel, range: std::ops::Range<usize>) -> Panel {
    panel.cut(&range.collect::<Vec<_>>()).unwrap()
}

fn rows(panel: &Panel, eras: usize) -> usize {
    panel.eras().ranges().take(eras).map(|range| range.len()).sum()
}

/// Runs a law on one thread: its panels are too small to be worth waking another one for.
fn random(law: impl Fn(u64, usize, usize) -> TestCaseResult + Sync) {
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    let strategy = (0..u64::MAX / 2, 0..64usize, 0..64usize);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let run = || TestRunner::new(config).run(&strategy, |(seed, a, b)| law(seed, a, b));
    pool.install(run).unwrap();
}

/// Fits on the first eras, changes everything from a later era on, in values and in rows.
#[test]
fn later_eras_never_change_earlier_outputs() {
    let (leaking, moving) = (Mutex::new(BTreeSet::new()), Mutex::new(BTreeMap::new()));
    random(|seed, a, b| {
        let all = eras_of(seed);
        // An era after train stays as it was, another one changes.
        let train = 3 + a % (all - 4);
        let cut = train + 1 + b % (all - train - 1);
        let before = panel(Plan { seed, changed_from: usize::MAX });
        let after = panel(Plan { seed, changed_from: cut });
        let first = eras(&before, 0..train);
        let cuts = [0, train].map(|start| {
            let whole = [&before, &after].map(|panel| eras(panel, start..all));
            let [before, after] = whole;
            (start, [before.clone(), after, eras(&before, 0..cut - start)])
        });
        for Step { name, recipe, .. } in transforms() {
            let fitted = recipe.fit(&first).unwrap();
            for (start, panels) in &cuts {
                let [x, y, short] = panels.each_ref().map(|p| fitted.transform(p.clone()).unwrap());
                let past = rows(&x, cut - *start);
                if let Some(place) = difference(&x, &y, past) {
                    if name != LEAKS {
                        return Err(TestCaseError::fail(format!("{name} leaks at {place}")));
                    }
                    leaking.lock().unwrap().insert(name.clone());
                }
                // What is cut off is the same as what never was.
                if name != LEAKS
                    && let Some(place) = difference(&short, &x, past)
                {
                    return Err(TestCaseError::fail(format!("{name} looks ahead at {place}")));
                }
                let common = x.rows().min(y.rows());
                let moved = difference(&x, &y, common).is_some();
                *moving.lock().unwrap().entry(name.clone()).or_insert(false) |= moved;
            }
        }
        Ok(())
    });
    assert!(
        leaking.lock().unwrap().contains(LEAKS),
        "the control does not leak: the test sees nothing"
    );
    let still: Vec<_> =
        moving.lock().unwrap().iter().filter(|(_, m)| !**m).map(|(n, _)| n.clone()).collect();
    assert!(still.is_empty(), "nothing that was changed reached {still:?}");
}

/// Fits on the whole panel and transforms it, from its first era on and from a later one, before and
/// after everything from a later era on was changed.
#[test]
fn steps_that_look_back_may_be_fitted_on_everything() {
    let moving = Mutex::new(BTreeSet::new());
    random(|seed, a, b| {
        let all = eras_of(seed);
        let cut = 3 + a % (all - 3);
        let start = 1 + b % (cut - 1);
        let before = panel(Plan { seed, changed_from: usize::MAX });
        let after = panel(Plan { seed, changed_from: cut });
        for Step { name, sight, recipe } in transforms() {
            let of = |panel: &Panel| {
                let fitted = recipe.fit(panel).unwrap();
                [0, start].map(|start| fitted.transform(eras(panel, start..all)).unwrap())
            };
            for ((x, y), start) in of(&before).iter().zip(of(&after)).zip([0, start]) {
                let Some(place) = difference(x, &y, rows(x, cut - start)) else { continue };
                if sight == Sight::Past {
                    return Err(TestCaseError::fail(format!("{name} leaks at {place}")));
                }
                moving.lock().unwrap().insert(name.clone());
            }
        }
        Ok(())
    });
    let table = transforms().into_iter();
    let train: BTreeSet<_> =
        table.filter(|step| step.sight == Sight::Train).map(|step| step.name).collect();
    assert_eq!(*moving.lock().unwrap(), train, "what learns from train must show that it does");
}

/// The columns behind a train panel hold later eras too; a fit must not see them.
#[test]
fn a_fit_sees_train_rows_only() {
    random(|seed, a, _| {
        let all = eras_of(seed);
        let train = 3 + a % (all - 3);
        let before = panel(Plan { seed, changed_from: usize::MAX });
        let after = panel(Plan { seed, changed_from: train });
        for Step { name, recipe, .. } in transforms() {
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
    random(|seed, a, _| {
        let all = eras_of(seed);
        let train = 3 + a % (all - 3);
        let whole = panel(Plan { seed, changed_from: usize::MAX });
        let later = eras(&whole, train..all);
        for scaler in scalers() {
            follow_eras(&whole, &later, train, scaler)?;
        }
        follow_ids(&whole, train)
    });
}

/// A scaler on a panel after train, against one stream a feature over all eras.
fn follow_eras(whole: &Panel, later: &Panel, train: usize, scaler: Scaler) -> TestCaseResult {
    let (length, closed) = match scaler.mode {
        // Learnt once: there is nothing to stream.
        Mode::Train => return Ok(()),
        Mode::PerEra => (Some(1), Closed::Both),
        Mode::Rolling { eras, closed } => (Some(eras), closed),
        Mode::Expanding { closed } => (None, closed),
    };
    let batch = scaler.fit(&eras(whole, 0..train)).unwrap().transform(later.clone()).unwrap();
    for at in 0..whole.width() {
        let new = || ScalerStream::new(scaler.method, length, closed).unwrap();
        let (mut stream, mut absorbing) = (new(), new());
        let (mut streamed, mut absorbed) = (Vec::new(), Vec::new());
        for (index, era) in whole.feature(at).eras().enumerate() {
            let (values, mut out) = (era.to_f64(), vec![0.0; era.len()]);
            stream.push(&values, &mut out).unwrap();
            if index >= train {
                streamed.extend(out.iter().map(|&v| v as f32));
                absorbing.push(&values, &mut out).unwrap();
                absorbed.extend(out.iter().map(|&v| v as f32));
            } else {
                absorbing.absorb(&values);
            }
        }
        let expected = batch.feature(at).to_f32();
        same(&streamed, &expected, &format!("{scaler:?}"))?;
        same(&absorbed, &expected, &format!("absorbing {scaler:?}"))?;
    }
    Ok(())
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

/// The same bits, or NaN in both.
fn same<T: Copy + Into<f64> + std::fmt::Debug>(a: &[T], b: &[T], what: &str) -> TestCaseResult {
    let equal = |(a, b): (&T, &T)| {
        let (a, b): (f64, f64) = ((*a).into(), (*b).into());
        a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan()
    };
    if a.len() == b.len() && a.iter().zip(b).all(equal) {
        return Ok(());
    }
    Err(TestCaseError::fail(format!("{what}: {a:?} and {b:?}")))
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
            let settings = BarSettings { window: 2 + a % 9, ..BarSettings::default() };
            bar_features(&Bars { open, high, low, close, volume }, &settings).unwrap()
        };
        for ((name, x), (_, y)) in of(false).into_iter().zip(of(true)) {
            if same(&x[..20], &y[..20], &name).is_err() || same(&x[20..], &y[20..], &name).is_ok() {
                return Err(TestCaseError::fail(format!("bar feature {name}")));
            }
        }
        Ok(())
    });
}
