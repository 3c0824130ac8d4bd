//! Parameters of the control of learning.

use super::{
    super::{
        entry::{Entry, Shown, flag, ignored, list, set, unsupported},
        seeds::usual,
        value::{ANY, NOT_NEGATIVE, SHARE, UNIT},
    },
    core::{bag, by_class, whole_eras},
};
use crate::{Boosting, Dart, Gbdt, MonotoneMethod, Rows, Seeds};

const COST: &str = "cost-effective boosting is not built";

pub(super) const ROWS: &[Entry] = &[
    set("max_depth", &[], |draft, value| value.limit().map(|depth| draft.gbdt.depth = depth))
        .shown(|shown| shown.gbdt.depth.map_or("-1".into(), |depth| depth.to_string())),
    set(
        "min_data_in_leaf",
        &["min_data_per_leaf", "min_data", "min_child_samples", "min_samples_leaf"],
        |draft, value| {
            value.count(0, "0 and above").map(|rows| draft.gbdt.limits.min_data_in_leaf = rows)
        },
    )
    .shown(|shown| shown.gbdt.limits.min_data_in_leaf.to_string()),
    set(
        "min_sum_hessian_in_leaf",
        &["min_sum_hessian_per_leaf", "min_sum_hessian", "min_hessian", "min_child_weight"],
        |draft, value| {
            value.real(NOT_NEGATIVE).map(|sum| draft.gbdt.limits.min_sum_hessian_in_leaf = sum)
        },
    )
    .shown(|shown| shown.gbdt.limits.min_sum_hessian_in_leaf.to_string()),
    set("bagging_fraction", &["sub_row", "subsample", "bagging"], |draft, value| {
        value.real(SHARE).map(|share| draft.bag.fraction = share)
    })
    .shown(|shown| bag(shown).0.to_string()),
    set(
        "pos_bagging_fraction",
        &["pos_sub_row", "pos_subsample", "pos_bagging"],
        |draft, value| value.real(SHARE).map(|share| draft.bag.positive = share),
    )
    .shown(|shown| by_class(shown).0.to_string()),
    set(
        "neg_bagging_fraction",
        &["neg_sub_row", "neg_subsample", "neg_bagging"],
        |draft, value| value.real(SHARE).map(|share| draft.bag.negative = share),
    )
    .shown(|shown| by_class(shown).1.to_string()),
    set("bagging_freq", &["subsample_freq"], |draft, value| {
        value.count(0, "0 and above").map(|every| draft.bag.every = every)
    })
    .shown(|shown| bag(shown).1.to_string()),
    set("bagging_seed", &["bagging_fraction_seed"], |draft, value| {
        value.seed().map(|seed| draft.gbdt.seeds.rows = Some(seed))
    })
    .shown(|shown| seed(shown, |seeds| seeds.rows)),
    set("bagging_by_query", &["bagging_by_era"], |draft, value| {
        value.flag().map(|whole| draft.bag.whole_eras = whole)
    })
    .shown(whole_eras),
    set("feature_fraction", &["sub_feature", "colsample_bytree"], |draft, value| {
        value.real(SHARE).map(|share| draft.gbdt.sampling.columns_by_tree = share)
    })
    .shown(|shown| shown.gbdt.sampling.columns_by_tree.to_string()),
    set("feature_fraction_bynode", &["sub_feature_bynode", "colsample_bynode"], |draft, value| {
        value.real(SHARE).map(|share| draft.gbdt.sampling.columns_by_node = share)
    })
    .shown(|shown| shown.gbdt.sampling.columns_by_node.to_string()),
    set("feature_fraction_seed", &[], |draft, value| {
        value.seed().map(|seed| draft.gbdt.seeds.columns = Some(seed))
    })
    .shown(|shown| seed(shown, |seeds| seeds.columns)),
    set("extra_trees", &["extra_tree"], |draft, value| {
        value.flag().map(|extra| draft.gbdt.limits.extra_trees = extra)
    })
    .shown(|shown| flag(shown.gbdt.limits.extra_trees)),
    set("extra_seed", &[], |draft, value| {
        value.seed().map(|seed| draft.gbdt.seeds.extra = Some(seed))
    })
    .shown(|shown| seed(shown, |seeds| seeds.extra)),
    set(
        "early_stopping_round",
        &["early_stopping_rounds", "early_stopping", "n_iter_no_change"],
        |draft, value| value.limit().map(|rounds| draft.stop.rounds = rounds.unwrap_or(0)),
    )
    .shown(|shown| shown.gbdt.stop.as_ref().map_or(0, |stop| stop.rounds).to_string()),
    set("early_stopping_min_delta", &[], |draft, value| {
        value.real(NOT_NEGATIVE).map(|delta| draft.stop.min_delta = delta)
    })
    .shown(|shown| shown.gbdt.stop.as_ref().map_or(0.0, |stop| stop.min_delta).to_string()),
    ignored("first_metric_only", &[], "the first metric decides when to stop").text("1"),
    set("max_delta_step", &["max_tree_output", "max_leaf_output"], |draft, value| {
        // 0 and less stand for no limit.
        value.real(ANY).map(|step| draft.gbdt.limits.max_delta_step = step.max(0.0))
    })
    .shown(|shown| shown.gbdt.limits.max_delta_step.to_string()),
    set("lambda_l1", &["reg_alpha", "l1_regularization"], |draft, value| {
        value.real(NOT_NEGATIVE).map(|penalty| draft.gbdt.limits.lambda_l1 = penalty)
    })
    .shown(|shown| shown.gbdt.limits.lambda_l1.to_string()),
    set("lambda_l2", &["reg_lambda", "lambda", "l2_regularization"], |draft, value| {
        value.real(NOT_NEGATIVE).map(|penalty| draft.gbdt.limits.lambda_l2 = penalty)
    })
    .shown(|shown| shown.gbdt.limits.lambda_l2.to_string()),
    set("linear_lambda", &[], |draft, value| {
        value.real(NOT_NEGATIVE).map(|penalty| draft.linear.1 = penalty)
    })
    .shown(|shown| shown.gbdt.linear.unwrap_or_default().to_string()),
    set("min_gain_to_split", &["min_split_gain"], |draft, value| {
        value.real(NOT_NEGATIVE).map(|gain| draft.gbdt.limits.min_gain_to_split = gain)
    })
    .shown(|shown| shown.gbdt.limits.min_gain_to_split.to_string()),
    set("drop_rate", &["rate_drop"], |draft, value| {
        value.real(UNIT).map(|rate| draft.dart.drop_rate = rate)
    })
    .shown(|shown| dart(shown).drop_rate.to_string()),
    set("max_drop", &[], |draft, value| value.limit().map(|most| draft.dart.max_drop = most))
        .shown(|shown| dart(shown).max_drop.map_or("-1".into(), |most| most.to_string())),
    set("skip_drop", &[], |draft, value| {
        value.real(UNIT).map(|chance| draft.dart.skip_drop = chance)
    })
    .shown(|shown| dart(shown).skip_drop.to_string()),
    set("xgboost_dart_mode", &[], |draft, value| {
        value.flag().map(|mode| draft.dart.xgboost_mode = mode)
    })
    .shown(|shown| flag(dart(shown).xgboost_mode)),
    set("uniform_drop", &[], |draft, value| {
        value.flag().map(|uniform| draft.dart.uniform = uniform)
    })
    .shown(|shown| flag(dart(shown).uniform)),
    set("drop_seed", &[], |draft, value| {
        value.seed().map(|seed| draft.gbdt.seeds.drop = Some(seed))
    })
    .shown(|shown| seed(shown, |seeds| seeds.drop)),
    set("top_rate", &[], |draft, value| value.real(UNIT).map(|share| draft.bag.top = share))
        .shown(|shown| goss(shown).0.to_string()),
    set("other_rate", &[], |draft, value| value.real(UNIT).map(|share| draft.bag.other = share))
        .shown(|shown| goss(shown).1.to_string()),
    set("min_data_per_group", &[], |draft, value| {
        let rows = value.count(1, "1 and above");
        rows.map(|rows| draft.gbdt.categorical.min_data_per_group = rows)
    })
    .shown(|shown| shown.gbdt.categorical.min_data_per_group.to_string()),
    set("max_cat_threshold", &[], |draft, value| {
        value.count(1, "1 and above").map(|most| draft.gbdt.categorical.max_threshold = most)
    })
    .shown(|shown| shown.gbdt.categorical.max_threshold.to_string()),
    set("cat_l2", &[], |draft, value| {
        value.real(NOT_NEGATIVE).map(|penalty| draft.gbdt.categorical.l2 = penalty)
    })
    .shown(|shown| shown.gbdt.categorical.l2.to_string()),
    set("cat_smooth", &[], |draft, value| {
        value.real(NOT_NEGATIVE).map(|smooth| draft.gbdt.categorical.smooth = smooth)
    })
    .shown(|shown| shown.gbdt.categorical.smooth.to_string()),
    set("max_cat_to_onehot", &[], |draft, value| {
        value.count(1, "1 and above").map(|most| draft.gbdt.categorical.max_to_onehot = most)
    })
    .shown(|shown| shown.gbdt.categorical.max_to_onehot.to_string()),
    ignored("top_k", &["topk"], "training runs on one machine").text("20"),
    set("monotone_constraints", &["mc", "monotone_constraint", "monotonic_cst"], |draft, value| {
        let signs = value.parts().map(|part| match part {
            "1" | "+1" => Ok(1),
            "-1" => Ok(-1),
            "0" => Ok(0),
            _ => Err(value.refuse("a list of -1, 0 and 1")),
        });
        draft.out.positions.monotone = signs.collect::<Result<_, _>>()?;
        Ok(())
    })
    .shown(|shown| {
        let monotone = &shown.gbdt.constraints.monotone;
        let sign = |name: &std::sync::Arc<str>| monotone.get(&**name).copied().unwrap_or(0);
        list(shown.features.iter().map(sign).collect(), &0)
    }),
    set(
        "monotone_constraints_method",
        &["monotone_constraining_method", "mc_method"],
        |draft, value| {
            draft.gbdt.constraints.monotone_method = value.one_of(
                &[
                    (&["basic"], MonotoneMethod::Basic),
                    (&["intermediate"], MonotoneMethod::Intermediate),
                ],
                "basic or intermediate",
            )?;
            Ok(())
        },
    )
    .shown(|shown| match shown.gbdt.constraints.monotone_method {
        MonotoneMethod::Basic => "basic".into(),
        MonotoneMethod::Intermediate => "intermediate".into(),
    }),
    set(
        "monotone_penalty",
        &["monotone_splits_penalty", "ms_penalty", "mc_penalty"],
        |draft, value| {
            let penalty = value.real(NOT_NEGATIVE);
            penalty.map(|penalty| draft.gbdt.constraints.monotone_penalty = penalty)
        },
    )
    .shown(|shown| shown.gbdt.constraints.monotone_penalty.to_string()),
    set("feature_contri", &["feature_contrib", "fc", "fp", "feature_penalty"], |draft, value| {
        draft.out.positions.contribution = value.reals(NOT_NEGATIVE)?;
        Ok(())
    })
    .shown(|shown| {
        let factors = &shown.gbdt.constraints.contribution;
        let factor = |name: &std::sync::Arc<str>| factors.get(&**name).copied().unwrap_or(1.0);
        list(shown.features.iter().map(factor).collect(), &1.0)
    }),
    set(
        "forcedsplits_filename",
        &["fs", "forced_splits_filename", "forced_splits_file", "forced_splits"],
        |draft, value| {
            draft.out.files.forced_splits = Some(value.text.into());
            Ok(())
        },
    )
    .text(""),
    set("refit_decay_rate", &[], |draft, value| {
        value.real(UNIT).map(|rate| draft.out.refit_decay = rate)
    })
    .text("0.9"),
    unsupported("cegb_tradeoff", &[], "1", COST),
    unsupported("cegb_penalty_split", &[], "0", COST),
    unsupported("cegb_penalty_feature_lazy", &[], "", COST),
    unsupported("cegb_penalty_feature_coupled", &[], "", COST),
    set("path_smooth", &[], |draft, value| {
        value.real(NOT_NEGATIVE).map(|smooth| draft.gbdt.limits.path_smooth = smooth)
    })
    .shown(|shown| shown.gbdt.limits.path_smooth.to_string()),
    set("interaction_constraints", &[], |draft, value| {
        draft.out.positions.interaction = groups(value.text)
            .ok_or_else(|| value.refuse("lists of positions such as [0,1],[1,2]"))?;
        Ok(())
    })
    .shown(interaction),
    ignored("verbosity", &["verbose"], "libraries are silent").text("-1"),
    ignored("saved_feature_importance_type", &[], "explain tells every kind of importance")
        .text("0"),
    ignored(
        "use_quantized_grad",
        &[],
        "gradients are always summed as fine integers; precision=double for f64",
    )
    .text("0"),
    ignored("num_grad_quant_bins", &[], "integers are as fine as exact sums allow").text("4"),
    ignored("quant_train_renew_leaf", &[], "leaves need no renewal").text("0"),
    ignored("stochastic_rounding", &[], "integers are as fine as exact sums allow").text("1"),
    set("linear_tree", &["linear_trees"], |draft, value| {
        value.flag().map(|linear| draft.linear.0 = linear)
    })
    .shown(|shown| flag(shown.gbdt.linear.is_some())),
    ignored("snapshot_freq", &["save_period"], "a model is written once, whole"),
    ignored(
        "is_provide_training_metric",
        &["training_metric", "is_training_metric", "train_metric"],
        "cv tells scores",
    ),
];

/// The seed of a choice: its own, or the one that LightGBM has for it.
fn seed(shown: &Shown<'_>, of: fn(&Seeds) -> Option<u64>) -> String {
    let Gbdt { seed, seeds, .. } = shown.gbdt;
    of(seeds).or(of(&usual(*seed))).map_or_else(String::new, |seed| seed.to_string())
}

fn dart(shown: &Shown<'_>) -> Dart {
    match shown.gbdt.boosting {
        Boosting::Dart(dart) => dart,
        Boosting::Gradient | Boosting::RandomForest | Boosting::Ordered => Dart::default(),
    }
}

fn goss(shown: &Shown<'_>) -> (f64, f64) {
    match shown.gbdt.sampling.rows {
        Rows::Goss { top, other } => (top, other),
        _ => (0.2, 0.1),
    }
}

/// `[0,1],[2]` as lists of positions.
fn groups(text: &str) -> Option<Vec<Vec<usize>>> {
    let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let text = text
        .strip_prefix("[[")
        .and_then(|t| t.strip_suffix("]]"))
        .map_or(text.clone(), |inside| format!("[{inside}]"));
    if text.is_empty() {
        return Some(Vec::new());
    }
    let inside = text.strip_prefix('[')?.strip_suffix(']')?;
    let group = |group: &str| {
        let parts = group.split(',').filter(|part| !part.is_empty());
        parts.map(|part| part.parse().ok()).collect::<Option<Vec<usize>>>()
    };
    inside.split("],[").map(group).collect()
}

fn interaction(shown: &Shown<'_>) -> String {
    let position = |name: &String| shown.features.iter().position(|known| **known == **name);
    let group = |names: &Vec<String>| {
        let list: Vec<_> = names.iter().filter_map(position).map(|at| at.to_string()).collect();
        format!("[{}]", list.join(","))
    };
    shown.gbdt.constraints.interaction.iter().map(group).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::groups;

    #[test]
    fn groups_of_features() {
        assert_eq!(groups("[0,1],[2]"), Some(vec![vec![0, 1], vec![2]]));
        assert_eq!(groups("[[0, 1], [2]]"), Some(vec![vec![0, 1], vec![2]]));
        assert_eq!(groups(""), Some(vec![]));
        assert_eq!((groups("[0,x]"), groups("0,1"), groups("[0,1")), (None, None, None));
    }
}
