//! The tests of numerai-tools 0.7.2 (`test_scoring.py`, `test_signals.py`), by their numbers.

use fattail_core::Values;
use fattail_core::{Metric, Panel};
use fattail_evaluate::{
    Corr, Error, Keyed, PortfolioContribution, alpha, churn, max_churn, max_turnover,
    meta_portfolio_contribution, neutral_churn, neutral_churn_penalty, neutralize,
    neutralized_weights, numerai_corr, pearson_corr, spearman_corr, stake_weighted,
    tie_broken_rank_corr, top_bottom_churn, turnover,
};
use fattail_stats::{Ties, gaussianise, orthogonalise, power_signed, uniform_rank};

const IDS: [&str; 5] = ["a", "b", "c", "d", "e"];
const UP: [f64; 5] = [0.0, 1.0, 2.0, 3.0, 4.0];
const DOWN: [f64; 5] = [4.0, 3.0, 2.0, 1.0, 0.0];
const UP_DOWN: [f64; 5] = [1.0, 0.0, 1.0, 0.0, 1.0];
const DOWN_UP: [f64; 5] = [0.0, 1.0, 0.0, 1.0, 0.0];

fn near(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    for (a, b) in found.iter().zip(expected) {
        assert!((a - b).abs() <= 1e-12 || a == b, "{found:?} is not {expected:?}");
    }
}

#[test]
fn correlations() {
    type Score = fn(&[f64], &[f64]) -> fattail_evaluate::Result<f64>;
    for score in [spearman_corr as Score, pearson_corr] {
        let found: Vec<f64> =
            [UP, DOWN, UP_DOWN, DOWN_UP].iter().map(|p| score(p, &UP).unwrap()).collect();
        near(&found, &[1.0, -1.0, 0.0, 0.0]);
        near(&[score(&UP, &UP_DOWN).unwrap(), score(&UP, &DOWN_UP).unwrap()], &[0.0, 0.0]);
    }
    let broken = |t: &[f64], p: &[f64]| tie_broken_rank_corr(p, t).unwrap();
    near(
        &[broken(&UP, &UP), broken(&UP, &DOWN), broken(&UP, &UP_DOWN), broken(&UP, &DOWN_UP)],
        &[1.0, -1.0, 0.5, 0.5],
    );
    near(&[broken(&UP_DOWN, &UP), broken(&DOWN_UP, &UP)], &[0.0, 0.0]);
}

#[test]
fn ranks_and_gaussian_scores() {
    near(&uniform_rank(&UP, Ties::Average).unwrap(), &[0.1, 0.3, 0.5, 0.7, 0.9]);
    near(&uniform_rank(&UP_DOWN, Ties::Average).unwrap(), &[0.7, 0.2, 0.7, 0.2, 0.7]);
    near(&uniform_rank(&UP_DOWN, Ties::Broken).unwrap(), &[0.5, 0.1, 0.7, 0.3, 0.9]);
    let mut gauss = [0.0; 5];
    gaussianise(&[0.0, 0.25, 0.5, 0.75, 1.0], &mut gauss).unwrap();
    let quartile = 0.674_489_750_196_081_7;
    near(&gauss, &[f64::NEG_INFINITY, -quartile, 0.0, quartile, f64::INFINITY]);
    let powered = neutralized_weights(&UP, &[], &[1.0; 5]).unwrap();
    let (far, close) = (1.450_788_579_685_422, 0.379_747_270_907_126_3);
    near(&powered, &[-far, -close, 0.0, close, far]);
    let powers = [0.0, -0.0, 0.5, -0.5, 1.0, -1.0, 2.0, -2.0].map(power_signed);
    let (half, two) = (0.353_553_390_593_273_8, 2.828_427_124_746_190_3);
    near(&powers, &[0.0, 0.0, half, -half, 1.0, -1.0, two, -two]);
}

#[test]
fn orthogonal_parts() {
    let mut out = [0.0; 5];
    orthogonalise(&UP, &UP_DOWN, &mut out).unwrap();
    near(&out, &[-2.0, 1.0, 0.0, 3.0, 2.0]);
}

#[test]
fn neutral_parts() {
    let (zeros, ones) = ([0_u8; 5], [0_u8, 1, 0, 1, 0]);
    let (zeros, down_up) = (Values::U8(&zeros), Values::U8(&ones));
    near(&neutralize(&UP, &[zeros], 1.0).unwrap(), &[-2.0, -1.0, 0.0, 1.0, 2.0]);
    near(&neutralize(&DOWN, &[zeros, zeros], 1.0).unwrap(), &[2.0, 1.0, 0.0, -1.0, -2.0]);
    near(&neutralize(&UP_DOWN, &[down_up], 1.0).unwrap(), &[0.0; 5]);
    near(&neutralize(&UP_DOWN, &[down_up, down_up], 1.0).unwrap(), &[0.0; 5]);
    near(&neutralize(&UP_DOWN, &[down_up], 0.5).unwrap(), &[0.5, 0.0, 0.5, 0.0, 0.5]);
    let missing = neutralize(&[1.0, f64::NAN, 0.0, 1.0, 0.0], &[down_up], 1.0);
    assert_eq!(missing, Err(Error::Missing { name: "values", row: 1 }));
    let holes = [0.0, f32::NAN, 1.0, 0.0, 1.0];
    assert!(neutralize(&UP, &[Values::F32(&holes)], 1.0).is_err());
    assert!(neutralize(&[0.3; 5], &[down_up], 1.0).unwrap().iter().all(|v| v.is_nan()));
}

#[test]
fn the_power_of_the_target_makes_the_score_larger() {
    let line: Vec<f64> = (0..100).map(|x| f64::from(x) / 100.0).collect();
    let score = |target_pow15| {
        numerai_corr(&line, &line, &Corr { target_pow15, top_bottom: None }).unwrap()
    };
    assert!(score(true) > score(false));
}

#[test]
fn stakes_weigh() {
    let blend = stake_weighted(&[&UP, &DOWN], &[3.0, 1.0]).unwrap();
    near(&blend, &[1.0, 1.5, 2.0, 2.5, 3.0]);
    let refused = |stakes: &[f64]| stake_weighted(&[&UP, &DOWN], stakes).unwrap_err();
    assert_eq!(refused(&[0.0, 0.0]), Error::StakeTotal { total: 0.0 });
    assert_eq!(refused(&[1.0, -1.0]), Error::StakeTotal { total: 0.0 });
    assert!(refused(&[1.0, f64::NAN]).to_string().starts_with("stakes sum to NaN, allowed"));
    assert_eq!(stake_weighted(&[], &[]), Err(Error::StakeTotal { total: 0.0 }));
}

#[test]
fn alpha_and_meta_portfolio_contribution() {
    let neutralizers: [&[f64]; 2] = [&[1.0, 2.0, 3.0, 4.0, 5.0], &[5.0, 4.0, 3.0, 2.0, 1.0]];
    let signal = [1.0, 2.0, 3.0, 4.0, 5.0];
    let target = [1.0, 0.0, 1.0, 0.0, 1.0];
    let score = alpha(&signal, &neutralizers, &[1.0, 0.5, 1.0, 0.5, 1.0], &target).unwrap();
    assert!(score.abs() < 1e-14, "{score}");
    let weights = [3.0, 2.0, 1.0, 2.0, 3.0];
    let target = [1.0, 2.0, 3.0, 2.0, 1.0];
    let signals: [&[f64]; 2] = [&signal, &[1.0, 2.0, 1.0, 2.0, 1.0]];
    let slopes =
        meta_portfolio_contribution(&signals, &[0.6, 0.4], &neutralizers, &weights, &target);
    near(&slopes.unwrap(), &[-0.001_580_068_753_957_352, 0.002_370_103_130_936_03]);
    let stakes =
        meta_portfolio_contribution(&signals, &[f64::NAN, -1.0], &neutralizers, &weights, &target);
    assert_eq!(stakes, Err(Error::Stakes { sum: -1.0 }));
}

#[test]
fn contribution_to_a_portfolio_as_a_metric() {
    let panel = Panel::builder()
        .feature("x", vec![0u8; 5])
        .target("target", vec![1.0f32, 2.0, 3.0, 2.0, 1.0])
        .extra("other", vec![1.0f32, 2.0, 1.0, 2.0, 1.0])
        .extra("weights", vec![3.0f32, 2.0, 1.0, 2.0, 3.0])
        .extra("up", vec![1.0f32, 2.0, 3.0, 4.0, 5.0])
        .extra("down", vec![5.0f32, 4.0, 3.0, 2.0, 1.0])
        .build()
        .unwrap();
    let metric = PortfolioContribution {
        others: vec!["other".into()],
        stakes: vec![0.6, 0.4],
        weights: "weights".into(),
        neutralizers: vec!["up".into(), "down".into()],
    };
    let score =
        |metric: &PortfolioContribution| metric.score(&panel.era(0), &[1.0, 2.0, 3.0, 4.0, 5.0]);
    near(&[score(&metric).unwrap()], &[-0.001_580_068_753_957_352]);
    let short = PortfolioContribution { stakes: vec![1.0], ..metric.clone() };
    assert!(score(&short).unwrap_err().to_string().contains("stakes"));
    let raw = PortfolioContribution { neutralizers: Vec::new(), ..metric };
    assert!(score(&raw).unwrap_err().to_string().contains("neutralizers"));
}

fn keyed(values: &[f64]) -> Keyed<'_> {
    Keyed { ids: &IDS, values }
}

#[test]
fn churns() {
    let (peak, constant) = ([0.0, 1.0, 2.0, 1.0, 0.0], [1.0; 5]);
    let all: Vec<f64> =
        [UP, peak, UP_DOWN, DOWN].iter().map(|o| churn(keyed(&UP), keyed(o)).unwrap()).collect();
    near(&all, &[0.0, 1.0, 1.0, 2.0]);
    let error = churn(keyed(&UP), keyed(&constant)).unwrap_err();
    assert_eq!(error, Error::Constant { name: "second" });
    let ends: Vec<f64> = [UP, peak, UP_DOWN, DOWN, constant]
        .iter()
        .map(|other| top_bottom_churn(keyed(&UP), keyed(other), 2).unwrap())
        .collect();
    near(&ends, &[0.0, 0.5, 0.5, 1.0, 0.0]);
}

#[test]
fn turnovers() {
    let (peak, constant) = ([0.0, 1.0, 2.0, 1.0, 0.0], [1.0; 5]);
    let all: Vec<f64> = [UP, peak, UP_DOWN, DOWN, constant]
        .iter()
        .map(|other| turnover(keyed(&UP), keyed(other)).unwrap())
        .collect();
    near(&all, &[0.0, 3.0, 4.5, 6.0, 3.5]);
}

#[test]
fn a_first_submission_is_all_new() {
    assert_eq!(max_churn(keyed(&UP), &[]), Ok(1.0));
    assert_eq!(max_turnover(keyed(&UP), &[]), Ok(1.0));
    let stranger = Keyed { ids: &["v", "w", "x", "y", "z"], values: &UP };
    assert_eq!(max_churn(keyed(&UP), &[stranger]), Ok(1.0));
    assert_eq!(max_churn(keyed(&UP), &[stranger, keyed(&UP), keyed(&DOWN)]), Ok(2.0));
    assert_eq!(max_turnover(keyed(&UP), &[keyed(&UP), keyed(&DOWN)]), Ok(6.0));
}

#[test]
fn neutral_churns() {
    let feature = [0_u8, 1, 0, 1, 0];
    let features = [Values::U8(&feature)];
    let pair = |values| (keyed(values), &features[..]);
    let same = neutral_churn(pair(&UP), pair(&UP)).unwrap();
    let opposite = neutral_churn(pair(&UP), pair(&DOWN)).unwrap();
    assert!(same.abs() < 1e-12 && opposite > 1.5, "{same} {opposite}");
    near(&[neutral_churn_penalty(0.1), neutral_churn_penalty(0.0)], &[1.0, 1.0]);
    let expected = 2.0 / (1.0 + 1.0_f64.exp());
    near(&[neutral_churn_penalty(0.2)], &[expected]);
}
