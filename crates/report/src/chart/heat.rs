//! A heat map: rows by name, columns by era, colours by value.
//!
//! Colours are eleven steps from one side of zero to the other; the page's style sheet maps each to one
//! that suits light or dark. More eras than a screen has room for share cells. A cell without a value stays
//! empty.

use plotters::prelude::{ChartBuilder, Color, Rectangle};
use plotters::style::text_anchor::{HPos, VPos};

use super::axis;
use super::canvas::{Canvas, Drawn, FINE, Surface, label, shorten};
use super::palette::HEAT;
use crate::Result;

/// Height of a row in pixels.
const ROW: u32 = 19;
/// Steps on each side of zero.
const STEPS: f64 = 5.0;

/// A matrix of values.
#[derive(Debug, Clone)]
pub(crate) struct Heat<'a> {
    pub(crate) title: String,
    pub(crate) description: String,
    /// The names of the rows, the first on top.
    pub(crate) rows: Vec<&'a str>,
    /// The names of the columns.
    pub(crate) columns: &'a [String],
    /// A list a row, a value a column.
    pub(crate) values: Vec<&'a [f64]>,
    /// The value of the strongest colour; larger ones share it.
    pub(crate) top: f64,
    pub(crate) cells: Cells,
}

/// What the cell of several eras shows, and which colour values above zero have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cells {
    /// The mean; blue above zero.
    Mean,
    /// The largest, as an alarm must not be diluted; vermilion above zero.
    Largest,
}

impl Heat<'_> {
    /// The map for a wide screen and for a phone, one after the other.
    pub(crate) fn to_svg(&self) -> Result<String> {
        let height = ROW * self.rows.len().max(1) as u32 + 36;
        let mut both = String::new();
        for canvas in [Canvas::wide(height), Canvas::narrow(height)] {
            let draw = |surface: &Surface<'_>| self.draw(surface, canvas);
            both.push_str(&canvas.svg(&self.title, &self.description, draw)?);
        }
        Ok(both)
    }

    fn draw(&self, surface: &Surface<'_>, canvas: Canvas) -> Drawn {
        let (room, letters, most, labels) =
            if canvas.narrow { (130, 17, 48, 3) } else { (220, 28, 160, 8) };
        let (width, height) = (self.columns.len().max(1), self.rows.len().max(1));
        let context = ChartBuilder::on(surface)
            .margin_left(room * FINE)
            .margin_right(10 * FINE)
            .margin_top(4 * FINE)
            .margin_bottom(26 * FINE)
            .build_cartesian_2d(0.0..width as f64, height as f64..0.0)?;
        let plane = context.plotting_area();
        let (left, foot) = (plane.get_pixel_range().0.start, plane.get_pixel_range().1.end);
        for (i, (name, values)) in self.rows.iter().zip(&self.values).enumerate() {
            let (top, below) = (i as f64 + 0.04, i as f64 + 0.96);
            for (from, to, step) in self.runs(values, width.div_ceil(most)) {
                let corners = [(from as f64, top), (to as f64, below)];
                let color = HEAT[(step + STEPS as i32) as usize];
                plane.draw(&Rectangle::new(corners, color.filled()))?;
            }
            let (_, y) = context.backend_coord(&(0.0, i as f64 + 0.5));
            let at = (left - 8 * FINE as i32, y);
            label(surface, &shorten(name, letters), at, (HPos::Right, VPos::Center))?;
        }
        for i in axis::thin(self.columns.len(), labels) {
            let (x, _) = context.backend_coord(&(i as f64 + 0.5, 0.0));
            let at = (x, foot + 6 * FINE as i32);
            label(surface, &shorten(&self.columns[i], 12), at, (HPos::Center, VPos::Top))?;
        }
        Ok(())
    }

    /// Neighbouring cells of one colour: first column, the one after the last, step.
    fn runs(&self, values: &[f64], eras: usize) -> Vec<(usize, usize, i32)> {
        let mut runs: Vec<(usize, usize, i32)> = Vec::new();
        for (i, cell) in values.chunks(eras.max(1)).enumerate() {
            let (from, value) = (i * eras, self.cell(cell));
            if !value.is_finite() {
                continue;
            }
            let step = self.step(value);
            match runs.last_mut() {
                Some(run) if run.1 == from && run.2 == step => run.1 = from + cell.len(),
                _ => runs.push((from, from + cell.len(), step)),
            }
        }
        runs
    }

    fn cell(&self, values: &[f64]) -> f64 {
        let known = values.iter().copied().filter(|value| value.is_finite());
        match self.cells {
            Cells::Largest => known.fold(f64::NAN, f64::max),
            Cells::Mean => {
                let (sum, count) = known.fold((0.0, 0_u32), |(sum, n), value| (sum + value, n + 1));
                sum / f64::from(count)
            }
        }
    }

    fn step(&self, value: f64) -> i32 {
        let share = if self.top > 0.0 { (value / self.top).clamp(-1.0, 1.0) } else { 0.0 };
        let step = (STEPS * share).round() as i32;
        if self.cells == Cells::Largest { -step } else { step }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heat<'a>(values: &'a [f64], columns: &'a [String], cells: Cells) -> Heat<'a> {
        let (title, description) = ("t".to_owned(), "d".to_owned());
        Heat {
            title,
            description,
            rows: vec!["a<b"],
            columns,
            values: vec![values],
            top: 1.0,
            cells,
        }
    }

    fn names(count: usize) -> Vec<String> {
        (0..count).map(|i| format!("{i:04}")).collect()
    }

    #[test]
    fn equal_neighbours_are_one_rectangle_and_gaps_stay_empty() {
        let (values, names) = ([0.9, 1.0, f64::NAN, -7.0], names(4));
        let map = heat(&values, &names, Cells::Mean);
        assert_eq!(map.runs(&values, 1), [(0, 2, 5), (3, 4, -5)]);
        let svg = map.to_svg().unwrap();
        assert_eq!(svg.matches("<rect").count(), 4);
        assert!(svg.contains("a&lt;b") && !svg.contains("NaN"));
    }

    #[test]
    fn eras_without_room_share_cells() {
        let (values, names) = ([0.0, 1.0, 0.2, 0.2, 0.4], names(5));
        let mean = heat(&values, &names, Cells::Mean).runs(&values, 2);
        assert_eq!(mean, [(0, 2, 3), (2, 4, 1), (4, 5, 2)]);
        // An alarm keeps its height and the colour of a warning.
        let largest = heat(&values, &names, Cells::Largest).runs(&values, 2);
        assert_eq!(largest, [(0, 2, -5), (2, 4, -1), (4, 5, -2)]);
        let (long, columns) = (vec![0.5; 5000], self::names(5000));
        assert!(heat(&long, &columns, Cells::Mean).to_svg().unwrap().len() < 10_000);
    }

    #[test]
    fn no_rows_and_no_scale_are_drawn() {
        let (names, values) = (names(2), [1.0, 2.0]);
        let mut map = heat(&values, &names, Cells::Mean);
        map.top = 0.0;
        assert_eq!(map.runs(&values, 1), [(0, 2, 0)]);
        (map.rows, map.values) = (Vec::new(), Vec::new());
        assert!(map.to_svg().is_ok());
    }
}
