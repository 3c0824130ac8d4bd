//! Parameters that LightGBM does not have: eras, growth, precision, memory.

use fattail_core::parse_bytes;

use super::super::{
    ParameterResult,
    draft::{CriterionName, Draft},
    entry::{Entry, Shown, set},
    value::{ANY, INSIDE, NOT_NEGATIVE, SHARE, UNIT, Value},
};
use crate::{CategoricalMethod, Criterion, EraBoosting, Gbdt, Growth, Neutralise, Precision};

pub(super) const ROWS: &[Entry] = &[
    set("era_criterion", &["era_splitting"], |draft, value| {
        draft.eras.criterion = value.one_of(
            &[
                (&["pooled", "none"], CriterionName::Pooled),
                (&["era_split", "boltzmann"], CriterionName::EraSplit),
                (&["directional"], CriterionName::Directional),
                (&["t_statistic", "t"], CriterionName::TStatistic),
            ],
            "pooled, era_split, directional or t_statistic",
        )?;
        Ok(())
    })
    .shown_if(|shown| match shown.gbdt.eras.criterion {
        Criterion::Pooled => None,
        Criterion::EraSplit { .. } => Some("era_split".into()),
        Criterion::Directional { .. } => Some("directional".into()),
        Criterion::TStatistic { .. } => Some("t_statistic".into()),
    }),
    set("era_alpha", &[], |draft, value| value.real(ANY).map(|alpha| draft.eras.alpha = alpha))
        .shown_if(|shown| era_split(shown).map(|weights| weights[0].to_string())),
    set("era_gamma", &[], |draft, value| {
        value.real(NOT_NEGATIVE).map(|gamma| draft.eras.gamma = gamma)
    })
    .shown_if(|shown| era_split(shown).map(|weights| weights[1].to_string())),
    set("era_directional", &["era_blama"], |draft, value| {
        value.real(NOT_NEGATIVE).map(|weight| draft.eras.directional = weight)
    })
    .shown_if(|shown| era_split(shown).map(|weights| weights[2].to_string())),
    set("era_pooled", &["era_vanna"], |draft, value| {
        value.real(NOT_NEGATIVE).map(|weight| draft.eras.pooled = weight)
    })
    .shown_if(|shown| era_split(shown).map(|weights| weights[3].to_string())),
    set("era_power", &[], |draft, value| {
        value.real(NOT_NEGATIVE).map(|power| draft.eras.power = power)
    })
    .shown_if(|shown| match shown.gbdt.eras.criterion {
        Criterion::Directional { power, .. } => Some(power.to_string()),
        _ => None,
    }),
    set("era_least", &["era_least_agreement", "era_least_t"], |draft, value| {
        value.real(ANY).map(|least| draft.eras.least = least)
    })
    .shown_if(|shown| match shown.gbdt.eras.criterion {
        Criterion::Directional { least, .. } | Criterion::TStatistic { least } => {
            Some(least.to_string())
        }
        Criterion::Pooled | Criterion::EraSplit { .. } => None,
    }),
    set("era_folds", &[], |draft, value| value.limit().map(|folds| draft.gbdt.eras.folds = folds))
        .shown_if(|shown| shown.gbdt.eras.folds.map(|folds| folds.to_string())),
    set("era_valid_share", &[], |draft, value| {
        value.real(UNIT).map(|share| draft.gbdt.eras.valid_share = share)
    })
    .shown_if(|shown| other(shown, |gbdt| gbdt.eras.valid_share)),
    set("era_min_rows", &[], |draft, value| {
        value.count(1, "1 and above").map(|rows| draft.gbdt.eras.min_rows = rows)
    })
    .shown_if(|shown| other(shown, |gbdt| gbdt.eras.min_rows)),
    set("era_equal_weights", &["equal_era_weights"], |draft, value| {
        value.flag().map(|equal| draft.gbdt.eras.equal_weights = equal)
    })
    .shown_if(|shown| other(shown, |gbdt| gbdt.eras.equal_weights)),
    set("era_boosting_proportion", &[], |draft, value| {
        let proportion = value.real(SHARE)?;
        era_boosting(draft).proportion = proportion;
        Ok(())
    })
    .shown_if(|shown| shown.gbdt.eras.boosting.map(|boosting| boosting.proportion.to_string())),
    set("era_boosting_every", &[], |draft, value| {
        let every = value.count(1, "1 and above")?;
        era_boosting(draft).every = every;
        Ok(())
    })
    .shown_if(|shown| shown.gbdt.eras.boosting.map(|boosting| boosting.every.to_string())),
    set("neutralise_proportion", &["neutralize_proportion"], |draft, value| {
        let proportion = value.real(UNIT)?;
        neutralise(draft).proportion = proportion;
        Ok(())
    })
    .shown_if(|shown| shown.gbdt.eras.neutralise.map(|settings| settings.proportion.to_string())),
    set("neutralise_components", &["neutralize_components"], |draft, value| {
        let components = value.count(1, "1 and above")?;
        neutralise(draft).components = components;
        Ok(())
    })
    .shown_if(|shown| shown.gbdt.eras.neutralise.map(|settings| settings.components.to_string())),
    set("era_adaptive", &["adaptive_lambda"], |draft, value| {
        let factor = value.real(NOT_NEGATIVE)?;
        draft.gbdt.eras.adaptive = Some(factor).filter(|&factor| factor > 0.0);
        Ok(())
    })
    .shown_if(|shown| shown.gbdt.eras.adaptive.map(|factor| factor.to_string())),
    set("early_stopping_holdout", &["holdout"], |draft, value| {
        value.real(INSIDE).map(|share| draft.stop.holdout = share)
    })
    .shown_if(|shown| shown.gbdt.stop.as_ref().map(|stop| stop.holdout.to_string())),
    set("early_stopping_gap", &["holdout_gap"], |draft, value| {
        value.count(0, "0 and above").map(|gap| draft.stop.gap = gap)
    })
    .shown_if(|shown| shown.gbdt.stop.as_ref().map(|stop| stop.gap.to_string())),
    set("growth", &["grow_policy", "tree_growth"], |draft, value| {
        draft.gbdt.growth = value.one_of(
            &[
                (&["leaf_wise", "leafwise", "lossguide"], Growth::LeafWise),
                (&["depth_wise", "depthwise"], Growth::DepthWise),
                (&["oblivious", "symmetric", "symmetrictree"], Growth::Oblivious),
            ],
            "leaf_wise, depth_wise or oblivious",
        )?;
        Ok(())
    })
    .shown_if(|shown| match shown.gbdt.growth {
        Growth::LeafWise => None,
        Growth::DepthWise => Some("depth_wise".into()),
        Growth::Oblivious => Some("oblivious".into()),
    }),
    set("categorical_method", &[], |draft, value| {
        draft.ordered_target = value.one_of(
            &[(&["partition"], false), (&["ordered_target", "ordered"], true)],
            "partition or ordered_target",
        )?;
        Ok(())
    })
    .shown_if(|shown| match shown.gbdt.categorical.method {
        CategoricalMethod::Partition => None,
        CategoricalMethod::OrderedTarget { .. } => Some("ordered_target".into()),
    }),
    set("categorical_prior", &[], |draft, value| {
        value.real(NOT_NEGATIVE).map(|prior| draft.prior = prior)
    })
    .shown_if(|shown| match shown.gbdt.categorical.method {
        CategoricalMethod::Partition => None,
        CategoricalMethod::OrderedTarget { prior } => Some(prior.to_string()),
    }),
    set("multi_output", &[], |draft, value| value.flag().map(|one| draft.gbdt.multi_output = one))
        .shown_if(|shown| shown.gbdt.multi_output.then(|| "true".into())),
    set("precision", &[], |draft, value| {
        draft.gbdt.precision = value.one_of(
            &[(&["integer"], Precision::Integer), (&["double"], Precision::Double)],
            "integer or double",
        )?;
        Ok(())
    })
    .shown_if(|shown| match shown.gbdt.precision {
        Precision::Integer => None,
        Precision::Double => Some("double".into()),
    }),
    set("max_memory", &["memory"], |draft, value| {
        draft.gbdt.max_memory = bytes(value)?;
        Ok(())
    })
    .shown_if(|shown| shown.gbdt.max_memory.map(|bytes| bytes.to_string())),
];

fn era_boosting(draft: &mut Draft) -> &mut EraBoosting {
    draft.gbdt.eras.boosting.get_or_insert_default()
}

fn neutralise(draft: &mut Draft) -> &mut Neutralise {
    draft.gbdt.eras.neutralise.get_or_insert_default()
}

fn era_split(shown: &Shown<'_>) -> Option<[f64; 4]> {
    match shown.gbdt.eras.criterion {
        Criterion::EraSplit { alpha, gamma, directional, pooled } => {
            Some([alpha, gamma, directional, pooled])
        }
        Criterion::Pooled | Criterion::Directional { .. } | Criterion::TStatistic { .. } => None,
    }
}

/// What a setting is where it is not the default.
fn other<T: PartialEq + ToString>(shown: &Shown<'_>, of: fn(&Gbdt) -> T) -> Option<String> {
    let value = of(shown.gbdt);
    (value != of(&Gbdt::default())).then(|| value.to_string())
}

/// A size of memory; 0 for no limit.
fn bytes(value: &Value<'_>) -> ParameterResult<Option<u64>> {
    const ALLOWED: &str =
        "a number of bytes such as 800m, 4g (powers of 1,024) or 4GB; 0 for no limit";
    // Beyond 2⁵⁰ a number is a slip.
    let bytes = parse_bytes(&value.word()).filter(|&bytes| bytes <= 1 << 50);
    let bytes = bytes.ok_or_else(|| value.refuse(ALLOWED))?;
    Ok((bytes > 0).then_some(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_with_units() {
        let read = |text| bytes(&Value { name: "max_memory", text });
        assert_eq!(read("4g"), Ok(Some(4 << 30)));
        assert_eq!(read("1.5MiB"), Ok(Some(3 << 19)));
        assert_eq!(read("4gb"), Ok(Some(4_000_000_000)));
        assert_eq!((read("17"), read("0")), (Ok(Some(17)), Ok(None)));
        assert!(["lots", "-1", "4000000g"].iter().all(|text| read(text).is_err()));
    }
}
