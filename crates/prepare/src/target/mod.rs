//! Rank targets: three that do not leak and one that says it does.

mod empirical;
mod expanding;
mod leaky;
mod per_era;

pub use empirical::{EmpiricalTarget, FittedEmpiricalTarget};
pub use expanding::{ExpandingRank, FittedExpandingRank};
pub use leaky::LeakyGlobalRank;
pub use per_era::PerEraRank;

use fattail_core::{ColumnView, Panel, Result};

/// The panel with the target that `f` makes; a panel without a target stays as it is.
pub(crate) fn map_target(
    panel: Panel,
    f: impl FnOnce(ColumnView<'_>) -> Result<Vec<f32>>,
) -> Result<Panel> {
    if !panel.has_target() {
        return Ok(panel);
    }
    let values = f(panel.target()?)?;
    panel.with_target_values(values)
}

/// The place of `x` in sorted values: the share below, plus half the share of equal ones.
///
/// In the sample itself this is `(rank - 1/2) / n` with ties averaged.
fn place(sorted: &[f64], x: f64) -> f64 {
    place_in(&[sorted], x)
}

/// The place of `x` in all values of some sorted runs.
fn place_in<R: AsRef<[f64]>>(runs: &[R], x: f64) -> f64 {
    let (mut twice, mut count) = (0, 0);
    for run in runs.iter().map(AsRef::as_ref) {
        let below = run.partition_point(|&v| v < x);
        // Most values stand in no run: then nothing is equal, and one search tells.
        if run.get(below) == Some(&x) {
            twice += run[below..].partition_point(|&v| v <= x);
        }
        twice += 2 * below;
        count += run.len();
    }
    if x.is_nan() || count == 0 { f64::NAN } else { twice as f64 / (2 * count) as f64 }
}

#[cfg(test)]
mod tests {
    use super::place;

    #[test]
    fn places_by_hand() {
        let sorted = [1.0, 2.0, 2.0, 4.0];
        assert_eq!(
            [0.0, 1.0, 2.0, 3.0, 9.0].map(|x| place(&sorted, x)),
            [0.0, 0.125, 0.5, 0.75, 1.0]
        );
        assert!(place(&[], 1.0).is_nan() && place(&sorted, f64::NAN).is_nan());
    }
}
