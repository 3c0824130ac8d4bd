//! Coefficients with their intervals, one row each, around a line at zero.

use plotters::prelude::{ChartBuilder, Circle, PathElement};
use plotters::style::Color;
use plotters::style::text_anchor::{HPos, VPos};

use super::axis;
use super::canvas::{Canvas, Drawn, FINE, Surface, label, shorten};
use super::palette::{ABOVE, GRID, ZERO};
use crate::{Coefficient, Result, number};

/// Height of a row in pixels.
const ROW: u32 = 22;

/// The chart for a wide screen and for a phone, one after the other; the first row is on top.
pub(crate) fn forest(title: &str, rows: &[&Coefficient]) -> Result<String> {
    let height = ROW * rows.len().max(1) as u32 + 40;
    let mut both = String::new();
    for canvas in [Canvas::wide(height), Canvas::narrow(height)] {
        let description = "one row a feature: the estimate as a dot, its interval as a line";
        both.push_str(&canvas.svg(title, description, |surface| draw(surface, canvas, rows))?);
    }
    Ok(both)
}

fn draw(surface: &Surface<'_>, canvas: Canvas, rows: &[&Coefficient]) -> Drawn {
    let unit = FINE as i32;
    let (room, letters, most) = if canvas.narrow { (140, 17, 3) } else { (250, 30, 7) };
    let range = axis::range(rows.iter().flat_map(|row| [row.value, row.low, row.high]));
    let (places, step) = axis::ticks(&range, most);
    let context = ChartBuilder::on(surface)
        .margin_left(room * FINE)
        .margin_right(24 * FINE)
        .margin_top(6 * FINE)
        .margin_bottom(28 * FINE)
        .build_cartesian_2d(range, rows.len().max(1) as f64..0.0)?;
    let plane = context.plotting_area();
    let (left, foot) = (plane.get_pixel_range().0.start, plane.get_pixel_range().1.end);
    for &place in &places {
        let color = if place.abs() < step / 2.0 { ZERO } else { GRID };
        let ends = vec![(place, 0.0), (place, rows.len() as f64)];
        plane.draw(&PathElement::new(ends, color.stroke_width(FINE)))?;
        let (x, _) = context.backend_coord(&(place, 0.0));
        let text = number::tick(place, step);
        label(surface, &text, (x, foot + 8 * unit), (HPos::Center, VPos::Top))?;
    }
    for (i, row) in rows.iter().enumerate() {
        let y = i as f64 + 0.5;
        let (_, height) = context.backend_coord(&(0.0, y));
        let name = shorten(&row.name, letters);
        label(surface, &name, (left - 10 * unit, height), (HPos::Right, VPos::Center))?;
        if row.low.is_finite() && row.high.is_finite() {
            let ends = vec![(row.low, y), (row.high, y)];
            plane.draw(&PathElement::new(ends, ABOVE.stroke_width(2 * FINE)))?;
        }
        if row.value.is_finite() {
            plane.draw(&Circle::new((row.value, y), 4 * FINE, ABOVE.filled()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_without_an_interval_is_a_dot() {
        let with = Coefficient { name: "a<b".into(), value: 0.1, low: 0.0, high: 0.2 };
        let without = Coefficient { name: "c".into(), value: 0.1, low: f64::NAN, high: 0.2 };
        let svg = forest("t", &[&with, &without]).unwrap();
        assert_eq!(svg.matches("<circle").count(), 4);
        assert_eq!(svg.matches("stroke=\"#0072B2\"").count(), 2);
        assert!(svg.contains("a&lt;b") && !svg.contains("NaN"));
        assert!(forest("t", &[]).is_ok());
    }
}
