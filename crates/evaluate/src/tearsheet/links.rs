//! Rows of the same id in two eras.
//!
//! An era of a panel has an id once. Every id gets a number; a table from number to row, one a thread, then
//! finds the rows of two eras that share an id in one pass over both.
//!
//! Cost: one hash a row to begin with, then `O(rows of both eras)` a pair; 4 bytes a row, and 4 an id and
//! thread.

use std::collections::HashMap;

use fattail_core::Panel;

/// The number of each row's id.
pub(super) struct Links {
    codes: Vec<u32>,
    ids: usize,
}

/// A table from an id's number to one more than its row in an era; 0 for none.
pub(super) struct Table {
    rows: Vec<u32>,
}

impl Links {
    /// The ids of a panel, or why eras cannot be linked: there are none, or each is in one era alone.
    pub(super) fn of(panel: &Panel) -> Result<Self, String> {
        let mut numbers: HashMap<&str, u32> = HashMap::new();
        let mut codes = Vec::with_capacity(panel.rows());
        for id in panel.iter().flat_map(|era| era.ids().into_iter().flatten()) {
            let next = u32::try_from(numbers.len()).map_err(|_| "there are too many ids")?;
            codes.push(*numbers.entry(id).or_insert(next));
        }
        if codes.len() < panel.rows() {
            return Err("the panel has no ids".into());
        }
        if numbers.len() == codes.len() {
            return Err("no id is in two eras".into());
        }
        Ok(Self { codes, ids: numbers.len() })
    }

    /// A table for [`Links::shared`].
    pub(super) fn table(&self) -> Table {
        Table { rows: vec![0; self.ids] }
    }

    /// The rows inside eras `from` and `to` of `panel` that share an id, in the order of `to`.
    pub(super) fn shared(
        &self,
        panel: &Panel,
        [from, to]: [usize; 2],
        table: &mut Table,
        out: &mut Vec<(usize, usize)>,
    ) {
        let (from, to) = (panel.eras().range(from), panel.eras().range(to));
        for (row, &code) in self.codes[from.clone()].iter().enumerate() {
            table.rows[code as usize] = row as u32 + 1;
        }
        out.clear();
        out.extend(self.codes[to].iter().enumerate().filter_map(|(row, &code)| {
            let found = table.rows[code as usize].checked_sub(1)?;
            Some((found as usize, row))
        }));
        for &code in &self.codes[from] {
            table.rows[code as usize] = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use fattail_core::Ids;

    use super::*;

    fn panel(ids: [&str; 6]) -> Panel {
        let ids: Ids = ids.into_iter().collect();
        Panel::builder().eras(&["1", "1", "1", "2", "2", "2"]).unwrap().ids(ids).build().unwrap()
    }

    #[test]
    fn rows_are_found_by_id_and_the_table_is_left_clean() {
        let panel = panel(["a", "b", "c", "c", "d", "a"]);
        let links = Links::of(&panel).unwrap();
        let (mut table, mut out) = (links.table(), Vec::new());
        for _ in 0..2 {
            links.shared(&panel, [0, 1], &mut table, &mut out);
            assert_eq!(out, [(2, 0), (0, 2)]);
        }
        links.shared(&panel, [1, 1], &mut table, &mut out);
        assert_eq!(out, [(0, 0), (1, 1), (2, 2)]);
    }

    #[test]
    fn no_ids_are_told() {
        let bare = Panel::builder().eras(&["1"]).unwrap().target("t", vec![0.5]).build().unwrap();
        assert_eq!(Links::of(&bare).err().unwrap(), "the panel has no ids");
        let fresh = Links::of(&panel(["a", "b", "c", "d", "e", "f"])).err().unwrap();
        assert_eq!(fresh, "no id is in two eras");
    }
}
