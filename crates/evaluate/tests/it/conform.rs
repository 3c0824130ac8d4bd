//! The suites of the house, for every metric and every split.

use fattail_core::Metric;
use fattail_evaluate::{
    AbsoluteError, Alpha, Blocked, Contribution, ContributionTo, Corr, CorrelationWith,
    EmbargoRule, Expanding, FeatureNeutralCorr, FeatureNeutralSpearman, Horizon, HuberError,
    MaxExposure, MeanExposure, Named, NeutralContribution, NeutralCorrelation, PearsonCorr,
    PurgedKFold, SpearmanCorr, SquaredError, TieBrokenRankCorr, WalkForward, Window,
};
use fattail_testing::{Law, check_metric, check_metric_except, check_split};

fn meta() -> String {
    "meta_model".into()
}

#[test]
fn correlations() {
    let all: [&dyn Metric; 7] = [
        &Corr::default(),
        &Corr { target_pow15: false, ..Corr::default() },
        &Named {
            name: "corr_tb20".into(),
            metric: Corr { top_bottom: Some(20), ..Corr::default() },
        },
        &SpearmanCorr,
        &PearsonCorr,
        &FeatureNeutralCorr::default(),
        &FeatureNeutralSpearman::default(),
    ];
    for metric in all.into_iter().chain([&NeutralCorrelation::default() as &dyn Metric]) {
        assert_eq!(check_metric(metric), Ok(()), "{}", metric.name());
    }
    let settings = Contribution::default();
    let neutral = NeutralContribution { column: meta(), features: None, settings };
    assert_eq!(check_metric(&neutral), Ok(()));
}

#[test]
fn metrics_that_are_defined_for_a_constant() {
    let all: [&dyn Metric; 5] = [
        &ContributionTo::mmc(meta()),
        &ContributionTo::bmc("benchmark"),
        &SquaredError,
        &AbsoluteError,
        &HuberError::default(),
    ];
    for metric in all {
        assert_eq!(check_metric_except(metric, &[Law::Undefined]), Ok(()), "{}", metric.name());
    }
    // Ties are broken by position, so a constant has ranks, and the order of rows matters to it.
    assert_eq!(check_metric_except(&TieBrokenRankCorr, &[Law::Undefined]), Ok(()));
}

#[test]
fn metrics_that_do_not_reward_the_target() {
    let all: [&dyn Metric; 3] =
        [&CorrelationWith { column: meta() }, &MaxExposure::default(), &MeanExposure::default()];
    for metric in all {
        assert_eq!(check_metric_except(metric, &[Law::Nearer]), Ok(()), "{}", metric.name());
    }
    // Other models stand in for weights and neutralisers: finite, whatever the order of rows.
    let alpha = Alpha { weights: meta(), neutralizers: vec!["benchmark".into()] };
    let except = [Law::Undefined, Law::Nearer];
    assert_eq!(check_metric_except(&alpha, &except), Ok(()));
}

#[test]
fn splits() {
    let (horizon, rule) = (Horizon::NUMERAI_60, EmbargoRule::NumeraiBenchmark);
    assert_eq!(check_split(&Expanding::default(), 5), Ok(()));
    assert_eq!(check_split(&Expanding { folds: 3, horizon, rule }, 16), Ok(()));
    assert_eq!(check_split(&Blocked::default(), 5), Ok(()));
    assert_eq!(check_split(&Blocked { folds: 4, horizon, rule }, 16), Ok(()));
    assert_eq!(check_split(&PurgedKFold::default(), 4), Ok(()));
    assert_eq!(check_split(&WalkForward::default(), 5), Ok(()));
    let window = Window::Rolling(52);
    let first =
        WalkForward { chunk: 4, window, first: Some(52), whole: true, ..Default::default() };
    assert_eq!(check_split(&first, 5), Ok(()));
    assert_eq!(
        check_split(&WalkForward { chunk: 40, window, horizon, rule, ..Default::default() }, 16),
        Ok(())
    );
}
