//! The laws that every learner keeps.

use fattail_linear::{ElasticNet, HuberRegression, Ridge, Threshold};
use fattail_testing::check_learner;

#[test]
fn ridge() {
    check_learner(&Ridge::default()).unwrap();
    check_learner(&Ridge { gap: 2, lags: 2, ..Ridge::default() }).unwrap();
    check_learner(&Ridge { standardise: false, intercept: false, ..Ridge::default() }).unwrap();
}

#[test]
fn huber() {
    check_learner(&HuberRegression::default()).unwrap();
    let fixed = HuberRegression { threshold: Threshold::Fixed(0.1), ..HuberRegression::default() };
    check_learner(&fixed).unwrap();
}

#[test]
fn elastic_net() {
    check_learner(&ElasticNet::default()).unwrap();
}
