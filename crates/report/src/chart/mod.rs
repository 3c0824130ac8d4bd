//! Charts as inline SVG.

mod axis;
mod canvas;
mod forest;
mod heat;
mod lines;
mod palette;
mod plane;
mod plot;

pub(crate) use canvas::shorten;
pub(crate) use forest::forest;
pub(crate) use heat::{Cells, Heat};
pub use lines::LineChart;
pub(crate) use palette::{ABOVE, BELOW, CONSTANT, HEAT, INK, SERIES};
pub(crate) use plane::{Across, Layer, Plane};
pub(crate) use plot::{Marks, Plot, Series};
