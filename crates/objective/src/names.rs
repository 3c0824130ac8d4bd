//! Names and aliases of objectives and metrics: LightGBM's, and those of what it does not have.

use fattail_core::nearest;

use crate::{Aft, Binary, EraScore, Error, Evaluation, Lambdarank, Objective};

/// Names of an objective, its own first, and what it is by default.
type Entry<T> = (&'static [&'static str], fn() -> T);

const OBJECTIVES: &[Entry<Objective>] = &[
    (
        &[
            "regression",
            "regression_l2",
            "l2",
            "mean_squared_error",
            "mse",
            "l2_root",
            "root_mean_squared_error",
            "rmse",
        ],
        || Objective::Regression,
    ),
    (&["regression_sqrt"], || Objective::RegressionSqrt),
    (&["regression_l1", "l1", "mean_absolute_error", "mae"], || Objective::RegressionL1),
    (&["huber"], || Objective::Huber { alpha: 0.9 }),
    (&["fair"], || Objective::Fair { c: 1.0 }),
    (&["pseudo_huber", "pseudohuber"], || Objective::PseudoHuber { delta: 1.0 }),
    (&["log_cosh", "logcosh"], || Objective::LogCosh),
    (&["mape", "mean_absolute_percentage_error"], || Objective::Mape),
    (&["quantile"], || Objective::Quantile { alphas: vec![0.9] }),
    (&["expectile"], || Objective::Expectile { alphas: vec![0.9] }),
    (&["poisson"], || Objective::Poisson { max_delta_step: 0.7 }),
    (&["gamma"], || Objective::Gamma),
    (&["tweedie"], || Objective::Tweedie { variance_power: 1.5 }),
    (&["binary"], || Objective::Binary(Binary::default())),
    (&["multiclass", "softmax"], || Objective::Multiclass { classes: 2 }),
    (&["multiclassova", "multiclass_ova", "ova", "ovr"], || Objective::MulticlassOva {
        classes: 2,
        binary: Binary::default(),
    }),
    (&["cross_entropy", "xentropy"], || Objective::CrossEntropy),
    (&["cross_entropy_lambda", "xentlambda"], || Objective::CrossEntropyLambda),
    (&["lambdarank"], || Objective::Lambdarank(Lambdarank::default())),
    (&["rank_xendcg", "xendcg", "xe_ndcg", "xe_ndcg_mart", "xendcg_mart"], || {
        Objective::RankXendcg { seed: 5, label_gain: Vec::new() }
    }),
    (&["cox"], || Objective::Cox),
    (&["aft"], || Objective::Aft(Aft::default())),
    (&["era_correlation"], || Objective::EraCorrelation),
];

const METRICS: &[Entry<Evaluation>] = &[
    (&["l1", "mean_absolute_error", "mae", "regression_l1"], || Evaluation::L1),
    (
        &["l2", "mean_squared_error", "mse", "regression_l2", "regression", "regression_sqrt"],
        || Evaluation::L2,
    ),
    (&["rmse", "root_mean_squared_error", "l2_root"], || Evaluation::Rmse),
    (&["r2"], || Evaluation::R2),
    (&["rmsle"], || Evaluation::Rmsle),
    (&["quantile"], || Evaluation::Quantile { alphas: vec![0.9] }),
    (&["expectile"], || Evaluation::Expectile { alphas: vec![0.9] }),
    (&["mape", "mean_absolute_percentage_error"], || Evaluation::Mape),
    (&["huber"], || Evaluation::Huber { alpha: 0.9 }),
    (&["fair"], || Evaluation::Fair { c: 1.0 }),
    (&["pseudo_huber", "pseudohuber", "mphe"], || Evaluation::PseudoHuber { delta: 1.0 }),
    (&["log_cosh", "logcosh"], || Evaluation::LogCosh),
    (&["poisson"], || Evaluation::Poisson),
    (&["gamma"], || Evaluation::Gamma),
    (&["gamma_deviance"], || Evaluation::GammaDeviance),
    (&["tweedie"], || Evaluation::Tweedie { variance_power: 1.5 }),
    (&["binary_logloss", "binary"], || Evaluation::BinaryLogloss),
    (&["binary_error"], || Evaluation::BinaryError),
    (&["auc"], || Evaluation::Auc),
    (&["average_precision", "aucpr"], || Evaluation::AveragePrecision),
    (
        &[
            "multi_logloss",
            "multiclass",
            "softmax",
            "multiclassova",
            "multiclass_ova",
            "ova",
            "ovr",
        ],
        || Evaluation::MultiLogloss,
    ),
    (&["multi_error"], || Evaluation::MultiError { top: 1 }),
    (&["auc_mu"], || Evaluation::AucMu { weights: Vec::new() }),
    (&["cross_entropy", "xentropy"], || Evaluation::CrossEntropy),
    (&["cross_entropy_lambda", "xentlambda"], || Evaluation::CrossEntropyLambda),
    (&["kullback_leibler", "kldiv"], || Evaluation::KullbackLeibler),
    (
        &["ndcg", "lambdarank", "rank_xendcg", "xendcg", "xe_ndcg", "xe_ndcg_mart", "xendcg_mart"],
        || Evaluation::Ndcg { at: 5, label_gain: Vec::new() },
    ),
    (&["map", "mean_average_precision"], || Evaluation::Map { at: 5 }),
    (&["cox", "cox_nloglik"], || Evaluation::Cox),
    (&["aft", "aft_nloglik"], || Evaluation::Aft(Aft::default())),
    (&["era_pearson", "era_correlation"], || Evaluation::EraMean(EraScore::Pearson)),
    (&["era_spearman"], || Evaluation::EraMean(EraScore::Spearman)),
    (&["numerai_corr"], || Evaluation::EraMean(EraScore::Numerai)),
    (&["era_pearson_sharpe"], || Evaluation::EraSharpe(EraScore::Pearson)),
    (&["era_spearman_sharpe"], || Evaluation::EraSharpe(EraScore::Spearman)),
    (&["numerai_corr_sharpe"], || Evaluation::EraSharpe(EraScore::Numerai)),
];

/// The objective of a name or alias, with default settings.
pub(crate) fn objective(name: &str) -> Result<Objective, Error> {
    find(OBJECTIVES, name).ok_or_else(|| unknown("objective", OBJECTIVES, name))
}

/// The metric of a name or alias, with default settings or, behind `@`, a number of its own.
pub(crate) fn metric(name: &str) -> Result<Evaluation, Error> {
    let unknown = || unknown("metric", METRICS, name);
    let Some((base, number)) = name.split_once('@') else {
        return find(METRICS, name).ok_or_else(unknown);
    };
    let metric = find(METRICS, base).ok_or_else(unknown)?;
    with_number(metric, number).ok_or_else(unknown)
}

/// A metric with the number that its name ends with.
fn with_number(metric: Evaluation, text: &str) -> Option<Evaluation> {
    let count = || text.parse().ok().filter(|&count: &usize| count > 0);
    let real = || text.parse().ok().filter(|number: &f64| number.is_finite());
    Some(match metric {
        Evaluation::Ndcg { label_gain, .. } => Evaluation::Ndcg { at: count()?, label_gain },
        Evaluation::Map { .. } => Evaluation::Map { at: count()? },
        Evaluation::MultiError { .. } => Evaluation::MultiError { top: count()? },
        Evaluation::Quantile { .. } => Evaluation::Quantile { alphas: vec![real()?] },
        Evaluation::Expectile { .. } => Evaluation::Expectile { alphas: vec![real()?] },
        Evaluation::Huber { .. } => Evaluation::Huber { alpha: real()? },
        Evaluation::Fair { .. } => Evaluation::Fair { c: real()? },
        Evaluation::PseudoHuber { .. } => Evaluation::PseudoHuber { delta: real()? },
        Evaluation::Tweedie { .. } => Evaluation::Tweedie { variance_power: real()? },
        _ => return None,
    })
}

/// The own name of an objective, whatever its settings.
pub(crate) fn of_objective(objective: &Objective) -> &'static str {
    own(OBJECTIVES, objective).unwrap_or("custom")
}

/// The own name of a metric, whatever its settings.
pub(crate) fn of_metric(metric: &Evaluation) -> &'static str {
    match metric {
        Evaluation::EraMean(score) | Evaluation::EraSharpe(score) => {
            era_name(*score, matches!(metric, Evaluation::EraSharpe(_)))
        }
        _ => own(METRICS, metric).unwrap_or("own_loss"),
    }
}

fn era_name(score: EraScore, sharpe: bool) -> &'static str {
    match (score, sharpe) {
        (EraScore::Pearson, false) => "era_pearson",
        (EraScore::Spearman, false) => "era_spearman",
        (EraScore::Numerai, false) => "numerai_corr",
        (EraScore::Pearson, true) => "era_pearson_sharpe",
        (EraScore::Spearman, true) => "era_spearman_sharpe",
        (EraScore::Numerai, true) => "numerai_corr_sharpe",
    }
}

fn own<T>(entries: &[Entry<T>], value: &T) -> Option<&'static str> {
    let kind = std::mem::discriminant(value);
    let entry = entries.iter().find(|entry| std::mem::discriminant(&(entry.1)()) == kind)?;
    entry.0.first().copied()
}

fn find<T>(entries: &[Entry<T>], name: &str) -> Option<T> {
    entries.iter().find(|entry| entry.0.contains(&name)).map(|entry| (entry.1)())
}

fn unknown<T>(kind: &'static str, entries: &[Entry<T>], name: &str) -> Error {
    let known = entries.iter().flat_map(|entry| entry.0).copied();
    Error::UnknownName { kind, name: name.to_owned(), nearest: nearest(name, known) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_finds_itself() {
        for (names, make) in OBJECTIVES {
            assert_eq!(make().name(), names[0]);
            assert!(names.iter().all(|name| objective(name) == Ok(make())));
        }
        for (names, make) in METRICS {
            assert_eq!(make().name().split('@').next(), Some(names[0]));
            assert!(names.iter().all(|name| metric(name) == Ok(make())));
        }
    }

    #[test]
    fn numbers_follow_the_name() {
        assert_eq!(metric("map@10"), Ok(Evaluation::Map { at: 10 }));
        assert_eq!(metric("multi_error@2").unwrap().name(), "multi_error@2");
        assert_eq!(metric("quantile@0.1"), Ok(Evaluation::Quantile { alphas: vec![0.1] }));
        assert_eq!(metric("mphe@2"), Ok(Evaluation::PseudoHuber { delta: 2.0 }));
        for name in ["ndcg@0", "ndcg@", "ndcg@1.5", "huber@nan", "l2@3", "@"] {
            assert!(matches!(metric(name), Err(Error::UnknownName { .. })), "{name}");
        }
    }
}
