//! Scales the features of a panel: a [`Method`] and the rows that it learns from.
//!
//! Train: once, from the train panel. Per era: from each era alone, across its rows. Rolling and
//! expanding: from the eras before and, if closed on both sides, the era itself; a panel that begins
//! after train goes on from the eras of train.
//!
//! NaN stays NaN and teaches nothing; a feature that is constant where it is learnt keeps its
//! distance from the centre. The first era of a window that is closed on the left is scaled by
//! itself.
//!
//! Cost: see [`Method`]; a window that moves learns once for each era of the panel, and takes the eras
//! of train in without learning. The standard form is then one pass over the panel; the others cost
//! one pass over the window an era, so an expanding one costs `O(eras · rows)`.

use std::sync::Arc;

use fattail_core::{ColumnView, Fit, Panel, Result, Transform};
use serde::{Deserialize, Serialize};

use crate::{
    check::at_least_one,
    closed::Closed,
    features::{by_era, each_feature, map_features},
    history::History,
    scale::{Method, Scale, ScalerStream},
};

/// The rows that a scaler learns from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// The train panel.
    #[default]
    Train,
    /// Each era by itself.
    PerEra,
    /// The last eras.
    Rolling {
        /// How many, at least 1.
        eras: usize,
        /// Whether the era itself is one of them.
        closed: Closed,
    },
    /// All eras so far.
    Expanding {
        /// Whether the era itself is one of them.
        closed: Closed,
    },
}

/// Scales every feature.
///
/// ```
/// use fattail_core::{Fit, Panel, Transform};
/// use fattail_prepare::Scaler;
///
/// let train = Panel::builder().feature("x", vec![1.0f32, 3.0]).build()?;
/// let scaler = Scaler::default().fit(&train)?;
/// let later = Panel::builder().feature("x", vec![5.0f32]).build()?;
/// assert_eq!(scaler.transform(later)?.feature(0).to_f32(), [3.0]);
/// # Ok::<(), fattail_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Scaler {
    /// How.
    pub method: Method,
    /// By which rows.
    pub mode: Mode,
}

/// A fitted [`Scaler`].
#[derive(Debug, Clone)]
pub struct FittedScaler {
    names: Vec<Arc<str>>,
    method: Method,
    learnt: Learnt,
}

#[derive(Debug, Clone)]
enum Learnt {
    Train(Vec<Scale>),
    PerEra,
    Moving { history: History, length: Option<usize>, closed: Closed },
}

impl Fit for Scaler {
    type Fitted = FittedScaler;

    fn fit(&self, train: &Panel) -> Result<FittedScaler> {
        self.method.check()?;
        let history = || History::new(train.without_targets());
        let learnt = match self.mode {
            Mode::Train => {
                Learnt::Train(each_feature(train, |_, column| self.method.learn(&column.to_f64()))?)
            }
            Mode::PerEra => Learnt::PerEra,
            Mode::Rolling { eras, closed } => {
                at_least_one("eras", eras)?;
                Learnt::Moving { history: history(), length: Some(eras), closed }
            }
            Mode::Expanding { closed } => {
                Learnt::Moving { history: history(), length: None, closed }
            }
        };
        let names = train.schema().features().to_vec();
        Ok(FittedScaler { names, method: self.method, learnt })
    }
}

impl Transform for FittedScaler {
    fn transform(&self, panel: Panel) -> Result<Panel> {
        panel.schema().expect_features(&self.names)?;
        let method = self.method;
        match &self.learnt {
            Learnt::Train(scales) => map_features(panel, |at, column| {
                let mut values = column.to_f32();
                scales[at].apply_stored(&mut values);
                Ok(Some(values))
            }),
            Learnt::PerEra => map_features(panel, |_, column| {
                Ok(Some(rescaled(column, |era| method.scale_of(era))))
            }),
            Learnt::Moving { history, length, closed } => {
                let before = history.before(&panel)?;
                let count = before.as_ref().map_or(0, |before| before.eras().len());
                let forgotten = length.map_or(0, |length| count.saturating_sub(length));
                map_features(panel, |at, column| {
                    let mut stream = ScalerStream::new(method, *length, *closed)?;
                    let past = before.iter().flat_map(|before| before.feature(at).eras());
                    past.skip(forgotten).for_each(|era| stream.absorb(&era.to_f64()));
                    Ok(Some(rescaled(column, |era| stream.advance(era))))
                })
            }
        }
    }
}

/// The column with each era scaled by what `learn` makes of it.
fn rescaled(column: ColumnView<'_>, mut learn: impl FnMut(&[f64]) -> Scale) -> Vec<f32> {
    by_era(column, |era, values| learn(&column.era(era).to_f64()).apply_stored(values))
}
