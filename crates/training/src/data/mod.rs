//! What a run reads from a panel.

mod buffer;
mod history;
mod holdout;
mod order;
mod samples;
mod source;

pub use buffer::Buffer;
pub use holdout::{Holdout, Portion};
pub use order::{Order, Plan};
pub use samples::{Reading, Samples};
