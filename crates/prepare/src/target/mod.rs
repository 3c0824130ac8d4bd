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

/// The place of `x` in all values of some sorted runs: the share below, plus half the share of equal ones.
///
/// In the sample itself this is `(rank - 1/2) / n` with ties averaged.
fn place_in<R: AsRef<[f64]>>(runs: &[R], x: f64) -> f64 {
    let (mut twice, mut count) = (0, 0);
    for run in runs.iter().map(AsRef::as_ref) {
        let below = run.partition_point(|&v| v < x);
        twice += 2 * below + equal(run, below, x);
        count += run.len();
    }
    share(twice, count, x)
}

/// The same in one run, where it is known how many are below.
fn place_after(sorted: &[f64], below: usize, x: f64) -> f64 {
    share(2 * below + equal(sorted, below, x), sorted.len(), x)
}

/// How many equal `x` where so many are below. Most values stand in no run: then one look tells.
fn equal(sorted: &[f64], below: usize, x: f64) -> usize {
    match sorted.get(below) == Some(&x) {
        true => sorted[below..].partition_point(|&v| v <= x),
        false => 0,
    }
}

fn share(twice: usize, count: usize, x: f64) -> f64 {
    if x.is_nan() || count == 0 { f64::NAN } else { twice as f64 / (2 * count) as f64 }
}

#[cfg(test)]
mod tests {
    use super::place_in;

    #[test]
    fn places_by_hand() {
        let sorted = [1.0, 2.0, 2.0, 4.0];
        assert_eq!(
            [0.0, 1.0, 2.0, 3.0, 9.0].map(|x| place_in(&[sorted], x)),
            [0.0, 0.125, 0.5, 0.75, 1.0]
        );
        assert!(place_in::<[f64; 0]>(&[], 1.0).is_nan() && place_in(&[sorted], f64::NAN).is_nan());
    }
}
