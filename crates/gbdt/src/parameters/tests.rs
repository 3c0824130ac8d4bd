//! Parameters by hand, and every name and alias of LightGBM's.

use std::{collections::BTreeMap, sync::Arc};

use fattail_objective::{Binary, Lambdarank, Objective};

use super::*;
use crate::{Boosting, Constraints, Criterion, Dart, EarlyStop, Limits, Rows, Sampling, Seeds};

#[derive(serde::Deserialize)]
struct Reference {
    aliases: BTreeMap<String, Vec<String>>,
    block: Vec<(String, String)>,
}

fn reference() -> Reference {
    serde_json::from_str(include_str!("../../tests/reference/parameters.json")).unwrap()
}

/// `a=1 b=2` as pairs.
fn pairs(text: &str) -> Vec<(&str, &str)> {
    text.split_whitespace().map(|pair| pair.split_once('=').unwrap()).collect()
}

fn gbdt(text: &str) -> Gbdt {
    Parameters::parse(pairs(text)).unwrap().gbdt(&["a", "b", "c"]).unwrap()
}

#[track_caller]
fn refused(text: &str, part: &str) {
    let told = match Parameters::parse(pairs(text)) {
        Err(error) => error.to_string(),
        Ok(parameters) => parameters.gbdt(&["a", "b", "c"]).unwrap_err().to_string(),
    };
    assert!(told.contains(part), "'{part}' is not in: {told}");
    assert_eq!(told.lines().count(), 1);
}

#[test]
fn every_name_and_alias_of_lightgbm_is_known_and_means_the_same() {
    let reference = reference();
    assert_eq!(reference.aliases.len(), 141);
    for (name, aliases) in &reference.aliases {
        for alias in aliases.iter().chain([name]) {
            let entry = table::find(alias).unwrap_or_else(|| panic!("'{alias}' is not known"));
            assert_eq!(entry.name, name, "'{alias}'");
        }
    }
}

#[test]
fn no_name_stands_twice() {
    let mut seen = std::collections::BTreeSet::new();
    for entry in table::all() {
        for name in entry.aliases.iter().chain([&entry.name]) {
            assert!(seen.insert(*name), "'{name}' stands twice");
        }
    }
}

#[test]
fn every_default_of_lightgbm_is_accepted_and_changes_nothing() {
    let given = reference().block.into_iter().filter(|(name, _)| name != "monotone_constraints");
    let parameters = Parameters::parse(given).unwrap();
    let expected = Gbdt { rounds: 1, ..Gbdt::default() };
    assert_eq!(parameters.gbdt(&["a"]).unwrap(), expected);
}

#[test]
fn the_block_of_a_model_has_lightgbms_order_and_defaults() {
    let settings = Gbdt { rounds: 1, ..Gbdt::default() };
    let shown = describe(&settings, &["a".into(), "b".into(), "c".into()]);
    let expected = reference().block;
    let names = |pairs: &[(String, String)]| -> Vec<String> {
        pairs.iter().map(|pair| pair.0.clone()).collect()
    };
    assert_eq!(names(&shown), names(&expected));
    // Where we say something else than LightGBM's own model does: always, or because of its list.
    let other = ["deterministic", "first_metric_only", "metric", "monotone_constraints", "eval_at"];
    for (ours, theirs) in shown.iter().zip(&expected) {
        assert!(ours.1 == theirs.1 || other.contains(&&*ours.0), "{ours:?} {theirs:?}");
    }
}

#[test]
fn plain_settings() {
    let set = gbdt(
        "n_estimators=7 eta=0.02 max-depth=4 reg_alpha=1 lambda=2 min_child_samples=5 seed=5 \
         min-child-weight=0.5 colsample_bytree=0.5 colsample_bynode=0.25 max_bin=5 \
         extra_trees=true path_smooth=1.5 max_delta_step=-1",
    );
    assert_eq!((set.rounds, set.learning_rate, set.depth, set.leaves), (7, 0.02, Some(4), 16));
    let limits = Limits {
        min_data_in_leaf: 5,
        min_sum_hessian_in_leaf: 0.5,
        lambda_l1: 1.0,
        lambda_l2: 2.0,
        path_smooth: 1.5,
        extra_trees: true,
        ..Limits::default()
    };
    assert_eq!(set.limits, limits);
    let sampling = Sampling { rows: Rows::All, columns_by_tree: 0.5, columns_by_node: 0.25 };
    assert_eq!((set.sampling, set.bins.max_bins), (sampling, 5));
    assert_eq!((set.seed, set.bins.seed), (5, 54));
    assert_eq!(gbdt("seed=5 data_random_seed=3").bins.seed, 3);
    assert!(gbdt("era_equal_weights=true").eras.equal_weights);
}

#[test]
fn seeds_of_choices() {
    let set = gbdt("bagging_seed=7 feature_fraction_seed=8 extra_seed=9 drop_seed=10");
    let seeds = Seeds { rows: Some(7), columns: Some(8), extra: Some(9), drop: Some(10) };
    assert_eq!((set.seed, set.seeds), (0, seeds));
    // What LightGBM has by itself says nothing.
    assert_eq!(
        gbdt("bagging_seed=3 feature_fraction_seed=2 extra_seed=6 drop_seed=4").seeds,
        Seeds::default()
    );
    let of_five = gbdt("seed=5 bagging_seed=28693 drop_seed=3").seeds;
    assert_eq!(of_five, Seeds { drop: Some(3), ..Seeds::default() });
    let written = |text: &str| -> BTreeMap<String, String> {
        describe(&gbdt(text), &[]).into_iter().collect()
    };
    assert_eq!(written("seed=5")["bagging_seed"], "28693");
    assert_eq!(written("seed=5 bagging_seed=1")["bagging_seed"], "1");
    refused("bagging_seed=-1", "an integer, 0 and above");
}

#[test]
fn sampling_and_boosting_are_put_together() {
    assert_eq!(gbdt("bagging_fraction=0.5").sampling.rows, Rows::All);
    let bag = Rows::Bag { fraction: 0.5, every: 2 };
    assert_eq!(gbdt("bagging_fraction=0.5 bagging_freq=2").sampling.rows, bag);
    let eras = Rows::Eras { fraction: 0.5, every: 1 };
    assert_eq!(gbdt("subsample=0.5 bagging_freq=1 bagging_by_era=true").sampling.rows, eras);
    let by_class = |positive, negative| Rows::BagByClass { positive, negative, every: 2 };
    let rows = |text: &str| gbdt(&format!("objective=binary bagging_freq=2 {text}")).sampling.rows;
    assert_eq!(rows("pos_bagging=0.5 neg_bagging=0.25"), by_class(0.5, 0.25));
    assert_eq!(rows("bagging_fraction=0.5 neg_subsample=0.25"), by_class(1.0, 0.25));
    assert_eq!(rows("pos_bagging=1 neg_bagging=1"), Rows::All);
    assert_eq!(gbdt("objective=binary pos_bagging=0.5").sampling.rows, Rows::All);
    let goss = Rows::Goss { top: 0.3, other: 0.1 };
    assert_eq!(gbdt("boosting=goss top_rate=0.3").sampling.rows, goss);
    assert_eq!(gbdt("data_sample_strategy=goss top_rate=0.3").sampling.rows, goss);
    let dart = Dart { drop_rate: 0.2, max_drop: None, ..Dart::default() };
    assert_eq!(gbdt("boosting=dart drop_rate=0.2 max_drop=-1").boosting, Boosting::Dart(dart));
    assert_eq!(gbdt("boosting=rf feature_fraction=0.5").boosting, Boosting::RandomForest);
}

#[test]
fn objectives_take_their_settings() {
    let objective = |text| gbdt(text).objective;
    assert_eq!(objective("objective=mse reg_sqrt=true"), Objective::RegressionSqrt);
    assert_eq!(objective("objective=huber alpha=1.5"), Objective::Huber { alpha: 1.5 });
    let alphas = vec![0.1, 0.9];
    assert_eq!(objective("app=quantile alpha=0.1,0.9"), Objective::Quantile { alphas });
    assert_eq!(objective("loss=softmax num_class=4"), Objective::Multiclass { classes: 4 });
    let binary = Binary { sigmoid: 2.0, is_unbalance: true, scale_pos_weight: 1.0 };
    let text = "objective=binary sigmoid=2 unbalance=true";
    assert_eq!(objective(text), Objective::Binary(binary));
    let lambdarank =
        Lambdarank { sigmoid: 2.0, truncation_level: 10, norm: false, label_gain: vec![0.0, 1.0] };
    let text = "objective=lambdarank sigmoid=2 lambdarank_truncation_level=10 lambdarank_norm=false label_gain=0,1";
    assert_eq!(objective(text), Objective::Lambdarank(lambdarank));
    let xendcg =
        |seed, label_gain: &[f64]| Objective::RankXendcg { seed, label_gain: label_gain.into() };
    assert_eq!(objective("objective=xendcg seed=5"), xendcg(27_660, &[]));
    let text = "objective=xendcg seed=5 objective_seed=3 label_gain=0,1";
    assert_eq!(objective(text), xendcg(3, &[0.0, 1.0]));
}

#[test]
fn metrics_take_their_settings() {
    let metrics = |text: &str| Parameters::parse(pairs(text)).unwrap().metrics;
    let ranking = "objective=lambdarank";
    assert_eq!(metrics(ranking), [""; 0]);
    assert_eq!(metrics(&format!("{ranking} eval_at=1,3")), ["ndcg@1", "ndcg@3"]);
    assert_eq!(metrics(&format!("{ranking} metric=map eval_at=1,3")), ["map@1", "map@3"]);
    let named = metrics(&format!("{ranking} metric=ndcg,map@2 eval_at=1,3"));
    assert_eq!(named, ["ndcg@1", "ndcg@3", "map@2"]);
    assert_eq!(metrics("eval_at=1,3"), [""; 0]);
    assert_eq!(metrics("objective=regression metric=ndcg"), ["ndcg@5"]);
    let others = "metric=huber,quantile,fair,tweedie,mphe,l2 alpha=0.5 fair_c=2 \
                  tweedie_variance_power=1.2 pseudo_huber_delta=3";
    let named = ["huber@0.5", "quantile@0.5", "fair@2", "tweedie@1.2", "mphe@3", "l2"];
    assert_eq!(metrics(others), named);
    assert_eq!(metrics("metric=huber,fair,tweedie alpha=0.9"), ["huber", "fair", "tweedie"]);
    // A metric of the objective's kind has its settings, all of them.
    let several = metrics("objective=quantile alpha=0.1,0.9 metric=quantile,l1");
    assert_eq!(several, ["quantile", "l1"]);
    let stop = gbdt(&format!("{ranking} eval_at=2,3 early_stopping=7")).stop.unwrap();
    assert_eq!(stop.metric.as_deref(), Some("ndcg@2"));
}

#[test]
fn validation_data_is_watched_without_early_stopping() {
    assert_eq!(gbdt("metric=l1").stop, None);
    let stop = gbdt("metric=l1 valid=v.csv").stop.unwrap();
    assert_eq!((stop.rounds, stop.metric.as_deref()), (0, Some("l1")));
    assert_eq!(gbdt("valid=v.csv early_stopping=7").stop.unwrap().rounds, 7);
}

#[test]
fn lists_go_by_position() {
    let set = gbdt(
        "monotone_constraints=1,0,-1 feature_contri=1,0.5,2 interaction_constraints=[0,1],[2] \
         max_bin_by_feature=5,255,16 categorical_feature=name:c,a",
    );
    let constraints = Constraints {
        monotone: [("a".into(), 1), ("c".into(), -1)].into(),
        interaction: vec![vec!["a".into(), "b".into()], vec!["c".into()]],
        contribution: [("a".into(), 1.0), ("b".into(), 0.5), ("c".into(), 2.0)].into(),
        ..Constraints::default()
    };
    assert_eq!(set.constraints, constraints);
    assert_eq!(set.bins.categorical, ["c", "a"]);
    assert_eq!(set.bins.max_bins_by_feature["c"], 16);
    let told = "'monotone_constraints' has 2 values, the data has 3 columns beside the label";
    refused("monotone_constraints=1,0", told);
    refused("interaction_constraints=[0,3]", "names column 3, the data has 3 beside the label");
    refused("categorical_feature=name:d", "names column 'd'");
    refused("monotone_constraints=1,2,0", "allowed is a list of -1, 0 and 1");
}

#[test]
fn columns_that_are_no_features_keep_their_places() {
    let other = |name: &str| Column { is_feature: false, ..Column::feature(name) };
    let columns =
        [other("id"), Column::feature("a"), other("weight"), Column::feature("b"), other("era")];
    let set = |text: &str| Parameters::parse(pairs(text)).unwrap().gbdt_of(&columns);
    let set_all = set(
        "monotone_constraints=1,0,1,-1,0 feature_contri=1,2,3,4,5 max_bin_by_feature=2,3,4,5,6 \
         interaction_constraints=[0,1],[2,4],[3] categorical_feature=0,3",
    )
    .unwrap();
    assert_eq!(set_all.constraints.monotone, [("b".into(), -1)].into());
    assert_eq!(set_all.constraints.contribution, [("a".into(), 2.0), ("b".into(), 4.0)].into());
    assert_eq!(set_all.bins.max_bins_by_feature, [("a".into(), 3), ("b".into(), 5)].into());
    // A set of nothing stays one: a feature of no set may not be asked about.
    let sets: [&[&str]; 3] = [&["a"], &[], &["b"]];
    assert_eq!(set_all.constraints.interaction, sets);
    assert_eq!(set_all.bins.categorical, ["b"]);
    assert_eq!(set("categorical_feature=name:era,a").unwrap().bins.categorical, ["a"]);
    let told = set("monotone_constraints=1,-1").unwrap_err().to_string();
    assert!(told.ends_with("has 2 values, the data has 5 columns beside the label"), "{told}");
    assert!(set("categorical_feature=5").is_err());
}

#[test]
fn era_options() {
    let set = gbdt(
        "era_criterion=era_split era_alpha=-1 era_directional=0.5 era_folds=16 era_adaptive=0.1 \
         neutralise_proportion=0.5 early_stopping=10 holdout=0.3 holdout_gap=4 metric=l2,l1",
    );
    let criterion = Criterion::EraSplit { alpha: -1.0, gamma: 1.0, directional: 0.5, pooled: 0.0 };
    assert_eq!((set.eras.criterion, set.eras.folds), (criterion, Some(16)));
    assert_eq!(set.eras.neutralise.unwrap().components, 50);
    let stop =
        EarlyStop { rounds: 10, min_delta: 0.0, holdout: 0.3, gap: 4, metric: Some("l2".into()) };
    assert_eq!(set.stop, Some(stop));
    refused("era_alpha=1", "era_alpha is set, but era_criterion is not era_split");
    refused("era_criterion=era_split era_gamma=0", "are 0");
}

#[test]
fn what_is_described_reads_back_as_the_same_settings() {
    for text in [
        "max_depth=3 num_leaves=8 eta=0.3",
        "boosting=dart max_drop=-1 drop_rate=0.3 skip_drop=0.1 uniform_drop=true",
        "boosting=rf bagging_freq=1 bagging_fraction=0.5 extra_trees=true",
        "data_sample_strategy=goss top_rate=0.3 other_rate=0.2",
        "data_sample_strategy=mvs bagging_fraction=0.3",
        "boosting=ordered categorical_method=ordered_target categorical_prior=2",
        "linear_tree=true linear_lambda=0.01 monotone_constraints=0,1,0 mc_method=intermediate",
        "interaction_constraints=[0,2],[1] feature_contri=1,2,1 categorical_feature=2 seed=9",
        "era_criterion=directional era_power=2 era_least=0.1 era_valid_share=0.5 era_min_rows=3",
        "era_criterion=t_statistic era_least=1.5 growth=oblivious precision=double max_memory=4g",
        "objective=binary sigmoid=2 scale_pos_weight=3",
        "objective=ova num_class=3 is_unbalance=true early_stopping=3 metric=multi_error",
        "objective=multiclass num_class=3 multi_output=true",
        "objective=tweedie tweedie_variance_power=1.2",
        "objective=poisson poisson_max_delta_step=0.2",
        "objective=fair fair_c=2",
        "objective=regression reg_sqrt=true",
        "objective=quantile alpha=0.1,0.5,0.9",
        "objective=lambdarank label_gain=0,1,3 lambdarank_norm=false",
        "objective=lambdarank eval_at=3 early_stopping=5",
        "objective=rank_xendcg objective_seed=8 label_gain=0,2",
        "objective=binary bagging_freq=2 pos_bagging_fraction=0.5 neg_bagging_fraction=0.25",
        "bagging_seed=1 feature_fraction_seed=3 extra_seed=5 drop_seed=7",
        "seed=5 bagging_seed=1 metric=huber alpha=1.5 early_stopping=5",
        "era_equal_weights=true",
        "objective=aft aft_noise=extreme aft_sigma=2",
        "objective=pseudo_huber pseudo_huber_delta=2",
        "era_boosting_every=20 bagging_by_query=1 bagging_freq=3 bagging_fraction=0.25",
        "era_criterion=boltzmann era_vanna=0.5 early_stopping=5 metric=l1 neutralize_components=9",
    ] {
        let set = gbdt(text);
        let features: Vec<Arc<str>> = ["a", "b", "c"].map(Arc::from).into();
        let again = Parameters::parse(describe(&set, &features)).unwrap();
        let again = again.gbdt(&features).unwrap();
        assert_ne!(set, Gbdt::default(), "{text}");
        assert_eq!(again, set, "{text}");
    }
}

#[test]
fn ranges_are_checked() {
    for (text, part) in [
        ("num_leaves=1", "parameter 'num_leaves' is '1', allowed is 2 to 131072"),
        ("eta=0", "parameter 'learning_rate' is '0', allowed is a number above 0"),
        ("eta=nan", "'nan'"),
        ("bagging_fraction=1.5", "above 0, at most 1"),
        ("feature_fraction=0", "above 0, at most 1"),
        ("max_bin=1", "2 to 65536"),
        ("max_bin=65537", "2 to 65536"),
        ("min_data_in_leaf=-1", "0 and above"),
        ("lambda_l2=-1", "0 and above"),
        ("n_estimators=1.5", "0 and above"),
        ("max_depth=x", "an integer"),
        ("extra_trees=perhaps", "true or false"),
        ("boosting=best", "gbdt, dart, rf, goss or ordered"),
        ("objective=poison", "unknown objective 'poison', did you mean 'poisson'?"),
        ("metric=l3", "unknown metric 'l3', did you mean"),
        ("tweedie_variance_power=2", "below 2"),
        ("tree_learner=voting", "serial"),
        ("holdout=1", "above 0, below 1"),
    ] {
        refused(text, part);
    }
}

#[test]
fn contradictions_are_refused() {
    for (text, part) in [
        ("boosting=rf", "boosting is rf"),
        ("boosting=goss bagging_freq=1 bagging_fraction=0.5", "bagging draws rows as well"),
        ("boosting=goss top_rate=0.8 other_rate=0.3", "top_rate + other_rate is 1.1"),
        ("objective=multiclass", "num_class is 1"),
        ("objective=regression num_class=3", "num_class is 3, and must be 1"),
        ("objective=binary is_unbalance=true scale_pos_weight=2", "scale_pos_weight is 2"),
        ("linear_tree=true objective=l1", "linear_tree is true"),
        ("linear_tree=true zero_as_missing=true", "zero_as_missing is true"),
        ("use_missing=false zero_as_missing=true", "use_missing is false"),
        ("boosting=dart early_stopping_round=5", "boosting is dart"),
        ("objective=multiclass num_class=3 metric=auc", "metric is auc"),
        ("objective=binary metric=multi_logloss", "metric is multi_logloss"),
        ("objective=huber alpha=0.1,0.9", "alpha has 2 values"),
        ("objective=mae monotone_constraints=1,0,0", "monotone_constraints"),
        (
            "objective=quantile alpha=0.1,0.9 metric=huber",
            "metric is huber, and alpha has 2 values",
        ),
        ("metric=ndcg label_gain=0,1", "metric is ndcg, and label_gain is set"),
        ("pos_bagging=0.5 bagging_freq=1", "objective is regression, not binary"),
        ("objective=binary neg_bagging=0.5 bagging_by_query=true", "draws whole eras"),
        ("objective=binary neg_bagging=0.5 data_sample_strategy=mvs", "is minimal_variance"),
        ("objective=binary neg_bagging=0.5 boosting=goss", "is goss"),
    ] {
        refused(text, part);
        refused(text, "contradictory parameters");
    }
}

#[test]
fn what_is_not_supported_is_refused_unless_it_is_the_default() {
    refused("cegb_tradeoff=0.5", "parameter 'cegb_tradeoff' is not supported");
    refused("auc_mu_weights=1,2", "parameter 'auc_mu_weights' is not supported");
    refused("num_machines=2", "one machine");
    assert_eq!(gbdt("cegb_tradeoff=1.0 num_machines=1 pre_partition=false"), Gbdt::default());
}

#[test]
fn what_has_no_meaning_is_noted() {
    let parameters =
        Parameters::parse(pairs("device=gpu verbosity=-1 eta=1 learning_rate=0.5")).unwrap();
    let notes: Vec<_> = parameters.notes.iter().map(|note| &*note.parameter).collect();
    assert_eq!(notes, ["eta", "device_type", "verbosity"]);
    assert_eq!(parameters.notes[0].reason, "learning_rate=0.5 counts");
}

#[test]
fn files_columns_and_predictions() {
    let text = "task=predict data=a.csv valid=b.csv,c.csv label=name:y weight=0 group=name:q \
                ignore_column=name:i,j header=true model_in=m.txt raw_score=true nthreads=2 \
                num_iteration_predict=10 output_result=p.csv";
    let parameters = Parameters::parse(pairs(text)).unwrap();
    assert_eq!((parameters.task, parameters.threads), (Task::Predict, 2));
    assert_eq!(parameters.files.valid, ["b.csv", "c.csv"]);
    assert_eq!(parameters.columns.label, Some(ColumnName::Name("y".into())));
    assert_eq!(parameters.columns.weight, Some(ColumnName::Position(0)));
    assert_eq!(parameters.columns.ignore.len(), 2);
    assert_eq!(parameters.columns.header, Some(true));
    assert!(parameters.prediction.raw && parameters.prediction.iterations == Some(10));
}
