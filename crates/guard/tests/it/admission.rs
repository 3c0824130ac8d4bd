//! Permits never sum above the budget, waiters are served in order, plans cover every row once.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use fattail_guard::{Budget, Job, Permit, Why};
use proptest::prelude::*;

const LONG: Duration = Duration::from_secs(30);

proptest! {
    /// Against a plain ledger.
    #[test]
    fn permits_never_sum_above_the_budget(
        capacity in 0u64..2000,
        moves in prop::collection::vec((0u64..1500, 0usize..6, 0u64..1500), 0..60),
    ) {
        let budget = Budget::of(capacity);
        let mut held: Vec<Permit> = Vec::new();
        for (bytes, which, rest) in moves {
            let sum: u64 = held.iter().map(Permit::bytes).sum();
            prop_assert_eq!(budget.held(), sum);
            prop_assert!(sum <= capacity);
            match budget.admit(bytes) {
                Ok(permit) => {
                    prop_assert!(sum + bytes <= capacity);
                    held.push(permit);
                }
                Err(refused) => {
                    prop_assert!(sum + bytes > capacity);
                    let never = bytes > capacity;
                    prop_assert_eq!(refused.why, if never { Why::Never } else { Why::Busy });
                    prop_assert_eq!((refused.asked, refused.held), (bytes, sum));
                }
            }
            if which < held.len() {
                match which % 2 {
                    0 => drop(held.swap_remove(which)),
                    _ => held[which].shrink_to(rest),
                }
            }
        }
        drop(held);
        prop_assert_eq!(budget.held(), 0);
        prop_assert!(budget.most_held() <= capacity);
    }

    #[test]
    fn plans_cover_every_row_once_and_fit(
        capacity in 1u64..100_000,
        rows in 0u64..50_000,
        row_bytes in 0u64..500,
        overhead in 0u64..2000,
        at_once in 1u64..5,
    ) {
        let budget = Budget::of(capacity);
        let job = Job { rows, row_bytes, overhead, at_once };
        match budget.plan(&job) {
            Ok(plan) => {
                let ranges: Vec<_> = plan.ranges().collect();
                prop_assert_eq!(ranges.len() as u64, plan.pieces);
                let mut next = 0;
                for range in &ranges {
                    prop_assert_eq!(range.start, next);
                    prop_assert!(range.end > range.start && range.end - range.start <= plan.piece_rows);
                    next = range.end;
                }
                prop_assert_eq!(next, rows);
                if rows > 0 {
                    prop_assert!(at_once * plan.piece_bytes <= capacity);
                    // One piece less would not fit.
                    if plan.pieces > 1 {
                        let larger = rows.div_ceil(plan.pieces - 1) * row_bytes + overhead;
                        prop_assert!(larger > capacity / at_once);
                    }
                    let permits: Vec<_> = (0..at_once).map(|_| budget.admit(plan.piece_bytes)).collect();
                    prop_assert!(permits.iter().all(Result::is_ok));
                }
            }
            Err(_) => prop_assert!(rows > 0 && row_bytes + overhead > capacity / at_once),
        }
    }
}

#[test]
fn threads_never_hold_more_than_there_is() {
    let budget = Budget::of(1000);
    let (sum, most) = (AtomicU64::new(0), AtomicU64::new(0));
    thread::scope(|scope| {
        for worker in 0..8u64 {
            let (budget, sum, most) = (budget.clone(), &sum, &most);
            scope.spawn(move || {
                for turn in 0..200u64 {
                    let bytes = (worker * 131 + turn * 37) % 600;
                    let permit = budget.admit_within(bytes, LONG).unwrap();
                    let now = sum.fetch_add(bytes, Ordering::SeqCst) + bytes;
                    most.fetch_max(now, Ordering::SeqCst);
                    sum.fetch_sub(bytes, Ordering::SeqCst);
                    drop(permit);
                }
            });
        }
    });
    assert!(most.into_inner() <= 1000 && budget.most_held() <= 1000);
    assert_eq!(budget.held(), 0);
}

#[test]
fn a_large_one_is_not_overtaken() {
    let budget = Budget::of(100);
    let first = budget.admit(60).unwrap();
    let order = Mutex::new(Vec::new());
    let served = |bytes: u64| {
        let permit = budget.admit_within(bytes, LONG).unwrap();
        order.lock().unwrap().push(bytes);
        drop(permit);
    };
    thread::scope(|scope| {
        scope.spawn(|| served(90));
        // Those who do not wait do not overtake those who do.
        while budget.admit(10).is_ok() {
            thread::yield_now();
        }
        assert_eq!(budget.admit(10).unwrap_err().why, Why::Busy);
        scope.spawn(|| served(30));
        thread::sleep(Duration::from_millis(20));
        assert!(order.lock().unwrap().is_empty());
        drop(first);
    });
    assert_eq!(*order.lock().unwrap(), [90, 30]);
}

#[test]
fn patience_ends_and_leaves_no_trace() {
    let budget = Budget::of(100);
    let held = budget.admit(60).unwrap();
    let refused = budget.admit_within(50, Duration::from_millis(5)).unwrap_err();
    assert_eq!((refused.why, refused.held), (Why::Late, 60));
    assert_eq!(budget.admit_within(101, LONG).unwrap_err().why, Why::Never);
    // Nobody waits any more.
    assert!(budget.admit(40).is_ok());
    drop(held);
    let text = refused.to_string();
    assert!(text.contains("50 bytes") && text.contains("100 bytes by the setting"), "{text}");
}
