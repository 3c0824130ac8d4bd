//! What scores answer at the edges, as numerai-tools 0.7.2 does unless a comment says otherwise.

use fattail_core::{Metric, Panel, Values};
use fattail_evaluate::{
    Alpha, Contribution, ContributionTo, Corr, CorrelationWith, EraScorer, Error,
    FeatureNeutralCorr, FeatureNeutralSpearman, MaxExposure, MeanExposure, Named,
    NeutralContribution, NeutralCorrelation, PearsonCorr, Predictions, SpearmanCorr, TargetScale,
    TieBrokenRankCorr, correlation_contribution, correlation_with_others,
    correlation_with_stake_weighted, exposure_dissimilarity, feature_exposures,
    feature_neutral_corr, max_feature_correlation, neutral_contribution, neutral_correlation,
    neutralize, neutralized_weights, numerai_corr, score_predictions,
};

use fattail_stats::{GaussTable, Ranker, Ties};

use crate::panels::{ROWS, panel};

const P: [f64; 6] = [0.3, 0.1, 0.9, 0.4, 0.7, 0.2];
const T: [f64; 6] = [0.5, 0.0, 1.0, 0.25, 0.5, 0.75];
const M: [f64; 6] = [0.2, 0.6, 0.8, 0.1, 0.5, 0.9];
const F: [u8; 6] = [0, 1, 4, 2, 3, 2];

fn corr(p: &[f64], t: &[f64]) -> Result<f64, Error> {
    numerai_corr(p, t, &Corr::default())
}

fn mmc(p: &[f64], m: &[f64], t: &[f64], scale: TargetScale) -> f64 {
    correlation_contribution(p, m, t, &Contribution { scale, top_bottom: None }).unwrap()
}

#[test]
fn constants() {
    assert!(corr(&[0.5; 6], &T).unwrap().is_nan());
    assert!(corr(&P, &[0.5; 6]).unwrap().is_nan());
    assert_eq!(mmc(&[0.5; 6], &M, &T, TargetScale::UnitToFour), 0.0);
    assert!(mmc(&P, &[0.5; 6], &T, TargetScale::UnitToFour).is_nan());
    assert!(mmc(&M, &M, &T, TargetScale::UnitToFour).abs() < 1e-15);
    // numerai-tools fails with a message about missing ids; here the score is not defined.
    let features = [Values::U8(&F)];
    let fnc = feature_neutral_corr(&[0.5; 6], &features, &T, &Corr::default());
    assert!(fnc.unwrap().is_nan());
    assert!(neutral_correlation(&[0.5; 6], &features, &T, None).unwrap().is_nan());
    let none = neutral_contribution(&[0.5; 6], &M, &features, &T, &Contribution::default());
    assert!(none.unwrap().is_nan());
}

#[test]
fn one_row_and_two() {
    assert_eq!(corr(&[0.1], &[0.5]), Err(Error::TooFewRows { given: 1, least: 2 }));
    assert_eq!(corr(&[], &[]), Err(Error::TooFewRows { given: 0, least: 2 }));
    assert_eq!(corr(&[0.1, 0.2], &[0.0, 1.0]).unwrap().round(), 1.0);
    assert_eq!(corr(&[0.1, 0.2], &[1.0, 0.0]).unwrap().round(), -1.0);
}

#[test]
fn ten_of_a_hundred_unknown_rows_go_and_twenty_one_are_too_many() {
    let p: Vec<f64> = (0..100).map(|i| f64::from(i * 37 % 100)).collect();
    let t: Vec<f64> = (0..100).map(|i| f64::from(i * 61 % 5) / 4.0).collect();
    let holes = |count: usize| {
        let mut p = p.clone();
        p[..count].fill(f64::NAN);
        p
    };
    // The mean is that of all known targets, before the rows go.
    let mean = t.iter().sum::<f64>() / 100.0;
    let shifted: Vec<f64> = t[10..].iter().map(|t| t - mean).collect();
    let powered: Vec<f64> = shifted.iter().map(|t| t * t.abs().sqrt()).collect();
    let plain = Corr { target_pow15: false, top_bottom: None };
    let expected = numerai_corr(&p[10..], &powered, &plain).unwrap();
    assert!((corr(&holes(10), &t).unwrap() - expected).abs() < 1e-14);
    assert!(corr(&holes(20), &t).is_ok());
    let refused = Error::Overlap { name: "predictions", shared: 79, rows: 100, least: 80 };
    assert_eq!(corr(&holes(21), &t), Err(refused.clone()));
    assert_eq!(corr(&t, &holes(21)), Err(refused));
}

#[test]
fn infinite_predictions_rank() {
    let (mut infinite, mut large) = (P, P);
    (infinite[2], large[2]) = (f64::INFINITY, 1e9);
    (infinite[1], large[1]) = (f64::NEG_INFINITY, -1e9);
    assert_eq!(corr(&infinite, &T), corr(&large, &T));
}

#[test]
fn the_scale_of_targets_is_said_and_not_guessed() {
    let returns = T.map(|t| t / 10.0);
    let as_is = mmc(&P, &M, &returns, TargetScale::AsIs);
    assert!((mmc(&P, &M, &returns, TargetScale::UnitToFour) - 4.0 * as_is).abs() < 1e-15);
    // The trap: positive returns are multiplied by 4, the same returns less their mean are not.
    let guess = TargetScale::GuessAsNumeraiTools;
    let shifted = returns.map(|t| t - 0.05);
    assert!((mmc(&P, &M, &returns, guess) - 4.0 * as_is).abs() < 1e-15);
    assert!((mmc(&P, &M, &shifted, guess) - as_is).abs() < 1e-15);
}

#[test]
fn top_and_bottom_need_enough_rows() {
    let ends = |count| numerai_corr(&P, &T, &Corr { top_bottom: Some(count), ..Corr::default() });
    assert_eq!(ends(0), Err(Error::TopBottom { given: 0, rows: 6 }));
    assert_eq!(ends(4), Err(Error::TopBottom { given: 4, rows: 6 }));
    assert!((ends(3).unwrap() - corr(&P, &T).unwrap()).abs() < 1e-15);
}

#[test]
fn neutral_scores_need_features_that_fit() {
    let fnc = |features: &[Values<'_>]| feature_neutral_corr(&P, features, &T, &Corr::default());
    assert_eq!(fnc(&[]), Err(Error::NoFeatures));
    let short = Error::Length { name: "feature", given: 3, expected: 6 };
    assert_eq!(fnc(&[Values::U8(&F[..3])]), Err(short));
    let mut holes = F.map(f32::from);
    holes[0] = f32::NAN;
    assert!(fnc(&[Values::F32(&holes)]).is_err());
    // A row with an unknown feature goes in the neutral scores.
    let found = neutral_correlation(&P, &[Values::F32(&holes)], &T, None).unwrap();
    let expected = neutral_correlation(&P[1..], &[Values::U8(&F[1..])], &T[1..], None).unwrap();
    assert!((found - expected).abs() < 1e-14);
    // Bins and numbers mix.
    let (bins, numbers) = (Values::U8(&F), F.map(f32::from));
    let mixed = fnc(&[bins, Values::F32(&numbers)]).unwrap();
    assert!((mixed - fnc(&[bins]).unwrap()).abs() < 1e-12);
}

#[test]
fn beside_others() {
    let own = correlation_with_stake_weighted(&P, &P).unwrap();
    assert!(own > 0.9, "{own}");
    let (largest, mean) = correlation_with_others(&P, &[&P, &P.map(|p| -p), &[1.0; 6]]).unwrap();
    assert!((largest - 1.0).abs() < 1e-15 && mean.abs() < 1e-15);
    assert!(correlation_with_others(&P, &[]).unwrap().0.is_nan());
}

#[test]
fn exposures() {
    let flat = [2_u8; 6];
    let features = [Values::U8(&flat), Values::U8(&F)];
    let p = F.map(|f| -f64::from(f));
    let found = feature_exposures(&p, &features).unwrap();
    assert!(found[0].is_nan() && (found[1] + 1.0).abs() < 1e-15);
    let (at, size) = max_feature_correlation(&p, &features, None).unwrap().unwrap();
    assert!(at == 1 && (size - 1.0).abs() < 1e-15);
    assert_eq!(max_feature_correlation(&[0.5; 6], &features, None), Ok(None));
    assert_eq!(exposure_dissimilarity(&[1.0, 2.0], &[1.0, 2.0]), Ok(0.0));
    assert_eq!(exposure_dissimilarity(&[-1.0, -2.0], &[1.0, 2.0]), Ok(2.0));
}

/// The top and bottom are as many known rows as was said, and a hole changes nothing else.
#[test]
fn exposures_pass_unknown_rows_over() {
    let p: Vec<f64> = (0..20).map(|row| f64::from(row * 7 % 20)).collect();
    let f: Vec<u8> = (0..20).map(|row| (row * row % 5) as u8).collect();
    let known = |p: &[f64], f: &[u8], ends| {
        EraScorer::new().exposures(p, &[Values::U8(f)], ends).unwrap()[0]
    };
    let mut holes = p.clone();
    holes[..4].fill(f64::NAN);
    let features = [Values::U8(&f)];
    for ends in [None, Some(3), Some(8)] {
        let expected = known(&p[4..], &f[4..], ends);
        let found = EraScorer::new().exposures(&holes, &features, ends).unwrap()[0];
        assert_eq!(found, expected, "{ends:?}");
        let (_, largest) = max_feature_correlation(&holes, &features, ends).unwrap().unwrap();
        assert_eq!(largest, expected.abs());
    }
    // 16 rows are known: their half is 8.
    let error = max_feature_correlation(&holes, &features, Some(9)).unwrap_err();
    assert_eq!(error, Error::TopBottom { given: 9, rows: 16 });
    holes[4] = f64::NAN;
    let refused = Error::Overlap { name: "predictions", shared: 15, rows: 20, least: 80 };
    assert_eq!(feature_exposures(&holes, &features), Err(refused));
    // A feature of which too little is known has no exposure, the others keep theirs.
    let mut sparse: Vec<f32> = f.iter().map(|&v| f32::from(v)).collect();
    sparse[..4].fill(f32::NAN);
    let found = feature_exposures(&p, &[Values::F32(&sparse), Values::U8(&f)]).unwrap();
    assert_eq!(found, [known(&p[4..], &f[4..], None), known(&p, &f, None)]);
    sparse[4] = f32::NAN;
    let found = feature_exposures(&p, &[Values::F32(&sparse), Values::U8(&f)]).unwrap();
    assert!(found[0].is_nan() && found[1] == known(&p, &f, None));
}

#[test]
fn one_bad_era_does_not_end_the_run() {
    // Era 1 has three rows, era 2 a NaN prediction, era 3 a NaN feature, era 4 nothing wrong.
    let sizes = [3, 12, 12, 12];
    let labels: Vec<String> = (0..4).flat_map(|era| vec![era.to_string(); sizes[era]]).collect();
    let column = |step: usize| (0..39).map(|row| (row * step % 13) as f32).collect::<Vec<f32>>();
    let mut feature = column(5);
    feature[20] = f32::NAN;
    let panel = Panel::builder()
        .eras(&labels)
        .unwrap()
        .feature("x", feature)
        .target("y", column(3))
        .extra("v", vec![1.0; 39])
        .extra("n", vec![0.25; 39])
        .build()
        .unwrap();
    let mut values = column(2);
    (values[1], values[4]) = (9.0, f32::NAN);
    let predictions = Predictions { eras: vec![0, 1, 2, 3], values };
    let metrics: [&dyn Metric; 8] = [
        &Corr { top_bottom: Some(3), ..Corr::default() },
        &Corr::default(),
        &FeatureNeutralCorr::default(),
        &FeatureNeutralSpearman::default(),
        &NeutralCorrelation::default(),
        &NeutralCorrelation { top_bottom: Some(6), ..NeutralCorrelation::default() },
        &MaxExposure::default(),
        &Alpha { weights: "v".into(), neutralizers: vec!["n".into()] },
    ];
    let scores = score_predictions(&panel, &predictions, &metrics).unwrap();
    let defined: Vec<[bool; 4]> = scores
        .iter()
        .map(|scores| std::array::from_fn(|era| !scores.eras[era].value.is_nan()))
        .collect();
    let (all, first) = ([true; 4], [false, true, true, true]);
    let (neutral, ends) = ([true, false, false, true], [false, false, false, true]);
    assert_eq!(defined, [first, all, neutral, neutral, all, ends, all, all]);
    let reason = |metric: usize, era: usize| scores[metric].eras[era].reason.clone().unwrap();
    assert_eq!(reason(0, 0), "top and bottom 3 of 3 rows: allowed is 1 to half of the rows");
    assert_eq!(reason(2, 1), "'predictions' is NaN at row 1");
    assert!(reason(3, 2).contains("not finite"), "{}", reason(3, 2));
    // Settings and columns are wrong in every era.
    let refused = |metric: &dyn Metric| {
        score_predictions(&panel, &predictions, &[metric]).unwrap_err().to_string()
    };
    let none = Corr { top_bottom: Some(0), ..Corr::default() };
    assert!(refused(&none).starts_with("top and bottom 0 of"));
    let other = FeatureNeutralCorr { features: Some(vec!["z".into()]), ..Default::default() };
    assert!(refused(&other).starts_with("unknown feature 'z'"));
    let alpha = |names: &[&str]| {
        let neutralizers = names.iter().map(ToString::to_string).collect();
        refused(&Alpha { weights: "v".into(), neutralizers })
    };
    assert_eq!(alpha(&[]), "setting 'neutralizers' is empty, allowed is at least one column");
    assert!(alpha(&["x"]).starts_with("unknown extra column 'x'"));
}

/// Columns that are orthonormal under the weights are taken out: the weights then say nothing of them.
#[test]
fn alpha_is_neutral_to_prepared_columns() {
    let (n, v) = ([1.0_f64, -1.0, 1.0, -1.0, 1.0, -1.0], [0.5, 1.0, 2.0, 0.25, 1.0, 1.5]);
    let norm = n.iter().zip(&v).map(|(n, v)| n * n * v).sum::<f64>().sqrt();
    let prepared = n.map(|n| n / norm);
    let against = |columns: &[&[f64]]| {
        let weights = neutralized_weights(&P, columns, &v).unwrap();
        weights.iter().zip(&n).map(|(w, n)| w * n).sum::<f64>()
    };
    assert!(against(&[&prepared]).abs() < 1e-14);
    // A raw column is not taken out: what is left is many times what was there, with another sign.
    assert!((against(&[&n]) - (1.0 - norm * norm) * against(&[])).abs() < 1e-12);
    assert!(against(&[]).abs() > 0.1);
}

fn all_metrics() -> Vec<Box<dyn Metric>> {
    vec![
        Box::new(Corr::default()),
        Box::new(SpearmanCorr),
        Box::new(TieBrokenRankCorr),
        Box::new(PearsonCorr),
        Box::new(ContributionTo::mmc("meta")),
        Box::new(CorrelationWith { column: "meta".into() }),
        Box::new(FeatureNeutralCorr::default()),
        Box::new(FeatureNeutralSpearman::default()),
        Box::new(NeutralCorrelation::default()),
        Box::new(NeutralContribution {
            column: "meta".into(),
            features: None,
            settings: Contribution::default(),
        }),
        Box::new(MaxExposure::default()),
        Box::new(MeanExposure::default()),
        Box::new(Named {
            name: "corr_tb3".into(),
            metric: Corr { top_bottom: Some(3), ..Corr::default() },
        }),
    ]
}

/// The Gaussianised ranks without the features, the long way.
fn residual(p: &[f64], features: &[Values<'_>]) -> Vec<f64> {
    let mut scores = vec![0.0; p.len()];
    let mut table = GaussTable::new();
    Ranker::new().gaussian(p, Ties::Average, &mut table, &mut scores).unwrap();
    neutralize(&scores, features, 1.0).unwrap()
}

#[test]
fn metrics_answer_what_kernels_answer() {
    let panel = panel(2, 1);
    let era = panel.era(1);
    let prediction = era.feature(0).iter().map(|v| 1.0 - v).collect::<Vec<f32>>();
    let wide = |values: &[f32]| values.iter().map(|&v| f64::from(v)).collect::<Vec<f64>>();
    let (p, t, m) =
        (wide(&prediction), wide(era.target().unwrap()), wide(era.extra("meta").unwrap()));
    let f: Vec<Values<'_>> = era.features().collect();
    let (contribution, plain) = (Contribution::default(), Corr::default());
    let exposed = feature_exposures(&p, &f).unwrap();
    let expected = [
        corr(&p, &t).unwrap(),
        fattail_evaluate::spearman_corr(&p, &t).unwrap(),
        fattail_evaluate::tie_broken_rank_corr(&p, &t).unwrap(),
        fattail_evaluate::pearson_corr(&p, &t).unwrap(),
        correlation_contribution(&p, &m, &t, &contribution).unwrap(),
        -correlation_with_stake_weighted(&p, &m).unwrap(),
        feature_neutral_corr(&p, &f, &t, &plain).unwrap(),
        fattail_evaluate::spearman_corr(&residual(&p, &f), &t).unwrap(),
        neutral_correlation(&p, &f, &t, None).unwrap(),
        neutral_contribution(&p, &m, &f, &t, &contribution).unwrap(),
        -exposed[0].abs().max(exposed[1].abs()),
        -(exposed[0].abs() + exposed[1].abs()) / 2.0,
        numerai_corr(&p, &t, &Corr { top_bottom: Some(3), ..plain }).unwrap(),
    ];
    for (metric, expected) in all_metrics().iter().zip(expected) {
        let found = metric.score(&era, &prediction).unwrap();
        assert!((found - expected).abs() < 1e-14, "{}: {found} {expected}", metric.name());
    }
}

#[test]
fn metrics_say_why_a_score_is_not_defined() {
    let panel = panel(2, 1);
    let era = panel.era(0);
    // A constant contributes nothing, and ties broken by position make ranks of it.
    let defined = ["mmc", "tie_broken_rank_corr"];
    for metric in all_metrics().iter().filter(|metric| !defined.contains(&metric.name())) {
        let error = metric.score(&era, &[0.5; ROWS]).unwrap_err().to_string();
        let expected = "is not defined in era '0001': predictions are constant";
        assert!(error.ends_with(expected), "{}: {error}", metric.name());
        assert!(metric.score(&era, &[0.5]).is_err());
    }
    let unknown = panel.with_target_values(vec![f32::NAN; 2 * ROWS]).unwrap();
    let error = Corr::default().score(&unknown.era(0), &[0.5; ROWS]).unwrap_err().to_string();
    assert!(error.contains("share 0 of 12 rows, at least 80 of 100 are needed"), "{error}");
    let blind: Panel = panel.without_targets();
    assert!(Corr::default().score(&blind.era(0), &[0.5; ROWS]).is_err());
}
