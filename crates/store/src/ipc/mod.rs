//! Panels as Arrow IPC files, used where they lie: memory maps, for data larger than memory.

mod checksum;
mod footer;
mod layout;
mod mapped;
mod whole;
mod write;

pub use mapped::MappedPanel;
pub use whole::open_ipc;
pub(crate) use whole::{ipc_names, read_ipc};
pub(crate) use write::{mapped_size, write_blocks};
pub use write::{write_ipc, write_mapped};

/// Columns start at multiples of this, so that they can be used where they lie.
const ALIGNMENT: usize = 64;

/// What a file is that is not what this room writes, in errors.
const MAPPED: &str = "a mapped panel";
