//! Raw little-endian columns.

use std::{fs, io, path::Path};

/// Reads all numbers of a file.
pub(crate) fn read_f32(path: &Path) -> io::Result<Vec<f32>> {
    let bytes = fs::read(path)?;
    let (whole, rest) = bytes.as_chunks::<4>();
    if !rest.is_empty() {
        return Err(io::Error::other(format!("{} ends inside a number", path.display())));
    }
    Ok(whole.iter().map(|&four| f32::from_le_bytes(four)).collect())
}

/// Writes all numbers to a file.
pub(crate) fn write_f64(path: &Path, values: &[f64]) -> io::Result<()> {
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    fs::write(path, bytes)
}
