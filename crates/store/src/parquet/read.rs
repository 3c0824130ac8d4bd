//! Reads a Parquet file into a panel.
//!
//! Keys first, then every column chunk of the rows that stay, in parallel, each decoded in small
//! blocks straight into its part of the panel's column: nothing is concatenated or copied again.
//! Integers whose values all lie in 0..=255 become `u8` bins, other numbers `f32`.
//!
//! Nulls and NaN: by [`ReadOptions::missing`] in features, NaN in targets and extras, refused in
//! weights. Infinity is refused. Cost: rows x columns; memory: the panel, plus one compressed column
//! chunk a thread.

use std::path::Path;

use fattail_core::{Observer, Panel};

use super::{columns::Decoder, file::ParquetFile, keys};
use crate::{
    Error, Place, ReadOptions, Result,
    options::ID_BYTES,
    panel::Parts,
    plan::{Plan, Role, Wanted},
    rows::{locate, select},
};

/// Reads a Parquet file, its row groups and columns in parallel.
///
/// ```
/// use fattail_core::{Panel, silent};
/// use fattail_store::{ReadOptions, read_parquet, write_parquet};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("train.parquet");
/// let panel = Panel::builder()
///     .eras(&["0001", "0001", "0002"])?
///     .feature("feature_value", vec![0u8, 4, 2])
///     .target("target", vec![0.25f32, 0.75, f32::NAN])
///     .build()?;
/// write_parquet(&panel, &path)?;
///
/// let options = ReadOptions { id: None, ..ReadOptions::default() };
/// let read = read_parquet(&path, &options, &silent)?;
/// assert_eq!(read.feature(0).to_f32(), [0.0, 4.0, 2.0]);
/// assert!(read.feature(0).is_u8());
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// When the file cannot be read or is not Parquet, a column is missing or of a wrong type, a value
/// is refused, eras are not sorted, an id stands twice in an era, or no row is left; each with file,
/// row group, row, column and value.
pub fn read_parquet(
    path: impl AsRef<Path>,
    options: &ReadOptions,
    observer: Observer<'_>,
) -> Result<Panel> {
    let path = path.as_ref();
    let file = ParquetFile::open(path)?;
    let plan = Plan::new(path, &file.names(), |at| file.kind(at).is_number(), options)?;
    let place = |group, row| Place::GroupRow { group, row };
    let (eras, keep) = select(path, options, &keys::read(&file, &plan, options)?, place)?;
    expect_room(&file, &plan, options, eras.rows())?;
    let ids = plan.id.map(|id| keys::read_ids(&file, id, &keep)).transpose()?;
    let columns = Decoder { file: &file, keep: &keep, observer }.columns(&plan.columns)?;
    Parts { eras, ids, columns }.assemble(path, &plan, options, |row| {
        locate(&keep, row).map_or(Place::File, |(group, row)| place(group, row))
    })
}

/// The names of the columns of a Parquet file.
pub(crate) fn parquet_names(path: &Path) -> Result<Vec<String>> {
    Ok(ParquetFile::open(path)?.names())
}

/// Refuses a file of more rows than memory could hold or the options allow, before room is made for them.
pub(super) fn expect_room(
    file: &ParquetFile,
    plan: &Plan,
    options: &ReadOptions,
    rows: usize,
) -> Result<()> {
    let width = |wanted: &Wanted| match wanted.role {
        Role::Feature if file.kind(wanted.at).is_discrete() => 1,
        _ => size_of::<f32>(),
    };
    let ids = if plan.id.is_some() { ID_BYTES } else { 0 };
    let bytes = rows.checked_mul(ids + plan.columns.iter().map(width).sum::<usize>());
    let room = |bytes| Vec::<u8>::new().try_reserve_exact(bytes).is_ok();
    let Some(bytes) = bytes.filter(|&bytes| room(bytes)) else {
        let source = format!("it claims {rows} rows, more than memory holds");
        return Err(Error::format(&file.path, Place::File, "Parquet", source));
    };
    options.expect_room(&file.path, bytes)
}
