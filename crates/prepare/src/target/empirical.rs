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

use super::{map_target, place};
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
        Ok(FittedEmpiricalTarget { sorted })
    }
}

impl Transform for FittedEmpiricalTarget {
    fn transform(&self, panel: Panel) -> Result<Panel> {
        map_target(panel, |target| {
            let mut places = target.to_f32();
            places.par_iter_mut().for_each(|v| *v = place(&self.sorted, f64::from(*v)) as f32);
            Ok(places)
        })
    }
}
