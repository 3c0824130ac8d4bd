//! What is done to the panel before it is split, or in each fold to its training rows.

use std::collections::HashSet;

use fattail::{
    Fit, Panel, Pipeline, Result, Transform,
    certificate::Run,
    evaluate::Fold,
    prepare::{LeakyGlobalRank, Method, Mode, PerEraRank, Scaler},
};

use super::{each, fit, ridge};

fn standard() -> Scaler {
    Scaler { method: Method::Standard, mode: Mode::Train }
}

pub(super) fn scaler(panel: &Panel, folds: &[Fold], leaks: bool) -> Result<Run> {
    if leaks {
        let scaled = standard().fit(panel)?.transform(panel.clone())?;
        return each(&scaled, folds, |fold| fold.predict(&fit(&ridge(), fold.train())?));
    }
    let pipeline = Pipeline::first(standard()).learner(ridge());
    each(panel, folds, |fold| fold.predict(&pipeline.fit(fold.train())?))
}

pub(super) fn global_rank(panel: &Panel, folds: &[Fold], leaks: bool) -> Result<Run> {
    let ranked = match leaks {
        true => LeakyGlobalRank {}.transform(panel.clone())?,
        false => PerEraRank::default().transform(panel.clone())?,
    };
    each(&ranked, folds, |fold| fold.predict(&fit(&ridge(), fold.train())?))
}

/// The first feature times what the era after, or before, brings to the second.
pub(super) fn future_feature(panel: &Panel, folds: &[Fold], leaks: bool) -> Result<Run> {
    let second = panel.feature(1);
    let means: Vec<f32> = second
        .eras()
        .map(|values| values.iter().map(|value| value.powi(2)).sum::<f32>() / values.len() as f32)
        .collect();
    let level = |era: usize| {
        let other = if leaks { era + 1 } else { era.saturating_sub(1) };
        means.get(other).copied().unwrap_or(0.0)
    };
    let values: Vec<f32> = (panel.feature(0).eras().enumerate())
        .flat_map(|(era, values)| values.iter().map(move |value| (era, value)))
        .map(|(era, value)| (value - 2.0) * level(era))
        .collect();
    let longer = panel.append_features([("brought", values)])?;
    each(&longer, folds, |fold| fold.predict(&fit(&ridge(), fold.train())?))
}

/// The mean target of each bin of the first feature, learnt from some eras.
fn encoding(panel: &Panel, eras: &[usize]) -> Result<[f32; 256]> {
    let (mut sums, mut counts) = ([0.0_f32; 256], [0.0_f32; 256]);
    for &era in eras {
        let era = panel.era(era);
        for (bin, &target) in era.feature(0).iter().zip(era.target()?) {
            if !target.is_nan() {
                sums[bin as usize] += target;
                counts[bin as usize] += 1.0;
            }
        }
    }
    Ok(std::array::from_fn(|bin| sums[bin] / counts[bin].max(1.0)))
}

pub(super) fn target_encoding(panel: &Panel, folds: &[Fold], leaks: bool) -> Result<Run> {
    let all: Vec<usize> = (0..panel.eras().len()).collect();
    let mut run = Run::default();
    for fold in folds {
        let means = encoding(panel, if leaks { &all } else { &fold.train })?;
        let encoded = panel.feature(0).to_f32().into_iter().map(|bin| means[bin as usize]);
        let panel = panel.append_features([("encoded", encoded.collect::<Vec<f32>>())])?;
        let here = std::slice::from_ref(fold);
        let found = each(&panel, here, |fold| fold.predict(&fit(&ridge(), fold.train())?))?;
        run.predictions.extend(found.predictions);
    }
    Ok(run)
}

/// Rows teach whose asset is there in a later era: the last of all, or the last that is trained on.
pub(super) fn survivors(panel: &Panel, folds: &[Fold], leaks: bool) -> Result<Run> {
    let mut run = Run::default();
    for fold in folds {
        let last = if leaks { panel.eras().len() - 1 } else { fold.train[fold.train.len() - 1] };
        let there: HashSet<&str> = panel.era(last).ids().into_iter().flatten().collect();
        let target = panel.target()?.to_f32().into_iter().enumerate().map(|(row, value)| {
            let stays = panel.id(row).is_some_and(|id| there.contains(id));
            if stays { value } else { f32::NAN }
        });
        let panel = panel.with_target_values(target.collect::<Vec<f32>>())?;
        let here = std::slice::from_ref(fold);
        let found = each(&panel, here, |fold| fold.predict(&fit(&ridge(), fold.train())?))?;
        run.predictions.extend(found.predictions);
    }
    Ok(run)
}

/// The place of a row in its era as a feature, in the pipeline that leaks.
pub(super) fn place(panel: &Panel, folds: &[Fold], leaks: bool) -> Result<Run> {
    let places = panel.eras().ranges().flat_map(|rows| (0..rows.len()).map(|at| at as f32));
    let longer = match leaks {
        true => panel.append_features([("place", places.collect::<Vec<f32>>())])?,
        false => panel.clone(),
    };
    each(&longer, folds, |fold| fold.predict(&fit(&ridge(), fold.train())?))
}
