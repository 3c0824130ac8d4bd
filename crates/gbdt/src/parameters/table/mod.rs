//! Every parameter, in the order in which LightGBM's model files write them: its own, of version 4.7,
//! and those of eras.

mod command;
mod core;
mod data;
mod eras;
mod learning;
mod machine;
mod objective;

use super::entry::Entry;

/// All parameters.
pub(super) fn all() -> impl Iterator<Item = &'static Entry> {
    let saved = [core::ROWS, learning::ROWS, data::ROWS, objective::ROWS, machine::ROWS];
    saved.into_iter().chain([eras::ROWS, objective::MORE, command::ROWS]).flatten()
}

/// The parameter of a name or alias. `-` stands for `_`, as it does on command lines.
pub(super) fn find(name: &str) -> Option<&'static Entry> {
    all().find(|entry| entry.name == name || entry.aliases.contains(&name))
}
