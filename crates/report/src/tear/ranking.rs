//! Charts of what the ranking earns and how long it lasts.

use fattail_evaluate::{EraMean, Lagged, TearSheet, cumulative};

use crate::chart::{ABOVE, Across, BELOW, CONSTANT, INK, Layer, Plane, SERIES};
use crate::picture::{Picture, entry};
use crate::{Result, number};

/// Bars of means with their intervals, over numbers or names.
fn bars(
    (title, caption): (String, String),
    across: Across<'_>,
    means: &[(f64, &EraMean)],
) -> Result<Picture> {
    let half = if means.len() < 4 { 0.22 } else { 0.36 };
    let bars = means.iter().map(|(x, mean)| [x - half, x + half, mean.mean]).collect();
    let ends = means.iter().map(|(x, mean)| [*x, mean.interval[0], mean.interval[1]]).collect();
    let layers = vec![Layer::Bars(bars, [ABOVE, BELOW]), Layer::Whiskers(ends, INK)];
    let plane = Plane {
        description: format!("{} bars, each with its 95 % interval", means.len()),
        title: title.clone(),
        across,
        layers,
        zero: true,
        half: true,
    };
    let legend = vec![entry("box k0", "mean over eras"), entry("ink", "95 % interval")];
    Ok(Picture { svg: plane.to_svg()?, title, caption, legend, half: true, ..Picture::default() })
}

/// What each quantile earns more than the era's mean.
pub(super) fn quantiles(sheet: &TearSheet) -> Result<Option<Picture>> {
    let Some(found) = sheet.quantiles.found() else { return Ok(None) };
    let names: Vec<String> = found.quantiles.iter().map(|q| q.quantile.to_string()).collect();
    let means: Vec<(f64, &EraMean)> =
        found.quantiles.iter().map(|q| (q.quantile as f64 - 0.5, &q.excess)).collect();
    let caption = format!(
        "Rows of each era in {} groups by prediction, the lowest left; a bar is the group's mean target less that of \
         the whole era. A good ranking climbs from left to right like stairs.",
        names.len()
    );
    let words = ("Target of each prediction quantile".to_owned(), caption);
    bars(words, Across::Places(&names), &means).map(Some)
}

/// The running sum of the top less the bottom quantile.
pub(super) fn spread(sheet: &TearSheet) -> Result<Option<Picture>> {
    let Some(found) = sheet.quantiles.found() else { return Ok(None) };
    let sum = &found.cumulative_spread;
    let points = (0..).zip(sum).map(|(i, &value)| (f64::from(i) + 0.5, value)).collect();
    let title = "Top less bottom quantile, running sum".to_owned();
    let plane = Plane {
        description: format!("one line over {} eras", sum.len()),
        title: title.clone(),
        across: Across::Places(&found.eras),
        layers: vec![Layer::Line(points, SERIES[0], 2)],
        zero: true,
        half: true,
    };
    let caption = format!(
        "What holding the top group against the bottom one adds up to: {} an era. A steady climb is worth more than \
         one leap.",
        number::signed(found.spread_mean.mean)
    );
    Ok(Some(Picture { svg: plane.to_svg()?, title, caption, half: true, ..Picture::default() }))
}

/// A line a target over eras.
fn paths(
    (title, caption): (&str, &str),
    eras: &[String],
    lines: Vec<(String, Vec<(f64, f64)>)>,
) -> Result<Option<Picture>> {
    let drawn = lines.into_iter().zip(SERIES).enumerate();
    let (layers, legend) = drawn
        .map(|(at, ((name, points), color))| {
            (Layer::Line(points, color, 2), entry(&format!("k{at}"), &name))
        })
        .unzip();
    let plane = Plane {
        description: format!("a line a target over {} eras", eras.len()),
        title: title.into(),
        across: Across::Places(eras),
        layers,
        zero: true,
        half: false,
    };
    let (svg, title) = (plane.to_svg()?, title.to_owned());
    Ok(Some(Picture { svg, title, caption: caption.into(), legend, ..Picture::default() }))
}

/// The top less the bottom quantile of each target, as a running sum, where there are several.
pub(super) fn target_spreads(sheet: &TearSheet) -> Result<Option<Picture>> {
    let all = sheet.target_quantiles.iter();
    let known: Vec<_> = all.filter_map(|of| Some((of, of.spreads.found()?))).collect();
    let eras = known.iter().map(|(_, found)| &found.eras).max_by_key(|eras| eras.len());
    let Some(eras) = eras.filter(|eras| known.len() > 1 && eras.len() > 1) else {
        return Ok(None);
    };
    let place = |era: &String| eras.iter().position(|other| other == era);
    let lines = known.iter().map(|(of, found)| {
        let points = found.eras.iter().zip(&found.cumulative_spread);
        let points = points.filter_map(|(era, &value)| Some((place(era)? as f64 + 0.5, value)));
        (format!("{}, {} days", of.target, of.days), points.collect())
    });
    let caption = "What the same groups earn in each target. Targets have scales of their own: compare how steadily \
                   lines climb, and where they turn.";
    let words = ("Top less bottom quantile by target, running sum", caption);
    paths(words, eras, lines.collect())
}

/// Rank correlation with each target, where there are several.
pub(super) fn information(sheet: &TearSheet) -> Result<Option<Picture>> {
    let known: Vec<_> =
        sheet.information.iter().filter(|found| found.correlation.eras > 0).collect();
    if known.len() < 2 {
        return Ok(None);
    }
    let names: Vec<String> = known
        .iter()
        .map(|found| match known.iter().filter(|other| other.days == found.days).count() {
            1 => format!("{} days", found.days),
            _ => found.target.clone(),
        })
        .collect();
    let means: Vec<(f64, &EraMean)> =
        (0..).zip(&known).map(|(i, found)| (f64::from(i) + 0.5, &found.correlation)).collect();
    let caption = "The same predictions against targets that look further ahead. Bars that grow speak for a slow \
                   signal; an interval that crosses zero may be chance.";
    let words = ("Rank correlation by target".to_owned(), caption.to_owned());
    bars(words, Across::Places(&names), &means).map(Some)
}

/// Rank correlation with each target, era by era as a running sum.
pub(super) fn information_path(sheet: &TearSheet) -> Result<Option<Picture>> {
    let known: Vec<_> = sheet.information.iter().filter(|f| f.correlation.eras > 0).collect();
    let count = known.iter().map(|found| found.by_era.len()).max().unwrap_or(0);
    if count < 2 {
        return Ok(None);
    }
    let lines = known.iter().map(|found| {
        let points = (0..).zip(cumulative(&found.by_era));
        let points = points.map(|(i, value)| (f64::from(i) + 0.5, value));
        (format!("{}, {} days", found.target, found.days), points.collect())
    });
    let caption = "Each era adds its rank correlation. Lines that climb together speak for one lasting signal; where \
                   they part, the model has learnt the near future or the far one alone.";
    let words = ("Rank correlation by target, running sum", caption);
    paths(words, &eras(sheet, count), lines.collect())
}

/// The names of the predicted eras where a part of the sheet has them, or their numbers.
fn eras(sheet: &TearSheet, count: usize) -> Vec<String> {
    let lists = [
        sheet.exposure.found().map(|found| &found.eras),
        sheet.quantiles.found().map(|found| &found.eras),
        sheet.drawdowns.found().map(|found| &found.eras),
    ];
    let fitting = lists.into_iter().flatten().find(|list| list.len() == count);
    fitting.cloned().unwrap_or_else(|| (1..=count).map(|at| at.to_string()).collect())
}

fn lags(lags: &[Lagged]) -> Vec<(f64, &EraMean)> {
    let known = lags.iter().filter(|lag| lag.correlation.mean.is_finite());
    known.map(|lag| (lag.lag as f64, &lag.correlation)).collect()
}

/// Rank correlation with targets of later eras, where ids last.
pub(super) fn decay(sheet: &TearSheet) -> Result<Option<Picture>> {
    let means = lags(&sheet.decay);
    if means.len() < 2 {
        return Ok(None);
    }
    let caption = "The same predictions against the targets of the same names some eras later. The slower the bars \
                   shrink, the longer a prediction stays useful.";
    let words = ("Rank correlation with later targets".to_owned(), caption.to_owned());
    bars(words, Across::Numbers("eras later"), &means).map(Some)
}

/// How much of the order is still there some eras later.
pub(super) fn rank_autocorrelation(sheet: &TearSheet) -> Result<Option<Picture>> {
    let means = sheet.rank_autocorrelation.found().map(|found| lags(found)).unwrap_or_default();
    if means.is_empty() {
        return Ok(None);
    }
    let caption = "How much the order of the same names resembles itself some eras later: 1 is unchanged, 0 is \
                   shuffled. Low bars mean much trading.";
    let words = ("Rank autocorrelation of the predictions".to_owned(), caption.to_owned());
    bars(words, Across::Numbers("eras later"), &means).map(Some)
}

/// Churn from era to era.
pub(super) fn churn(sheet: &TearSheet) -> Result<Option<Picture>> {
    let Some(scores) = sheet.churn.found().and_then(|found| found.first()) else {
        return Ok(None);
    };
    let eras: Vec<String> = scores.eras.iter().map(|era| era.era.clone()).collect();
    let values = scores.values();
    let points = (0..).zip(&values).map(|(i, &value)| (f64::from(i) + 0.5, value)).collect();
    let title = "Churn from each era to the next".to_owned();
    let plane = Plane {
        description: format!("one line over {} eras", eras.len()),
        title: title.clone(),
        across: Across::Places(&eras),
        layers: vec![Layer::Line(points, SERIES[0], 2), Layer::Level(scores.mean(), CONSTANT)],
        zero: true,
        half: true,
    };
    let caption = "One less the rank correlation with the era before: 0 is the same order, 1 an unrelated one, 2 the \
                   reverse. Spikes are eras in which the model changed its mind.";
    let legend = vec![entry("k0", "churn"), entry("kc", "mean")];
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
