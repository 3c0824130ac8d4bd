//! A batch of rows as they come from outside.

use std::collections::HashMap;

use fattail_core::natural_order;

use super::{BatchReport, Field, Gate, Kind, RowVerdict, Rule, batch::Tally};

/// A row as it comes from outside: its fields in the order of the schema's features.
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
/// let (good, bad) = ([Field::Integer(1)], [Field::Text("1")]);
/// let row = |id, fields| Record { era: "0002", id: Some(id), fields };
/// let report = gate.records(&[row("n2c", &good), row("n3d", &bad)]);
/// assert_eq!(report.refused_rows(), [1]);
/// assert_eq!(report.verdicts[0].first.rule, Rule::TextNumber);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Record<'a> {
    /// The label of its era.
    pub era: &'a str,
    /// Its id.
    pub id: Option<&'a str>,
    /// Its values.
    pub fields: &'a [Field<'a>],
}

/// Missing values and fillers of one feature in one era.
#[derive(Clone, Copy, Default)]
struct Cell {
    missing: usize,
    filled: usize,
}

impl Gate {
    /// Checks a batch of rows as they come from outside; [`Gate::header`] has seen the names of their
    /// columns. Rows of an era that stands behind a later one are refused.
    #[must_use]
    pub fn records(&self, records: &[Record<'_>]) -> BatchReport {
        let (places, eras) = eras(records);
        let place = |row: usize| (records[row].era, records[row].id);
        let mut tally = Tally::new(self, records.len(), eras.into_iter(), &place);
        self.order(records, &mut tally);
        let has_ids = records.iter().any(|record| record.id.is_some());
        tally.ids(records.iter().map(|record| (record.era, record.id)), has_ids);
        let width = self.schema.features.len();
        let count = places.iter().max().map_or(0, |last| last + 1);
        let mut cells = vec![Cell::default(); count * width];
        for (row, record) in records.iter().enumerate() {
            let era = places[row] * width;
            self.record(row, record.fields, &mut tally, &mut cells[era..era + width]);
        }
        let mut rows = vec![0; count];
        places.iter().for_each(|&era| rows[era] += 1);
        for position in 0..width {
            for (era, &rows) in rows.iter().enumerate() {
                let Cell { missing, filled } = cells[era * width + position];
                tally.column_era(position, era, missing, filled == rows);
            }
        }
        tally.report(Vec::new())
    }

    fn order<'a>(&'a self, records: &[Record<'a>], tally: &mut Tally<'a>) {
        let rule = &self.schema.eras;
        let mut latest: Option<&str> = None;
        for (row, Record { era, .. }) in records.iter().enumerate() {
            let value = || format!("{:?}", era.chars().take(40).collect::<String>());
            if let Some(broken) = rule.fault(era) {
                tally.fault(row, || RowVerdict::of(broken, "era", value(), rule.allowed(broken)));
            } else if let Some(last) = latest.filter(|last| natural_order(last, era).is_gt()) {
                let allowed = format!("'{last}' or later");
                tally.fault(row, || RowVerdict::of(Rule::EraOrder, "era", value(), allowed));
            } else {
                latest = Some(era);
            }
        }
    }

    fn record(&self, row: usize, fields: &[Field<'_>], tally: &mut Tally<'_>, cells: &mut [Cell]) {
        let features = &self.schema.features;
        if fields.len() != features.len() {
            let (given, expected) = (fields.len(), features.len());
            return tally.fault(row, || RowVerdict::of(Rule::Width, "row", given, expected));
        }
        let bin = self.schema.batch.missing_bin;
        for (position, (feature, field)) in features.iter().zip(fields).enumerate() {
            match field.admit(feature) {
                Ok(value) if value.is_nan() => cells[position].missing += 1,
                Ok(value) => {
                    let bins = matches!(feature.kind, Kind::Bins { .. });
                    let filler = bin.is_some_and(|bin| f32::from(bin) == value);
                    cells[position].filled += usize::from(bins && filler);
                }
                Err(rule) => tally.feature_fault(row, position, rule, field.words()),
            }
        }
    }
}

/// The era of each row, and each era with its rows, in the order in which they first come.
fn eras<'a>(records: &[Record<'a>]) -> (Vec<usize>, Vec<(&'a str, usize)>) {
    let mut known: HashMap<&str, usize> = HashMap::new();
    let mut eras: Vec<(&str, usize)> = Vec::new();
    let place = |record: &Record<'a>| {
        let at = *known.entry(record.era).or_insert(eras.len());
        if at == eras.len() {
            eras.push((record.era, 0));
        }
        eras[at].1 += 1;
        at
    };
    let places = records.iter().map(place).collect();
    (places, eras)
}
