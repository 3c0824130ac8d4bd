//! Core parameters and the control of the machine.

use super::super::{
    ParameterResult,
    draft::{Booster, Strategy},
    entry::{Entry, Shown, flag, ignored, set},
    objective::{metrics, name_of, objective},
    value::{POSITIVE, Value},
};
use crate::{Boosting, Rows};

pub(super) const ROWS: &[Entry] = &[
    set("boosting", &["boosting_type", "boost"], |draft, value| {
        booster(value).map(|(booster, goss)| {
            draft.booster = booster;
            draft.goss_by_booster = goss;
        })
    })
    .shown(|shown| match shown.gbdt.boosting {
        Boosting::Gradient => "gbdt".into(),
        Boosting::Dart(_) => "dart".into(),
        Boosting::RandomForest => "rf".into(),
        Boosting::Ordered => "ordered".into(),
    }),
    set("objective", &["objective_type", "app", "application", "loss"], |draft, value| {
        draft.objective.kind = objective(value)?;
        Ok(())
    })
    .shown(|shown| name_of(&shown.gbdt.objective)),
    set("metric", &["metrics", "metric_types"], |draft, value| {
        draft.out.metrics = metrics(value)?;
        Ok(())
    })
    .shown(|shown| {
        let metric = shown.gbdt.stop.as_ref().and_then(|stop| stop.metric.clone());
        metric.unwrap_or_default()
    }),
    set("tree_learner", &["tree", "tree_type", "tree_learner_type"], |_, value| {
        let words: &[(&[&str], ())] = &[(&["serial"], ())];
        value.one_of(words, "serial: training runs on one machine")
    })
    .text("serial"),
    ignored("device_type", &["device"], "training runs on the processor").text("cpu"),
    set("data_sample_strategy", &[], |draft, value| {
        draft.strategy = value.one_of(
            &[
                (&["bagging"], Strategy::Bagging),
                (&["goss"], Strategy::Goss),
                (&["mvs", "minimal_variance"], Strategy::MinimalVariance),
            ],
            "bagging, goss or minimal_variance",
        )?;
        Ok(())
    })
    .shown(|shown| strategy(shown).into()),
    set("data", &["train", "train_data", "train_data_file", "data_filename"], |draft, value| {
        draft.out.files.data = Some(value.text.into());
        Ok(())
    })
    .text(""),
    set(
        "valid",
        &[
            "test",
            "valid_data",
            "valid_data_file",
            "test_data",
            "test_data_file",
            "valid_filenames",
        ],
        |draft, value| {
            draft.out.files.valid = value.parts().map(str::to_owned).collect();
            Ok(())
        },
    )
    .text(""),
    set(
        "num_iterations",
        &[
            "num_iteration",
            "n_iter",
            "num_tree",
            "num_trees",
            "num_round",
            "num_rounds",
            "nrounds",
            "num_boost_round",
            "n_estimators",
            "max_iter",
        ],
        |draft, value| value.count(0, "0 and above").map(|rounds| draft.gbdt.rounds = rounds),
    )
    .shown(|shown| shown.gbdt.rounds.to_string()),
    set("learning_rate", &["shrinkage_rate", "eta"], |draft, value| {
        value.real(POSITIVE).map(|rate| draft.gbdt.learning_rate = rate)
    })
    .shown(|shown| shown.gbdt.learning_rate.to_string()),
    set("num_leaves", &["num_leaf", "max_leaves", "max_leaf", "max_leaf_nodes"], |draft, value| {
        const ALLOWED: &str = "2 to 131072";
        let leaves = value.integer(ALLOWED, |leaves| (2..=131_072).contains(&leaves))?;
        draft.gbdt.leaves = leaves as usize;
        Ok(())
    })
    .shown(|shown| shown.gbdt.leaves.to_string()),
    set("num_threads", &["num_thread", "nthread", "nthreads", "n_jobs"], |draft, value| {
        draft.out.threads = value.limit()?.unwrap_or(0);
        Ok(())
    })
    .text("0"),
    set("seed", &["random_seed", "random_state"], |draft, value| {
        value.seed().map(|seed| draft.gbdt.seed = seed)
    })
    .shown(|shown| shown.gbdt.seed.to_string()),
    ignored("deterministic", &[], "training is always deterministic").text("1"),
    ignored("force_col_wise", &[], "the layout is chosen by the data").text("0"),
    ignored("force_row_wise", &[], "the layout is chosen by the data").text("0"),
    ignored("histogram_pool_size", &["hist_pool_size"], "max_memory bounds the whole training")
        .text("-1"),
];

fn booster(value: &Value<'_>) -> ParameterResult<(Booster, bool)> {
    value.one_of(
        &[
            (&["gbdt", "gbrt"], (Booster::Gradient, false)),
            (&["dart"], (Booster::Dart, false)),
            (&["rf", "random_forest"], (Booster::Forest, false)),
            (&["goss"], (Booster::Gradient, true)),
            (&["ordered"], (Booster::Ordered, false)),
        ],
        "gbdt, dart, rf, goss or ordered",
    )
}

fn strategy(shown: &Shown<'_>) -> &'static str {
    match shown.gbdt.sampling.rows {
        Rows::Goss { .. } => "goss",
        Rows::MinimalVariance { .. } => "minimal_variance",
        Rows::All | Rows::Bag { .. } | Rows::BagByClass { .. } | Rows::Eras { .. } => "bagging",
    }
}

/// The share and the period of the draws of rows or eras.
pub(super) fn bag(shown: &Shown<'_>) -> (f64, usize) {
    match shown.gbdt.sampling.rows {
        Rows::Bag { fraction, every } | Rows::Eras { fraction, every } => (fraction, every),
        Rows::BagByClass { every, .. } => (1.0, every),
        Rows::MinimalVariance { fraction } => (fraction, 1),
        Rows::All | Rows::Goss { .. } => (1.0, 0),
    }
}

/// The shares of rows whose label is above 0 and of the others.
pub(super) fn by_class(shown: &Shown<'_>) -> (f64, f64) {
    match shown.gbdt.sampling.rows {
        Rows::BagByClass { positive, negative, .. } => (positive, negative),
        _ => (1.0, 1.0),
    }
}

/// Whether eras are drawn whole.
pub(super) fn whole_eras(shown: &Shown<'_>) -> String {
    flag(matches!(shown.gbdt.sampling.rows, Rows::Eras { .. }))
}
