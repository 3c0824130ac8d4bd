//! Hashes of a procedure, of a panel, of folds and of a certificate (SHA-256, hexadecimal).
//!
//! Every text and list is preceded by its length, every column by its role and kind, so that no two panels and no
//! two lists of folds are written alike.

use std::fmt::Write;

use fattail_core::{ColumnView, Panel, Values};
use fattail_evaluate::Fold;
use sha2::{Digest, Sha256};

/// The hash of a text.
pub(crate) fn text(text: &str) -> String {
    hex(Sha256::new().chain_update(text))
}

/// The hash of all roles, names, eras, ids and values of a panel, and of which target is the main one.
pub(crate) fn panel(panel: &Panel) -> String {
    let mut hash = Sha256::new();
    let schema = panel.schema();
    number(&mut hash, panel.eras().len());
    for (label, rows) in panel.eras().labels().zip(panel.eras().ranges()) {
        add(&mut hash, label);
        number(&mut hash, rows.len());
    }
    part(&mut hash, "features", schema.features().len());
    for (at, name) in schema.features().iter().enumerate() {
        column(&mut hash, name, panel.feature(at));
    }
    let targets = schema.targets().iter().filter_map(|n| Some((n, panel.target_named(n).ok()?)));
    part(&mut hash, "targets", schema.targets().len());
    targets.for_each(|(name, values)| column(&mut hash, name, values));
    add(&mut hash, schema.target().unwrap_or_default());
    let extras = schema.extras().iter().filter_map(|n| Some((n, panel.extra(n).ok()?)));
    part(&mut hash, "extras", schema.extras().len());
    extras.for_each(|(name, values)| column(&mut hash, name, values));
    part(&mut hash, "weights", usize::from(panel.weights().is_some()));
    if let Some(weights) = panel.weights() {
        column(&mut hash, "weights", weights);
    }
    part(&mut hash, "ids", usize::from(panel.has_ids()));
    (0..panel.rows()).filter_map(|row| panel.id(row)).for_each(|id| add(&mut hash, id));
    hex(hash)
}

/// The hash of the positions of training and test eras of all folds.
pub(crate) fn folds(folds: &[Fold]) -> String {
    let mut hash = Sha256::new();
    number(&mut hash, folds.len());
    for eras in folds.iter().flat_map(|fold| [&fold.train, &fold.test]) {
        number(&mut hash, eras.len());
        eras.iter().for_each(|&era| number(&mut hash, era));
    }
    hex(hash)
}

fn number(hash: &mut Sha256, number: usize) {
    hash.update((number as u64).to_le_bytes());
}

fn add(hash: &mut Sha256, text: &str) {
    number(hash, text.len());
    hash.update(text);
}

fn part(hash: &mut Sha256, role: &str, columns: usize) {
    add(hash, role);
    number(hash, columns);
}

fn column(hash: &mut Sha256, name: &str, column: ColumnView<'_>) {
    add(hash, name);
    add(hash, if column.is_u8() { "u8" } else { "f32" });
    for values in column.eras() {
        match values {
            Values::U8(values) => hash.update(values),
            Values::F32(values) => {
                values.iter().for_each(|value| hash.update(value.to_bits().to_le_bytes()));
            }
        }
    }
}

fn hex(hash: Sha256) -> String {
    hash.finalize().iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing into a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use fattail_core::{ColumnData, Ids, PanelBuilder};

    use super::*;

    fn begun() -> PanelBuilder {
        Panel::builder().eras(&["1", "1"]).unwrap().feature("x", vec![0u8, 1])
    }

    fn hash(builder: PanelBuilder) -> String {
        panel(&builder.build().unwrap())
    }

    #[test]
    fn panels_that_differ_in_anything_differ() {
        let y = || vec![0.0f32, 1.0];
        let two = || begun().target("y", y()).target("z", vec![1.0f32, 0.0]);
        let numbers: ColumnData = vec![0.0f32, 1.0].into();
        let all = [
            hash(two()),
            hash(two().main_target("z")),
            hash(begun().target("y", y())),
            hash(begun().feature("y", vec![0.0f32, 1.0])),
            hash(begun().extra("y", y())),
            hash(begun().target("y", y()).weights(y())),
            hash(begun().target("y", y()).extra("w", y())),
            hash(begun().target("y", y()).extra("w", vec![0.0f32, 2.0])),
            hash(begun().target("y", y()).ids(["a", "b"].into_iter().collect::<Ids>())),
            hash(
                Panel::builder().eras(&["1", "1"]).unwrap().feature("x", numbers).target("y", y()),
            ),
        ];
        for (at, hash) in all.iter().enumerate() {
            assert!(!all[..at].contains(hash), "{at}");
        }
        assert_eq!(hash(two()), all[0]);
    }

    #[test]
    fn folds_that_differ_differ() {
        let fold =
            |train: &[usize], test: &[usize]| Fold { train: train.into(), test: test.into() };
        let one = folds(&[fold(&[0, 1], &[2, 3])]);
        assert_ne!(one, folds(&[fold(&[0], &[1, 2, 3])]));
        assert_ne!(one, folds(&[fold(&[0, 1], &[2]), fold(&[0, 1], &[3])]));
        assert_eq!(one, folds(&[fold(&[0, 1], &[2, 3])]));
    }
}
