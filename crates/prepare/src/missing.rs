//! Missing values: found where a file hides them, and filled from what train knows.
//!
//! A feature that is 2 at every row of an era is one that is wholly missing there: that is how
//! Numerai's files write it, 2 being the middle of the bins 0 to 4. Filling: the median or mean of the
//! train panel, a constant, or the median of the era.
//!
//! NaN is missing; infinities are values. A feature without any known value in train is filled with
//! 0, and so is an era's median where train has none either.
//!
//! Features in which nothing is hidden or filled are shared with the panel given; the others become
//! numbers.
//!
//! Cost: `O(n)` a feature.

use std::sync::Arc;

use fattail_core::{ColumnView, Error, Fit, Panel, Result, Transform, Values};
use fattail_stats::{Sample, mean};
use serde::{Deserialize, Serialize};

use crate::features::{by_era, each_feature, map_features};

/// The features that are 2 at every row of an era, as (era, feature), by feature.
///
/// ```
/// use fattail_core::Panel;
/// let panel = Panel::builder()
///     .eras(&["1", "1", "2", "2"])?
///     .feature("x", vec![2u8, 1, 2, 2])
///     .build()?;
/// assert_eq!(fattail_prepare::all_twos(&panel), [(1, 0)]);
/// # Ok::<(), fattail_core::Error>(())
/// ```
#[must_use]
pub fn all_twos(panel: &Panel) -> Vec<(usize, usize)> {
    let of_feature = |at: usize| {
        let eras = panel.feature(at).eras().enumerate();
        eras.filter(|(_, values)| is_all_twos(*values)).map(move |(era, _)| (era, at))
    };
    (0..panel.width()).flat_map(of_feature).collect()
}

fn is_all_twos(values: Values<'_>) -> bool {
    match values {
        Values::U8(values) => values.iter().all(|&v| v == 2),
        Values::F32(values) => values.iter().all(|&v| v == 2.0),
    }
}

fn has_missing(values: Values<'_>) -> bool {
    matches!(values, Values::F32(values) if values.iter().any(|v| v.is_nan()))
}

/// Turns features that are 2 at every row of an era into NaN there. Learns nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AllTwosToMissing {}

impl Fit for AllTwosToMissing {
    type Fitted = Self;

    fn fit(&self, _: &Panel) -> Result<Self> {
        Ok(*self)
    }
}

impl Transform for AllTwosToMissing {
    fn transform(&self, panel: Panel) -> Result<Panel> {
        map_features(panel, |_, column| {
            if !column.eras().any(is_all_twos) {
                return Ok(None);
            }
            let hide = |era, values: &mut [f32]| {
                if is_all_twos(column.era(era)) {
                    values.fill(f32::NAN);
                }
            };
            Ok(Some(by_era(column, hide)))
        })
    }
}

/// What missing values are filled with.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fill {
    /// The median of the feature in train.
    #[default]
    Median,
    /// The mean of the feature in train.
    Mean,
    /// A constant, not NaN.
    Constant(f32),
    /// The median of the feature in the era; where the era has none, that of train.
    EraMedian,
}

/// Fills missing values.
///
/// ```
/// use fattail_core::{Fit, Panel, Transform};
/// use fattail_prepare::Impute;
///
/// let panel = |x: Vec<f32>| Panel::builder().feature("x", x).build();
/// let impute = Impute::default().fit(&panel(vec![1.0, f32::NAN, 4.0, 3.0])?)?;
/// assert_eq!(impute.transform(panel(vec![f32::NAN, 9.0])?)?.feature(0).to_f32(), [3.0, 9.0]);
/// # Ok::<(), fattail_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Impute {
    /// With what.
    pub fill: Fill,
}

/// A fitted [`Impute`].
#[derive(Debug, Clone)]
pub struct FittedImpute {
    names: Vec<Arc<str>>,
    values: Vec<f32>,
    era_medians: bool,
}

impl Fit for Impute {
    type Fitted = FittedImpute;

    fn fit(&self, train: &Panel) -> Result<FittedImpute> {
        if matches!(self.fill, Fill::Constant(value) if value.is_nan()) {
            return Err(Error::setting("fill", f32::NAN, "a number"));
        }
        let values = each_feature(train, |_, column| {
            let mut sample = Sample::new();
            let known = match self.fill {
                Fill::Constant(value) => return Ok(value),
                _ => sample.load(column.eras().flat_map(Values::iter).map(f64::from)),
            };
            let value = match self.fill {
                _ if known == 0 => 0.0,
                Fill::Mean => mean(sample.values()),
                _ => sample.median(),
            };
            Ok(value as f32)
        })?;
        let names = train.schema().features().to_vec();
        Ok(FittedImpute { names, values, era_medians: self.fill == Fill::EraMedian })
    }
}

impl Transform for FittedImpute {
    fn transform(&self, panel: Panel) -> Result<Panel> {
        panel.schema().expect_features(&self.names)?;
        map_features(panel, |at, column| {
            let missing = column.eras().any(has_missing);
            Ok(missing.then(|| self.filled(at, column)))
        })
    }
}

impl FittedImpute {
    fn filled(&self, at: usize, column: ColumnView<'_>) -> Vec<f32> {
        let mut sample = Sample::new();
        by_era(column, |_, values| {
            if !values.iter().any(|v| v.is_nan()) {
                return;
            }
            let mut value = self.values[at];
            if self.era_medians && sample.load(values.iter().map(|&v| v.into())) > 0 {
                value = sample.median() as f32;
            }
            values.iter_mut().filter(|v| v.is_nan()).for_each(|v| *v = value);
        })
    }
}
