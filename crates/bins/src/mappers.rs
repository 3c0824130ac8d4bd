//! The bins of every feature, learnt from a training panel and applied to any.

use std::sync::Arc;

use fattail_core::Panel;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{
    Binned, BinnedColumn, Binning, Error, Mapper,
    binned::{Constant, codes, is_copied},
    learn::learn,
    sample::Sample,
};

/// The bins of every feature, learnt from a training panel and applied to any.
///
/// ```
/// use fattail_bins::{Binning, Mappers};
/// use fattail_core::Panel;
/// let panel = Panel::builder().feature("x", vec![0_u8, 1, 2, 1, 0, 2, 0, 1, 2]).build()?;
/// let mappers = Mappers::learn(&panel, &Binning::default())?;
/// assert_eq!(mappers.mappers[0].threshold(1), 1.5000000000000002);
/// assert_eq!(mappers.apply(&panel)?.rows, 9);
/// # Ok::<(), fattail_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mappers {
    /// The names of the features.
    pub names: Vec<String>,
    /// Their bins.
    pub mappers: Vec<Mapper>,
}

impl Mappers {
    /// Learns the bins of every feature.
    ///
    /// # Errors
    /// When a setting is out of range, or names a feature that the panel does not have.
    pub fn learn(panel: &Panel, binning: &Binning) -> fattail_core::Result<Self> {
        let plans = binning.plan(panel.schema())?;
        let sample = Sample::new(panel, binning);
        let names = panel.schema().features().iter().map(ToString::to_string).collect();
        let mapper = |at: usize| learn(panel.feature(at), &sample, &plans[at]);
        Ok(Self { names, mappers: (0..panel.width()).into_par_iter().map(mapper).collect() })
    }

    /// Bins a panel with the same features. A column of small integers that are codes already is
    /// shared where its rows lie end to end.
    ///
    /// # Errors
    /// When the features differ, or bins that were read from outside are not sound.
    pub fn apply(&self, panel: &Panel) -> fattail_core::Result<Binned> {
        self.check(panel)?;
        let constant = Constant::new(panel.rows());
        let column = |at: usize| BinnedColumn {
            mapper: self.mappers[at].clone(),
            codes: codes(&self.mappers[at], panel.feature(at), &constant),
        };
        let columns = (0..panel.width()).into_par_iter().map(column).collect();
        Ok(Binned { columns, rows: panel.rows() })
    }

    /// The bytes of the codes of so many rows, at most: no column shared.
    #[must_use]
    pub fn bytes(&self, rows: usize) -> usize {
        self.mappers.iter().map(|mapper| mapper.width() * rows).sum()
    }

    /// The bytes that [`Mappers::apply`] adds to those of the panel, columns that it will share left
    /// out; a shared column that holds a value never seen in training is copied after all.
    ///
    /// # Errors
    /// Like [`Mappers::apply`].
    pub fn added_bytes(&self, panel: &Panel) -> fattail_core::Result<usize> {
        self.check(panel)?;
        let copied = self.mappers.iter().enumerate();
        let copied = copied.filter(|&(at, mapper)| is_copied(mapper, panel.feature(at)));
        Ok(copied.map(|(_, mapper)| mapper.width() * panel.rows()).sum())
    }

    fn check(&self, panel: &Panel) -> fattail_core::Result<()> {
        let (names, mappers) = (self.names.len(), self.mappers.len());
        if names != mappers {
            return Err(Error::Names { mappers, names }.into());
        }
        let expected: Vec<Arc<str>> = self.names.iter().map(|name| name.as_str().into()).collect();
        panel.schema().expect_features(&expected)?;
        for (name, mapper) in self.names.iter().zip(&self.mappers) {
            if let Some(reason) = mapper.flaw() {
                return Err(Error::Unsound { feature: name.clone(), reason }.into());
            }
        }
        Ok(())
    }
}
