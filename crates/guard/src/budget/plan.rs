//! Work cut into pieces that fit.
//!
//! With `F` bytes free, `k` pieces at once, `o` bytes beside each and `r` a row, a piece holds
//! `⌊(F / k - o) / r⌋` rows; the `m = ⌈n / that⌉` pieces are then made as equal as they can be, the first
//! ones a row longer. No rows are no pieces; rows without bytes are one piece.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::{Budget, Refusal};

/// Work that can be cut by rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// Rows in all.
    pub rows: u64,
    /// Bytes of a row.
    pub row_bytes: u64,
    /// Bytes beside the rows of a piece, however many it has.
    pub overhead: u64,
    /// Pieces that are held at one time.
    pub at_once: u64,
}

/// Pieces of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Rows in all.
    pub rows: u64,
    /// Pieces.
    pub pieces: u64,
    /// Rows of the largest piece.
    pub piece_rows: u64,
    /// Bytes of the largest piece with what stands beside it: what to ask a permit for.
    pub piece_bytes: u64,
}

impl Budget {
    /// The largest pieces of a job that fit into what is free now.
    ///
    /// # Errors
    /// When not even one row fits.
    pub fn plan(&self, job: &Job) -> Result<Plan, Refusal> {
        let free = self.free()?;
        let at_once = job.at_once.max(1);
        let least = job.row_bytes.saturating_add(job.overhead);
        let most_rows = match (free / at_once).checked_sub(job.overhead) {
            None => 0,
            Some(_) if job.row_bytes == 0 => job.rows,
            Some(room) => room / job.row_bytes,
        };
        if most_rows == 0 && job.rows > 0 {
            return Err(self.too_large(least.saturating_mul(at_once), free));
        }
        let pieces = job.rows.div_ceil(most_rows.max(1));
        let piece_rows = job.rows.div_ceil(pieces.max(1));
        // Both fit into what is free.
        let piece_bytes = piece_rows * job.row_bytes + job.overhead;
        Ok(Plan { rows: job.rows, pieces, piece_rows, piece_bytes })
    }

    /// Pieces of `total` bytes, one at a time, each with `overhead` bytes beside it.
    ///
    /// # Errors
    /// When the overhead leaves no room.
    pub fn pieces(&self, total: u64, overhead: u64) -> Result<Plan, Refusal> {
        self.plan(&Job { rows: total, row_bytes: 1, overhead, at_once: 1 })
    }
}

impl Plan {
    /// The rows of each piece, end to end.
    pub fn ranges(&self) -> impl Iterator<Item = Range<u64>> + use<> {
        let Self { rows, pieces, .. } = *self;
        // No pieces, no rows: any divisor does.
        let divisor = pieces.max(1);
        let (each, longer) = (rows / divisor, rows % divisor);
        (0..pieces).map(move |piece| {
            let start = piece * each + piece.min(longer);
            start..start + each + u64::from(piece < longer)
        })
    }
}
