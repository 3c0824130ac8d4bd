//! Parameters of objectives and metrics.

use fattail_objective::{Noise, Objective};

use super::super::{
    entry::{Entry, flag, ignored, set, unsupported},
    objective::{alphas, binary, classes, label_gain, lambdarank, noise_name},
    value::{NOT_NEGATIVE, POSITIVE, TWEEDIE},
};

pub(super) const ROWS: &[Entry] = &[
    set("objective_seed", &[], |draft, value| {
        const ALLOWED: &str = "an integer, 0 to 4294967295";
        let seed = value.integer(ALLOWED, |seed| u32::try_from(seed).is_ok())?;
        draft.objective.seed = u32::try_from(seed).ok();
        Ok(())
    })
    .shown(|shown| match shown.gbdt.objective {
        Objective::RankXendcg { seed, .. } => seed.to_string(),
        _ => "5".into(),
    }),
    set("num_class", &["num_classes"], |draft, value| {
        value.count(1, "1 and above").map(|classes| draft.objective.classes = classes)
    })
    .shown(|shown| classes(&shown.gbdt.objective).to_string()),
    set("is_unbalance", &["unbalance", "unbalanced_sets"], |draft, value| {
        value.flag().map(|unbalance| draft.objective.binary.is_unbalance = unbalance)
    })
    .shown(|shown| flag(binary(&shown.gbdt.objective).is_unbalance)),
    set("scale_pos_weight", &[], |draft, value| {
        value.real(POSITIVE).map(|weight| draft.objective.binary.scale_pos_weight = weight)
    })
    .shown(|shown| binary(&shown.gbdt.objective).scale_pos_weight.to_string()),
    set("sigmoid", &[], |draft, value| {
        value.real(POSITIVE).map(|sigmoid| draft.objective.binary.sigmoid = sigmoid)
    })
    .shown(|shown| binary(&shown.gbdt.objective).sigmoid.to_string()),
    set("boost_from_average", &[], |draft, value| {
        value.flag().map(|average| draft.gbdt.from_average = average)
    })
    .shown(|shown| flag(shown.gbdt.from_average)),
    set("reg_sqrt", &[], |draft, value| value.flag().map(|sqrt| draft.objective.sqrt = sqrt))
        .shown(|shown| flag(shown.gbdt.objective == Objective::RegressionSqrt)),
    set("alpha", &[], |draft, value| {
        draft.objective.alphas = value.reals(POSITIVE)?;
        if draft.objective.alphas.is_empty() {
            return Err(value.refuse("a number above 0, or several for several quantiles"));
        }
        Ok(())
    })
    .shown(|shown| {
        let alphas = alphas(&shown.gbdt.objective);
        alphas.iter().map(f64::to_string).collect::<Vec<_>>().join(",")
    }),
    set("fair_c", &[], |draft, value| value.real(POSITIVE).map(|c| draft.objective.fair_c = c))
        .shown(|shown| match shown.gbdt.objective {
            Objective::Fair { c } => c.to_string(),
            _ => "1".into(),
        }),
    set("poisson_max_delta_step", &[], |draft, value| {
        value.real(POSITIVE).map(|step| draft.objective.poisson_step = step)
    })
    .shown(|shown| match shown.gbdt.objective {
        Objective::Poisson { max_delta_step } => max_delta_step.to_string(),
        _ => "0.7".into(),
    }),
    set("tweedie_variance_power", &[], |draft, value| {
        value.real(TWEEDIE).map(|power| draft.objective.tweedie_power = power)
    })
    .shown(|shown| match shown.gbdt.objective {
        Objective::Tweedie { variance_power } => variance_power.to_string(),
        _ => "1.5".into(),
    }),
    set("lambdarank_truncation_level", &[], |draft, value| {
        let level = value.count(1, "1 and above");
        level.map(|level| draft.objective.lambdarank.truncation_level = level)
    })
    .shown(|shown| lambdarank(&shown.gbdt.objective).truncation_level.to_string()),
    set("lambdarank_norm", &[], |draft, value| {
        value.flag().map(|norm| draft.objective.lambdarank.norm = norm)
    })
    .shown(|shown| flag(lambdarank(&shown.gbdt.objective).norm)),
    set("label_gain", &[], |draft, value| {
        draft.objective.lambdarank.label_gain = value.reals(NOT_NEGATIVE)?;
        Ok(())
    })
    .shown(|shown| {
        let gains = label_gain(&shown.gbdt.objective);
        gains.iter().map(f64::to_string).collect::<Vec<_>>().join(",")
    }),
    unsupported(
        "lambdarank_position_bias_regularization",
        &[],
        "0",
        "positions of clicks are not read",
    ),
    set("eval_at", &["ndcg_eval_at", "ndcg_at", "map_eval_at", "map_at"], |draft, value| {
        draft.eval_at = value.counts(1, "a list of counts, 1 and above")?;
        Ok(())
    })
    .text(""),
    set("multi_error_top_k", &[], |draft, value| {
        value.count(1, "1 and above").map(|top| draft.multi_error_top = top)
    })
    .text("1"),
    unsupported("auc_mu_weights", &[], "", "all pairs of classes weigh the same"),
    ignored("metric_freq", &["output_freq"], "every round is scored"),
];

/// Settings of the objectives that LightGBM does not have.
pub(super) const MORE: &[Entry] = &[
    set("pseudo_huber_delta", &["huber_slope"], |draft, value| {
        value.real(POSITIVE).map(|delta| draft.objective.delta = delta)
    })
    .shown_if(|shown| match shown.gbdt.objective {
        Objective::PseudoHuber { delta } => Some(delta.to_string()),
        _ => None,
    }),
    set("aft_sigma", &["aft_loss_distribution_scale"], |draft, value| {
        value.real(POSITIVE).map(|sigma| draft.objective.aft.sigma = sigma)
    })
    .shown_if(|shown| match &shown.gbdt.objective {
        Objective::Aft(aft) => Some(aft.sigma.to_string()),
        _ => None,
    }),
    set("aft_noise", &["aft_loss_distribution"], |draft, value| {
        draft.objective.aft.noise = value.one_of(
            &[
                (&["normal"], Noise::Normal),
                (&["logistic"], Noise::Logistic),
                (&["extreme"], Noise::Extreme),
            ],
            "normal, logistic or extreme",
        )?;
        Ok(())
    })
    .shown_if(|shown| match &shown.gbdt.objective {
        Objective::Aft(aft) => Some(noise_name(aft.noise).into()),
        _ => None,
    }),
];
