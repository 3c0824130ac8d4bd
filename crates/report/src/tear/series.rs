//! Charts of the scores as a series: falls, rolling figures, shape, memory.

use fattail_evaluate::TearSheet;

use crate::chart::{ABOVE, Across, BELOW, CONSTANT, Layer, Plane, SERIES};
use crate::picture::{Picture, entry};
use crate::{Result, number};

/// Dots drawn of a quantile plot between its ends, and at each end.
const MIDDLE: usize = 150;
const ENDS: usize = 40;

fn over_eras(values: &[f64]) -> Vec<(f64, f64)> {
    (0..).zip(values).map(|(i, &value)| (f64::from(i) + 0.5, value)).collect()
}

/// The running sum with its worst falls shaded.
pub(super) fn drawdowns(sheet: &TearSheet) -> Result<Option<Picture>> {
    let Some(found) = sheet.drawdowns.found() else { return Ok(None) };
    let span = |(i, fall): (usize, &fattail_evaluate::Drawdown)| {
        let [from, _, to] = fall.places.map(|place| place as f64 + 0.5);
        Layer::Span([from, to], BELOW, (i + 1).to_string())
    };
    let mut layers: Vec<Layer> = found.worst.iter().enumerate().map(span).collect();
    layers.push(Layer::Line(over_eras(&found.sum), SERIES[0], 2));
    let title = match found.worst.len() {
        0 => format!("Running sum of {}", sheet.metric),
        1 => format!("Running sum of {} and its worst fall", sheet.metric),
        falls => format!("Running sum of {} and its {falls} worst falls", sheet.metric),
    };
    let plane = Plane {
        description: format!("a line over {} eras, shaded from peak to recovery", found.eras.len()),
        title: title.clone(),
        across: Across::Places(&found.eras),
        layers,
        zero: true,
        half: false,
    };
    let caption = format!(
        "Shaded from the peak until the sum is back there, 1 the deepest. The sum stood below an earlier peak in {} \
         of the eras: a long shade tests patience, a deep one the stake.",
        number::percent(found.below)
    );
    Ok(Some(Picture { svg: plane.to_svg()?, title, caption, ..Picture::default() }))
}

/// The mean of the last eras with its interval.
pub(super) fn rolling_mean(sheet: &TearSheet) -> Result<Option<Picture>> {
    let Some(found) = sheet.rolling.found() else { return Ok(None) };
    let band = |(i, (&low, &high)): (u32, (&f64, &f64))| [f64::from(i) + 0.5, low, high];
    let band = (0..).zip(found.low.iter().zip(&found.high)).map(band).collect();
    let layers =
        vec![Layer::Band(band, SERIES[0]), Layer::Line(over_eras(&found.mean), SERIES[0], 2)];
    let title = format!("Mean {} of the last {} eras", sheet.metric, found.window);
    let plane = Plane {
        description: format!("a line with a band over {} eras", found.eras.len()),
        title: title.clone(),
        across: Across::Places(&found.eras),
        layers,
        zero: true,
        half: true,
    };
    let caption = "The band is the 95 % interval, widened for labels that overlap. While it holds zero the last eras \
                   alone say nothing.";
    let legend = vec![entry("k0", "mean"), entry("box k0 pale", "95 % interval")];
    let svg = plane.to_svg()?;
    Ok(Some(Picture {
        svg,
        title,
        caption: caption.into(),
        legend,
        half: true,
        ..Picture::default()
    }))
}

/// The Sharpe ratio of the last eras.
pub(super) fn rolling_sharpe(sheet: &TearSheet) -> Result<Option<Picture>> {
    let Some(found) = sheet.rolling.found() else { return Ok(None) };
    let title = format!("Sharpe of the last {} eras", found.window);
    let plane = Plane {
        description: format!("a line over {} eras", found.eras.len()),
        title: title.clone(),
        across: Across::Places(&found.eras),
        layers: vec![Layer::Line(over_eras(&found.sharpe), SERIES[0], 2)],
        zero: true,
        half: true,
    };
    let caption =
        "Mean by deviation, per era. A line that sinks over the years is a signal that wears off.";
    let legend = vec![entry("k0", "Sharpe, per era")];
    let svg = plane.to_svg()?;
    Ok(Some(Picture {
        svg,
        title,
        caption: caption.into(),
        legend,
        half: true,
        ..Picture::default()
    }))
}

/// The scores as bars, and a normal curve of the same mean and deviation.
pub(super) fn histogram(sheet: &TearSheet) -> Result<Option<Picture>> {
    let Some(found) = sheet.distribution.found() else { return Ok(None) };
    let bars: Vec<[f64; 3]> = found
        .edges
        .windows(2)
        .zip(&found.counts)
        .map(|(edges, &count)| air([edges[0], edges[1], count as f64]))
        .collect();
    let curve = found.normal.iter().map(|&[x, y]| (x, y)).collect();
    let title = format!("{} of an era, how often", sheet.metric);
    let plane = Plane {
        description: format!("{} scores in {} bins and a normal curve", found.count, bars.len()),
        title: title.clone(),
        across: Across::Numbers("score"),
        layers: vec![
            Layer::Bars(bars, [ABOVE, ABOVE]),
            Layer::Line(curve, SERIES[1], 2),
            Layer::Upright(0.0, CONSTANT),
        ],
        zero: true,
        half: true,
    };
    let caption = "The curve is a normal distribution of the same mean and deviation. Bars that stand out at the ends \
                   are the eras that a bell curve does not expect.";
    let legend = vec![entry("box k0", "eras"), entry("k1", "normal curve"), entry("kc", "zero")];
    let svg = plane.to_svg()?;
    Ok(Some(Picture {
        svg,
        title,
        caption: caption.into(),
        legend,
        half: true,
        ..Picture::default()
    }))
}

/// A bar with a little air on its sides.
pub(crate) fn air([left, right, high]: [f64; 3]) -> [f64; 3] {
    let gap = 0.05 * (right - left);
    [left + gap, right - gap, high]
}

/// The scores against normal quantiles.
pub(super) fn normal_quantiles(sheet: &TearSheet) -> Result<Option<Picture>> {
    let Some(found) = sheet.distribution.found() else { return Ok(None) };
    let shown = thinned(found.points.len());
    let points = shown.map(|at| found.points[at]).collect::<Vec<_>>();
    let [Some(first), Some(last)] = [points.first(), points.last()] else { return Ok(None) };
    let ends = vec![(first.normal, first.normal), (last.normal, last.normal)];
    let title = format!("{} against a bell curve", sheet.metric);
    let plane = Plane {
        description: format!("{} dots, a line and a band around it", points.len()),
        title: title.clone(),
        across: Across::Numbers("normal quantile"),
        layers: vec![
            Layer::Band(points.iter().map(|p| [p.normal, p.low, p.high]).collect(), CONSTANT),
            Layer::Line(ends, CONSTANT, 1),
            Layer::Dots(points.iter().map(|p| (p.normal, p.score)).collect(), SERIES[0], 2),
        ],
        zero: false,
        half: true,
    };
    let caption = "Each dot is an era, in deviations from the mean. On the line the scores are normal; dots that fall \
                   below it on the left are losses worse than a bell curve allows. The band takes eras as independent.";
    let legend = vec![entry("dot k0", "eras"), entry("kc", "normal, 95 % band")];
    let svg = plane.to_svg()?;
    Ok(Some(Picture {
        svg,
        title,
        caption: caption.into(),
        legend,
        half: true,
        ..Picture::default()
    }))
}

/// All places at both ends, some between.
fn thinned(count: usize) -> impl Iterator<Item = usize> {
    let step = count.saturating_sub(2 * ENDS).div_ceil(MIDDLE).max(1);
    let end = move |at: usize| at < ENDS || at + ENDS >= count;
    (0..count).filter(move |&at| end(at) || (at - ENDS).is_multiple_of(step))
}

/// The autocorrelation of the scores inside what chance and overlap explain.
pub(super) fn autocorrelation(sheet: &TearSheet) -> Result<Option<Picture>> {
    let Some(found) = sheet.autocorrelation.found().filter(|found| !found.lags.is_empty()) else {
        return Ok(None);
    };
    let bars = found.lags.iter().map(|lag| {
        let x = lag.lag as f64;
        [x - 0.28, x + 0.28, lag.value]
    });
    let band = found.lags.iter().map(|lag| [lag.lag as f64, lag.low, lag.high]).collect();
    let title = format!("Memory of {}", sheet.metric);
    let plane = Plane {
        description: format!("{} bars and a band", found.lags.len()),
        title: title.clone(),
        across: Across::Numbers("eras later"),
        layers: vec![Layer::Band(band, CONSTANT), Layer::Bars(bars.collect(), [ABOVE, BELOW])],
        zero: true,
        half: true,
    };
    let outside = found.lags.iter().filter(|lag| lag.is_outside()).count();
    let caption = format!(
        "How much a score resembles the one some eras before. Inside the band chance and labels that cover {} eras \
         explain it; {outside} of {} lags stand outside, one in twenty is expected.",
        found.label_eras,
        found.lags.len()
    );
    let legend =
        vec![entry("box k0", "autocorrelation"), entry("box kc pale", "chance and overlap, 95 %")];
    let svg = plane.to_svg()?;
    Ok(Some(Picture { svg, title, caption, legend, half: true, ..Picture::default() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_quantile_plot_keeps_its_ends() {
        let shown: Vec<usize> = thinned(5000).collect();
        assert!(shown.len() < 2 * ENDS + MIDDLE + 1);
        assert_eq!(shown[..ENDS], (0..ENDS).collect::<Vec<_>>());
        assert_eq!(shown[shown.len() - ENDS..], (5000 - ENDS..5000).collect::<Vec<_>>());
        assert_eq!(thinned(100).count(), 100);
        assert_eq!(thinned(0).count(), 0);
    }
}
