//! Bad labels and settings give errors with name, value and row; settings survive being written.

use fattail_objective::{Aft, Binary, EraScore, Evaluation, Labels, Lambdarank, Objective};
use fattail_trees::Link;

const NAMES: [&str; 23] = [
    "regression",
    "regression_sqrt",
    "regression_l1",
    "huber",
    "fair",
    "pseudo_huber",
    "log_cosh",
    "mape",
    "quantile",
    "expectile",
    "poisson",
    "gamma",
    "tweedie",
    "binary",
    "multiclass",
    "multiclassova",
    "cross_entropy",
    "cross_entropy_lambda",
    "lambdarank",
    "rank_xendcg",
    "cox",
    "aft",
    "era_correlation",
];

#[track_caller]
fn refused(name: &str, targets: &[&[f32]], text: &str) {
    let labels = Labels { targets, ..Labels::default() };
    let error = Objective::from_name(name).unwrap().bind(labels).unwrap_err();
    assert_eq!(error.to_string(), text);
}

#[test]
fn labels_out_of_range() {
    let row = |name: &str, value: &str, allowed: &str| {
        format!("label {value} at row 1 is out of range for '{name}', allowed is {allowed}")
    };
    let with = |value: f32| [0.5, value, 1.0];
    refused("poisson", &[&with(-1.0)], &row("poisson", "-1", "zero or more"));
    refused("tweedie", &[&with(-1.0)], &row("tweedie", "-1", "zero or more"));
    refused("gamma", &[&with(0.0)], &row("gamma", "0", "above zero"));
    refused("cross_entropy", &[&with(1.5)], &row("cross_entropy", "1.5", "between 0 and 1"));
    let infinite = row("regression", "inf", "finite, or NaN for unknown");
    refused("regression", &[&with(f32::INFINITY)], &infinite);
    let binary = row("binary", "2", "0 and 1, or -1 and 1");
    refused("binary", &[&[0.0, 2.0, 1.0]], &binary);
    let class = row("multiclass", "0.5", "a whole number from 0 to 1");
    refused("multiclass", &[&[0.0, 0.5]], &class);
    let class = row("multiclassova", "-1", "a whole number from 0 to 1");
    refused("multiclassova", &[&[0.0, -1.0]], &class);
    let more = "label 2 at row 1 is class number 3, declared are 2 classes";
    refused("multiclass", &[&[0.0, 2.0]], more);
    refused("multiclassova", &[&[0.0, 2.0]], more);
    let event = row("cox", "0.5", "0 or 1 for the event");
    refused("cox", &[&[1.0, 2.0], &[1.0, 0.5]], &event);
}

#[test]
fn nothing_to_learn() {
    let constant = "every one of 2 known labels is 1: a constant target teaches nothing";
    for name in NAMES {
        refused(name, &[], "there are no rows");
        refused(name, &[&[]], "there are no rows");
        let ranks = matches!(name, "lambdarank" | "rank_xendcg");
        if ranks {
            let text = format!("'{name}' needs eras (queries), none are given");
            refused(name, &[&[0.0, 1.0]], &text);
            continue;
        }
        refused(name, &[&[f32::NAN; 2]], "none of 2 rows has a known label and a positive weight");
        if !matches!(name, "cox" | "aft") {
            refused(name, &[&[1.0, f32::NAN, 1.0]], constant);
        }
    }
    refused("cox", &[&[-1.0, -2.0]], "none of 2 known times is an event");
    refused("binary", &[&[0.0], &[1.0]], "'binary' takes 1 target columns, given are 2");
    let three = "'aft' takes 1 or 2 target columns, given are 3";
    refused("aft", &[&[1.0], &[1.0], &[1.0]], three);
}

#[test]
fn settings_out_of_range() {
    let binary = |binary| Objective::Binary(binary);
    let cases = [
        (Objective::Huber { alpha: 0.0 }, "setting 'alpha' is 0, allowed is above 0 and finite"),
        (Objective::Fair { c: -1.0 }, "setting 'fair_c' is -1, allowed is above 0 and finite"),
        (
            Objective::Quantile { alphas: vec![0.1, 1.0] },
            "setting 'alpha' is 1, allowed is one or several numbers between 0 and 1, both excluded",
        ),
        (
            Objective::Tweedie { variance_power: 2.0 },
            "setting 'tweedie_variance_power' is 2, allowed is from 1 to below 2",
        ),
        (Objective::Multiclass { classes: 1 }, "setting 'num_class' is 1, allowed is at least 2"),
        (
            binary(Binary { sigmoid: f64::NAN, ..Binary::default() }),
            "setting 'sigmoid' is NaN, allowed is above 0 and finite",
        ),
        (
            binary(Binary { is_unbalance: true, scale_pos_weight: 2.0, sigmoid: 1.0 }),
            "settings 'is_unbalance' and 'scale_pos_weight' exclude each other",
        ),
        (
            Objective::Lambdarank(Lambdarank { truncation_level: 0, ..Lambdarank::default() }),
            "setting 'lambdarank_truncation_level' is 0, allowed is at least 1",
        ),
        (
            Objective::Aft(Aft { sigma: 0.0, ..Aft::default() }),
            "setting 'sigma' is 0, allowed is above 0 and finite",
        ),
    ];
    for (objective, text) in cases {
        assert_eq!(objective.check().unwrap_err().to_string(), text);
    }
}

#[test]
fn metrics_refuse_too() {
    let value = |name: &str, target: &[f32], scores: &[f64], eras: &[usize]| {
        let labels = Labels { targets: &[target], weights: None, eras };
        let metric = Evaluation::from_name(name).unwrap();
        metric.value(&labels, scores, Link::Identity).unwrap_err().to_string()
    };
    assert_eq!(value("l2", &[0.0, 1.0], &[0.0], &[]), "the scores has 1 values, expected are 2");
    let classes = "label 3 at row 1 is class number 4, declared are 2 classes";
    assert_eq!(value("multi_logloss", &[0.0, 3.0], &[0.0; 4], &[]), classes);
    let eras = "'ndcg' needs eras (queries), none are given";
    assert_eq!(value("ndcg@3", &[0.0, 1.0], &[0.0; 2], &[]), eras);
    let same = "metric 'era_pearson' is not defined: no era has two different known targets";
    assert_eq!(value("era_pearson", &[1.0, 1.0], &[0.0, 1.0], &[]), same);
    let one =
        "metric 'era_pearson_sharpe' is not defined: the correlation is the same in every era";
    assert_eq!(value("era_pearson_sharpe", &[0.0, 1.0], &[0.0, 1.0], &[]), one);
    let near = "unknown metric 'rmsee', did you mean 'rmse'?";
    assert_eq!(Evaluation::from_name("rmsee").unwrap_err().to_string(), near);
}

#[test]
fn settings_survive_being_written() {
    for name in NAMES {
        let objective = Objective::from_name(name).unwrap();
        let text = serde_json::to_string(&objective).unwrap();
        assert_eq!(serde_json::from_str::<Objective>(&text).unwrap(), objective, "{text}");
        assert!(text.contains(&format!(r#""objective":"{name}""#)), "{text}");
        let metric = objective.evaluation();
        let text = serde_json::to_string(&metric).unwrap();
        assert_eq!(serde_json::from_str::<Evaluation>(&text).unwrap(), metric, "{text}");
    }
    let sharpe = Evaluation::EraSharpe(EraScore::Numerai);
    assert_eq!(
        serde_json::to_string(&sharpe).unwrap(),
        r#"{"metric":"era_sharpe","score":"numerai"}"#
    );
    let own = Objective::custom(fattail_descent::Tukey { c: 3.0 });
    assert!(serde_json::to_string(&own).is_err());
    assert_eq!(own, own.clone());
}

#[test]
fn named_metrics_take_what_their_names_leave_open() {
    let gains = vec![0.0, 1.0, 5.0];
    let rankings = [
        Objective::Lambdarank(Lambdarank { label_gain: gains.clone(), ..Lambdarank::default() }),
        Objective::RankXendcg { seed: 5, label_gain: gains.clone() },
    ];
    for ranking in rankings {
        let at = |at| Evaluation::Ndcg { at, label_gain: gains.clone() };
        assert_eq!(ranking.evaluation_named("ndcg@3").unwrap(), at(3));
        assert_eq!(ranking.evaluation_named("ndcg").unwrap(), at(5));
        assert_eq!(ranking.evaluation_named("map@3").unwrap(), Evaluation::Map { at: 3 });
    }
    let quantiles = Objective::Quantile { alphas: vec![0.1, 0.9] };
    assert_eq!(quantiles.evaluation_named("quantile").unwrap(), quantiles.evaluation());
    let one = Evaluation::Quantile { alphas: vec![0.5] };
    assert_eq!(quantiles.evaluation_named("quantile@0.5").unwrap(), one);
    let eras = Objective::EraCorrelation.evaluation_named("era_spearman").unwrap();
    assert_eq!(eras, Evaluation::EraMean(EraScore::Spearman));
    assert!(quantiles.evaluation_named("quantil").is_err());
}

#[test]
fn a_loss_of_ones_own() {
    let target = [0.0, 1.0, f32::NAN];
    let labels = Labels { targets: &[&target], ..Labels::default() };
    let own = Objective::custom(fattail_descent::Huber { delta: 0.25 });
    let bound = own.bind(labels).unwrap();
    let (mut g, mut h) = ([9.0; 3], [9.0; 3]);
    bound.slopes(0, &[0.5; 3], &mut g, &mut h);
    assert_eq!((g, h), ([0.25, -0.25, 0.0], [0.5, 0.5, 0.0]));
    assert_eq!(bound.start(), [0.5]);
    let value = own.evaluation().value(&labels, &[0.5; 3], bound.link()).unwrap();
    assert!((value - 0.09375).abs() < 1e-15);
}
