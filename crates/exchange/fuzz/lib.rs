//! What every target asks of a parser: no panic, no hang, and a forest that holds together.
//!
//! `cargo +nightly fuzz run lightgbm fuzz/corpus/lightgbm tests/reference/lightgbm` in the crate's folder
//! starts from the reference models.

use fattail_exchange::Result;
use fattail_trees::Forest;

/// Checks and uses what was read; widths are bounded so that the fuzzer does not search for memory.
pub fn examine(read: Result<Forest>) {
    let Ok(forest) = read else { return };
    forest.check().expect("what is read has to hold together");
    if forest.features.len() <= 4096 && forest.outputs <= 4096 {
        let row = vec![0.5; forest.features.len()];
        let prediction = forest.predict_row(&row).expect("the row has the width of the features");
        assert_eq!(prediction.len(), forest.outputs);
    }
}
