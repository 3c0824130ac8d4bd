//! The robust and the quantile-normal scaler, fitted on a panel and applied to it.
//!
//! A panel stores `f32`. The peer answers in `f64`, so what is compared are the scales' answers in
//! `f64`, after a check that the panel holds these, rounded once.

use std::path::Path;

use fattail::prepare::{Method, QuantileNormal, Robust, Scaler};
use fattail::{Fit, Panel, Transform};

use crate::{Answer, files, measure::measured};

const ROWS: usize = 1_000_000;

pub(crate) fn robust(data: &Path) -> Answer {
    measure(data, Method::Robust(Robust::default()))
}

pub(crate) fn quantile(data: &Path) -> Answer {
    measure(data, Method::Quantile(QuantileNormal::default()))
}

fn measure(data: &Path, method: Method) -> Answer {
    let panel = read(data)?;
    let scaler = Scaler { method, ..Scaler::default() };
    let work = || scaler.fit(&panel)?.transform(panel.clone());
    let (scaled, cost) = measured(work, |_| panel.bytes())?;
    Ok((in_full(&panel, &scaled?, method)?, cost))
}

fn read(data: &Path) -> Result<Panel, Box<dyn std::error::Error>> {
    let values = files::read_f32(&data.join("scaling.f32"))?;
    let named = values.chunks_exact(ROWS).enumerate();
    let start = Panel::builder();
    let all = named
        .fold(start, |panel, (at, column)| panel.feature(format!("x{at:02}"), column.to_vec()));
    Ok(all.build()?)
}

/// The scaled values before they are stored.
fn in_full(
    panel: &Panel,
    scaled: &Panel,
    method: Method,
) -> Result<Vec<f64>, Box<dyn std::error::Error>> {
    let mut all = vec![0.0; panel.width() * ROWS];
    for (at, out) in all.chunks_exact_mut(ROWS).enumerate() {
        let column = panel.feature(at).to_f64();
        method.learn(&column)?.apply_slice(&column, out)?;
        let stored = scaled.feature(at).to_f32();
        if let Some(row) = out.iter().zip(&stored).position(|(&full, &kept)| full as f32 != kept) {
            let (full, kept) = (out[row], stored[row]);
            return Err(format!("column {at}, row {row}: {kept} is stored for {full}").into());
        }
    }
    Ok(all)
}
