//! Charts of facts that are handed to a report: overfitting and drift.

use crate::chart::{ABOVE, Across, BELOW, CONSTANT, Cells, HEAT, Heat, Layer, Plane, SERIES};
use crate::picture::{Picture, Scale, entry, pair};
use crate::tear::{air, steps};
use crate::{DriftMap, Overfitting, Result, number};

/// Bars of a histogram of logits.
const BINS: usize = 24;
/// Dots drawn of a scatter, and points of a staircase.
const DOTS: usize = 500;
/// Features drawn of a drift map, and how far above what is expected without drift its scale ends at least.
const ROWS: usize = 30;
const CHANCE: f64 = 5.0;

/// Logits, out of sample against in sample, and the staircase of both.
pub(crate) fn overfitting(found: &Overfitting) -> Result<Vec<Picture>> {
    let mut all = vec![logits(found)?];
    if !found.in_sample.is_empty() && !found.out_of_sample.is_empty() {
        all.push(scatter(found)?);
        all.push(staircase(found)?);
    }
    pair(&mut all);
    Ok(all)
}

fn logits(found: &Overfitting) -> Result<Picture> {
    let known: Vec<f64> = found.logits.iter().copied().filter(|logit| logit.is_finite()).collect();
    let widest = known.iter().map(|logit| logit.abs()).fold(0.0, f64::max);
    // Zero is an edge, so that no bar holds both winners and losers.
    let width = 2.0 * widest.max(0.5) / BINS as f64;
    let mut bars = [[0.0; 3]; BINS];
    for (at, bar) in bars.iter_mut().enumerate() {
        let left = (at as f64 - BINS as f64 / 2.0) * width;
        (bar[0], bar[1]) = (left, left + width);
    }
    for logit in &known {
        // A logit of zero counts as overfitted.
        let at = (logit / width).ceil() + BINS as f64 / 2.0 - 1.0;
        bars[(at.max(0.0) as usize).min(BINS - 1)][2] += 1.0;
    }
    let (below, above) = bars.split_at(BINS / 2);
    let paint = |bars: &[[f64; 3]], color| {
        Layer::Bars(bars.iter().copied().map(air).collect(), [color, color])
    };
    let title = "Rank out of sample of the best in sample".to_owned();
    let plane = Plane {
        description: format!("{} logits in {BINS} bins", known.len()),
        title: title.clone(),
        across: Across::Numbers("logit of the relative rank"),
        layers: vec![paint(below, BELOW), paint(above, ABOVE), Layer::Upright(0.0, CONSTANT)],
        zero: true,
        half: true,
    };
    let caption = format!(
        "Each split chooses the best model in one half and ranks it in the other. Left of zero the choice did worse \
         than the median: {} of the splits.",
        number::percent(found.pbo)
    );
    let legend = vec![entry("box k1", "below the median"), entry("box k0", "above it")];
    Ok(Picture { svg: plane.to_svg()?, title, caption, legend, half: true, ..Picture::default() })
}

fn scatter(found: &Overfitting) -> Result<Picture> {
    let all = found.in_sample.len().min(found.out_of_sample.len());
    let dot = |at: usize| (found.in_sample[at], found.out_of_sample[at]);
    let dots: Vec<(f64, f64)> = spread(all).into_iter().map(dot).collect();
    let [low, high] = [f64::min as fn(f64, f64) -> f64, f64::max].map(|choose| {
        dots.iter().map(|dot| dot.0).filter(|x| x.is_finite()).fold(f64::NAN, choose)
    });
    let fitted = |x: f64| (x, found.intercept + found.slope * x);
    let title = "Best in sample, out of sample".to_owned();
    let plane = Plane {
        description: format!("{} dots and their regression line", dots.len()),
        title: title.clone(),
        across: Across::Numbers("score in sample"),
        layers: vec![
            Layer::Dots(dots.clone(), SERIES[0], 2),
            Layer::Line(vec![fitted(low), fitted(high)], SERIES[1], 2),
        ],
        zero: true,
        half: true,
    };
    let drawn = if dots.len() < all {
        format!(" {} of {} splits are drawn.", dots.len(), number::count(all as u64))
    } else {
        String::new()
    };
    let caption = format!(
        "Each dot is the model chosen in one split; its height is what it then scores. A line that falls (slope {}) \
         means that the better a model looks, the worse it does. It loses in {} of the splits.{drawn}",
        number::ratio(found.slope),
        number::percent(found.probability_of_loss)
    );
    let legend = vec![entry("dot k0", "splits"), entry("k1", "regression line")];
    Ok(Picture { svg: plane.to_svg()?, title, caption, legend, half: true, ..Picture::default() })
}

/// The share of splits that score at most so much.
fn staircase(found: &Overfitting) -> Result<Picture> {
    let all = &found.all_out_of_sample;
    let (other, told) = match all.is_empty() {
        false => (all, "all models, out of sample"),
        true => (&found.in_sample, "the chosen model, in sample"),
    };
    let title = "Share of splits that score at most so much".to_owned();
    let plane = Plane {
        description: "two staircases from 0 to 1".to_owned(),
        title: title.clone(),
        across: Across::Numbers("score"),
        layers: vec![
            Layer::Line(stairs(other), CONSTANT, 2),
            Layer::Line(stairs(&found.out_of_sample), SERIES[0], 2),
        ],
        zero: true,
        half: true,
    };
    let caption = match all.is_empty() {
        false => {
            "Choosing helps where the chosen line runs right of the other, at every height if it dominates."
        }
        true => {
            "The gap between the lines is what choosing the best in sample promises and does not keep."
        }
    };
    let legend = vec![entry("k0", "the chosen model, out of sample"), entry("kc", told)];
    let svg = plane.to_svg()?;
    Ok(Picture { svg, title, caption: caption.into(), legend, half: true, ..Picture::default() })
}

/// The corners of an empirical distribution function.
fn stairs(values: &[f64]) -> Vec<(f64, f64)> {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let n = sorted.len() as f64;
    let mut height = 0.0;
    let mut corners = Vec::new();
    for at in spread(sorted.len()) {
        // Of a step that holds several values the last counts.
        let next = (at + 1) as f64 / n;
        corners.extend([(sorted[at], height), (sorted[at], next)]);
        height = next;
    }
    corners
}

/// At most so many places, evenly spread, the last one always there.
fn spread(count: usize) -> Vec<usize> {
    let step = count.div_ceil(DOTS).max(1);
    let mut places: Vec<usize> = (0..count).step_by(step).collect();
    if let Some(last) = places.last_mut() {
        *last = count - 1;
    }
    places
}

/// Drift of the features that moved furthest.
pub(crate) fn drift(found: &DriftMap) -> Result<Option<Picture>> {
    let order: Vec<usize> =
        found.order().into_iter().filter(|&at| at < found.values.len()).take(ROWS).collect();
    if order.is_empty() || found.eras.is_empty() {
        return Ok(None);
    }
    let largest = order.iter().map(|&at| found.largest(at)).fold(f64::NAN, f64::max);
    let alarm = found.thresholds.iter().map(|level| level.value).fold(f64::NAN, f64::max);
    // Twice the highest threshold at most: its colours then begin in the middle of the scale. Without one, what
    // chance does to the largest of many cells stays pale.
    let chance = if found.expected > 0.0 { CHANCE * found.expected } else { 0.0 };
    let top = if alarm > 0.0 { 2.0 * alarm } else { largest.max(chance) };
    let flagged = found.flagged_names();
    let name = |&at: &usize| match flagged.contains(&*found.features[at]) {
        true => format!("▲ {}", found.features[at]),
        false => found.features[at].clone(),
    };
    let names: Vec<String> = order.iter().map(name).collect();
    let title = match order.len() < found.features.len() {
        true => format!("{} of the {} features that moved furthest", found.measure, order.len()),
        false => format!("{} of each feature", found.measure),
    };
    let map = Heat {
        description: format!(
            "{} features in {} eras, drift as a colour",
            names.len(),
            found.eras.len()
        ),
        title: title.clone(),
        rows: names.iter().map(String::as_str).collect(),
        columns: &found.eras,
        values: order.iter().map(|&at| &found.values[at][..]).collect(),
        top,
        cells: Cells::Largest,
    };
    let levels = found.levels();
    let caption = format!(
        "The stronger the colour, the further a feature is from where it was learnt; ▲ marks those that are flagged. \
         A column of colour is an era in which everything moved. Where eras share a cell it shows the largest.{levels}"
    );
    let more = if largest > top { "+" } else { "" };
    let ends = ["0".to_owned(), format!("{}{more}", number::figure(top))];
    let scale = Some(Scale { steps: steps(true, HEAT.len()), ends });
    Ok(Some(Picture { svg: map.to_svg()?, title, caption, scale, ..Picture::default() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stairs_rise_to_one_and_keep_their_last_value() {
        assert_eq!(stairs(&[2.0, f64::NAN, 1.0]), [(1.0, 0.0), (1.0, 0.5), (2.0, 0.5), (2.0, 1.0)]);
        assert!(stairs(&[]).is_empty());
        let many: Vec<f64> = (0..12_870).map(f64::from).collect();
        let corners = stairs(&many);
        assert!(corners.len() <= 2 * DOTS && corners.last() == Some(&(12_869.0, 1.0)));
    }

    #[test]
    fn a_logit_of_zero_counts_as_overfitted() {
        let found = Overfitting { logits: vec![0.0, 0.0, 1.0], ..Overfitting::default() };
        let svg = logits(&found).unwrap().svg;
        let (below, above) = (svg.find("fill=\"#D55E00\""), svg.find("fill=\"#0072B2\""));
        assert!(below.is_some() && above.is_some());
        let nothing = overfitting(&Overfitting::default()).unwrap();
        assert!(nothing.len() == 1 && nothing[0].svg.contains("<svg"));
    }
}
