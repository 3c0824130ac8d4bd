//! The learning curve: losses by epoch.

use fattail::{report::LineChart, training::Epoch};

use crate::Outcome;

/// Draws the losses of a run as an SVG file: the mean training loss of each epoch, with dropout, and the
/// loss of the holdout after it, where there is one. A loss that is not finite leaves a gap.
///
/// ```
/// use fattail::training::Epoch;
/// use fattail_examples::robust::learning_curve;
/// let epoch = |train_loss, holdout_loss| Epoch {
///     train_loss, holdout_loss, rate: 1e-4, norm: 1.0, steps: 10, skipped: 0,
/// };
/// let svg = learning_curve(&[epoch(3.0, 2.0), epoch(f64::NAN, 1.5)])?;
/// assert!(svg.contains("training") && svg.contains("holdout") && svg.contains("epoch 2"));
/// assert!(!learning_curve(&[epoch(0.5, f64::NAN)])?.contains("holdout"));
/// assert!(learning_curve(&[])?.contains("no epoch has a value"));
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// ```
///
/// # Errors
/// When the losses cannot be drawn.
pub fn learning_curve(history: &[Epoch]) -> Outcome<String> {
    let losses = |of: fn(&Epoch) -> f64| history.iter().map(of).collect::<Vec<f64>>();
    let mut lines = vec![("training".to_owned(), losses(|epoch| epoch.train_loss))];
    let held = losses(|epoch| epoch.holdout_loss);
    if held.iter().any(|loss| loss.is_finite()) {
        lines.push(("holdout".to_owned(), held));
    }
    let (title, step) = ("Loss by epoch".to_owned(), "epoch".to_owned());
    Ok(LineChart { title, step, lines }.to_svg()?)
}
