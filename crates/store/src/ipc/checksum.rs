//! Checksums of mapped panels: CRC-32 (ISO-HDLC, as in zip and PNG), one for each column of each
//! block over its values as they lie in the file, and one, the head's, over what tells what they
//! are: names, types, roles and eras. Between them every byte that becomes part of a panel is
//! covered; where columns lie is not, but must follow from the number of rows.

use std::fmt::Write;

use arrow::{
    array::{Array, ArrayRef},
    datatypes::Schema,
};
use crc32fast::Hasher;
use fattail_core::Eras;
use rayon::prelude::*;

use super::layout::Kind;
use crate::batch::{MAIN_TARGET, ROLE};

/// Under these names the footer holds the checksums of the columns, a line a block, and the head's.
pub(super) const COLUMNS: &str = "fattail.checksums";
pub(super) const HEAD: &str = "fattail.head";

/// Digits of a checksum.
const DIGITS: usize = 8;

/// The checksum of parts end to end.
pub(super) fn of_parts<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> u32 {
    let mut hasher = Hasher::new();
    parts.into_iter().for_each(|part| hasher.update(part));
    hasher.finalize()
}

/// The checksums of columns that are not slices, as they will lie in the file.
pub(super) fn of_columns(columns: &[ArrayRef]) -> Vec<u32> {
    let one = |column: &ArrayRef| of_parts(column.to_data().buffers().iter().map(|b| &**b));
    columns.par_iter().map(one).collect()
}

/// The checksum of the head.
pub(super) fn of_head<'a>(schema: &Schema, labels: impl IntoIterator<Item = &'a str>) -> u32 {
    let mut hasher = Hasher::new();
    let mut add = |text: &str| {
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    };
    add(schema.metadata().get(MAIN_TARGET).map_or("", String::as_str));
    for field in schema.fields() {
        add(field.name());
        add(field.metadata().get(ROLE).map_or("", String::as_str));
        add(Kind::of(field.data_type()).map_or("", Kind::name));
    }
    labels.into_iter().for_each(add);
    hasher.finalize()
}

/// The head of a file that is read.
pub(super) fn of_known_head(schema: &Schema, eras: &Eras) -> u32 {
    of_head(schema, eras.labels())
}

/// Adds the line of a block.
pub(super) fn write(text: &mut String, checksums: &[u32]) {
    for checksum in checksums {
        // Text takes all that is written to it.
        let _ = write!(text, "{checksum:08x}");
    }
    text.push('\n');
}

/// The checksums of each block, if there is a line for each and a number for each column.
pub(super) fn read(text: &str, blocks: usize, columns: usize) -> Option<Vec<Vec<u32>>> {
    let number = |digits: &[u8]| u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok();
    let line = |line: &str| -> Option<Vec<u32>> {
        let all = line.len() == columns.checked_mul(DIGITS)?;
        all.then(|| line.as_bytes().chunks_exact(DIGITS).map(number).collect())?
    };
    let lines: Vec<Vec<u32>> = text.lines().map(line).collect::<Option<_>>()?;
    (lines.len() == blocks).then_some(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_value_of_the_catalogue() {
        // https://reveng.sourceforge.io/crc-catalogue/17plus.htm#crc.cat.crc-32-iso-hdlc
        assert_eq!(of_parts([&b"1234"[..], b"", b"56789"]), 0xcbf4_3926);
    }

    #[test]
    fn lines_are_read_as_written() {
        let mut text = String::new();
        write(&mut text, &[0, 0xcbf4_3926]);
        write(&mut text, &[1, u32::MAX]);
        assert_eq!(text, "00000000cbf43926\n00000001ffffffff\n");
        assert_eq!(read(&text, 2, 2).unwrap(), [[0, 0xcbf4_3926], [1, u32::MAX]]);
        assert!(read(&text, 1, 2).is_none() && read(&text, 2, 1).is_none());
        assert!(read("0000000x", 1, 1).is_none() && read("", 1, 1).is_none());
    }
}
