//! The market of the cases: assets that come and go, each with an id of its own.

use fattail::{Eras, Ids, Panel, Result};
use fattail_testing::Market;

/// The target with fat tails; the main one is its rank in bins.
pub(super) const RETURN: &str = "return_20";

/// Rows of an era.
const ROWS: usize = 60;
/// Eras until five assets leave and five new ones come.
const STAY: usize = 6;

/// A synthetic market of 60 eras and 60 assets in each, five of which leave every six eras.
///
/// # Errors
/// Never but by a fault of the market.
pub fn asset_panel(seed: u64) -> Result<Panel> {
    let market = Market {
        eras: 60,
        rows: ROWS,
        features: 12,
        late_features: 0,
        stable: 6,
        flipping: 2,
        signal: 0.1,
        seed,
        ..Market::default()
    };
    let panel = market.panel()?;
    let ids: Ids = (0..panel.rows())
        .map(|row| format!("asset-{:03}", row % ROWS + row / ROWS / STAY * 5))
        .collect();
    let returns = panel.extra(Market::RETURN)?.to_f32();
    let rows: Vec<usize> = (0..panel.rows()).collect();
    taken(&panel, &rows, panel.eras().clone(), ids, Some(returns))
}

/// The rows of each era in the order of their target.
pub(super) fn sorted(panel: &Panel) -> Result<Panel> {
    let target = panel.target()?.to_f32();
    let mut rows: Vec<usize> = (0..panel.rows()).collect();
    for range in panel.eras().ranges() {
        rows[range].sort_by(|&a, &b| target[a].total_cmp(&target[b]));
    }
    let ids = rows.iter().filter_map(|&row| panel.id(row)).collect();
    moved(panel, &rows, ids)
}

/// A tenth of the rows of each era is that of the era twenty before, under new ids: a file joined with its own past.
pub(super) fn duplicated(panel: &Panel) -> Result<Panel> {
    let source = |row: usize| {
        let copied = row % 10 == 3 && row >= 20 * ROWS;
        copied.then(|| row - 20 * ROWS)
    };
    let rows: Vec<usize> = (0..panel.rows()).map(|row| source(row).unwrap_or(row)).collect();
    let id = |row: usize| match source(row) {
        Some(_) => format!("joined-{row}"),
        None => panel.id(row).unwrap_or_default().to_owned(),
    };
    moved(panel, &rows, (0..panel.rows()).map(id).collect())
}

fn moved(panel: &Panel, rows: &[usize], ids: Ids) -> Result<Panel> {
    let returns = panel.target_named(RETURN)?.to_f32();
    taken(panel, rows, panel.eras().clone(), ids, Some(returns))
}

fn taken(
    panel: &Panel,
    rows: &[usize],
    eras: Eras,
    ids: Ids,
    returns: Option<Vec<f32>>,
) -> Result<Panel> {
    let take = |all: &[f32]| -> Vec<f32> { rows.iter().map(|&row| all[row]).collect() };
    let mut builder = Panel::builder().era_runs(eras).ids(ids);
    for (at, name) in panel.schema().features().iter().enumerate() {
        let bins = take(&panel.feature(at).to_f32()).into_iter().map(|value| value as u8);
        builder = builder.feature(name.clone(), bins.collect::<Vec<u8>>());
    }
    builder = builder.target(Market::TARGET, take(&panel.target()?.to_f32()));
    if let Some(returns) = returns {
        builder = builder.target(RETURN, take(&returns));
    }
    builder.build()
}
