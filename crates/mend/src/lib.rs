#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod align;
mod block;
mod cell;
mod cells;
mod column;
mod detect;
mod dialect;
mod fill;
mod ragged;
mod read;
mod rule;
mod sample;
mod scan;
mod shape;
mod split;
mod value;

pub use block::{Block, Data, Filled, Note, Refused, Seen};
pub use cell::{DateOrder, NumberForm, Unit};
pub use column::{Column, Kind};
pub use detect::{Charset, Confidence, Layout, MOST_COLUMNS, TooManyColumns, Transcoder, detect};
pub use dialect::{Dialect, Ends, Escape, Known};
pub use read::Reader;
pub use rule::{Policy, Risk, Rule};
pub use shape::Shape;
pub use split::MOST_BYTES;
