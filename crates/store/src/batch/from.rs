//! Record batches as a panel. A column of one batch whose rows all stay is shared, not copied, when
//! it is `uint8`, `int8` without negative values, or `float32`, each without nulls.

use std::{ops::Range, path::Path, sync::Arc};

use arrow::{
    array::{Array, ArrayRef, AsArray, DictionaryArray, LargeStringArray, RecordBatch},
    buffer::ScalarBuffer,
    compute::{cast, concat},
    datatypes::{DataType, Float32Type, Float64Type, Int8Type, Int32Type, Schema, UInt8Type},
};
use fattail_core::{ColumnData, Ids, IdsBuilder, Panel, Shared};
use rayon::prelude::*;

use crate::{
    Error, Missing, Place, ReadOptions, Result,
    error::{NUMBER, TOO_LARGE},
    panel::Parts,
    plan::{Plan, Role, Wanted},
    rows::{GroupKeys, count, locate, matching, push_run, select},
    shown::shown,
};

/// Record batches, in order, as one panel. Values are judged as those of a file are.
///
/// ```
/// use fattail_core::Panel;
/// use fattail_store::{ReadOptions, panel_from_batches, panel_to_batch};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let panel = Panel::builder().eras(&["1", "2"])?.feature("feature_a", vec![3u8, 1]).build()?;
/// let batch = panel_to_batch(&panel)?;
/// let options = ReadOptions { id: None, ..ReadOptions::default() };
/// let same = panel_from_batches(&[batch], &options)?;
/// assert_eq!(same.feature(0).contiguous(), panel.feature(0).contiguous());
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// When schemas differ, a column is missing or of a wrong type, a value is refused, eras are not
/// sorted, an id stands twice in an era, or there are no rows.
pub fn panel_from_batches(batches: &[RecordBatch], options: &ReadOptions) -> Result<Panel> {
    from_batches(Path::new("record batches"), batches, options, Values::Checked)
}

/// Whether values are looked at; those of a panel that this room wrote were.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Values {
    Checked,
    Trusted,
}

pub(crate) fn from_batches(
    path: &Path,
    batches: &[RecordBatch],
    options: &ReadOptions,
    values: Values,
) -> Result<Panel> {
    let Some(first) = batches.first() else {
        return Err(Error::NoRows { path: path.into(), reason: String::new() });
    };
    let schema = first.schema();
    if let Some(other) = batches.iter().find(|batch| batch.schema() != schema) {
        let (other, count) = (other.num_columns(), first.num_columns());
        let source = format!("schemas of its batches differ ({count} and {other} columns)");
        return Err(Error::format(path, Place::File, "Arrow", source));
    }
    let names: Vec<&String> = schema.fields().iter().map(|field| field.name()).collect();
    let plan = Plan::new(path, &names, |at| is_number(schema.field(at).data_type()), options)?;
    let tables = Tables { path, batches, schema: &schema, values };
    let keys = (0..batches.len()).map(|group| tables.keys(group, &plan, options));
    let keys = keys.collect::<Result<Vec<_>>>()?;
    let (eras, keep) = select(path, options, &keys, |group, row| tables.place(group, row))?;
    let locate = |row| locate(&keep, row).map_or(Place::File, |(g, row)| tables.place(g, row));
    let ids = plan.id.map(|id| tables.ids(id, &keep)).transpose()?;
    let columns: Vec<Result<ColumnData>> =
        plan.columns.par_iter().map(|wanted| tables.column(wanted, &keep, &locate)).collect();
    let columns = columns.into_iter().collect::<Result<_>>()?;
    Parts { eras, ids, columns }.assemble(path, &plan, options, locate)
}

struct Tables<'a> {
    path: &'a Path,
    batches: &'a [RecordBatch],
    schema: &'a Schema,
    values: Values,
}

impl Tables<'_> {
    fn place(&self, batch: usize, row: usize) -> Place {
        let before: usize = self.batches[..batch].iter().map(RecordBatch::num_rows).sum();
        Place::Row(before + row)
    }

    fn value(&self, at: usize, place: Place, value: String, expected: &'static str) -> Error {
        let column = self.schema.field(at).name().clone();
        Error::Value { path: self.path.into(), place, column, value, expected }
    }

    fn wrong_type(&self, at: usize, expected: &'static str) -> Error {
        let field = self.schema.field(at);
        Error::WrongType {
            path: self.path.into(),
            column: field.name().clone(),
            found: field.data_type().to_string(),
            expected,
        }
    }

    fn arrow(&self, source: arrow::error::ArrowError) -> Error {
        Error::format(self.path, Place::File, "Arrow", source)
    }

    fn keys(&self, group: usize, plan: &Plan, options: &ReadOptions) -> Result<GroupKeys> {
        let batch = &self.batches[group];
        let rows = batch.num_rows();
        let runs = match plan.era {
            Some(era) => self.runs(era, group)?,
            None => vec![("0".into(), rows)],
        };
        let matching = match (plan.filter, &options.filter) {
            (Some(at), Some(filter)) => {
                let texts = self.texts(at, batch.column(at))?;
                Some(matching(texts.iter().map(|text| text == Some(filter.value.as_str()))))
            }
            _ => None,
        };
        Ok(GroupKeys { rows, runs, matching })
    }

    /// A column of labels as text.
    fn texts(&self, at: usize, array: &ArrayRef) -> Result<LargeStringArray> {
        let floating = array.data_type().is_floating() || *array.data_type() == DataType::Boolean;
        let texts = (!floating).then(|| cast(array, &DataType::LargeUtf8).ok()).flatten();
        let texts =
            texts.ok_or_else(|| self.wrong_type(at, "text, integers, dates or timestamps"))?;
        Ok(texts.as_string().clone())
    }

    fn runs(&self, at: usize, group: usize) -> Result<Vec<(Arc<str>, usize)>> {
        let array = self.batches[group].column(at);
        // A dictionary is compared by its keys: a text a row would cost more than the panel.
        let lengths = match array.as_dictionary_opt::<Int32Type>() {
            Some(dictionary) => key_runs(dictionary),
            None => vec![(0..array.len(), array.slice(0, array.len()))],
        };
        let mut runs: Vec<(Arc<str>, usize)> = Vec::new();
        for (rows, labels) in lengths {
            let labels = self.texts(at, &labels)?;
            let each = rows.len() / labels.len().max(1);
            for (row, label) in rows.step_by(each.max(1)).zip(labels.iter()) {
                match label {
                    Some(era) if !era.is_empty() => push_run(&mut runs, era, each),
                    empty => {
                        let found = if empty.is_some() { "an empty text" } else { "null" };
                        let place = self.place(group, row);
                        return Err(self.value(at, place, found.into(), "an era"));
                    }
                }
            }
        }
        Ok(runs)
    }

    fn ids(&self, at: usize, keep: &[Vec<Range<usize>>]) -> Result<Ids> {
        let mut ids = IdsBuilder::default();
        for (group, (batch, keep)) in self.batches.iter().zip(keep).enumerate() {
            let texts = self.texts(at, batch.column(at))?;
            for row in keep.iter().cloned().flatten() {
                if texts.is_null(row) || texts.value(row).is_empty() {
                    return Err(self.value(at, self.place(group, row), "nothing".into(), "an id"));
                }
                ids.push(texts.value(row));
            }
        }
        Ok(ids.finish())
    }

    fn column(
        &self,
        wanted: &Wanted,
        keep: &[Vec<Range<usize>>],
        locate: &impl Fn(usize) -> Place,
    ) -> Result<ColumnData> {
        let kept = self.kept(wanted.at, keep).map_err(|source| self.arrow(source))?;
        if !is_number(kept.data_type()) {
            return Err(self.not_numbers(wanted.at, &kept, locate));
        }
        let nulls = kept.logical_nulls().filter(|nulls| nulls.null_count() > 0);
        if let (Missing::Refuse, Some(nulls)) = (wanted.missing, &nulls) {
            let row = (0..kept.len()).find(|&row| nulls.is_null(row)).unwrap_or(0);
            return Err(self.value(wanted.at, locate(row), "null".into(), NUMBER));
        }
        if wanted.role == Role::Feature
            && nulls.is_none()
            && let Some(bins) = bins(&kept)
        {
            return Ok(bins.into());
        }
        let numbers = cast(&kept, &DataType::Float32).map_err(|source| self.arrow(source))?;
        let numbers = numbers.as_primitive::<Float32Type>();
        let numbers: Shared<f32> = match nulls {
            None => Shared::new(numbers.values().clone()),
            Some(_) => numbers.iter().map(|v| v.unwrap_or(f32::NAN)).collect::<Vec<_>>().into(),
        };
        if self.values == Values::Checked {
            let nan = wanted.missing == Missing::Keep;
            let wrong = numbers.iter().position(|v| !(v.is_finite() || nan && v.is_nan()));
            if let Some(row) = wrong {
                let (value, expected) = not_f32(&kept, row, numbers[row]);
                return Err(self.value(wanted.at, locate(row), value, expected));
            }
        }
        Ok(numbers.into())
    }

    /// The rows that stay, in one array; the batch's own when all of its rows do.
    fn kept(
        &self,
        at: usize,
        keep: &[Vec<Range<usize>>],
    ) -> Result<ArrayRef, arrow::error::ArrowError> {
        if let [batch] = self.batches
            && count(&keep[0]) == batch.num_rows()
        {
            return Ok(Arc::clone(batch.column(at)));
        }
        let parts = self.batches.iter().zip(keep).flat_map(|(batch, keep)| {
            keep.iter().map(|range| batch.column(at).slice(range.start, range.len()))
        });
        let parts: Vec<ArrayRef> = parts.collect();
        concat(&parts.iter().map(|part| &**part).collect::<Vec<_>>())
    }

    /// Text names the first that is no number, else the first; other types name themselves.
    fn not_numbers(&self, at: usize, kept: &ArrayRef, locate: impl Fn(usize) -> Place) -> Error {
        let is_text = |kind: &DataType| match kind {
            DataType::Dictionary(_, values) => values.is_string(),
            kind => kind.is_string(),
        };
        let texts = is_text(kept.data_type()).then(|| self.texts(at, kept).ok()).flatten();
        let Some(texts) = texts else { return self.wrong_type(at, "numbers") };
        let number = |text: &str| text.parse::<f64>().is_ok_and(f64::is_finite);
        let mut rows = texts.iter().enumerate().filter_map(|(row, text)| Some((row, text?)));
        let found = rows.clone().find(|(_, text)| !number(text)).or_else(|| rows.next());
        match found {
            Some((row, text)) => self.value(
                at,
                locate(row),
                format!("the text '{}'", shown(text)),
                "numbers, not text",
            ),
            None => self.wrong_type(at, "numbers"),
        }
    }
}

/// Runs of equal keys: their rows, and an array of their one label.
fn key_runs(dictionary: &DictionaryArray<Int32Type>) -> Vec<(Range<usize>, ArrayRef)> {
    let (keys, rows) = (dictionary.keys(), dictionary.len());
    let key = |row: usize| keys.is_valid(row).then(|| keys.value(row));
    let (mut runs, mut start) = (Vec::new(), 0);
    for row in 1..=rows {
        if row == rows || key(row) != key(start) {
            let label: ArrayRef = Arc::new(dictionary.slice(start, 1));
            runs.push((start..row, label));
            start = row;
        }
    }
    runs
}

/// A value that is no finite `f32`, as it stands in the column, and what it should be.
fn not_f32(kept: &ArrayRef, row: usize, number: f32) -> (String, &'static str) {
    match kept.as_primitive_opt::<Float64Type>().map(|known| known.value(row)) {
        Some(value) if value.is_finite() => (format!("{value:?}"), TOO_LARGE),
        _ => (number.to_string(), NUMBER),
    }
}

fn is_number(kind: &DataType) -> bool {
    kind.is_integer() || kind.is_floating() || *kind == DataType::Boolean
}

/// Bins, shared where the bytes are the same.
fn bins(array: &ArrayRef) -> Option<Shared<u8>> {
    if let Some(bins) = array.as_primitive_opt::<UInt8Type>() {
        return Some(Shared::new(bins.values().clone()));
    }
    if let Some(bins) = array.as_primitive_opt::<Int8Type>() {
        let same = || ScalarBuffer::<u8>::new(bins.values().inner().clone(), 0, bins.len());
        return bins.values().iter().all(|&bin| bin >= 0).then(|| Shared::new(same()));
    }
    if array.data_type().is_floating() {
        return None;
    }
    let bins = cast(array, &DataType::UInt8).ok()?;
    (bins.null_count() == 0).then(|| Shared::new(bins.as_primitive::<UInt8Type>().values().clone()))
}
