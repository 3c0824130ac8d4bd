//! Panels in pieces of whole eras.

use std::ops::Range;

use fattail_core::Eras;
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// How much a piece of a panel holds at most. Pieces are whole eras, as many as stay within both
/// limits; an era that alone is above them is a piece by itself.
///
/// ```
/// use fattail_store::PieceLimit;
/// let one_by_one = PieceLimit { eras: 1, ..PieceLimit::default() };
/// assert_eq!(one_by_one.bytes, 64 << 20);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PieceLimit {
    /// The number of eras, 1 and above.
    pub eras: usize,
    /// Bytes of values, as [`fattail_core::Panel::bytes`] counts them: without ids; 1 and above.
    pub bytes: usize,
}

impl Default for PieceLimit {
    fn default() -> Self {
        Self { eras: usize::MAX, bytes: 64 << 20 }
    }
}

impl PieceLimit {
    /// The eras of each piece of a panel whose rows have so many bytes.
    pub(crate) fn split(&self, eras: &Eras, row: usize) -> Result<Vec<Range<usize>>> {
        for (name, value) in [("pieces.eras", self.eras), ("pieces.bytes", self.bytes)] {
            if value == 0 {
                let cause = fattail_core::Error::setting(name, value, "1 and above");
                return Err(Error::Setting(cause));
            }
        }
        let mut pieces: Vec<Range<usize>> = Vec::new();
        let mut filled = 0usize;
        for (era, rows) in eras.ranges().enumerate() {
            let bytes = rows.len().saturating_mul(row);
            match pieces.last_mut() {
                Some(last)
                    if last.len() < self.eras && filled.saturating_add(bytes) <= self.bytes =>
                {
                    last.end = era + 1;
                    filled += bytes;
                }
                _ => {
                    pieces.push(era..era + 1);
                    filled = bytes;
                }
            }
        }
        Ok(pieces)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_full_and_a_large_era_is_alone() {
        let lengths = [2, 3, 9, 1, 1, 1];
        let runs = lengths.iter().zip(1..).map(|(&rows, era)| (format!("{era}").into(), rows));
        let eras = Eras::from_runs(runs).unwrap();
        let split = |eras_limit, bytes| {
            PieceLimit { eras: eras_limit, bytes }.split(&eras, 10).map(|pieces| {
                pieces.into_iter().map(|piece| (piece.start, piece.end)).collect::<Vec<_>>()
            })
        };
        assert_eq!(split(usize::MAX, 50).unwrap(), [(0, 2), (2, 3), (3, 6)]);
        assert_eq!(split(2, usize::MAX).unwrap(), [(0, 2), (2, 4), (4, 6)]);
        assert_eq!(split(usize::MAX, usize::MAX).unwrap(), [(0, 6)]);
        assert_eq!(split(7, 1).unwrap().len(), 6);
        let error = split(0, 1).unwrap_err().to_string();
        assert_eq!(error, "setting 'pieces.eras' is 0, allowed is 1 and above");
        let error = split(1, 0).unwrap_err().to_string();
        assert_eq!(error, "setting 'pieces.bytes' is 0, allowed is 1 and above");
    }
}
