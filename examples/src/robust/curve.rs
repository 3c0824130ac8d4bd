//! The learning curve as an SVG file: losses by epoch.
//!
//! A point an epoch: the mean training loss, with dropout, and the loss of the holdout after the epoch.
//! Losses that are not finite leave a gap. The file stands alone: it names no font file and no address
//! but that of the format itself. Cost: one line of text an epoch.

use std::fmt::Write as _;

use fattail::training::Epoch;

/// Width and height, and the margins left, right, above and below the axes.
const SIZE: (f64, f64) = (720.0, 360.0);
const MARGIN: [f64; 4] = [84.0, 16.0, 40.0, 44.0];
/// Lines across.
const TICKS: usize = 5;
/// At most so many epochs are named.
const NAMED: usize = 10;

/// Draws the losses of a run.
///
/// ```
/// use fattail_examples::robust::learning_curve;
/// let svg = learning_curve(&[]);
/// assert!(svg.starts_with("<svg") && svg.contains("no epoch"));
/// ```
#[must_use]
pub fn learning_curve(history: &[Epoch]) -> String {
    let (width, height) = SIZE;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"sans-serif\" font-size=\"12\" role=\"img\">\n\
         <title>Loss by epoch</title>\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\n"
    );
    let curves = [
        ("training", "#0072b2", losses(history, |epoch| epoch.train_loss)),
        ("holdout", "#d55e00", losses(history, |epoch| epoch.holdout_loss)),
    ];
    let all = || curves.iter().flat_map(|(_, _, losses)| losses).copied().filter(|v| v.is_finite());
    if all().next().is_none() {
        svg.push_str(
            "<text x=\"360\" y=\"180\" text-anchor=\"middle\">no epoch has a loss</text>\n",
        );
        return svg + "</svg>\n";
    }
    let frame = Frame::new(history.len(), all());
    frame.axes(&mut svg);
    let mut place = MARGIN[0];
    for (name, color, losses) in &curves {
        if losses.iter().any(|loss| loss.is_finite()) {
            frame.curve(&mut svg, color, losses);
            let text = place + 18.0;
            line(
                &mut svg,
                format_args!(
                    "<path d=\"M{place} 20h12\" stroke=\"{color}\" stroke-width=\"3\"/><text x=\"{text}\" y=\"24\">{name}</text>"
                ),
            );
            place += 90.0;
        }
    }
    svg + "</svg>\n"
}

fn losses(history: &[Epoch], of: fn(&Epoch) -> f64) -> Vec<f64> {
    history.iter().map(of).collect()
}

/// Writing to a string cannot fail.
fn line(svg: &mut String, text: std::fmt::Arguments<'_>) {
    writeln!(svg, "{text}").ok();
}

/// Where epochs and losses lie.
struct Frame {
    epochs: usize,
    low: f64,
    high: f64,
}

impl Frame {
    fn new(epochs: usize, losses: impl Iterator<Item = f64>) -> Self {
        let bounds = (f64::INFINITY, f64::NEG_INFINITY);
        let (low, high) = losses.fold(bounds, |(low, high), v| (low.min(v), high.max(v)));
        // A level curve gets a little room.
        let room = if high > low { 0.05 * (high - low) } else { (0.05 * high.abs()).max(1e-9) };
        Self { epochs, low: low - room, high: high + room }
    }

    fn x(&self, epoch: usize) -> f64 {
        let inner = SIZE.0 - MARGIN[0] - MARGIN[1];
        MARGIN[0] + inner * (epoch as f64 + 0.5) / self.epochs as f64
    }

    fn y(&self, loss: f64) -> f64 {
        let inner = SIZE.1 - MARGIN[2] - MARGIN[3];
        MARGIN[2] + inner * (self.high - loss) / (self.high - self.low)
    }

    fn axes(&self, svg: &mut String) {
        let (left, right) = (MARGIN[0], SIZE.0 - MARGIN[1]);
        for tick in 0..=TICKS {
            let loss = self.low + (self.high - self.low) * tick as f64 / TICKS as f64;
            let (y, text) = (self.y(loss), left - 8.0);
            line(
                svg,
                format_args!(
                    "<path d=\"M{left} {y:.2}H{right}\" stroke=\"#dddddd\"/><text x=\"{text}\" y=\"{:.2}\" text-anchor=\"end\">{loss:.3e}</text>",
                    y + 4.0
                ),
            );
        }
        let foot = SIZE.1 - MARGIN[3] + 18.0;
        for epoch in (0..self.epochs).step_by(self.epochs.div_ceil(NAMED)) {
            let x = self.x(epoch);
            line(
                svg,
                format_args!(
                    "<text x=\"{x:.2}\" y=\"{foot}\" text-anchor=\"middle\">{}</text>",
                    epoch + 1
                ),
            );
        }
        let (middle, below) = ((left + right) / 2.0, foot + 18.0);
        line(
            svg,
            format_args!("<text x=\"{middle}\" y=\"{below}\" text-anchor=\"middle\">epoch</text>"),
        );
    }

    fn curve(&self, svg: &mut String, color: &str, losses: &[f64]) {
        let mut path = String::new();
        let mut draws = false;
        for (epoch, &loss) in losses.iter().enumerate() {
            if loss.is_finite() {
                let (x, y, verb) = (self.x(epoch), self.y(loss), if draws { 'L' } else { 'M' });
                write!(path, "{verb}{x:.2} {y:.2}").ok();
                line(
                    svg,
                    format_args!("<circle cx=\"{x:.2}\" cy=\"{y:.2}\" r=\"3\" fill=\"{color}\"/>"),
                );
            }
            draws = loss.is_finite();
        }
        line(
            svg,
            format_args!(
                "<path d=\"{path}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"2\"/>"
            ),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn epoch(train_loss: f64, holdout_loss: f64) -> Epoch {
        Epoch { train_loss, holdout_loss, rate: 1e-4, norm: 1.0, steps: 10, skipped: 0 }
    }

    #[test]
    fn a_point_an_epoch_and_a_gap_where_a_loss_is_none() {
        let svg = learning_curve(&[epoch(3.0, 2.0), epoch(f64::NAN, 1.5), epoch(1.0, 1.0)]);
        assert_eq!(svg.matches("<circle").count(), 5);
        assert!(!svg.contains("NaN") && svg.ends_with("</svg>\n"));
        // Two moves in the training curve, one in the holdout's.
        let moves = |color: &str| {
            let path = svg.lines().find(|l| l.contains("fill=\"none\"") && l.contains(color));
            path.unwrap().matches('M').count()
        };
        assert_eq!((moves("#0072b2"), moves("#d55e00")), (2, 1));
    }

    #[test]
    fn one_epoch_without_a_holdout_is_drawn() {
        let svg = learning_curve(&[epoch(0.5, f64::NAN)]);
        assert_eq!((svg.matches("<circle").count(), svg.contains("holdout")), (1, false));
    }
}
