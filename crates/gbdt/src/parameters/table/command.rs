//! Parameters of commands: files and what is predicted.

use super::super::{
    Task,
    entry::{Entry, set, unsupported},
};

pub(super) const ROWS: &[Entry] = &[
    set("config", &["config_file"], |draft, value| {
        draft.out.files.config = Some(value.text.into());
        Ok(())
    }),
    set("task", &["task_type"], |draft, value| {
        draft.out.task = value.one_of(
            &[
                (&["train", "training"], Task::Train),
                (&["predict", "prediction", "test"], Task::Predict),
                (&["convert_model"], Task::Convert),
                (&["refit", "refit_tree"], Task::Refit),
            ],
            "train, predict, convert_model or refit",
        )?;
        Ok(())
    }),
    set("input_model", &["model_input", "model_in"], |draft, value| {
        draft.out.files.input_model = Some(value.text.into());
        Ok(())
    }),
    set("output_model", &["model_output", "model_out"], |draft, value| {
        draft.out.files.output_model = Some(value.text.into());
        Ok(())
    }),
    set(
        "output_result",
        &[
            "predict_result",
            "prediction_result",
            "predict_name",
            "prediction_name",
            "pred_name",
            "name_pred",
        ],
        |draft, value| {
            draft.out.files.output_result = Some(value.text.into());
            Ok(())
        },
    ),
    set("start_iteration_predict", &[], |draft, value| {
        value.count(0, "0 and above").map(|start| draft.out.prediction.start = start)
    }),
    set("num_iteration_predict", &[], |draft, value| {
        value.limit().map(|iterations| draft.out.prediction.iterations = iterations)
    }),
    set(
        "predict_raw_score",
        &["is_predict_raw_score", "predict_rawscore", "raw_score"],
        |draft, value| value.flag().map(|raw| draft.out.prediction.raw = raw),
    ),
    set("predict_leaf_index", &["is_predict_leaf_index", "leaf_index"], |draft, value| {
        value.flag().map(|leaves| draft.out.prediction.leaves = leaves)
    }),
    set("predict_contrib", &["is_predict_contrib", "contrib"], |draft, value| {
        value.flag().map(|contributions| draft.out.prediction.contributions = contributions)
    }),
    unsupported("predict_disable_shape_check", &[], "false", "features are matched by name")
        .unsaved(),
    unsupported("pred_early_stop", &[], "false", "predictions take every tree").unsaved(),
    unsupported("pred_early_stop_freq", &[], "10", "predictions take every tree").unsaved(),
    unsupported("pred_early_stop_margin", &[], "10", "predictions take every tree").unsaved(),
    set("convert_model", &["convert_model_file"], |draft, value| {
        draft.out.files.convert_model = Some(value.text.into());
        Ok(())
    }),
    unsupported("convert_model_language", &[], "", "convert writes model files, no programs")
        .unsaved(),
];
