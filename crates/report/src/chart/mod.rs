//! Charts as inline SVG.

mod axis;
mod canvas;
mod forest;
mod palette;
mod plot;

pub(crate) use forest::forest;
pub(crate) use palette::{CONSTANT, SERIES};
pub(crate) use plot::{Marks, Plot, Series};
