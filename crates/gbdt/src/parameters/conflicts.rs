//! Parameters that contradict each other.

use fattail_objective::{Evaluation, Objective};

use super::{
    ParameterError, ParameterResult,
    draft::{Booster, CriterionName, Draft, Strategy},
    names::Given,
    objective::is_no_metric,
};

/// Refuses the first contradiction.
pub(super) fn check(draft: &Draft, given: &Given) -> ParameterResult<()> {
    sampling(draft)?;
    objective(draft)?;
    metrics(draft)?;
    shapes(draft)?;
    eras(draft, given)
}

fn refuse(first: impl Into<String>, second: impl Into<String>) -> ParameterResult<()> {
    Err(ParameterError::Conflict { first: first.into(), second: second.into() })
}

fn sampling(draft: &Draft) -> ParameterResult<()> {
    let bag = &draft.bag;
    let columns = draft.gbdt.sampling.columns_by_tree < 1.0;
    match draft.strategy {
        Strategy::Goss if bag.draws() => {
            return refuse("data_sample_strategy is goss", "bagging draws rows as well");
        }
        Strategy::Goss if bag.top + bag.other > 1.0 => {
            let sum = bag.top + bag.other;
            return refuse(
                "data_sample_strategy is goss",
                format!("top_rate + other_rate is {sum}"),
            );
        }
        Strategy::Goss if bag.top + bag.other <= 0.0 => {
            return refuse("data_sample_strategy is goss", "top_rate and other_rate are 0");
        }
        _ => {}
    }
    by_class(draft)?;
    let forest = draft.booster == Booster::Forest;
    if forest && draft.strategy == Strategy::Bagging && !bag.draws() && !columns {
        return refuse(
            "boosting is rf",
            "every tree would be the same: set bagging_freq above 0 and bagging_fraction below 1, \
             or feature_fraction below 1",
        );
    }
    if draft.booster == Booster::Dart && draft.stop.rounds > 0 {
        return refuse(
            "boosting is dart",
            "early_stopping_round needs trees that stay as they are",
        );
    }
    if forest && draft.stop.rounds > 0 {
        return refuse(
            "boosting is rf",
            "early_stopping_round needs trees that build on each other",
        );
    }
    Ok(())
}

/// Shares of classes need two classes, and rows that are drawn one by one.
fn by_class(draft: &Draft) -> ParameterResult<()> {
    if !draft.bag.by_class() {
        return Ok(());
    }
    let first = "pos_bagging_fraction or neg_bagging_fraction is below 1";
    match draft.strategy {
        Strategy::Bagging => {}
        Strategy::Goss => return refuse(first, "data_sample_strategy is goss"),
        Strategy::MinimalVariance => {
            return refuse(first, "data_sample_strategy is minimal_variance");
        }
    }
    if draft.bag.whole_eras {
        return refuse(first, "bagging_by_query draws whole eras");
    }
    match draft.objective.kind {
        Objective::Binary(_) => Ok(()),
        _ => refuse(first, format!("objective is {}, not binary", draft.objective.name())),
    }
}

fn objective(draft: &Draft) -> ParameterResult<()> {
    let objective = &draft.objective;
    let name = format!("objective is {}", objective.name());
    let classes = objective.classes;
    if objective.is_multiclass() && classes < 2 {
        return refuse(name, format!("num_class is {classes}, and must be above 1"));
    }
    if !objective.is_multiclass() && classes > 1 {
        return refuse(name, format!("num_class is {classes}, and must be 1"));
    }
    let weight = objective.binary.scale_pos_weight;
    if objective.binary.is_unbalance && (weight - 1.0).abs() > 1e-6 {
        return refuse("is_unbalance is true", format!("scale_pos_weight is {weight}"));
    }
    if objective.alphas.len() > 1 && !objective.takes_several() {
        return refuse(name, format!("alpha has {} values", objective.alphas.len()));
    }
    if draft.linear.0 && objective.kind == Objective::RegressionL1 {
        return refuse("linear_tree is true", name);
    }
    if draft.linear.0 && draft.gbdt.bins.zero_as_missing {
        return refuse("linear_tree is true", "zero_as_missing is true");
    }
    Ok(())
}

fn metrics(draft: &Draft) -> ParameterResult<()> {
    let named = draft.out.metrics.iter().filter(|metric| !is_no_metric(metric));
    let known = named.filter_map(|name| Some((name, Evaluation::from_name(name).ok()?)));
    for (name, metric) in known {
        classes_of_metric(draft, name, &metric)?;
        settings_of_metric(draft, name, &metric)?;
    }
    Ok(())
}

fn classes_of_metric(draft: &Draft, name: &str, metric: &Evaluation) -> ParameterResult<()> {
    use Evaluation::{AucMu, MultiError, MultiLogloss};
    let of_classes = matches!(metric, AucMu { .. } | MultiError { .. } | MultiLogloss);
    if of_classes == draft.objective.is_multiclass() {
        return Ok(());
    }
    refuse(format!("objective is {}", draft.objective.name()), format!("metric is {name}"))
}

/// A metric that is not the objective's own has room for one number.
fn settings_of_metric(draft: &Draft, name: &str, metric: &Evaluation) -> ParameterResult<()> {
    use Evaluation::{Expectile, Huber, Ndcg, Quantile};
    let objective = &draft.objective;
    let own =
        std::mem::discriminant(metric) == std::mem::discriminant(&objective.kind.evaluation());
    let first = format!("objective is {}", objective.name());
    match metric {
        _ if own => Ok(()),
        Huber { .. } | Quantile { .. } | Expectile { .. }
            if objective.alphas.len() > 1 && !name.contains('@') =>
        {
            let several = objective.alphas.len();
            refuse(first, format!("metric is {name}, and alpha has {several} values"))
        }
        Ndcg { .. } if !objective.lambdarank.label_gain.is_empty() => {
            refuse(first, format!("metric is {name}, and label_gain is set"))
        }
        _ => Ok(()),
    }
}

fn shapes(draft: &Draft) -> ParameterResult<()> {
    let positions = &draft.out.positions;
    let linear = draft.linear.0;
    if linear && draft.booster == Booster::Ordered {
        return refuse("linear_tree is true", "boosting is ordered");
    }
    if !draft.gbdt.bins.use_missing && draft.gbdt.bins.zero_as_missing {
        return refuse("zero_as_missing is true", "use_missing is false");
    }
    let signed = positions.monotone.iter().any(|&sign| sign != 0);
    let kind = &draft.objective.kind;
    let renewed =
        matches!(kind, Objective::RegressionL1 | Objective::Quantile { .. } | Objective::Mape);
    if signed && renewed {
        let objective = format!("objective is {}, whose leaves are renewed", kind.name());
        return refuse("monotone_constraints are set", objective);
    }
    Ok(())
}

/// Settings of a criterion need that criterion.
fn eras(draft: &Draft, given: &Given) -> ParameterResult<()> {
    use CriterionName::{Directional, EraSplit, TStatistic};
    let needs: [(&str, &[CriterionName], &str); 6] = [
        ("era_alpha", &[EraSplit], "era_split"),
        ("era_gamma", &[EraSplit], "era_split"),
        ("era_directional", &[EraSplit], "era_split"),
        ("era_pooled", &[EraSplit], "era_split"),
        ("era_power", &[Directional], "directional"),
        ("era_least", &[Directional, TStatistic], "directional or t_statistic"),
    ];
    for (name, criteria, words) in needs {
        if given.holds(name) && !criteria.contains(&draft.eras.criterion) {
            return refuse(format!("{name} is set"), format!("era_criterion is not {words}"));
        }
    }
    let split = draft.eras.criterion == EraSplit;
    if split && draft.eras.gamma + draft.eras.directional + draft.eras.pooled <= 0.0 {
        return refuse(
            "era_criterion is era_split",
            "era_gamma, era_directional and era_pooled are 0",
        );
    }
    Ok(())
}
