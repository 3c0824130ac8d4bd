//! Arrow record batches to panels and back.

mod from;
mod to;

pub use from::panel_from_batches;
pub(crate) use from::{Values, from_batches};
pub use to::panel_to_batch;
pub(crate) use to::{MAIN_TARGET, ROLE, to_batch, to_batch_labelled};
