//! LightGBM's text model: versions 2, 3 and 4 in, version 4 out.
//!
//! A file is a header of `key=value` lines, one block of at most 22 such lines for each tree, `end of
//! trees`, then importances, parameters and, from Python, the categories of the data frame. Numbers stand
//! in C's `%.17g` and `%g`; a gain or node value that six digits cannot hold is written with 17, so that
//! reading gives back the same bits. What LightGBM wrote is written again byte for byte.
//!
//! Reading trusts nothing: no memory is taken because a file claims a count, children lie below their
//! parents, every list has the length that the tree's leaves ask for. Cost: linear in the bytes, trees in
//! parallel. The `pandas_categorical` line becomes a parameter of that name and goes back to its place.
//!
//! LightGBM takes values within 1e-35 of zero as zero before it asks any tree; a forest does not, so a
//! threshold of exactly 0 treats such values differently on the two sides.
//!
//! Reference: LightGBM 4.7, `src/boosting/gbdt_model_text.cpp`, `src/io/tree.cpp`.

mod block;
mod fields;
mod header;
mod layout;
mod number;
mod objective;
mod read;
mod sections;
mod tree_text;
mod write;

pub use read::read;
pub use write::write;

/// The parameter that stands for the last line of a file from Python.
const PANDAS: &str = "pandas_categorical";
