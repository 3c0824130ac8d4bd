//! The target's place in the distribution of the train targets.
//!
//! `F(y) = (#{t < y} + #{t <= y}) / 2n` over the `n` known train targets `t`: on train the averaged
//! rank `(rank - 1/2) / n`, later a number from 0 to 1 that owes nothing to later targets.
//!
//! A NaN target stays NaN; a train panel without known targets is refused; a panel without a target
//! stays as it is.
//!
//! Cost: a sort in the fit, a search a row after that, rows in parallel.

use fattail_core::{Error, Fit, Panel, Result, Transform};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{map_target, place_after};
use crate::scale::sort;

/// Learns the distribution of the target that learners fit.
///
/// ```
/// use fattail_core::{Fit, Panel, Transform};
/// use fattail_prepare::EmpiricalTarget;
///
/// let panel = |target: Vec<f32>| Panel::builder().target("return", target).build();
/// let fitted = EmpiricalTarget {}.fit(&panel(vec![3.0, 1.0])?)?;
/// let later = fitted.transform(panel(vec![0.0, 1.0, 2.0, 99.0])?)?;
/// assert_eq!(later.target()?.to_f32(), [0.0, 0.25, 0.5, 1.0]);
/// # Ok::<(), fattail_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct EmpiricalTarget {}

/// A fitted [`EmpiricalTarget`].
#[derive(Debug, Clone, PartialEq)]
pub struct FittedEmpiricalTarget {
    sorted: Vec<f64>,
    /// Every [`STRIDE`]-th of them: what a search begins with stays in the cache.
    heads: Vec<f64>,
}

/// Values of a search's second half: a few cache lines.
const STRIDE: usize = 64;

impl FittedEmpiricalTarget {
    fn new(sorted: Vec<f64>) -> Self {
        let heads = sorted.iter().copied().step_by(STRIDE).collect();
        Self { sorted, heads }
    }

    /// The place of `x`: `place_in` in two steps.
    fn place(&self, x: f64) -> f64 {
        let start = self.heads.partition_point(|&v| v < x).saturating_sub(1) * STRIDE;
        let end = self.sorted.len().min(start + STRIDE);
        let below = start + self.sorted[start..end].partition_point(|&v| v < x);
        place_after(&self.sorted, below, x)
    }
}

impl Fit for EmpiricalTarget {
    type Fitted = FittedEmpiricalTarget;

    fn fit(&self, train: &Panel) -> Result<FittedEmpiricalTarget> {
        let mut sorted = train.target()?.to_f64();
        sorted.retain(|v| !v.is_nan());
        if sorted.is_empty() {
            return Err(Error::empty("the known part of the train target"));
        }
        sort(&mut sorted);
        Ok(FittedEmpiricalTarget::new(sorted))
    }
}

impl Transform for FittedEmpiricalTarget {
    fn transform(&self, panel: Panel) -> Result<Panel> {
        map_target(panel, |target| {
            let mut places = target.to_f32();
            places.par_iter_mut().for_each(|v| *v = self.place(f64::from(*v)) as f32);
            Ok(places)
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::target::place_in;

    proptest! {
        #[test]
        fn two_steps_are_one(
            values in prop::collection::vec(-40i32..40, 1..300),
            // At 1 hardly any are equal, at 30 a run of equal ones spans several blocks.
            coarse in 1i32..31,
            x in -41i32..41,
        ) {
            let mut sorted: Vec<f64> = values.into_iter().map(|v| f64::from(v / coarse)).collect();
            sort(&mut sorted);
            let x = f64::from(x / coarse);
            let expected = place_in(&[&sorted], x);
            prop_assert_eq!(FittedEmpiricalTarget::new(sorted).place(x), expected);
        }
    }

    #[test]
    fn what_is_unknown_stays_so() {
        let fitted = FittedEmpiricalTarget::new((0..200).map(f64::from).collect());
        assert!(fitted.place(f64::NAN).is_nan());
        assert_eq!([-1.0, 64.0, 500.0].map(|x| fitted.place(x)), [0.0, 0.3225, 1.0]);
    }
}
