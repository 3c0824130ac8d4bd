//! The tear sheet of a model: tiles, charts that say how to be read, tables, and what is missing.

mod features;
mod ranking;
mod series;
mod tables;

use fattail_evaluate::{Part, TearSheet};

use crate::chart::shorten;
use crate::picture::{Picture, pair};
use crate::table::Table;
use crate::{Result, number};

pub(crate) use features::steps;
pub(crate) use series::air;
pub(crate) use tables::{drawdowns, tables};

/// A figure at a glance: name, value, what stands below it.
pub(crate) type Tile = (String, String, String);

/// Every chart of a sheet, in the order in which they are read.
pub(crate) fn pictures(sheet: &TearSheet) -> Result<Vec<Picture>> {
    let mut all = Vec::new();
    all.extend(ranking::quantiles(sheet)?);
    all.extend(ranking::spread(sheet)?);
    all.extend(ranking::target_spreads(sheet)?);
    all.extend(ranking::information_path(sheet)?);
    all.extend(ranking::information(sheet)?);
    all.extend(ranking::decay(sheet)?);
    all.extend(ranking::rank_autocorrelation(sheet)?);
    all.extend(ranking::churn(sheet)?);
    all.extend(features::path(sheet)?);
    all.extend(features::map(sheet)?);
    all.extend(series::drawdowns(sheet)?);
    all.extend(series::rolling_mean(sheet)?);
    all.extend(series::rolling_sharpe(sheet)?);
    all.extend(series::histogram(sheet)?);
    all.extend(series::normal_quantiles(sheet)?);
    all.extend(series::autocorrelation(sheet)?);
    pair(&mut all);
    Ok(all)
}

/// The sheet at a glance.
pub(crate) fn tiles(sheet: &TearSheet) -> Vec<Tile> {
    let mut tiles = Vec::new();
    let mut push = |name: &str, value: String, beside: String| {
        tiles.push((name.to_owned(), value, beside));
    };
    if let Some(found) = sheet.quantiles.found() {
        let spread = &found.spread_mean;
        let beside = format!("95 %: {}", number::interval(spread.interval));
        push("Top less bottom", number::signed(spread.mean), beside);
        let beside = "1: each earns more than the one below";
        push("Monotonicity", number::ratio(found.monotonicity), beside.into());
    }
    if let Some(found) = sheet.information.first() {
        let beside = format!("mean by deviation, {}", found.target);
        push("Rank correlation ratio", number::ratio(found.ratio), beside);
    }
    if let Some(lag) = sheet.rank_autocorrelation.found().and_then(|lags| lags.first()) {
        push("Ranks kept", number::ratio(lag.correlation.mean), "correlation an era later".into());
    }
    if let Some(feature) = sheet.exposure.found().and_then(|found| found.features.first()) {
        let beside = shorten(&feature.name, 18);
        push("Followed most", number::plain(feature.mean_size), beside);
    }
    tiles
}

/// What the sheet does not hold, and why.
pub(crate) fn missing(sheet: &TearSheet) -> Vec<String> {
    fn told<T>(what: &str, part: &Part<T>) -> Option<String> {
        part.reason().map(|reason| format!("{what}: {reason}"))
    }
    let mut all = vec![
        told("quantiles", &sheet.quantiles),
        told("churn", &sheet.churn),
        told("turnover of quantiles", &sheet.quantile_turnover),
        told("rank autocorrelation", &sheet.rank_autocorrelation),
        told("exposure", &sheet.exposure),
        told("drawdowns", &sheet.drawdowns),
        told("rolling figures", &sheet.rolling),
        told("distribution", &sheet.distribution),
        told("autocorrelation", &sheet.autocorrelation),
    ];
    all.extend(sheet.information.iter().map(|found| {
        Some(format!("correlation with {}: {}", found.target, found.reason.as_deref()?))
    }));
    all.extend(
        sheet
            .target_quantiles
            .iter()
            .map(|of| Some(format!("quantiles by {}: {}", of.target, of.spreads.reason()?))),
    );
    let later = sheet.decay.iter().find_map(|lag| lag.reason.as_deref());
    all.push(later.map(|reason| format!("correlation with later targets: {reason}")));
    all.into_iter().flatten().collect()
}

/// Adds a row of words.
fn row(table: &mut Table, cells: Vec<String>) {
    table.row(cells);
}
