//! Colours: told apart by readers with any colour vision (Okabe and Ito, 2008).
//!
//! Charts name them as hexadecimal attributes; the page's style sheet maps each to a variable, so
//! that the same drawing suits light and dark.

use plotters::style::RGBColor;

/// Labels.
pub(crate) const INK: RGBColor = RGBColor(0x5A, 0x63, 0x70);
/// The card that charts stand on: a rim around marks on bars.
pub(crate) const CARD: RGBColor = RGBColor(0xFF, 0xFF, 0xFF);
/// Grid lines.
pub(crate) const GRID: RGBColor = RGBColor(0xE3, 0xE6, 0xEA);
/// The line at zero.
pub(crate) const ZERO: RGBColor = RGBColor(0x9A, 0xA2, 0xAD);
/// The constant predictor, and eras without a score.
pub(crate) const CONSTANT: RGBColor = RGBColor(0x7A, 0x7A, 0x7A);
/// One colour a model: blue, vermilion, green, purple, orange, sky.
pub(crate) const SERIES: [RGBColor; 6] = [
    RGBColor(0x00, 0x72, 0xB2),
    RGBColor(0xD5, 0x5E, 0x00),
    RGBColor(0x00, 0x9E, 0x73),
    RGBColor(0xCC, 0x79, 0xA7),
    RGBColor(0xE6, 0x9F, 0x00),
    RGBColor(0x56, 0xB4, 0xE9),
];
/// Scores above zero.
pub(crate) const ABOVE: RGBColor = SERIES[0];
/// Scores below zero.
pub(crate) const BELOW: RGBColor = SERIES[1];
/// Steps of a heat map, from vermilion below zero to blue above it.
pub(crate) const HEAT: [RGBColor; 11] = [
    RGBColor(0x9C, 0x3F, 0x00),
    RGBColor(0xD0, 0x62, 0x14),
    RGBColor(0xEC, 0x90, 0x58),
    RGBColor(0xF6, 0xBD, 0x98),
    RGBColor(0xFB, 0xE0, 0xCF),
    RGBColor(0xF1, 0xF2, 0xF3),
    RGBColor(0xD3, 0xE5, 0xF2),
    RGBColor(0xA3, 0xCB, 0xE6),
    RGBColor(0x6A, 0xAC, 0xD6),
    RGBColor(0x2F, 0x88, 0xBF),
    RGBColor(0x00, 0x5A, 0x94),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_maps_every_colour() {
        let page = include_str!("../style.css");
        for color in [INK, GRID, ZERO, CONSTANT].iter().chain(&SERIES) {
            let hex = format!("#{:02X}{:02X}{:02X}", color.0, color.1, color.2);
            assert!(page.contains(&format!("[stroke=\"{hex}\"]")), "{hex} is not mapped");
            assert!(page.contains(&format!("[fill=\"{hex}\"]")), "{hex} is not mapped");
        }
        assert!(page.contains("[stroke=\"#FFFFFF\"] { stroke: var(--card); }") && CARD.2 == 0xFF);
        for (step, color) in HEAT.iter().enumerate() {
            let hex = format!("#{:02X}{:02X}{:02X}", color.0, color.1, color.2);
            let rule = format!("[fill=\"{hex}\"] {{ fill: var(--h{step}); }}");
            assert!(page.contains(&rule), "{hex} is not mapped");
            assert_eq!(page.matches(&format!("--h{step}:")).count(), 3, "light, dark, print");
        }
    }
}
