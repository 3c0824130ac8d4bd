//! The transforms in the house's suite. Its panels have no ids, which rolling features need: those
//! stand in `leak.rs` alone.

use fattail_prepare::*;
use fattail_testing::check_transform;

use crate::tables::{Adds, scalers};

#[test]
fn targets() {
    check_transform(&PerEraRank::default()).unwrap();
    check_transform(&EmpiricalTarget {}).unwrap();
    for closed in [Closed::Left, Closed::Both] {
        check_transform(&ExpandingRank { closed }).unwrap();
    }
    assert!(check_transform(&LeakyGlobalRank {}).is_err());
}

#[test]
fn features() {
    for scaler in scalers() {
        check_transform(&scaler).unwrap_or_else(|broken| panic!("{scaler:?}: {broken}"));
    }
    check_transform(&AllTwosToMissing {}).unwrap();
    for fill in [Fill::Median, Fill::Mean, Fill::Constant(0.5), Fill::EraMedian] {
        check_transform(&Impute { fill }).unwrap();
    }
    check_transform(&Winsorise::default()).unwrap();
}

#[test]
fn neutral_steps_and_selections() {
    check_transform(&Neutralise::default()).unwrap();
    check_transform(&SelectStable::default()).unwrap();
    check_transform(&SelectDistinct::default()).unwrap();
    let keep = Keep::Top(2);
    let important =
        SelectImportant { learner: Adds, holdout: 2, gap: 1, repeats: 1, seed: 1, keep };
    check_transform(&important).unwrap();
}
