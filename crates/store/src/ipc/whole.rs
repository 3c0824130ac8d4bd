//! IPC files opened whole: the columns of the panel point into one map.

use std::path::Path;

use arrow::{array::RecordBatch, buffer::Buffer, datatypes::Schema};
use fattail_core::Panel;

use super::{MAPPED, footer::Opened};
use crate::{
    Error, Features, Place, ReadOptions, Result, Targets,
    batch::{MAIN_TARGET, ROLE, Values, from_batches},
    guard::guard,
    map::map,
};

/// Opens a panel that [`crate::write_ipc`] wrote. No column is read before it is used: opening costs the
/// eras and the ids. Pages that were used stay in memory as long as the panel and the machine has
/// room; [`crate::MappedPanel`] gives them back.
///
/// As long as the panel lives the file must not be changed in place; replacing it by renaming, as
/// this room writes, is safe. A file that is shortened under the map ends the process (SIGBUS).
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

pub(super) fn guarded<T>(path: &Path, work: impl FnOnce() -> Result<T>) -> Result<T> {
    guard(work, |said| Error::format(path, Place::File, "Arrow IPC", said))
}

fn open(path: &Path) -> Result<Panel> {
    let batches = mapped_batches(path)?;
    let [batch] = &batches[..] else {
        let source = format!("it holds {} record batches, not one", batches.len());
        return Err(Error::format(path, Place::File, MAPPED, source));
    };
    let options = roles(&batch.schema())
        .ok_or_else(|| Error::format(path, Place::File, MAPPED, "its columns have no roles"))?;
    from_batches(path, &batches, &options, Values::Trusted)
}

/// The record batches of an IPC file; uncompressed columns point into the map, others are copied.
fn mapped_batches(path: &Path) -> Result<Vec<RecordBatch>> {
    let map = Buffer::from(map(path)?);
    let batches = Opened::new(&map).and_then(|file| file.batches());
    batches.map_err(|source| Error::format(path, Place::File, "Arrow IPC", source))
}

/// The options that read what the roles of the fields tell.
pub(super) fn roles(schema: &Schema) -> Option<ReadOptions> {
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
