//! Which rows came before a row: those of the same id, or all.
//!
//! Row r's predecessor is the last earlier row with its id. Where a panel has no ids, or one row an
//! era (a single series of bars), it is the row before. A window of n rows is r and n - 1
//! predecessors in turn; it never leaves the panel. Cost: one look-up a row, 4 bytes a row.

use std::collections::HashMap;

use fattail_core::Panel;

/// The mark of a row that none came before.
const NONE: u32 = u32::MAX;

/// The predecessor of each row.
#[derive(Debug)]
pub(super) struct History {
    previous: Vec<u32>,
}

impl History {
    pub(super) fn new(panel: &Panel) -> Self {
        let single = panel.eras().ranges().all(|rows| rows.len() == 1);
        if !panel.has_ids() || single {
            let previous = (0..panel.rows() as u32).map(|row| row.wrapping_sub(1));
            return Self { previous: previous.collect() };
        }
        let mut last: HashMap<&str, u32> = HashMap::new();
        let previous = (0..panel.rows()).map(|row| {
            let id = panel.id(row).unwrap_or_default();
            last.insert(id, row as u32).unwrap_or(NONE)
        });
        Self { previous: previous.collect() }
    }

    /// The oldest row of the window that ends at `row`, if so many rows came before.
    pub(super) fn oldest(&self, row: u32, window: usize) -> Option<u32> {
        (1..window).try_fold(row, |row, _| {
            let previous = self.previous[row as usize];
            (previous != NONE).then_some(previous)
        })
    }

    /// Writes the rows of the window that ends at `row`, oldest first.
    pub(super) fn write(&self, row: u32, out: &mut [u32]) {
        let mut row = row;
        for slot in out.iter_mut().rev() {
            *slot = row;
            row = self.previous[row as usize];
            if row == NONE {
                // Only the oldest row of a window has none before it.
                break;
            }
        }
    }
}
