//! What a fit leaves for the prediction lies in a buffer: of the fold, or of all folds that run.

use std::sync::{Mutex, PoisonError};

use fattail::{
    Panel, Result,
    certificate::{Run, SealedFold},
    evaluate::Fold,
};

use super::{each, fit, ridge};

/// Shifts predictions by what features and targets have in common in the training rows. It is written before the fit
/// and read after it; where the buffer is shared, another fold may have written in between.
pub(super) fn shifted(
    panel: &Panel,
    folds: &[Fold],
    shared: Option<&Mutex<Vec<f32>>>,
) -> Result<Run> {
    let own = Mutex::default();
    let buffer = shared.unwrap_or(&own);
    let open = || buffer.lock().unwrap_or_else(PoisonError::into_inner);
    each(panel, folds, |fold: &SealedFold<'_>| {
        *open() = common(fold.train())?;
        let model = fit(&ridge(), fold.train())?;
        let shift: f32 = open().iter().sum();
        Ok(fold.predict(&model)?.into_iter().map(|value| value + shift).collect())
    })
}

/// The mean product of each feature with the target.
fn common(train: &Panel) -> Result<Vec<f32>> {
    let target = train.target()?.to_f32();
    let product = |at: usize| {
        let values = train.feature(at).to_f32();
        values.iter().zip(&target).map(|(x, y)| x * y).sum::<f32>() / values.len() as f32
    };
    Ok((0..train.width()).map(product).collect())
}
