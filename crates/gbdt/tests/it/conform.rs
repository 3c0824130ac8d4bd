//! The laws that every learner keeps.

use fattail_gbdt::{Gbdt, Growth, Limits};
use fattail_testing::check_learner_on_missing;

#[test]
fn laws_of_learners_hold() {
    let limits = Limits { min_data_in_leaf: 10, ..Limits::default() };
    let settings = Gbdt { rounds: 20, leaves: 8, limits, ..Gbdt::default() };
    check_learner_on_missing(&settings).unwrap();
    let oblivious = Gbdt { growth: Growth::Oblivious, depth: Some(3), ..settings };
    check_learner_on_missing(&oblivious).unwrap();
}
