//! Charts as inline SVG.

mod axis;
mod canvas;
mod forest;
mod lines;
mod palette;
mod plot;

pub(crate) use forest::forest;
pub use lines::LineChart;
pub(crate) use palette::{CONSTANT, SERIES};
pub(crate) use plot::{Marks, Plot, Series};
