//! The tables of a tear sheet: the same facts as its charts.

use fattail_evaluate::{EraMean, Lagged, TearSheet};

use super::row;
use crate::number;
use crate::table::Table;

/// Every table with its heading.
pub(crate) fn tables(sheet: &TearSheet) -> Vec<(&'static str, Table)> {
    let all = [
        ("Quantiles of the predictions", quantiles(sheet)),
        ("Quantiles by target", target_quantiles(sheet)),
        ("Rank correlation by target", information(sheet)),
        ("Some eras later", later(sheet)),
        ("Churn", churn(sheet)),
        ("Exposure to features", exposure(sheet)),
        ("Worst drawdowns", drawdowns(sheet)),
        ("Rolling figures", rolling(sheet)),
        ("Distribution of the scores", distribution(sheet)),
        ("Autocorrelation of the scores", autocorrelation(sheet)),
    ];
    all.into_iter().filter(|(_, table)| !table.rows.is_empty()).collect()
}

fn mean(value: &EraMean) -> [String; 2] {
    [number::signed(value.mean), number::interval(value.interval)]
}

fn student(value: &EraMean) -> String {
    number::student(value.t_statistic, value.degrees)
}

fn quantiles(sheet: &TearSheet) -> Table {
    let head = [
        "Quantile",
        "Mean target",
        "Less the era's mean",
        "95 % interval",
        "t statistic",
        "New each era",
    ];
    let mut table = Table::new(1, head);
    let Some(found) = sheet.quantiles.found() else { return table };
    for (at, quantile) in found.quantiles.iter().enumerate() {
        let fresh = sheet.quantile_turnover.found().and_then(|all| all.get(at));
        let [excess, interval] = mean(&quantile.excess);
        row(
            &mut table,
            vec![
                quantile.quantile.to_string(),
                number::plain(quantile.mean.mean),
                excess,
                interval,
                student(&quantile.excess),
                number::percent(fresh.map_or(f64::NAN, |fresh| fresh.turnover.mean)),
            ],
        );
    }
    let [spread, interval] = mean(&found.spread_mean);
    let (none, t) = (number::NONE.to_owned(), student(&found.spread_mean));
    row(
        &mut table,
        vec!["top less bottom".into(), none.clone(), spread, interval, t, none.clone()],
    );
    let monotone = number::ratio(found.monotonicity);
    row(
        &mut table,
        vec!["monotonicity".into(), none.clone(), monotone, none.clone(), none.clone(), none],
    );
    table
}

/// Targets beside each other; one alone is the sheet's own.
fn target_quantiles(sheet: &TearSheet) -> Table {
    let head = [
        "Target",
        "Days",
        "Top less bottom",
        "95 % interval",
        "t statistic",
        "Monotonicity",
        "Eras",
    ];
    let mut table = Table::new(1, head);
    if sheet.target_quantiles.len() < 2 {
        return table;
    }
    for of in &sheet.target_quantiles {
        let Some(found) = of.spreads.found() else { continue };
        let [spread, interval] = mean(&found.spread_mean);
        row(
            &mut table,
            vec![
                of.target.clone(),
                of.days.to_string(),
                spread,
                interval,
                student(&found.spread_mean),
                number::ratio(found.monotonicity),
                found.spread_mean.eras.to_string(),
            ],
        );
    }
    table
}

fn information(sheet: &TearSheet) -> Table {
    let head =
        ["Target", "Days", "Mean", "95 % interval", "Mean by deviation", "Above zero", "Eras"];
    let mut table = Table::new(1, head);
    for found in &sheet.information {
        let [level, interval] = mean(&found.correlation);
        row(
            &mut table,
            vec![
                found.target.clone(),
                found.days.to_string(),
                level,
                interval,
                number::ratio(found.ratio),
                number::percent(found.positive),
                found.correlation.eras.to_string(),
            ],
        );
    }
    table
}

fn later(sheet: &TearSheet) -> Table {
    let head = [
        "Eras later",
        "With the target",
        "95 % interval",
        "With the predictions",
        "95 % interval",
        "Rows found",
    ];
    let mut table = Table::new(1, head);
    let ranks = sheet.rank_autocorrelation.found().map(Vec::as_slice).unwrap_or_default();
    let told = |lag: Option<&Lagged>| {
        lag.map_or_else(|| mean(&EraMean::of(&[], 0)), |lag| mean(&lag.correlation))
    };
    let known = |lag: &&Lagged| lag.correlation.mean.is_finite();
    for lag in sheet.decay.iter().filter(known) {
        let [target, target_interval] = mean(&lag.correlation);
        let [rank, interval] = told(ranks.iter().find(|rank| rank.lag == lag.lag));
        let found = number::percent(lag.shared);
        row(&mut table, vec![lag.lag.to_string(), target, target_interval, rank, interval, found]);
    }
    table
}

fn churn(sheet: &TearSheet) -> Table {
    let mut table = Table::new(1, ["From era to era", "Mean", "Lowest", "Highest"]);
    for scores in sheet.churn.found().into_iter().flatten() {
        let name = scores.metric.clone();
        row(
            &mut table,
            vec![
                name,
                number::plain(scores.mean()),
                ends(&scores.values(), f64::min),
                ends(&scores.values(), f64::max),
            ],
        );
    }
    table
}

/// The lowest or highest finite value.
fn ends(values: &[f64], choose: fn(f64, f64) -> f64) -> String {
    let known = values.iter().copied().filter(|value| value.is_finite());
    number::plain(known.fold(f64::NAN, choose))
}

fn exposure(sheet: &TearSheet) -> Table {
    let head = ["Feature", "Mean size", "Mean", "Lowest", "Highest"];
    let mut table = Table::new(1, head);
    for feature in sheet.exposure.found().into_iter().flat_map(|found| &found.features) {
        row(
            &mut table,
            vec![
                feature.name.clone(),
                number::plain(feature.mean_size),
                number::signed(feature.mean),
                ends(&feature.by_era, f64::min),
                ends(&feature.by_era, f64::max),
            ],
        );
    }
    table
}

pub(crate) fn drawdowns(sheet: &TearSheet) -> Table {
    let head =
        ["Drawdown", "Peak", "Trough", "Recovery", "Depth", "Eras to the trough", "Eras below"];
    let mut table = Table::new(4, head);
    let worst = sheet.drawdowns.found().into_iter().flat_map(|found| &found.worst);
    for (place, fall) in worst.enumerate() {
        row(
            &mut table,
            vec![
                (place + 1).to_string(),
                fall.start.clone(),
                fall.trough.clone(),
                fall.recovery.clone().unwrap_or_else(|| "not yet".into()),
                number::plain(fall.depth),
                fall.to_trough.to_string(),
                fall.length.to_string(),
            ],
        );
    }
    table
}

fn rolling(sheet: &TearSheet) -> Table {
    let mut table = Table::new(1, ["Figure", "Last", "Lowest", "Highest"]);
    let Some(found) = sheet.rolling.found() else { return table };
    for (name, values) in [("Mean", &found.mean), ("Sharpe", &found.sharpe)] {
        let last = values.last().copied().unwrap_or(f64::NAN);
        let name = format!("{name} of {} eras", found.window);
        row(
            &mut table,
            vec![name, number::plain(last), ends(values, f64::min), ends(values, f64::max)],
        );
    }
    table
}

fn distribution(sheet: &TearSheet) -> Table {
    let mut table = Table::new(1, ["Scores", "Eras"]);
    let Some(found) = sheet.distribution.found() else { return table };
    for (edges, count) in found.edges.windows(2).zip(&found.counts) {
        row(&mut table, vec![number::interval([edges[0], edges[1]]), count.to_string()]);
    }
    table
}

fn autocorrelation(sheet: &TearSheet) -> Table {
    let head = [
        "Eras later",
        "Autocorrelation",
        "From overlap alone",
        "Chance and overlap, 95 %",
        "Outside",
    ];
    let mut table = Table::new(1, head);
    for lag in sheet.autocorrelation.found().into_iter().flat_map(|found| &found.lags) {
        row(
            &mut table,
            vec![
                lag.lag.to_string(),
                number::ratio(lag.value),
                number::ratio(lag.overlap),
                format!("{} to {}", number::ratio(lag.low), number::ratio(lag.high)),
                if lag.is_outside() { "yes" } else { "no" }.into(),
            ],
        );
    }
    table
}
