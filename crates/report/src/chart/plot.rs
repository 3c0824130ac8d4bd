//! Values era by era: bars, lines or areas.
//!
//! An era without a value is a gap; bar charts mark it with a grey line at the foot.

use plotters::coord::types::RangedCoordf64;
use plotters::prelude::{
    Cartesian2d, ChartBuilder, ChartContext, Circle, Color, PathElement, Polygon, RGBColor,
    SVGBackend, ShapeStyle,
};
use plotters::style::text_anchor::{HPos, VPos};

use super::axis;
use super::canvas::{Canvas, Drawn, FINE, Surface, label, shorten};
use super::palette::{ABOVE, BELOW, CONSTANT, GRID, ZERO};
use crate::{Result, number};

type Context<'a, 'b> =
    ChartContext<'a, SVGBackend<'b>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

/// Pixels above a chart and on its left.
const MARGINS: (u32, u32) = (10, 50);

/// How values are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Marks {
    Bars,
    Lines,
    Areas,
}

/// One value an era and the colour of its line.
#[derive(Debug, Clone)]
pub(crate) struct Series {
    pub(crate) values: Vec<f64>,
    pub(crate) color: RGBColor,
}

/// A chart over eras.
#[derive(Debug, Clone)]
pub(crate) struct Plot<'a> {
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) eras: &'a [String],
    /// What one of them is called.
    pub(crate) of: &'a str,
    pub(crate) series: Vec<Series>,
    pub(crate) marks: Marks,
    /// A level to compare with, such as the mean.
    pub(crate) guide: Option<f64>,
    /// Whether zero is always on the axis.
    pub(crate) zero: bool,
}

impl Plot<'_> {
    /// The chart for a wide screen and for a phone, one after the other.
    pub(crate) fn to_svg(&self) -> Result<String> {
        let mut both = String::new();
        for canvas in [Canvas::wide(250), Canvas::narrow(230)] {
            both.push_str(&canvas.svg(&self.title, &self.description, |surface| {
                self.draw(surface, canvas, MARGINS)
            })?);
        }
        Ok(both)
    }

    /// Draws the chart with so many pixels left free above and on the left, where the ticks are named.
    pub(super) fn draw(
        &self,
        surface: &Surface<'_>,
        canvas: Canvas,
        (above, left): (u32, u32),
    ) -> Drawn {
        let values = self.series.iter().flat_map(|series| series.values.iter().copied());
        let values = values.chain(self.guide);
        let range = if self.zero { axis::range(values) } else { axis::close_range(values) };
        let (places, step) = axis::ticks(&range, 7);
        let mut context = ChartBuilder::on(surface)
            .margin_top(above * FINE)
            .margin_right(10 * FINE)
            .margin_left(left * FINE)
            .margin_bottom(26 * FINE)
            .build_cartesian_2d(0.0..self.eras.len().max(1) as f64, range)?;
        for &place in &places {
            let color = if place.abs() < step / 2.0 { ZERO } else { GRID };
            level(&mut context, place, color.stroke_width(FINE))?;
            let (x, y) = context.backend_coord(&(0.0, place));
            let at = (x - 8 * FINE as i32, y);
            label(surface, &number::tick(place, step), at, (HPos::Right, VPos::Center))?;
        }
        self.era_labels(surface, &context, canvas)?;
        for series in &self.series {
            match self.marks {
                Marks::Bars => bars(&mut context, series, canvas)?,
                Marks::Lines => line(&mut context, series)?,
                Marks::Areas => area(&mut context, series, self.series.len())?,
            }
        }
        if let Some(guide) = self.guide.filter(|guide| guide.is_finite()) {
            level(&mut context, guide, CONSTANT.stroke_width(2 * FINE))?;
        }
        self.nothing(surface, &context)
    }

    fn era_labels(
        &self,
        surface: &Surface<'_>,
        context: &Context<'_, '_>,
        canvas: Canvas,
    ) -> Drawn {
        let most = if canvas.narrow { 4 } else { 9 };
        let (_, foot) = context.plotting_area().get_pixel_range();
        for i in axis::thin(self.eras.len(), most) {
            let (x, _) = context.backend_coord(&(i as f64 + 0.5, 0.0));
            let at = (x, foot.end + 8 * FINE as i32);
            label(surface, &shorten(&self.eras[i], 12), at, (HPos::Center, VPos::Top))?;
        }
        Ok(())
    }

    /// Says so when there is nothing to draw.
    fn nothing(&self, surface: &Surface<'_>, context: &Context<'_, '_>) -> Drawn {
        if self.series.iter().any(|series| series.values.iter().any(|v| v.is_finite())) {
            return Ok(());
        }
        let (x, y) = context.plotting_area().get_pixel_range();
        let middle = ((x.start + x.end) / 2, y.start + (y.end - y.start) / 3);
        let nothing = format!("no {} has a value", self.of);
        label(surface, &nothing, middle, (HPos::Center, VPos::Center))
    }
}

/// A horizontal line over the whole chart.
fn level(context: &mut Context<'_, '_>, y: f64, style: ShapeStyle) -> Drawn {
    let end = context.x_range().end;
    context.plotting_area().draw(&PathElement::new(vec![(0.0, y), (end, y)], style))
}

/// One comb for the bars above zero, one for those below: small files, exact heights.
fn bars(context: &mut Context<'_, '_>, series: &Series, canvas: Canvas) -> Drawn {
    let room = f64::from(canvas.width) / series.values.len().max(1) as f64;
    let air = if room > 4.0 { 0.15 } else { 0.0 };
    for (color, above) in [(ABOVE, true), (BELOW, false)] {
        let mut comb = vec![(0.0, 0.0)];
        for (i, &value) in series.values.iter().enumerate() {
            if value.is_finite() && value != 0.0 && (value > 0.0) == above {
                let (left, right) = (i as f64 + air, i as f64 + 1.0 - air);
                comb.extend([(left, 0.0), (left, value), (right, value), (right, 0.0)]);
            }
        }
        if comb.len() > 1 {
            context.plotting_area().draw(&Polygon::new(comb, color.filled()))?;
        }
    }
    let foot = context.y_range().start;
    for gap in axis::runs(&series.values, |value| !value.is_finite()) {
        let ends = vec![(gap.start as f64, foot), (gap.end as f64, foot)];
        let mark = PathElement::new(ends, CONSTANT.stroke_width(5 * FINE));
        context.plotting_area().draw(&mark)?;
    }
    Ok(())
}

fn line(context: &mut Context<'_, '_>, series: &Series) -> Drawn {
    for run in axis::runs(&series.values, f64::is_finite) {
        let points: Vec<(f64, f64)> = run.map(|i| (i as f64 + 0.5, series.values[i])).collect();
        if let [point] = points[..] {
            context.plotting_area().draw(&Circle::new(point, 3 * FINE, series.color.filled()))?;
        } else {
            let style = series.color.stroke_width(2 * FINE);
            context.plotting_area().draw(&PathElement::new(points, style))?;
        }
    }
    Ok(())
}

fn area(context: &mut Context<'_, '_>, series: &Series, among: usize) -> Drawn {
    let strength = if among > 1 { 0.12 } else { 0.25 };
    for run in axis::runs(&series.values, f64::is_finite) {
        let (first, last) = (run.start as f64 + 0.5, run.end as f64 - 0.5);
        let mut points = vec![(first, 0.0)];
        points.extend(run.map(|i| (i as f64 + 0.5, series.values[i])));
        points.push((last, 0.0));
        let fill = series.color.mix(strength).filled();
        context.plotting_area().draw(&Polygon::new(points, fill))?;
    }
    line(context, series)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plot(values: Vec<f64>, marks: Marks, eras: &[String]) -> String {
        let series = vec![Series { values, color: ABOVE }];
        let (title, description) = ("t".to_owned(), "d".to_owned());
        let (guide, zero) = (None, true);
        Plot { title, description, eras, of: "era", series, marks, guide, zero }.to_svg().unwrap()
    }

    fn eras(n: usize) -> Vec<String> {
        (1..=n).map(|i| format!("{i:04}")).collect()
    }

    #[test]
    fn a_gap_breaks_the_line() {
        let gap = plot(vec![1.0, 2.0, f64::NAN, 1.0, 2.0], Marks::Lines, &eras(5));
        let whole = plot(vec![1.0, 2.0, 1.5, 1.0, 2.0], Marks::Lines, &eras(5));
        let lines = |svg: &str| svg.matches("stroke=\"#0072B2\"").count();
        assert_eq!((lines(&gap), lines(&whole)), (4, 2));
        assert!(!gap.contains("NaN"));
    }

    #[test]
    fn bars_mark_eras_without_a_score() {
        let svg = plot(vec![1.0, f64::NAN, -1.0], Marks::Bars, &eras(3));
        assert_eq!(svg.matches("<polygon").count(), 4);
        assert_eq!(svg.matches("stroke=\"#7A7A7A\"").count(), 2);
    }

    #[test]
    fn no_era_and_one_era_are_drawn() {
        for marks in [Marks::Bars, Marks::Lines, Marks::Areas] {
            assert!(plot(vec![], marks, &[]).contains("no era has a value"));
            assert!(plot(vec![f64::NAN], marks, &eras(1)).contains("no era has a value"));
            assert!(!plot(vec![0.5], marks, &eras(1)).contains("no era has a value"));
        }
    }
}
