//! Builds a panel and refuses what is not one.

use std::{collections::HashSet, sync::Arc};

use crate::{
    ColumnData, Eras, Error, Ids, Panel, Result, Schema, Shared,
    column::Column,
    panel::RowIds,
    schema::{EXTRA, FEATURE, Names, TARGET},
};

/// Collects the parts of a [`Panel`]; [`PanelBuilder::build`] checks them.
#[derive(Debug, Default)]
pub struct PanelBuilder {
    eras: Option<Eras>,
    ids: Option<Arc<Ids>>,
    features: Vec<(Arc<str>, ColumnData)>,
    targets: Vec<(Arc<str>, Shared<f32>)>,
    extras: Vec<(Arc<str>, Shared<f32>)>,
    weights: Option<Shared<f32>>,
    main: Option<String>,
    mismatch: Option<(usize, usize)>,
}

impl PanelBuilder {
    /// The eras, one label a row.
    ///
    /// # Errors
    /// When the labels are not sorted.
    pub fn eras<S: AsRef<str>>(self, labels: &[S]) -> Result<Self> {
        Ok(self.era_runs(Eras::from_labels(labels)?))
    }

    /// The eras, already made. Without them the panel is one era in all.
    #[must_use]
    pub fn era_runs(self, eras: Eras) -> Self {
        Self { eras: Some(eras), ..self }
    }

    /// The ids, one a row.
    #[must_use]
    pub fn ids(self, ids: impl Into<Arc<Ids>>) -> Self {
        Self { ids: Some(ids.into()), ..self }
    }

    /// Adds a feature: bins (`u8`) or numbers (`f32`).
    #[must_use]
    pub fn feature(mut self, name: impl Into<Arc<str>>, values: impl Into<ColumnData>) -> Self {
        self.features.push((name.into(), values.into()));
        self
    }

    /// Adds a target. The first one is what learners fit, unless [`PanelBuilder::main_target`] says
    /// otherwise.
    #[must_use]
    pub fn target(mut self, name: impl Into<Arc<str>>, values: impl Into<Shared<f32>>) -> Self {
        self.targets.push((name.into(), values.into()));
        self
    }

    /// Names the target that learners fit.
    #[must_use]
    pub fn main_target(self, name: impl Into<String>) -> Self {
        Self { main: Some(name.into()), ..self }
    }

    /// Adds an extra column, which learners never see, such as a meta model's predictions.
    #[must_use]
    pub fn extra(mut self, name: impl Into<Arc<str>>, values: impl Into<Shared<f32>>) -> Self {
        self.extras.push((name.into(), values.into()));
        self
    }

    /// The weights of the rows.
    #[must_use]
    pub fn weights(self, values: impl Into<Shared<f32>>) -> Self {
        Self { weights: Some(values.into()), ..self }
    }

    pub(crate) fn expect_columns(self, names: usize, columns: usize) -> Self {
        let mismatch = (names != columns).then_some((names, columns)).or(self.mismatch);
        Self { mismatch, ..self }
    }

    /// Checks the parts and puts them together.
    ///
    /// # Errors
    /// When there are no rows, a column has another length, a name is given twice, in two roles or
    /// unknown, or an id stands twice in an era.
    pub fn build(self) -> Result<Panel> {
        if let Some((given, expected)) = self.mismatch {
            return Err(Error::Length { name: "feature names".into(), given, expected });
        }
        let eras = self.eras.clone().map_or_else(|| self.single_era(), Ok)?;
        if eras.rows() == 0 {
            return Err(Error::empty("the panel"));
        }
        self.check_lengths(eras.rows())?;
        if let Some(ids) = &self.ids {
            check_ids(ids, &eras)?;
        }
        self.assemble(eras)
    }

    fn assemble(self, eras: Eras) -> Result<Panel> {
        let starts = eras.starts();
        let column = |data| Column { data, starts: Arc::clone(&starts) };
        let (features, feature_columns): (Vec<_>, Vec<_>) =
            self.features.into_iter().map(|(name, data)| (name, column(data))).unzip();
        let numbers = |list: Vec<(Arc<str>, Shared<f32>)>| -> (Vec<_>, Vec<_>) {
            list.into_iter().map(|(name, data)| (name, column(data.into()))).unzip()
        };
        let (targets, target_columns) = numbers(self.targets);
        let (extras, extra_columns) = numbers(self.extras);
        let targets = Names::new(TARGET, targets)?;
        let main = self.main.map_or(Ok(0), |name| targets.position(TARGET, &name))?;
        let (features, extras) = (Names::new(FEATURE, features)?, Names::new(EXTRA, extras)?);
        Ok(Panel {
            schema: Arc::new(Schema { features, targets, extras, main }.checked()?),
            features: feature_columns.into(),
            targets: target_columns.into(),
            extras: extra_columns.into(),
            weights: self.weights.map(|data| column(data.into())),
            ids: self.ids.map(|ids| RowIds { ids, starts: Arc::clone(&starts) }),
            eras,
        })
    }

    fn lengths(&self) -> impl Iterator<Item = (&str, usize)> {
        let features = self.features.iter().map(|(name, data)| (&**name, data.len()));
        let numbers =
            self.targets.iter().chain(&self.extras).map(|(name, data)| (&**name, data.len()));
        let weights = self.weights.iter().map(|data| ("weights", data.len()));
        let ids = self.ids.iter().map(|ids| ("id", ids.len()));
        features.chain(numbers).chain(weights).chain(ids)
    }

    fn single_era(&self) -> Result<Eras> {
        let rows = self.lengths().next().map_or(0, |(_, rows)| rows);
        Eras::from_runs((rows > 0).then(|| ("0".into(), rows)))
    }

    fn check_lengths(&self, expected: usize) -> Result<()> {
        match self.lengths().find(|&(_, given)| given != expected) {
            Some((name, given)) => Err(Error::Length { name: name.to_owned(), given, expected }),
            None => Ok(()),
        }
    }
}

fn check_ids(ids: &Ids, eras: &Eras) -> Result<()> {
    let mut seen = HashSet::new();
    for (era, rows) in eras.ranges().enumerate() {
        seen.clear();
        for row in rows {
            if !seen.insert(ids.get(row)) {
                let (id, era) = (ids.get(row).to_owned(), eras.label(era).to_owned());
                return Err(Error::DuplicateId { id, era, row });
            }
        }
    }
    Ok(())
}
