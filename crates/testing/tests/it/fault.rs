//! What a violator needs: something that differs from call to call, and what a suite says of it.

use std::cell::Cell;

use fattail_testing::{Law, Verdict};

thread_local! {
    static CALLS: Cell<u32> = const { Cell::new(0) };
}

/// A number that differs from call to call, as an unseeded generator's would.
pub(crate) fn unseeded() -> f64 {
    f64::from(CALLS.replace(CALLS.get() + 1)) / 8.0
}

#[track_caller]
pub(crate) fn caught(verdict: Verdict, law: Law) {
    let violation = verdict.expect_err(&format!("'{law}' is broken and was not caught"));
    assert_eq!(violation.law, law, "{violation}");
}
