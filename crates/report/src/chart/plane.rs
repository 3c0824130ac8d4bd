//! Layers over numbers or named places: bars, lines, bands, dots, whiskers.
//!
//! What is not finite is a gap. Layers are drawn in the order in which they are given, over the grid.

use std::ops::Range;

use plotters::coord::types::RangedCoordf64;
use plotters::prelude::{
    Cartesian2d, ChartBuilder, ChartContext, Circle, Color, PathElement, Polygon, RGBColor,
    SVGBackend,
};
use plotters::style::text_anchor::{HPos, VPos};

use super::axis;
use super::canvas::{Canvas, Drawn, FINE, Surface, label, shorten};
use super::palette::{CARD, GRID, ZERO};
use crate::{Result, number};

type Context<'a, 'b> =
    ChartContext<'a, SVGBackend<'b>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

/// Pixels above, on the left, below the places, and below the name of the axis.
const MARGINS: (u32, u32, u32, u32) = (10, 52, 26, 18);

/// A chart of layers.
#[derive(Debug, Clone)]
pub(crate) struct Plane<'a> {
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) across: Across<'a>,
    pub(crate) layers: Vec<Layer>,
    /// Whether zero is always on the axis that stands.
    pub(crate) zero: bool,
    /// Whether it stands beside another one on a wide screen.
    pub(crate) half: bool,
}

/// What runs from left to right.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Across<'a> {
    /// Places one unit wide, the first from 0 to 1.
    Places(&'a [String]),
    /// Numbers, and what they count.
    Numbers(&'a str),
}

/// One layer.
#[derive(Debug, Clone)]
pub(crate) enum Layer {
    /// Left end, right end and height; the colours of heights above and below zero.
    Bars(Vec<[f64; 3]>, [RGBColor; 2]),
    /// A line and its width in pixels.
    Line(Vec<(f64, f64)>, RGBColor, u32),
    /// Dots and their radius in pixels.
    Dots(Vec<(f64, f64)>, RGBColor, u32),
    /// Place, lower and upper end.
    Whiskers(Vec<[f64; 3]>, RGBColor),
    /// Place, lower and upper end of a shade between two lines.
    Band(Vec<[f64; 3]>, RGBColor),
    /// A line from the left to the right end.
    Level(f64, RGBColor),
    /// A line from the foot to the top.
    Upright(f64, RGBColor),
    /// A shade from one place to another, over the whole height, with a name at its top.
    Span([f64; 2], RGBColor, String),
}

impl Plane<'_> {
    /// The chart for a wide screen and for a phone, one after the other.
    pub(crate) fn to_svg(&self) -> Result<String> {
        let wide = if self.half { Canvas::half(240) } else { Canvas::wide(250) };
        let mut both = String::new();
        for canvas in [wide, Canvas::narrow(230)] {
            let draw = |surface: &Surface<'_>| self.draw(surface, canvas);
            both.push_str(&canvas.svg(&self.title, &self.description, draw)?);
        }
        Ok(both)
    }

    fn draw(&self, surface: &Surface<'_>, canvas: Canvas) -> Drawn {
        let (above, left, places, name) = MARGINS;
        let named = matches!(self.across, Across::Numbers(name) if !name.is_empty());
        let mut context = ChartBuilder::on(surface)
            .margin_top(above * FINE)
            .margin_right(10 * FINE)
            .margin_left(left * FINE)
            .margin_bottom((places + if named { name } else { 0 }) * FINE)
            .build_cartesian_2d(self.wide_range(), self.high_range())?;
        self.rungs(surface, &context)?;
        self.feet(surface, &context, canvas)?;
        let drawn: Vec<&Layer> = self.layers.iter().filter(|layer| layer.fits(&context)).collect();
        for layer in &drawn {
            layer.draw(&mut context)?;
        }
        span_names(surface, &context, &drawn)?;
        if !drawn.iter().any(|layer| layer.has_something()) {
            let (x, y) = context.plotting_area().get_pixel_range();
            let middle = ((x.start + x.end) / 2, (y.start + y.end) / 2);
            label(surface, "there is nothing to draw", middle, (HPos::Center, VPos::Center))?;
        }
        Ok(())
    }

    fn wide_range(&self) -> Range<f64> {
        match self.across {
            Across::Places(names) => 0.0..names.len().max(1) as f64,
            Across::Numbers(_) => axis::close_range(self.layers.iter().flat_map(Layer::across)),
        }
    }

    fn high_range(&self) -> Range<f64> {
        let heights = self.layers.iter().flat_map(Layer::heights);
        if self.zero { axis::range(heights) } else { axis::close_range(heights) }
    }

    /// Lines at round heights and their names on the left.
    fn rungs(&self, surface: &Surface<'_>, context: &Context<'_, '_>) -> Drawn {
        let (wide, high) = (context.x_range(), context.y_range());
        let (places, step) = axis::ticks(&high, 6);
        for &place in &places {
            let color = if place.abs() < step / 2.0 { ZERO } else { GRID };
            let ends = vec![(wide.start, place), (wide.end, place)];
            let line = PathElement::new(ends, color.stroke_width(FINE));
            context.plotting_area().draw(&line)?;
            let (x, y) = context.backend_coord(&(wide.start, place));
            let at = (x - 8 * FINE as i32, y);
            label(surface, &number::tick(place, step), at, (HPos::Right, VPos::Center))?;
        }
        Ok(())
    }

    /// The names of the places, or round numbers and what they count.
    fn feet(&self, surface: &Surface<'_>, context: &Context<'_, '_>, canvas: Canvas) -> Drawn {
        let (across, foot) = context.plotting_area().get_pixel_range();
        let below = |x: f64, text: &str| {
            let (x, _) = context.backend_coord(&(x, context.y_range().start));
            label(surface, text, (x, foot.end + 8 * FINE as i32), (HPos::Center, VPos::Top))
        };
        match self.across {
            Across::Places(names) => {
                let most = if self.half || canvas.narrow { 5 } else { 9 };
                let short = names.iter().map(|name| name.chars().count()).max().unwrap_or(0) < 4;
                for i in axis::thin(names.len(), if short { most * 2 } else { most }) {
                    below(i as f64 + 0.5, &shorten(&names[i], 12))?;
                }
            }
            Across::Numbers(name) => {
                let (places, step) = axis::ticks(&context.x_range(), 6);
                for place in places {
                    below(place, &number::tick(place, step))?;
                }
                let middle = (across.start + across.end) / 2;
                let at = (middle, foot.end + 25 * FINE as i32);
                label(surface, name, at, (HPos::Center, VPos::Top))?;
            }
        }
        Ok(())
    }
}

impl Layer {
    fn has_something(&self) -> bool {
        let mut heights = self.heights();
        !matches!(self, Self::Level(..)) && heights.any(f64::is_finite)
    }

    /// Whether the axes hold it: values too far apart for an axis are on none.
    fn fits(&self, context: &Context<'_, '_>) -> bool {
        let near = |value: f64, range: &Range<f64>| {
            let width = range.end - range.start;
            !value.is_finite() || (range.start - width..=range.end + width).contains(&value)
        };
        let (wide, high) = (context.x_range(), context.y_range());
        let span = if let Self::Span(ends, ..) = self { &ends[..] } else { &[] };
        span.iter().all(|&x| near(x, &wide))
            && self.across().all(|x| near(x, &wide))
            && self.heights().all(|y| near(y, &high))
    }

    /// The places that the layer needs from left to right.
    fn across(&self) -> Box<dyn Iterator<Item = f64> + '_> {
        match self {
            Self::Bars(bars, _) => Box::new(bars.iter().flat_map(|bar| [bar[0], bar[1]])),
            Self::Line(points, ..) | Self::Dots(points, ..) => {
                Box::new(points.iter().filter(|point| point.1.is_finite()).map(|point| point.0))
            }
            Self::Whiskers(ends, _) | Self::Band(ends, _) => Box::new(ends.iter().map(|e| e[0])),
            Self::Upright(x, _) => Box::new(std::iter::once(*x)),
            Self::Level(..) | Self::Span(..) => Box::new(std::iter::empty()),
        }
    }

    /// The heights that the layer needs.
    fn heights(&self) -> Box<dyn Iterator<Item = f64> + '_> {
        match self {
            Self::Bars(bars, _) => Box::new(bars.iter().map(|bar| bar[2])),
            Self::Line(points, ..) | Self::Dots(points, ..) => {
                Box::new(points.iter().map(|point| point.1))
            }
            Self::Whiskers(ends, _) | Self::Band(ends, _) => {
                Box::new(ends.iter().flat_map(|ends| [ends[1], ends[2]]))
            }
            Self::Level(y, _) => Box::new(std::iter::once(*y)),
            Self::Upright(..) | Self::Span(..) => Box::new(std::iter::empty()),
        }
    }

    fn draw(&self, context: &mut Context<'_, '_>) -> Drawn {
        match self {
            Self::Bars(bars, colors) => combs(context, bars, *colors),
            Self::Line(points, color, width) => line(context, points, *color, *width),
            Self::Dots(points, color, radius) => {
                for &point in
                    points.iter().filter(|point| point.0.is_finite() && point.1.is_finite())
                {
                    let dot = Circle::new(point, radius * FINE, color.mix(0.75).filled());
                    context.plotting_area().draw(&dot)?;
                }
                Ok(())
            }
            Self::Whiskers(ends, color) => {
                for &[x, low, high] in ends.iter().filter(|ends| all_finite(&ends[..])) {
                    line(context, &[(x, low), (x, high)], CARD, 5)?;
                    line(context, &[(x, low), (x, high)], *color, 2)?;
                }
                Ok(())
            }
            Self::Band(ends, color) => band(context, ends, *color),
            Self::Level(y, color) => {
                let wide = context.x_range();
                line(context, &[(wide.start, *y), (wide.end, *y)], *color, 1)
            }
            Self::Upright(x, color) => {
                let high = context.y_range();
                line(context, &[(*x, high.start), (*x, high.end)], *color, 2)
            }
            Self::Span([from, to], color, _) => {
                let high = context.y_range();
                let corners =
                    [(*from, high.start), (*to, high.start), (*to, high.end), (*from, high.end)];
                let shade = Polygon::new(corners.to_vec(), color.mix(0.14).filled());
                context.plotting_area().draw(&shade)
            }
        }
    }
}

/// The names of the spans at their tops; those too close to the one before stand a line lower.
fn span_names(surface: &Surface<'_>, context: &Context<'_, '_>, layers: &[&Layer]) -> Drawn {
    let unit = FINE as i32;
    let top = context.y_range().end;
    let mut names: Vec<(i32, i32, &str)> = Vec::new();
    for layer in layers {
        if let Layer::Span([from, to], _, name) = layer {
            let (x, y) = context.backend_coord(&((from + to) / 2.0, top));
            names.push((x, y, name.as_str()));
        }
    }
    names.sort_unstable();
    let mut ends = [i32::MIN / 2; 4];
    for (x, y, name) in names {
        let half = 5 * unit * name.chars().count() as i32;
        let free = |end: &i32| x - half >= *end;
        let line = ends.iter().position(free).unwrap_or(ends.len() - 1);
        ends[line] = x + half;
        let at = (x, y + (4 + 14 * line as i32) * unit);
        label(surface, name, at, (HPos::Center, VPos::Top))?;
    }
    Ok(())
}

fn all_finite(values: &[f64]) -> bool {
    values.iter().all(|value| value.is_finite())
}

/// One comb for the bars above zero, one for those below.
fn combs(context: &mut Context<'_, '_>, bars: &[[f64; 3]], colors: [RGBColor; 2]) -> Drawn {
    for (color, above) in colors.into_iter().zip([true, false]) {
        let wanted =
            |bar: &&[f64; 3]| all_finite(&bar[..]) && bar[2] != 0.0 && (bar[2] > 0.0) == above;
        let corners = |&[left, right, high]: &[f64; 3]| {
            [(left, 0.0), (left, high), (right, high), (right, 0.0)]
        };
        let comb: Vec<(f64, f64)> = bars.iter().filter(wanted).flat_map(corners).collect();
        if !comb.is_empty() {
            context.plotting_area().draw(&Polygon::new(comb, color.filled()))?;
        }
    }
    Ok(())
}

/// The pieces of a line between its gaps.
fn line(
    context: &mut Context<'_, '_>,
    points: &[(f64, f64)],
    color: RGBColor,
    width: u32,
) -> Drawn {
    for piece in points.split(|point| !point.0.is_finite() || !point.1.is_finite()) {
        if let [point] = piece {
            context.plotting_area().draw(&Circle::new(*point, 3 * FINE, color.filled()))?;
        } else if piece.len() > 1 {
            let style = color.stroke_width(width * FINE);
            context.plotting_area().draw(&PathElement::new(piece.to_vec(), style))?;
        }
    }
    Ok(())
}

fn band(context: &mut Context<'_, '_>, ends: &[[f64; 3]], color: RGBColor) -> Drawn {
    for piece in ends.split(|ends| !all_finite(ends)).filter(|piece| piece.len() > 1) {
        let low = piece.iter().map(|&[x, low, _]| (x, low));
        let high = piece.iter().rev().map(|&[x, _, high]| (x, high));
        let shade = Polygon::new(low.chain(high).collect::<Vec<_>>(), color.mix(0.16).filled());
        context.plotting_area().draw(&shade)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::palette::{ABOVE, BELOW};
    use super::*;

    fn svg(across: Across<'_>, layers: Vec<Layer>) -> String {
        let (title, description) = ("t".to_owned(), "d".to_owned());
        Plane { title, description, across, layers, zero: true, half: true }.to_svg().unwrap()
    }

    #[test]
    fn bars_of_both_signs_are_two_combs() {
        let bars = vec![[0.0, 1.0, 2.0], [1.0, 2.0, -1.0], [2.0, 3.0, f64::NAN], [3.0, 4.0, 1.0]];
        let svg = svg(Across::Numbers("eras later"), vec![Layer::Bars(bars, [ABOVE, BELOW])]);
        assert_eq!(svg.matches("<polygon").count(), 4);
        assert_eq!(svg.matches("eras later").count(), 2);
        assert!(!svg.contains("NaN"));
    }

    #[test]
    fn gaps_break_lines_and_bands() {
        let line = vec![(0.0, 1.0), (1.0, 2.0), (2.0, f64::NAN), (3.0, 1.0), (4.0, 1.0)];
        let band = line.iter().map(|&(x, y)| [x, y - 1.0, y + 1.0]).collect();
        let svg =
            svg(Across::Numbers(""), vec![Layer::Band(band, ABOVE), Layer::Line(line, BELOW, 2)]);
        assert_eq!(svg.matches("<polygon").count(), 4);
        assert_eq!(svg.matches("stroke=\"#D55E00\"").count(), 4);
    }

    #[test]
    fn nothing_is_told() {
        for across in [Across::Numbers("x"), Across::Places(&[])] {
            for layers in [vec![], vec![Layer::Dots(vec![(f64::NAN, f64::NAN)], ABOVE, 2)]] {
                assert!(svg(across, layers).contains("there is nothing to draw"));
            }
        }
        let huge = vec![(0.0, f64::MAX), (1.0, f64::MIN)];
        assert!(svg(Across::Numbers("x"), vec![Layer::Line(huge, ABOVE, 2)]).contains("</svg>"));
    }

    #[test]
    fn guides_are_drawn_and_spans_outside_are_not() {
        let names = ["a".to_owned(), "b".to_owned()];
        let layers = vec![
            Layer::Line(vec![(0.5, 1.0), (1.5, 2.0)], ABOVE, 2),
            Layer::Upright(1.0, BELOW),
            Layer::Level(1.5, BELOW),
            Layer::Span([0.0, 1e19], BELOW, "far".into()),
        ];
        let svg = svg(Across::Places(&names), layers);
        assert_eq!(svg.matches("stroke=\"#D55E00\"").count(), 4);
        assert!(!svg.contains("far"));
    }

    #[test]
    fn spans_are_named_and_names_escaped() {
        let names = ["a<b".to_owned(), "c".to_owned()];
        let layers = vec![
            Layer::Line(vec![(0.5, 1.0), (1.5, 2.0)], ABOVE, 2),
            Layer::Span([0.0, 1.0], BELOW, "1".into()),
        ];
        let svg = svg(Across::Places(&names), layers);
        assert!(svg.contains("a&lt;b") && svg.contains("\n1\n"), "{svg}");
    }

    #[test]
    fn names_of_spans_do_not_cover_each_other() {
        let span = |at: f64, name: &str| Layer::Span([at, at + 0.1], BELOW, name.into());
        let line = Layer::Line(vec![(0.0, 1.0), (100.0, 2.0)], ABOVE, 2);
        let layers = vec![line, span(50.0, "11"), span(50.5, "22"), span(90.0, "33")];
        let svg = svg(Across::Numbers(""), layers);
        let height = |name: &str| {
            let before = svg.split(&format!("\n{name}\n")).next().unwrap();
            let text = before.rsplit("<text").next().unwrap();
            text.split(" y=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
        };
        assert_ne!(height("11"), height("22"));
        assert_eq!(height("11"), height("33"));
    }
}
