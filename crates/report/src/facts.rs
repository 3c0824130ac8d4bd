//! Facts and settings in the order in which every format shows them.

use crate::{Coefficient, ModelReport, Report, Setting, number};

/// The data in one line.
pub(crate) fn line(report: &Report) -> String {
    let data = &report.data;
    let mut parts = vec![
        data.source.clone(),
        format!("{} rows", number::count(data.rows)),
        format!("{} eras", number::count(data.eras)),
        format!("{} features", number::count(data.features)),
    ];
    if !data.target.is_empty() {
        parts.push(format!("target {}", data.target));
    }
    parts.retain(|part| !part.is_empty());
    parts.join(" · ")
}

/// Data, split and settings as rows.
pub(crate) fn rows(report: &Report) -> Vec<Setting> {
    let data = &report.data;
    let mut rows = vec![
        Setting::new("data", &data.source),
        Setting::new("rows", number::count(data.rows)),
        Setting::new("eras", eras(report)),
        Setting::new("features", number::count(data.features)),
        Setting::new("target", &data.target),
        Setting::new("panel in memory", number::bytes(data.bytes)),
    ];
    if let Some(split) = &report.split {
        rows.push(Setting::new("split", &split.name));
        rows.push(Setting::new("gap", format!("{} eras: {}", split.gap_eras, split.rule)));
    }
    rows.extend(report.settings.iter().cloned());
    rows
}

/// The coefficients that are largest in size, the largest first.
pub(crate) fn largest(model: &ModelReport, most: usize) -> Vec<&Coefficient> {
    let mut rows: Vec<&Coefficient> = model.coefficients.iter().collect();
    let size = |row: &Coefficient| if row.value.is_nan() { -1.0 } else { row.value.abs() };
    rows.sort_by(|a, b| size(b).total_cmp(&size(a)));
    rows.truncate(most);
    rows
}

fn eras(report: &Report) -> String {
    let data = &report.data;
    match data.eras {
        0 => "0".to_owned(),
        n => format!("{}: {} to {}", number::count(n), data.first_era, data.last_era),
    }
}

/// The split and its gap in a sentence.
pub(crate) fn split(report: &Report) -> Option<String> {
    let split = report.split.as_ref()?;
    Some(format!(
        "{}; {} eras between train and test are left out ({}).",
        split.name, split.gap_eras, split.rule
    ))
}
