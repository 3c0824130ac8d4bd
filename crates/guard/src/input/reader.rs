//! Rows as they come from outside, one at a time and as a batch.

use fattail_core::{ColumnData, Ids, Panel, natural_order};

use super::{
    BatchReport, BatchVerdict, Field, Gate, Kind, RowVerdict, Rule, report::Checked, tally::Tally,
};
use crate::Result;

/// Reads rows whose header was right: [`Gate::reader`] hands it out.
///
/// ```
/// use fattail_core::{Ids, Panel};
/// use fattail_guard::{Field, GateRecipe, Record, Rule};
///
/// let train = Panel::builder().eras(&["0001", "0001"])?;
/// let ids: Ids = ["n0a", "n1b"].into_iter().collect();
/// let train = train.ids(ids).feature("x", vec![0u8, 1]).build()?;
/// let gate = GateRecipe { most_refused: 0.5, ..GateRecipe::default() }.learn(&train)?;
///
/// assert_eq!(gate.reader(&["y"]).unwrap_err()[0].rule, Rule::ColumnRenamed);
/// let reader = gate.reader(&["x"]).unwrap();
///
/// let mut numbers = [0.0];
/// reader.fields_into(&[Field::Integer(1)], &mut numbers)?;
/// assert_eq!(numbers, [1.0]);
///
/// let (good, bad) = ([Field::Integer(1)], [Field::Text("1")]);
/// let row = |id, fields| Record { era: "0002", id: Some(id), fields };
/// let report = reader.records(&[row("n2c", &good), row("n3d", &bad)]);
/// assert_eq!(report.refused_rows(), [1]);
/// assert_eq!(report.verdicts[0].first.rule, Rule::TextNumber);
/// let (admitted, quarantine) = report.split()?;
/// assert_eq!((admitted.unwrap().id(0), quarantine.rows.len()), (Some("n2c"), 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    gate: &'a Gate,
}

/// A row as it comes from outside: its fields in the order of the schema's features.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Record<'a> {
    /// The label of its era.
    pub era: &'a str,
    /// Its id.
    pub id: Option<&'a str>,
    /// Its values.
    pub fields: &'a [Field<'a>],
}

/// The admitted values of a feature.
enum Numbers {
    Bins(Vec<u8>),
    Numbers(Vec<f32>),
}

impl Gate {
    /// A reader of rows whose columns have these names, in this order: the only way to read rows as they
    /// come from outside, for nothing but their header says what stands where.
    ///
    /// # Errors
    /// A verdict for every column that is missing, additional, renamed or there twice, or one for the
    /// first that stands elsewhere.
    pub fn reader<S: AsRef<str>>(&self, names: &[S]) -> Result<Reader<'_>, Vec<BatchVerdict>> {
        let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
        let refused = self.header(&names);
        if refused.is_empty() { Ok(Reader { gate: self }) } else { Err(refused) }
    }
}

impl Reader<'_> {
    /// Writes the numbers of a row into `out`; NaN is missing.
    ///
    /// # Errors
    /// The first fault: a text or a truth value where a number must be, or what [`Gate::row`] refuses.
    /// [`Rule::Width`] when the row or `out` is not as wide as the schema. `out` then holds anything.
    pub fn fields_into(&self, fields: &[Field<'_>], out: &mut [f32]) -> Result<(), RowVerdict> {
        let gate = self.gate;
        gate.expect_width(fields.len())?;
        gate.expect_width(out.len())?;
        for (position, (out, &field)) in out.iter_mut().zip(fields).enumerate() {
            *out = gate.admit(position, field).map_err(|rule| {
                gate.schema.features[position].verdict(position, rule, field.words())
            })?;
        }
        Ok(())
    }

    /// Checks a batch of rows. Rows of an era that stands behind a later one are refused. What is admitted
    /// is kept as a panel of the features, for [`BatchReport::split`].
    ///
    /// Memory grows with the values that are admitted, not with the labels that come.
    #[must_use]
    pub fn records(&self, records: &[Record<'_>]) -> BatchReport {
        let gate = self.gate;
        let place = |row: usize| (records[row].era, records[row].id);
        let labels = gate.labels(records);
        let mut eras: Vec<(&str, usize)> = Vec::new();
        for (record, _) in records.iter().zip(&labels).filter(|(_, refused)| refused.is_none()) {
            match eras.last_mut() {
                Some((label, rows)) if *label == record.era => *rows += 1,
                _ => eras.push((record.era, 1)),
            }
        }
        let mut tally = Tally::new(gate, records.len(), eras.into_iter(), &place);
        if tally.unread {
            return tally.report(Vec::new(), Checked::Rows(None));
        }
        for (row, refused) in labels.into_iter().enumerate() {
            if let Some((rule, latest)) = refused {
                let value = || format!("{:?}", place(row).0.chars().take(40).collect::<String>());
                let allowed = || match rule {
                    Rule::EraOrder => format!("'{latest}' or later"),
                    rule => gate.schema.eras.allowed(rule),
                };
                tally.fault(row, || RowVerdict::of(rule, "era", value(), allowed()));
            }
        }
        let has_ids = records.iter().any(|record| record.id.is_some());
        tally.ids(records.iter().map(|record| (record.era, record.id)), has_ids);
        let mut columns = gate.empty();
        let mut kept = Vec::with_capacity(records.len());
        let mut numbers = vec![0.0; columns.len()];
        for (row, record) in records.iter().enumerate() {
            gate.record(row, record.fields, &mut tally, &mut numbers);
            if tally.faults[row] == 0 {
                kept.push(row);
                columns.iter_mut().zip(&numbers).for_each(|(column, &value)| column.push(value));
            }
        }
        // Ids that stand twice refuse the batch, and no panel has them.
        let ids = has_ids && tally.whole.is_empty();
        let panel = gate.panel(records, &kept, columns, ids);
        if let Some(panel) = &panel {
            tally.shapes(panel, |row| kept[row]);
        }
        tally.report(Vec::new(), Checked::Rows(panel))
    }
}

impl Gate {
    /// The number of a field.
    fn admit(&self, position: usize, field: Field<'_>) -> Result<f32, Rule> {
        match self.kernel.quick(position, field) {
            Some(value) => Ok(value),
            None => field.admit(&self.schema.features[position]),
        }
    }

    /// The rule that the era of each row breaks, and the latest one before it.
    fn labels<'a>(&self, records: &[Record<'a>]) -> Vec<Option<(Rule, &'a str)>> {
        let mut latest: Option<&str> = None;
        let look = |Record { era, .. }: &Record<'a>| {
            if latest == Some(era) {
                return None;
            }
            if let Some(broken) = self.schema.eras.fault(era) {
                return Some((broken, ""));
            }
            match latest.filter(|last| natural_order(last, era).is_gt()) {
                Some(last) => Some((Rule::EraOrder, last)),
                None => {
                    latest = Some(era);
                    None
                }
            }
        };
        records.iter().map(look).collect()
    }

    fn record(&self, row: usize, fields: &[Field<'_>], tally: &mut Tally<'_>, out: &mut [f32]) {
        let features = &self.schema.features;
        if fields.len() != features.len() {
            let (given, expected) = (fields.len(), features.len());
            return tally.fault(row, || RowVerdict::of(Rule::Width, "row", given, expected));
        }
        for (position, (out, &field)) in out.iter_mut().zip(fields).enumerate() {
            match self.admit(position, field) {
                Ok(value) => *out = value,
                Err(rule) => tally.feature_fault(row, position, rule, || field.words()),
            }
        }
    }

    fn empty(&self) -> Vec<Numbers> {
        let kinds = self.schema.features.iter().map(|feature| &feature.kind);
        let column = |kind: &Kind| match kind {
            Kind::Bins { .. } => Numbers::Bins(Vec::new()),
            Kind::Set { .. } | Kind::Number { .. } => Numbers::Numbers(Vec::new()),
        };
        kinds.map(column).collect()
    }

    /// The admitted rows as a panel; none without rows.
    fn panel(
        &self,
        records: &[Record<'_>],
        kept: &[usize],
        columns: Vec<Numbers>,
        ids: bool,
    ) -> Option<Panel> {
        if kept.is_empty() {
            return None;
        }
        let rows = || kept.iter().map(|&row| &records[row]);
        let labels: Vec<&str> = rows().map(|record| record.era).collect();
        // Labels that are out of order were refused.
        let mut builder = Panel::builder().eras(&labels).ok()?;
        if ids {
            builder = builder.ids(rows().map(|row| row.id.unwrap_or_default()).collect::<Ids>());
        }
        for (feature, column) in self.schema.features.iter().zip(columns) {
            builder = builder.feature(&*feature.name, column);
        }
        builder.build().ok()
    }
}

impl Numbers {
    fn push(&mut self, value: f32) {
        match self {
            // Whole and within 0..=255, or it were refused.
            Self::Bins(bins) => bins.push(value as u8),
            Self::Numbers(numbers) => numbers.push(value),
        }
    }
}

impl From<Numbers> for ColumnData {
    fn from(numbers: Numbers) -> Self {
        match numbers {
            Numbers::Bins(bins) => bins.into(),
            Numbers::Numbers(numbers) => numbers.into(),
        }
    }
}
