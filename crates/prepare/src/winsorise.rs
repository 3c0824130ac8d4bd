//! Pulls the tails of features in to limits that train has set.
//!
//! Limits: `median ± width · 1.4826 · MAD` of the train panel, so `width` counts standard deviations
//! of a normal sample.
//!
//! NaN stays NaN and sets no limit. A feature whose MAD is zero, more than half of which is one value,
//! is not limited: the MAD knows nothing of its tails.
//!
//! Features within their limits are shared with the panel given.
//!
//! Cost: `O(n)` a feature.
//!
//! Reference: Huber and Ronchetti (2009), Robust Statistics, section 1.2; Rousseeuw and Croux (1993).

use std::sync::Arc;

use fattail_core::{Error, Fit, Panel, Result, Transform, Values};
use fattail_stats::{MAD_TO_SIGMA, Sample};
use serde::{Deserialize, Serialize};

use crate::features::{each_feature, map_features};

/// Limits every feature.
///
/// ```
/// use fattail_core::{Fit, Panel, Transform};
/// use fattail_prepare::Winsorise;
///
/// let panel = |x: Vec<f32>| Panel::builder().feature("x", x).build();
/// let limits = Winsorise { width: 1.0 }.fit(&panel(vec![-1.0, 0.0, 1.0])?)?;
/// let pulled = limits.transform(panel(vec![-100.0, 0.5, 7.0])?)?;
/// assert_eq!(pulled.feature(0).to_f32(), [-1.4826022, 0.5, 1.4826022]);
/// # Ok::<(), fattail_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Winsorise {
    /// Distance of the limits from the median in robust standard deviations, above 0.
    pub width: f64,
}

impl Default for Winsorise {
    fn default() -> Self {
        Self { width: 5.0 }
    }
}

/// A fitted [`Winsorise`].
#[derive(Debug, Clone)]
pub struct FittedWinsorise {
    names: Vec<Arc<str>>,
    limits: Vec<(f32, f32)>,
}

impl Fit for Winsorise {
    type Fitted = FittedWinsorise;

    fn fit(&self, train: &Panel) -> Result<FittedWinsorise> {
        if self.width.is_nan() || self.width <= 0.0 {
            return Err(Error::setting("width", self.width, "above 0"));
        }
        let limits = each_feature(train, |_, column| {
            let mut sample = Sample::new();
            sample.load(column.eras().flat_map(Values::iter).map(f64::from));
            let away = self.width * MAD_TO_SIGMA * sample.median_absolute_deviation();
            let centre = sample.median();
            let known = away > 0.0 && centre.is_finite();
            let around = ((centre - away) as f32, (centre + away) as f32);
            Ok(if known { around } else { (f32::NEG_INFINITY, f32::INFINITY) })
        })?;
        Ok(FittedWinsorise { names: train.schema().features().to_vec(), limits })
    }
}

impl Transform for FittedWinsorise {
    fn transform(&self, panel: Panel) -> Result<Panel> {
        panel.schema().expect_features(&self.names)?;
        map_features(panel, |at, column| {
            let (low, high) = self.limits[at];
            if !column.eras().flat_map(Values::iter).any(|v| v < low || v > high) {
                return Ok(None);
            }
            let mut values = column.to_f32();
            values.iter_mut().for_each(|v| *v = v.clamp(low, high));
            Ok(Some(values))
        })
    }
}
