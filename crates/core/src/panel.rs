//! The panel: rows sorted by era, shared columns, names.

use std::sync::Arc;

use crate::{
    ColumnData, ColumnView, Era, Eras, Error, Ids, PanelBuilder, Result, Schema, Shared, Values,
    column::Column,
    schema::{EXTRA, FEATURE, Names, TARGET},
};

/// A table whose rows are sorted by era. Immutable; clones and cuts share their columns.
#[derive(Debug, Clone)]
pub struct Panel {
    pub(crate) schema: Arc<Schema>,
    pub(crate) eras: Eras,
    pub(crate) features: Arc<[Column]>,
    pub(crate) targets: Arc<[Column]>,
    pub(crate) extras: Arc<[Column]>,
    pub(crate) weights: Option<Column>,
    pub(crate) ids: Option<RowIds>,
}

/// Ids and where each era starts in them.
#[derive(Debug, Clone)]
pub(crate) struct RowIds {
    pub(crate) ids: Arc<Ids>,
    pub(crate) starts: Arc<[usize]>,
}

/// Reading.
impl Panel {
    /// Begins a panel.
    #[must_use]
    pub fn builder() -> PanelBuilder {
        PanelBuilder::default()
    }

    /// The names.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// The eras.
    #[must_use]
    pub fn eras(&self) -> &Eras {
        &self.eras
    }

    /// The number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.eras.rows()
    }

    /// The number of features.
    #[must_use]
    pub fn width(&self) -> usize {
        self.features.len()
    }

    /// The view of era `index`.
    ///
    /// # Panics
    /// When there is no such era.
    #[must_use]
    pub fn era(&self, index: usize) -> Era<'_> {
        assert!(index < self.eras.len(), "era {index} of {}", self.eras.len());
        Era { panel: self, index }
    }

    /// The views of all eras, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Era<'_>> + DoubleEndedIterator {
        (0..self.eras.len()).map(|index| Era { panel: self, index })
    }

    /// Feature `position`.
    ///
    /// # Panics
    /// When there is no such feature, as indexing a slice does.
    #[must_use]
    pub fn feature(&self, position: usize) -> ColumnView<'_> {
        self.view(&self.features[position])
    }

    /// A feature by its name.
    ///
    /// # Errors
    /// When no feature has the name.
    pub fn feature_named(&self, name: &str) -> Result<ColumnView<'_>> {
        self.schema.feature_position(name).map(|position| self.feature(position))
    }

    /// The target that learners fit.
    ///
    /// # Errors
    /// When the panel has no target.
    pub fn target(&self) -> Result<ColumnView<'_>> {
        let column = self.targets.get(self.schema.main).ok_or_else(|| Error::Missing {
            operation: "reading the target".into(),
            what: "a target".into(),
        })?;
        Ok(self.view(column))
    }

    /// A target by its name.
    ///
    /// # Errors
    /// When no target has the name.
    pub fn target_named(&self, name: &str) -> Result<ColumnView<'_>> {
        self.schema.targets.position(TARGET, name).map(|at| self.view(&self.targets[at]))
    }

    /// Whether the panel has a target.
    #[must_use]
    pub fn has_target(&self) -> bool {
        !self.targets.is_empty()
    }

    /// An extra column by its name.
    ///
    /// # Errors
    /// When no extra column has the name.
    pub fn extra(&self, name: &str) -> Result<ColumnView<'_>> {
        self.schema.extras.position(EXTRA, name).map(|at| self.view(&self.extras[at]))
    }

    /// The weights of the rows, if there are any.
    #[must_use]
    pub fn weights(&self) -> Option<ColumnView<'_>> {
        self.weights.as_ref().map(|column| self.view(column))
    }

    /// Whether the rows have ids.
    #[must_use]
    pub fn has_ids(&self) -> bool {
        self.ids.is_some()
    }

    /// The id of `row`, if the rows have ids and there is such a row.
    #[must_use]
    pub fn id(&self, row: usize) -> Option<&str> {
        let era = self.eras.of_row(row)?;
        let ids = self.ids.as_ref()?;
        Some(ids.ids.get(ids.starts[era] + row - self.eras.range(era).start))
    }

    /// Bytes of the values that the panel shows: features, targets, extras, weights.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let all =
            self.features.iter().chain(&*self.targets).chain(&*self.extras).chain(&self.weights);
        let width = |column: &Column| if matches!(column.data, ColumnData::U8(_)) { 1 } else { 4 };
        all.map(|column| width(column) * self.rows()).sum()
    }

    /// Refuses a panel with a missing or infinite feature.
    ///
    /// # Errors
    /// Names the first such value, with its era and row.
    pub fn expect_finite(&self) -> Result<()> {
        for (name, position) in self.schema.features().iter().zip(0..) {
            for (era, values) in self.feature(position).eras().enumerate() {
                let Values::F32(values) = values else { break };
                if let Some(at) = first_not_finite(values) {
                    return Err(Error::NonFinite {
                        column: name.to_string(),
                        value: f64::from(values[at]),
                        era: self.eras.label(era).to_owned(),
                        row: self.eras.range(era).start + at,
                    });
                }
            }
        }
        Ok(())
    }

    fn view<'a>(&'a self, column: &'a Column) -> ColumnView<'a> {
        ColumnView { column, eras: &self.eras }
    }
}

/// Cutting and replacing: new panels that share what they keep.
impl Panel {
    /// Some of the eras, by increasing positions. No values are copied.
    ///
    /// # Errors
    /// When positions do not increase, leave the panel, or there are none.
    pub fn cut(&self, eras: &[usize]) -> Result<Self> {
        if eras.is_empty() {
            return Err(Error::empty("the list of eras"));
        }
        let kept = self.eras.cut(eras)?;
        let parts: Vec<Part> = eras.iter().map(|&era| Part { era, skipped: 0 }).collect();
        Ok(self.regrouped(kept, &parts))
    }

    /// The same rows under finer eras, each of which lies in one of those that stand. No values are
    /// copied.
    ///
    /// ```
    /// use fattail_core::{Eras, Panel};
    /// let panel = Panel::builder().feature("x", vec![1u8, 2, 3]).build()?;
    /// let finer = panel.with_eras(Eras::from_runs([("1".into(), 1), ("2".into(), 2)])?)?;
    /// assert_eq!(finer.cut(&[1])?.feature(0).to_f32(), [2.0, 3.0]);
    /// # Ok::<(), fattail_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// When the eras have another number of rows, or one reaches over the end of an era that stands.
    pub fn with_eras(&self, eras: Eras) -> Result<Self> {
        if eras.rows() != self.rows() {
            let (given, expected) = (eras.rows(), self.rows());
            return Err(Error::Length { name: "eras".into(), given, expected });
        }
        let mut parts = Vec::with_capacity(eras.len());
        let mut era = 0;
        for (rows, label) in eras.ranges().zip(eras.labels()) {
            while self.eras.range(era).end <= rows.start {
                era += 1;
            }
            let whole = self.eras.range(era);
            if rows.end > whole.end {
                return Err(Error::EraAcross { era: label.to_owned(), row: whole.end });
            }
            parts.push(Part { era, skipped: rows.start - whole.start });
        }
        Ok(self.regrouped(eras, &parts))
    }

    /// The rows of `eras`, which are parts of those that stand.
    fn regrouped(&self, eras: Eras, parts: &[Part]) -> Self {
        let mut moved = StartsMoved { parts, known: Vec::new() };
        let mut column = |column: &Column| Column {
            data: column.data.clone(),
            starts: moved.starts(&column.starts),
        };
        Self {
            schema: Arc::clone(&self.schema),
            eras,
            features: self.features.iter().map(&mut column).collect(),
            targets: self.targets.iter().map(&mut column).collect(),
            extras: self.extras.iter().map(&mut column).collect(),
            weights: self.weights.as_ref().map(&mut column),
            ids: self.ids.as_ref().map(|rows| RowIds {
                ids: Arc::clone(&rows.ids),
                starts: moved.starts(&rows.starts),
            }),
        }
    }

    /// Some of the features, in the order given.
    ///
    /// # Errors
    /// When a name is unknown or given twice.
    pub fn select<S: AsRef<str>>(&self, features: &[S]) -> Result<Self> {
        let positions = features.iter().map(|name| self.schema.feature_position(name.as_ref()));
        let positions: Vec<usize> = positions.collect::<Result<_>>()?;
        let names =
            positions.iter().map(|&at| Arc::clone(&self.schema.features.list[at])).collect();
        let columns = positions.iter().map(|&at| self.features[at].clone()).collect();
        self.with_columns(names, columns)
    }

    /// The same panel with another target to fit.
    ///
    /// # Errors
    /// When no target has the name.
    pub fn with_target(&self, name: &str) -> Result<Self> {
        let main = self.schema.targets.position(TARGET, name)?;
        Ok(Self { schema: Arc::new(Schema { main, ..(*self.schema).clone() }), ..self.clone() })
    }

    /// The same panel with other values of the target that learners fit.
    ///
    /// # Errors
    /// When there is no target or the length differs.
    pub fn with_target_values(&self, values: impl Into<Shared<f32>>) -> Result<Self> {
        let name = self.schema.target().unwrap_or("target").to_owned();
        self.target()?;
        let column = self.fresh(&name, values.into().into())?;
        let mut targets = self.targets.to_vec();
        targets[self.schema.main] = column;
        Ok(Self { targets: targets.into(), ..self.clone() })
    }

    /// The same rows with one more target, after those that stand.
    ///
    /// # Errors
    /// When the length differs or the name exists, in whichever role.
    pub fn append_target(&self, name: &str, values: impl Into<Shared<f32>>) -> Result<Self> {
        let column = self.fresh(name, values.into().into())?;
        let names = self.schema.targets.list.iter().cloned().chain([name.into()]).collect();
        let schema = Schema { targets: Names::new(TARGET, names)?, ..(*self.schema).clone() };
        let targets = self.targets.iter().cloned().chain([column]).collect();
        Ok(Self { schema: Arc::new(schema.checked()?), targets, ..self.clone() })
    }

    /// The same rows without targets and weights: what a model may see when it predicts.
    #[must_use]
    pub fn without_targets(&self) -> Self {
        let schema = Schema { targets: Names::default(), main: 0, ..(*self.schema).clone() };
        Self { schema: Arc::new(schema), targets: Arc::new([]), weights: None, ..self.clone() }
    }

    /// The same rows with weights.
    ///
    /// # Errors
    /// When the length differs.
    pub fn with_weights(&self, values: impl Into<Shared<f32>>) -> Result<Self> {
        let weights = Some(self.fresh("weights", values.into().into())?);
        Ok(Self { weights, ..self.clone() })
    }

    /// The same rows with one more extra column.
    ///
    /// # Errors
    /// When the length differs or the name exists, in whichever role.
    pub fn with_extra(&self, name: &str, values: impl Into<Shared<f32>>) -> Result<Self> {
        let column = self.fresh(name, values.into().into())?;
        let mut names = self.schema.extras.list.clone();
        names.push(name.into());
        let schema = Schema { extras: Names::new(EXTRA, names)?, ..(*self.schema).clone() };
        let extras = self.extras.iter().cloned().chain([column]).collect();
        Ok(Self { schema: Arc::new(schema.checked()?), extras, ..self.clone() })
    }

    /// The same rows with these features alone, in panel order.
    ///
    /// # Errors
    /// When a length differs or a name is given twice or has another role.
    pub fn with_features<S: Into<Arc<str>>, D: Into<ColumnData>>(
        &self,
        features: impl IntoIterator<Item = (S, D)>,
    ) -> Result<Self> {
        let (names, columns) = self.fresh_all(features)?;
        self.with_columns(names, columns)
    }

    /// The same rows with these features after those that stand.
    ///
    /// # Errors
    /// When a length differs or a name exists, in whichever role.
    pub fn append_features<S: Into<Arc<str>>, D: Into<ColumnData>>(
        &self,
        features: impl IntoIterator<Item = (S, D)>,
    ) -> Result<Self> {
        let (names, columns) = self.fresh_all(features)?;
        let names = self.schema.features.list.iter().cloned().chain(names).collect();
        self.with_columns(names, self.features.iter().cloned().chain(columns).collect())
    }

    /// The same features, some with other values: pairs of a position and its values in panel order.
    /// The others are shared, not copied.
    ///
    /// # Errors
    /// When a position is not a feature's or a length differs.
    pub fn replace_features<D: Into<ColumnData>>(
        &self,
        replaced: impl IntoIterator<Item = (usize, D)>,
    ) -> Result<Self> {
        let mut columns = self.features.to_vec();
        for (position, data) in replaced {
            let name = self.schema.features().get(position).cloned();
            let name = name.ok_or_else(|| Error::UnknownColumn {
                kind: "feature at position",
                name: position.to_string(),
                nearest: None,
            })?;
            columns[position] = self.fresh(&name, data.into())?;
        }
        Ok(Self { features: columns.into(), ..self.clone() })
    }

    fn fresh_all<S: Into<Arc<str>>, D: Into<ColumnData>>(
        &self,
        features: impl IntoIterator<Item = (S, D)>,
    ) -> Result<(Vec<Arc<str>>, Vec<Column>)> {
        let (mut names, mut columns) = (Vec::new(), Vec::new());
        for (name, data) in features {
            let name = name.into();
            columns.push(self.fresh(&name, data.into())?);
            names.push(name);
        }
        Ok((names, columns))
    }

    /// A column in panel order.
    fn fresh(&self, name: &str, data: ColumnData) -> Result<Column> {
        if data.len() != self.rows() {
            return Err(Error::Length {
                name: name.to_owned(),
                given: data.len(),
                expected: self.rows(),
            });
        }
        Ok(Column { data, starts: self.eras.starts() })
    }

    fn with_columns(&self, names: Vec<Arc<str>>, columns: Vec<Column>) -> Result<Self> {
        let schema = Schema { features: Names::new(FEATURE, names)?, ..(*self.schema).clone() };
        Ok(Self { schema: Arc::new(schema.checked()?), features: columns.into(), ..self.clone() })
    }
}

/// Where the first missing or infinite value stands; whole chunks are judged without a branch a value.
fn first_not_finite(values: &[f32]) -> Option<usize> {
    const CHUNK: usize = 128;
    let bad = |chunk: &[f32]| chunk.iter().fold(false, |bad, value| bad | !value.is_finite());
    let start = values.chunks(CHUNK).position(bad)? * CHUNK;
    Some(start + values[start..].iter().position(|value| !value.is_finite())?)
}

type Starts = Arc<[usize]>;

/// Part of an era.
struct Part {
    era: usize,
    /// Its rows before the part.
    skipped: usize,
}

/// Moves starts to parts of eras, once for all columns that share them.
struct StartsMoved<'a> {
    parts: &'a [Part],
    /// Starts before and after.
    known: Vec<(Starts, Starts)>,
}

impl StartsMoved<'_> {
    fn starts(&mut self, whole: &Starts) -> Starts {
        if let Some((_, moved)) = self.known.iter().find(|(known, _)| Arc::ptr_eq(known, whole)) {
            return Arc::clone(moved);
        }
        let moved: Starts = self.parts.iter().map(|part| whole[part.era] + part.skipped).collect();
        self.known.push((Arc::clone(whole), Arc::clone(&moved)));
        moved
    }
}
