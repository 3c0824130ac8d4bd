//! Panels as Arrow IPC files, used where they lie: a memory map, for data larger than memory.

use std::path::Path;

use arrow::{
    array::RecordBatch,
    buffer::Buffer,
    datatypes::Schema,
    error::ArrowError,
    ipc::{
        Block, MetadataVersion,
        convert::fb_to_schema,
        reader::{FileDecoder, read_footer_length},
        root_as_footer, root_as_message,
        writer::{FileWriter, IpcWriteOptions},
    },
};
use fattail_core::{Panel, Values as Slice};

use crate::{
    Error, Features, Place, ReadOptions, Result, Targets,
    atomic::write_atomic,
    batch::{MAIN_TARGET, ROLE, Values, from_batches, to_batch},
    guard::guard,
    map::map,
};

/// Columns start at multiples of this, so that they can be used where they lie.
const ALIGNMENT: usize = 64;

/// Magic bytes at the end, and the length of the footer before them.
const TRAILER: usize = 10;

/// Writes a panel as one uncompressed record batch, for [`open_ipc`]. Columns that lie end to end
/// are written from where they are.
///
/// # Errors
/// When a value is infinite, two columns have the same name or the disk refuses; nothing
/// half-written stays.
pub fn write_ipc(panel: &Panel, path: impl AsRef<Path>) -> Result<()> {
    let path = path.as_ref();
    refuse_infinity(path, panel)?;
    let batch = to_batch(path, panel)?;
    write_atomic(path, |file| -> Result<(), ArrowError> {
        let options = IpcWriteOptions::try_new(ALIGNMENT, false, MetadataVersion::V5)?;
        let mut writer = FileWriter::try_new_with_options(file, &batch.schema(), options)?;
        writer.write(&batch)?;
        writer.finish()
    })
}

/// Opens a panel that [`write_ipc`] wrote. No column is read before it is used: opening costs the
/// eras and the ids. As long as the panel lives the file must not be changed in place; replacing it
/// by renaming, as this room writes, is safe.
///
/// ```
/// use fattail_core::Panel;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("panel.arrow");
/// let panel = Panel::builder().eras(&["1", "2"])?.feature("a", vec![3u8, 1]).build()?;
/// fattail_store::write_ipc(&panel, &path)?;
/// assert_eq!(fattail_store::open_ipc(&path)?.feature(0).to_f32(), [3.0, 1.0]);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// When the file cannot be read, is truncated, is not a panel or holds more than one record batch.
pub fn open_ipc(path: impl AsRef<Path>) -> Result<Panel> {
    let path = path.as_ref();
    guarded(path, || open(path))
}

/// Reads the record batches of an IPC file; uncompressed columns stay in the map.
pub(crate) fn read_ipc(path: &Path, options: &ReadOptions) -> Result<Panel> {
    guarded(path, || from_batches(path, &mapped_batches(path)?, options, Values::Checked))
}

/// The names of the columns of an IPC file.
pub(crate) fn ipc_names(path: &Path) -> Result<Vec<String>> {
    guarded(path, || {
        let batches = mapped_batches(path)?;
        let names = batches.first().map(|batch| batch.schema());
        let names =
            names.iter().flat_map(|schema| schema.fields()).map(|field| field.name().clone());
        Ok(names.collect())
    })
}

fn guarded<T>(path: &Path, work: impl FnOnce() -> Result<T>) -> Result<T> {
    guard(work, |said| Error::format(path, Place::File, "Arrow IPC", said))
}

fn open(path: &Path) -> Result<Panel> {
    let batches = mapped_batches(path)?;
    let [batch] = &batches[..] else {
        let source = format!("it holds {} record batches, not one", batches.len());
        return Err(Error::format(path, Place::File, "a mapped panel", source));
    };
    let options = roles(&batch.schema()).ok_or_else(|| {
        Error::format(path, Place::File, "a mapped panel", "its columns have no roles")
    })?;
    from_batches(path, &batches, &options, Values::Trusted)
}

/// The record batches of an IPC file; uncompressed columns point into the map, others are copied.
fn mapped_batches(path: &Path) -> Result<Vec<RecordBatch>> {
    let map = Buffer::from(map(path)?);
    batches(&map).map_err(|source| Error::format(path, Place::File, "Arrow IPC", source))
}

fn batches(map: &Buffer) -> Result<Vec<RecordBatch>, ArrowError> {
    let broken = |what: &str| ArrowError::IpcError(what.to_owned());
    let trailer = map.len().checked_sub(TRAILER).ok_or_else(|| broken("the file is too short"))?;
    let tail = map[trailer..].try_into().map_err(|_| broken("the file is too short"))?;
    let footer = trailer.checked_sub(read_footer_length(tail)?);
    let footer = footer.ok_or_else(|| broken("the footer is longer than the file"))?;
    let footer = root_as_footer(&map[footer..trailer])
        .map_err(|error| broken(&format!("the footer is broken: {error}")))?;
    let schema = footer.schema().ok_or_else(|| broken("the footer has no schema"))?;
    let mut decoder = FileDecoder::new(fb_to_schema(schema).into(), footer.version());
    for block in footer.dictionaries().into_iter().flatten() {
        let body = body(map, block)?;
        expect_room(&body, block)?;
        decoder.read_dictionary(block, &body)?;
    }
    let mut batches = Vec::new();
    for block in footer.recordBatches().into_iter().flatten() {
        let body = body(map, block)?;
        expect_room(&body, block)?;
        batches.extend(decoder.read_record_batch(block, &body)?);
    }
    Ok(batches)
}

/// The bytes of a block, which must lie within the file.
fn body(map: &Buffer, block: &Block) -> Result<Buffer, ArrowError> {
    let number = |value: i64| usize::try_from(value).ok();
    let part = || {
        let start = number(block.offset())?;
        let length =
            number(block.bodyLength())?.checked_add(number(block.metaDataLength().into())?)?;
        (start.checked_add(length)? <= map.len()).then_some((start, length))
    };
    let (start, length) =
        part().ok_or_else(|| ArrowError::IpcError("a block lies outside the file".into()))?;
    Ok(map.slice_with_length(start, length))
}

/// Refuses compressed columns that claim more bytes than memory could hold. What is broken
/// otherwise is left to the decoder.
fn expect_room(body: &[u8], block: &Block) -> Result<(), ArrowError> {
    let claims = || {
        let continued = body.starts_with(&[0xff; 4]);
        let message = root_as_message(body.get(if continued { 8 } else { 4 }..)?).ok()?;
        let batch = message.header_as_record_batch();
        let batch = batch.or_else(|| message.header_as_dictionary_batch()?.data())?;
        batch.compression()?;
        let start = i64::from(block.metaDataLength());
        let claim = |buffer: &arrow::ipc::Buffer| {
            let start = usize::try_from(start.checked_add(buffer.offset())?).ok()?;
            let length = body.get(start..start.checked_add(8)?)?.try_into().ok()?;
            usize::try_from(i64::from_le_bytes(length)).ok()
        };
        Some(batch.buffers()?.iter().filter_map(claim).fold(0, usize::saturating_add))
    };
    match claims().is_none_or(|bytes| Vec::<u8>::new().try_reserve_exact(bytes).is_ok()) {
        true => Ok(()),
        false => Err(ArrowError::IpcError("it claims more bytes than memory holds".into())),
    }
}

/// The options that read what the roles of the fields tell.
fn roles(schema: &Schema) -> Option<ReadOptions> {
    let of = |role: &str| -> Vec<String> {
        let has = |field: &&std::sync::Arc<arrow::datatypes::Field>| {
            field.metadata().get(ROLE).is_some_and(|known| known == role)
        };
        schema.fields().iter().filter(has).map(|field| field.name().clone()).collect()
    };
    let era = of("era").pop()?;
    Some(ReadOptions {
        features: Features::Named(of("feature")),
        targets: Targets::Named(of("target")),
        main_target: schema.metadata().get(MAIN_TARGET).cloned(),
        era: Some(era),
        id: of("id").pop(),
        extras: of("extra"),
        weight: of("weight").pop(),
        ..ReadOptions::default()
    })
}

fn refuse_infinity(path: &Path, panel: &Panel) -> Result<()> {
    for (position, name) in panel.schema().features().iter().enumerate() {
        for (era, rows) in panel.feature(position).eras().zip(panel.eras().ranges()) {
            let Slice::F32(values) = era else { break };
            if let Some(at) = values.iter().position(|value| value.is_infinite()) {
                return Err(Error::Value {
                    path: path.into(),
                    place: Place::Row(rows.start + at),
                    column: name.to_string(),
                    value: values[at].to_string(),
                    expected: "a finite number or NaN",
                });
            }
        }
    }
    Ok(())
}
