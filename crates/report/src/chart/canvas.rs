//! A drawing surface that ends as an inline SVG.
//!
//! plotters places everything on whole units, so a canvas has `FINE` units a pixel: thin bars
//! keep their widths. The name space is left out: inside a page an `svg` element needs none.

use plotters::coord::Shift;
use plotters::prelude::{
    DrawingArea, DrawingAreaErrorKind, IntoDrawingArea, IntoFont, SVGBackend, Text, TextStyle,
};
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::palette::INK;
use crate::{Error, Result};

/// Units a pixel.
pub(crate) const FINE: u32 = 4;
/// Height of a label in pixels.
const FONT: u32 = 12;
/// plotters divides font sizes by this on their way to SVG.
const SVG_FONT: f64 = 1.24;

pub(crate) type Surface<'a> = DrawingArea<SVGBackend<'a>, Shift>;
pub(crate) type Drawn<T = ()> = std::result::Result<T, DrawingAreaErrorKind<std::io::Error>>;

/// How large a drawing is, in pixels, and for which screen.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Canvas {
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// The style sheet shows one of the two.
    pub(crate) narrow: bool,
}

impl Canvas {
    /// A wide screen and paper.
    pub(crate) const fn wide(height: u32) -> Self {
        Self { width: 960, height, narrow: false }
    }

    /// One of two side by side on a wide screen.
    pub(crate) const fn half(height: u32) -> Self {
        Self { width: 460, height, narrow: false }
    }

    /// A phone.
    pub(crate) const fn narrow(height: u32) -> Self {
        Self { width: 380, height, narrow: true }
    }

    /// Draws and closes the SVG; `title` and `description` are for screen readers.
    pub(crate) fn svg(
        self,
        title: &str,
        description: &str,
        draw: impl FnOnce(&Surface<'_>) -> Drawn,
    ) -> Result<String> {
        let (width, height) = (self.width * FINE, self.height * FINE);
        let mut text = String::new();
        {
            let surface = SVGBackend::with_string(&mut text, (width, height)).into_drawing_area();
            draw(&surface).and_then(|()| surface.present()).map_err(|source| Error::Chart {
                title: title.to_owned(),
                source: Box::new(source),
            })?;
        }
        let body = text.split_once(">\n").map_or("", |(_, body)| body);
        let body = body.replace(" opacity=\"1\"", "").replace(" font-family=\"sans-serif\"", "");
        let class = if self.narrow { "narrow" } else { "wide" };
        Ok(format!(
            "<svg class=\"{class}\" viewBox=\"0 0 {width} {height}\" role=\"img\">\
             <title>{}</title><desc>{}</desc>\n{body}",
            escape(title),
            escape(description)
        ))
    }
}

/// Writes a label at a place of the surface.
pub(crate) fn label(
    surface: &Surface<'_>,
    text: &str,
    place: (i32, i32),
    (h, v): (HPos, VPos),
) -> Drawn {
    let font = ("sans-serif", f64::from(FONT * FINE) * SVG_FONT).into_font();
    let style = TextStyle::from(font).color(&INK).pos(Pos::new(h, v));
    surface.draw(&Text::new(text.to_owned(), place, style))
}

/// The first letters of a name that has no room.
pub(crate) fn shorten(name: &str, letters: usize) -> String {
    let clean = crate::table::printable(name);
    if clean.chars().count() <= letters {
        return clean;
    }
    let head: String = clean.chars().take(letters.saturating_sub(1)).collect();
    format!("{}…", head.trim_end())
}

/// Text inside an element.
pub(crate) fn escape(text: &str) -> String {
    minijinja::HtmlEscape(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_svg_is_closed_and_names_no_address() {
        let svg = Canvas::wide(100).svg("a <b>", "d", |_| Ok(())).unwrap();
        assert!(svg.starts_with("<svg class=\"wide\" viewBox=\"0 0 3840 400\""));
        assert!(svg.trim_end().ends_with("</svg>"));
        assert!(svg.contains("<title>a &lt;b&gt;</title>") && !svg.contains("http"));
    }

    #[test]
    fn long_names_lose_their_end() {
        assert_eq!(shorten("feature", 7), "feature");
        assert_eq!(shorten("feature_long", 8), "feature…");
    }
}
