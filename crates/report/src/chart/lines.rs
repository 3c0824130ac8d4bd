//! A line chart as an SVG file that stands alone.

use plotters::prelude::PathElement;
use plotters::style::text_anchor::{HPos, VPos};
use plotters::style::{Color, RGBColor};

use super::canvas::{Canvas, Drawn, FINE, Surface, label, shorten};
use super::palette::SERIES;
use super::plot::{Marks, Plot, Series};
use crate::Result;

/// Height of the chart in pixels, and of the row of names above the lines.
const HEIGHT: u32 = 360;
const NAMES: u32 = 24;
/// Pixels on the left, for numbers of eight digits.
const LEFT: u32 = 72;
/// Pixels from name to name.
const ROOM: i32 = 150;

/// Curves over steps of one kind, such as losses by epoch: a file for a browser, a paper, a report.
///
/// A value that is not finite leaves a gap. Colours are those of the reports, told apart with any colour
/// vision; beyond six lines they come again. The file names no font file and no address but that of the
/// format itself. Cost: linear in values.
///
/// ```
/// use fattail_report::LineChart;
/// let chart = LineChart {
///     title: "Loss by epoch".into(),
///     step: "epoch".into(),
///     lines: vec![
///         ("training".into(), vec![0.9, 0.5, 0.4]),
///         ("holdout".into(), vec![1.0, f64::NAN, 0.6]),
///     ],
/// };
/// let svg = chart.to_svg()?;
/// assert!(svg.starts_with("<svg") && svg.contains("holdout") && svg.contains("epoch 3"));
/// # Ok::<(), fattail_report::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LineChart {
    /// What the chart shows.
    pub title: String,
    /// What a place along the axis is: `epoch` makes `epoch 1`, `epoch 2` and so on.
    pub step: String,
    /// A name and one value a step each. The axis is as long as the longest.
    pub lines: Vec<(String, Vec<f64>)>,
}

impl LineChart {
    /// Draws the chart.
    ///
    /// # Errors
    /// When the values are too large to be drawn.
    pub fn to_svg(&self) -> Result<String> {
        let steps = self.lines.iter().map(|(_, values)| values.len()).max().unwrap_or(0);
        let places: Vec<String> = (1..=steps).map(|at| format!("{} {at}", self.step)).collect();
        let series = self.lines.iter().zip(colors());
        let series =
            series.map(|((_, values), color)| Series { values: values.clone(), color }).collect();
        let names: Vec<&str> = self.lines.iter().map(|(name, _)| name.as_str()).collect();
        let plot = Plot {
            title: self.title.clone(),
            description: format!("{steps} times {}: {}", self.step, names.join(", ")),
            eras: &places,
            of: &self.step,
            series,
            marks: Marks::Lines,
            guide: None,
            zero: false,
        };
        let canvas = Canvas::wide(HEIGHT);
        let svg = canvas.svg(&plot.title, &plot.description, |surface| {
            self.names(surface)?;
            plot.draw(surface, canvas, (NAMES + 10, LEFT))
        })?;
        let alone = "<svg xmlns=\"http://www.w3.org/2000/svg\" font-family=\"sans-serif\" \
                     style=\"background:#fff\"";
        Ok(svg.replacen("<svg", alone, 1))
    }

    /// The names, each behind a piece of its line.
    fn names(&self, surface: &Surface<'_>) -> Drawn {
        let unit = FINE as i32;
        let mut left = LEFT as i32 * unit;
        for ((name, _), color) in self.lines.iter().zip(colors()) {
            let middle = NAMES as i32 * unit / 2;
            let piece = vec![(left, middle), (left + 16 * unit, middle)];
            surface.draw(&PathElement::new(piece, color.stroke_width(3 * FINE)))?;
            let place = (left + 22 * unit, middle);
            label(surface, &shorten(name, 18), place, (HPos::Left, VPos::Center))?;
            left += ROOM * unit;
        }
        Ok(())
    }
}

fn colors() -> impl Iterator<Item = RGBColor> {
    SERIES.into_iter().cycle()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(lines: &[&[f64]]) -> String {
        let lines = lines.iter().map(|values| ("a <b>".to_owned(), values.to_vec())).collect();
        let (title, step) = ("t".to_owned(), "epoch".to_owned());
        LineChart { title, step, lines }.to_svg().unwrap()
    }

    #[test]
    fn a_gap_breaks_a_line_and_names_are_escaped() {
        let lines = |svg: &str| svg.matches("stroke=\"#0072B2\"").count();
        let whole = chart(&[&[3.0, 2.0, 1.0, 0.5]]);
        let gap = chart(&[&[3.0, 2.0, f64::NAN, 1.0, 0.5]]);
        // One more is the piece beside the name.
        assert_eq!((lines(&whole), lines(&gap)), (2, 3));
        assert!(gap.contains("a &lt;b&gt;") && !gap.contains("NaN") && !gap.contains("a <b>"));
        assert_eq!(gap.matches("http").count(), 1);
    }

    #[test]
    fn nothing_and_level_lines_are_drawn() {
        assert!(chart(&[]).contains("no epoch has a value"));
        assert!(chart(&[&[f64::NAN]]).contains("no epoch has a value"));
        assert_eq!(chart(&[&[0.5]]).matches("<circle").count(), 1);
        assert!(chart(&[&[0.5, 0.5], &[0.5]]).contains("epoch 2"));
        assert!(chart(&[&[1e-300, f64::MAX]]).ends_with("</svg>\n"));
    }

    #[test]
    fn a_curve_far_from_zero_fills_the_chart() {
        // Ticks lie between the values: zero is not among them.
        let svg = chart(&[&[0.049, 0.047]]);
        assert!(svg.contains("0.048") && !svg.contains("\n0\n"), "{svg}");
        // A tick's name stands at the height of its line.
        let line = svg.lines().position(|line| line.contains("stroke=\"#E3E6EA\"")).unwrap();
        let lines: Vec<&str> = svg.lines().skip(line).take(2).collect();
        let height = |text: &str, from: &str| -> i32 {
            let rest = text.split_once(from).unwrap().1;
            rest.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap()
        };
        let first = format!("points=\"{},", LEFT * FINE);
        assert_eq!(height(lines[0], &first), height(lines[1], " y=\""));
    }
}
