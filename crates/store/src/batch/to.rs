//! A panel as a record batch. Columns whose eras lie end to end are shared, not copied.

use std::{collections::HashMap, path::Path, sync::Arc};

use arrow::{
    array::{
        Array, ArrayRef, DictionaryArray, Float32Array, Int32Array, LargeStringArray, RecordBatch,
        StringArray, UInt8Array,
    },
    buffer::{Buffer, ScalarBuffer},
    datatypes::{ArrowNativeType, Field, Int32Type, Schema, ToByteSlice},
};
use bytes::Bytes;
use fattail_core::{ColumnData, ColumnView, Panel, Shared, Values};

use crate::{Error, Place, Result};

/// The metadata of a field that tells its role, and of a schema that tells the target to fit.
pub(crate) const ROLE: &str = "fattail.role";
pub(crate) const MAIN_TARGET: &str = "fattail.main_target";

/// A panel as a record batch: `era` (a dictionary), `id`, the features (`uint8` or `float32`), the
/// targets, the extras, `weight`. Each field's metadata tells its role.
///
/// # Errors
/// When two columns have the same name.
pub fn panel_to_batch(panel: &Panel) -> Result<RecordBatch> {
    to_batch(Path::new("record batch"), panel)
}

pub(crate) fn to_batch(path: &Path, panel: &Panel) -> Result<RecordBatch> {
    let labels = Arc::new(StringArray::from_iter_values(panel.eras().labels()));
    to_batch_labelled(path, panel, &labels, 0)
}

/// The same with labels that many batches share: the panel's are those from the `first` on.
pub(crate) fn to_batch_labelled(
    path: &Path,
    panel: &Panel,
    labels: &Arc<StringArray>,
    first: usize,
) -> Result<RecordBatch> {
    let refuse = |source| Error::format(path, Place::File, "Arrow", source);
    let mut table = Table::default();
    table.push("era", "era", eras(panel, labels, first).map_err(refuse)?);
    if panel.has_ids() {
        let ids = (0..panel.rows()).filter_map(|row| panel.id(row));
        table.push("id", "id", Arc::new(LargeStringArray::from_iter_values(ids)));
    }
    let schema = panel.schema();
    for (position, name) in schema.features().iter().enumerate() {
        table.push(name, "feature", array(panel.feature(position)));
    }
    let named = |source| Error::Panel { path: path.into(), source };
    for name in schema.targets() {
        table.push(name, "target", array(panel.target_named(name).map_err(named)?));
    }
    for name in schema.extras() {
        table.push(name, "extra", array(panel.extra(name).map_err(named)?));
    }
    if let Some(weights) = panel.weights() {
        table.push("weight", "weight", array(weights));
    }
    table.finish(path, schema.target())
}

#[derive(Default)]
struct Table {
    fields: Vec<Field>,
    columns: Vec<ArrayRef>,
}

impl Table {
    fn push(&mut self, name: &str, role: &str, column: ArrayRef) {
        let role = HashMap::from([(ROLE.to_owned(), role.to_owned())]);
        let field = Field::new(name, column.data_type().clone(), false);
        self.fields.push(field.with_metadata(role));
        self.columns.push(column);
    }

    fn finish(self, path: &Path, main: Option<&str>) -> Result<RecordBatch> {
        let mut names: Vec<&str> = self.fields.iter().map(|field| field.name().as_str()).collect();
        names.sort_unstable();
        if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(Error::DuplicateColumn { path: path.into(), column: pair[0].into() });
        }
        let main = main.map(|main| (MAIN_TARGET.to_owned(), main.to_owned()));
        let schema = Schema::new_with_metadata(self.fields, main.into_iter().collect());
        RecordBatch::try_new(Arc::new(schema), self.columns)
            .map_err(|source| Error::format(path, Place::File, "Arrow", source))
    }
}

fn eras(
    panel: &Panel,
    labels: &Arc<StringArray>,
    first: usize,
) -> Result<ArrayRef, arrow::error::ArrowError> {
    let first =
        i32::try_from(first).map_err(|_| arrow::error::ArrowError::DictionaryKeyOverflowError)?;
    let keys = (first..).zip(panel.eras().ranges()).flat_map(|(era, rows)| rows.map(move |_| era));
    let keys = Int32Array::from_iter_values(keys);
    let labels: ArrayRef = Arc::clone(labels) as ArrayRef;
    Ok(Arc::new(DictionaryArray::<Int32Type>::try_new(keys, labels)?))
}

/// Keeps values alive as bytes.
struct Owner<T: 'static>(Shared<T>);

impl<T: ArrowNativeType> AsRef<[u8]> for Owner<T> {
    fn as_ref(&self) -> &[u8] {
        self.0.to_byte_slice()
    }
}

fn share<T: ArrowNativeType>(values: Shared<T>, start: usize, rows: usize) -> ScalarBuffer<T> {
    ScalarBuffer::new(Buffer::from(Bytes::from_owner(Owner(values))), start, rows)
}

fn array(column: ColumnView<'_>) -> ArrayRef {
    let rows = column.len();
    match column.shared() {
        Some((ColumnData::U8(bins), start)) => {
            Arc::new(UInt8Array::new(share(bins, start, rows), None))
        }
        Some((ColumnData::F32(numbers), start)) => {
            Arc::new(Float32Array::new(share(numbers, start, rows), None))
        }
        None if column.is_u8() => {
            let mut bins: Vec<u8> = Vec::with_capacity(rows);
            for era in column.eras() {
                if let Values::U8(era) = era {
                    bins.extend_from_slice(era);
                }
            }
            Arc::new(UInt8Array::from(bins))
        }
        None => Arc::new(Float32Array::from(column.to_f32())),
    }
}
