//! Writes a panel as Parquet: row groups end where eras end, with statistics, compressed with zstd.

use std::{path::Path, sync::Arc};

use arrow::{
    array::{ArrayRef, AsArray, Int8Array, RecordBatch},
    buffer::ScalarBuffer,
    datatypes::{DataType, Field, Schema, UInt8Type},
    error::ArrowError,
};
use fattail_core::{Eras, Panel};
use parquet::{
    arrow::ArrowWriter,
    basic::{Compression, ZstdLevel},
    file::properties::{EnabledStatistics, WriterProperties},
    schema::types::ColumnPath,
};

use crate::{Result, atomic::write_atomic, batch::to_batch};

/// A row group is closed at the end of the era that fills it.
const GROUP_ROWS: usize = 1 << 17;

/// Writes a panel: eras in `era`, ids in `id`, weights in `weight`, the other columns under their
/// names. Bins up to 127 are `int8`, as in Numerai's files, others `uint8`.
///
/// # Errors
/// When two columns have the same name or the disk refuses; nothing half-written stays.
pub fn write_parquet(panel: &Panel, path: impl AsRef<Path>) -> Result<()> {
    let path = path.as_ref();
    let batch = to_batch(path, panel)?;
    write_atomic(path, |file| -> parquet::errors::Result<()> {
        let batch = signed(&batch)?;
        let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties()?))?;
        for (start, rows) in groups(panel.eras()) {
            writer.write(&batch.slice(start, rows))?;
            writer.flush()?;
        }
        writer.close()?;
        Ok(())
    })
}

fn properties() -> parquet::errors::Result<WriterProperties> {
    Ok(WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_column_dictionary_enabled(ColumnPath::from("id"), false)
        .set_max_row_group_row_count(None)
        .build())
}

/// Start and length of each row group.
fn groups(eras: &Eras) -> Vec<(usize, usize)> {
    let (mut groups, mut start) = (Vec::new(), 0);
    for era in eras.ranges() {
        if era.end - start >= GROUP_ROWS || era.end == eras.rows() {
            groups.push((start, era.end - start));
            start = era.end;
        }
    }
    groups
}

/// The same bytes as `int8` where no bin is above 127.
fn signed(batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let schema = batch.schema();
    let columns = schema.fields().iter().zip(batch.columns());
    let (fields, columns): (Vec<Field>, Vec<ArrayRef>) = columns
        .map(|(field, column)| {
            let field = field.as_ref().clone();
            match column.as_primitive_opt::<UInt8Type>() {
                Some(bins) if bins.values().iter().all(|&bin| bin <= 127) => {
                    let same =
                        ScalarBuffer::<i8>::new(bins.values().inner().clone(), 0, bins.len());
                    let column: ArrayRef = Arc::new(Int8Array::new(same, None));
                    (field.with_data_type(DataType::Int8), column)
                }
                _ => (field, Arc::clone(column)),
            }
        })
        .unzip();
    let schema = Schema::new_with_metadata(fields, schema.metadata().clone());
    RecordBatch::try_new(Arc::new(schema), columns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_groups_end_where_eras_end() {
        let eras = Eras::from_runs([
            ("1".into(), GROUP_ROWS - 1),
            ("2".into(), 5),
            ("3".into(), 2 * GROUP_ROWS),
            ("4".into(), 1),
        ])
        .unwrap();
        let expected = [(0, GROUP_ROWS + 4), (GROUP_ROWS + 4, 2 * GROUP_ROWS)];
        assert_eq!(groups(&eras)[..2], expected);
        assert_eq!(groups(&eras)[2], (3 * GROUP_ROWS + 4, 1));
    }
}
