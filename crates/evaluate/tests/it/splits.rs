//! What every split must keep, for any setting: no training era within the gap of a test era, test eras
//! that partition what was promised, and nothing left out without a reason.

use std::cell::Cell;

use fattail_core::Eras;
use fattail_evaluate::{
    Blocked, EmbargoRule, Expanding, Fold, Given, Horizon, Nested, PurgedKFold, Split, WalkForward,
    Window,
};
use proptest::prelude::*;

fn eras(count: usize) -> Eras {
    Eras::from_labels((1..=count).map(|era| format!("{era:04}"))).unwrap()
}

fn rule() -> impl Strategy<Value = EmbargoRule> {
    prop_oneof![
        Just(EmbargoRule::LabelDisjoint),
        Just(EmbargoRule::RealTime),
        Just(EmbargoRule::NumeraiBenchmark)
    ]
}

fn horizon() -> impl Strategy<Value = Horizon> {
    (1_u32..70, 0_u32..5, 0_u32..5, 1_u32..9).prop_map(
        |(days, lag_days, data_lag_days, era_days)| Horizon {
            days,
            lag_days,
            data_lag_days,
            era_days,
        },
    )
}

fn increasing(list: &[usize]) -> bool {
    list.windows(2).all(|pair| pair[0] < pair[1])
}

/// The least distance of `era` from the test eras, on the given side.
fn distance(era: usize, test: &[usize]) -> usize {
    test.iter().map(|&t| t.abs_diff(era)).min().unwrap()
}

fn check_folds(folds: &[Fold], gap: usize) -> Result<(), TestCaseError> {
    for fold in folds {
        prop_assert!(!fold.train.is_empty() && !fold.test.is_empty());
        prop_assert!(increasing(&fold.train) && increasing(&fold.test));
        for &era in &fold.train {
            prop_assert!(distance(era, &fold.test) > gap, "era {era} is within {gap} of {fold:?}");
        }
    }
    let all: Vec<usize> = folds.iter().flat_map(|fold| fold.test.iter().copied()).collect();
    prop_assert!(increasing(&all));
    Ok(())
}

/// Labels that start `lag` days after their era and are known `data_lag` days after their end.
fn check_labels(folds: &[Fold], horizon: &Horizon, rule: EmbargoRule) -> Result<(), TestCaseError> {
    let day = |era: usize| era as u64 * u64::from(horizon.era_days);
    let (lag, length) = (u64::from(horizon.lag_days), u64::from(horizon.days));
    for fold in folds {
        for (&a, &b) in fold.train.iter().flat_map(|a| fold.test.iter().map(move |b| (a, b))) {
            let (first, last) = (day(a.min(b)), day(a.max(b)));
            prop_assert!(first + lag + length < last + lag, "labels of {a} and {b} meet");
            if rule == EmbargoRule::RealTime && a < b {
                let known = first + lag + length + u64::from(horizon.data_lag_days);
                prop_assert!(known < last, "the label of {a} is not known at {b}");
            }
        }
    }
    Ok(())
}

fn cases() -> ProptestConfig {
    ProptestConfig::with_cases(300)
}

fn count_one(seen: &Cell<usize>) {
    seen.set(seen.get() + 1);
}

#[test]
fn forward_splits() {
    let (expanding, walking) = (Cell::new(0), Cell::new(0));
    proptest!(cases(), |(
        count in 2_usize..300,
        folds in 1_usize..12,
        window in prop_oneof![Just(Window::Anchored), (1_usize..60).prop_map(Window::Rolling)],
        rule in rule(),
        horizon in horizon(),
    )| {
        let (eras, gap) = (eras(count), rule.gap(&horizon).unwrap());
        if let Ok(found) = (Expanding { folds, horizon, rule }).folds(&eras) {
            count_one(&expanding);
            check_folds(&found, gap)?;
            check_labels(&found, &horizon, rule)?;
            prop_assert_eq!(found.len(), folds);
            let first = found[0].test[0];
            let tested: Vec<usize> = found.iter().flat_map(|fold| fold.test.clone()).collect();
            prop_assert_eq!(tested, (first..count).collect::<Vec<_>>());
            for fold in &found {
                // All of the past but the gap.
                prop_assert_eq!(&fold.train, &(0..fold.test[0] - gap).collect::<Vec<_>>());
            }
        }
        let chunk = folds * 7;
        if let Ok(found) = (WalkForward { chunk, window, horizon, rule, ..Default::default() }).folds(&eras) {
            count_one(&walking);
            check_folds(&found, gap)?;
            check_labels(&found, &horizon, rule)?;
            let tested: Vec<usize> = found.iter().flat_map(|fold| fold.test.clone()).collect();
            prop_assert_eq!(tested, (chunk..count).collect::<Vec<_>>());
            for fold in &found {
                let end = fold.test[0] - gap;
                let most = match window {
                    Window::Anchored => end,
                    Window::Rolling(most) => most.min(end),
                };
                prop_assert_eq!(&fold.train, &(end - most..end).collect::<Vec<_>>());
            }
        }
    });
    // No law holds for want of cases.
    assert!(expanding.get() > 60 && walking.get() > 60, "{expanding:?} {walking:?}");
}

#[test]
fn splits_on_both_sides() {
    let seen = Cell::new(0);
    proptest!(cases(), |(
        count in 2_usize..300,
        folds in 2_usize..12,
        embargo_days in 0_u32..40,
        rule in rule(),
        horizon in horizon(),
    )| {
        let (eras, gap) = (eras(count), rule.gap(&horizon).unwrap());
        let embargo = embargo_days.div_ceil(horizon.era_days) as usize;
        let all = [
            ((Blocked { folds, horizon, rule }).folds(&eras), 0),
            ((PurgedKFold { folds, horizon, rule, embargo_days }).folds(&eras), embargo),
        ];
        for (found, embargo) in all {
            let Ok(found) = found else { continue };
            count_one(&seen);
            check_folds(&found, gap)?;
            check_labels(&found, &horizon, rule)?;
            let tested: Vec<usize> = found.iter().flat_map(|fold| fold.test.clone()).collect();
            prop_assert_eq!(tested, (0..count).collect::<Vec<_>>());
            for fold in &found {
                let (start, end) = (fold.test[0], fold.test[fold.test.len() - 1] + 1);
                for era in (0..count).filter(|era| !fold.train.contains(era)) {
                    let reason = fold.test.contains(&era)
                        || (era < start && era + gap >= start)
                        || (era >= end && era < end + gap + embargo);
                    prop_assert!(reason, "era {era} is left out of {fold:?}");
                }
            }
        }
    });
    // Of two splits a case.
    assert!(seen.get() > 200, "{seen:?}");
}

#[test]
fn walks_that_begin_with_a_given_length() {
    let seen = Cell::new(0);
    proptest!(cases(), |(
        count in 20_usize..300,
        chunk in 1_usize..30,
        first in 1_usize..60,
        whole in any::<bool>(),
        rule in rule(),
        horizon in horizon(),
    )| {
        let gap = rule.gap(&horizon).unwrap();
        let window = Window::Rolling(first);
        let split = WalkForward { chunk, window, first: Some(first), whole, horizon, rule };
        let found = split.folds(&eras(count));
        // There is a fold whenever a chunk, or a part of it, fits behind the first training eras.
        let room = count.saturating_sub(first + gap);
        prop_assert_eq!(found.is_ok(), chunk < count && room >= if whole { chunk } else { 1 });
        let Ok(found) = found else { return Ok(()) };
        count_one(&seen);
        check_folds(&found, gap)?;
        check_labels(&found, &horizon, rule)?;
        prop_assert_eq!(found[0].test[0], first + gap);
        prop_assert!(found.iter().all(|fold| fold.train.len() == first));
        let tested: Vec<usize> = found.iter().flat_map(|fold| fold.test.clone()).collect();
        let end = if whole { count - room % chunk } else { count };
        prop_assert_eq!(tested, (first + gap..end).collect::<Vec<_>>());
    });
    assert!(seen.get() > 100, "{seen:?}");
}

#[test]
fn inner_folds_know_nothing_of_the_outer_test() {
    let seen = Cell::new(0);
    proptest!(cases(), |(
        count in 60_usize..300,
        outer in 2_usize..6,
        inner in 2_usize..5,
        forward in any::<bool>(),
        rule in rule(),
        days in 1_u32..30,
    )| {
        let (eras, horizon) = (eras(count), Horizon { days, ..Horizon::NUMERAI_20 });
        let gap = rule.gap(&horizon).unwrap();
        let outer: Box<dyn Split> = Box::new(PurgedKFold { folds: outer, horizon, rule, embargo_days: 5 });
        let inner: Box<dyn Split> = if forward {
            Box::new(Expanding { folds: inner, horizon, rule })
        } else {
            Box::new(Blocked { folds: inner, horizon, rule })
        };
        let Ok(folds) = (Nested { outer, inner }).folds(&eras) else {
            return Ok(());
        };
        count_one(&seen);
        for fold in folds {
            check_folds(&fold.inner, gap)?;
            check_labels(&fold.inner, &horizon, rule)?;
            let inside = fold.inside();
            prop_assert_eq!(inside.len(), fold.inner.len());
            for (inner, inside) in fold.inner.iter().zip(&inside) {
                let all = inner.train.iter().chain(&inner.test);
                for era in all.clone() {
                    prop_assert!(fold.outer.train.binary_search(era).is_ok());
                    prop_assert!(distance(*era, &fold.outer.test) > gap);
                }
                let back = inside.train.iter().chain(&inside.test).map(|&at| &fold.outer.train[at]);
                prop_assert!(back.eq(all));
            }
            // Every training era is tested, or stands before the first inner test.
            if !forward {
                let tested: Vec<usize> = fold.inner.iter().flat_map(|f| f.test.clone()).collect();
                prop_assert_eq!(&tested, &fold.outer.train);
            }
            prop_assert_eq!(Given(fold.inner.clone()).folds(&eras).unwrap(), fold.inner);
        }
    });
    assert!(seen.get() > 100, "{seen:?}");
}

#[test]
fn enough_eras_are_never_refused() {
    proptest!(cases(), |(folds in 2_usize..8, rule in rule())| {
        let eras = eras(folds * 40);
        let horizon = Horizon::NUMERAI_60;
        let splits: [&dyn Split; 4] = [
            &Expanding { folds, horizon, rule },
            &Blocked { folds, horizon, rule },
            &PurgedKFold { folds, horizon, rule, embargo_days: 5 },
            &WalkForward { chunk: 30, horizon, rule, ..Default::default() },
        ];
        for split in splits {
            prop_assert!(split.folds(&eras).is_ok());
        }
    });
}
