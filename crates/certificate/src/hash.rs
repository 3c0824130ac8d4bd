//! Hashes of a procedure, of a panel and of a certificate (SHA-256, hexadecimal).

use std::fmt::Write;

use fattail_core::{Panel, Values};
use sha2::{Digest, Sha256};

/// The hash of a text.
pub(crate) fn text(text: &str) -> String {
    hex(Sha256::new().chain_update(text))
}

/// The hash of all names, eras, ids and values of a panel.
pub(crate) fn panel(panel: &Panel) -> String {
    let mut hash = Sha256::new();
    let schema = panel.schema();
    let add = |hash: &mut Sha256, text: &str| {
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text);
    };
    for (label, rows) in panel.eras().labels().zip(panel.eras().ranges()) {
        add(&mut hash, label);
        hash.update((rows.len() as u64).to_le_bytes());
    }
    let columns = schema.features().iter().enumerate().map(|(at, name)| (name, panel.feature(at)));
    let targets = schema.targets().iter().filter_map(|n| Some((n, panel.target_named(n).ok()?)));
    for (name, column) in columns.chain(targets) {
        add(&mut hash, name);
        for values in column.eras() {
            match values {
                Values::U8(values) => hash.update(values),
                Values::F32(values) => {
                    values.iter().for_each(|value| hash.update(value.to_bits().to_le_bytes()));
                }
            }
        }
    }
    (0..panel.rows()).filter_map(|row| panel.id(row)).for_each(|id| add(&mut hash, id));
    hex(hash)
}

fn hex(hash: Sha256) -> String {
    hash.finalize().iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing into a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
