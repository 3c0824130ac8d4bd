//! CORR, MMC and FNC of every era.

use std::{error::Error, fs, path::Path};

use fattail::evaluate::{
    ContributionTo, Corr, FeatureNeutralCorr, Predictions, Scores, score_predictions,
};
use fattail::{Eras, Metric, Panel};

use crate::{Answer, files, measure::measured};

const ERA_ROWS: usize = 5_000;
/// The first eras, which the peer scores too.
const COMPARED: usize = 50;

pub(crate) fn measure(data: &Path) -> Answer {
    let panel = read(data)?;
    let values = files::read_f32(&data.join("prediction.f32"))?;
    let predictions = Predictions { eras: (0..panel.eras().len()).collect(), values };
    let (corr, fnc) = (Corr::default(), FeatureNeutralCorr::default());
    let mmc = ContributionTo::mmc("meta");
    let metrics: [&dyn Metric; 3] = [&corr, &mmc, &fnc];
    let (scores, cost) = measured(|| score_predictions(&panel, &predictions, &metrics), |_| 0)?;
    let scores: Vec<Vec<f64>> = scores?.iter().map(Scores::values).collect();
    let compared = (0..COMPARED).flat_map(|era| scores.iter().map(move |metric| metric[era]));
    Ok((compared.collect(), cost))
}

fn read(data: &Path) -> Result<Panel, Box<dyn Error>> {
    let target = files::read_f32(&data.join("target.f32"))?;
    let (meta, rows) = (files::read_f32(&data.join("meta.f32"))?, target.len());
    let eras = (0..rows / ERA_ROWS).map(|era| (format!("{era:04}").into(), ERA_ROWS));
    let panel = Panel::builder().era_runs(Eras::from_runs(eras)?);
    let panel = panel.target("target", target).extra("meta", meta);
    let bins = fs::read(data.join("features.i8"))?;
    let named = bins.chunks_exact(rows).enumerate();
    let all = named.fold(panel, |panel, (at, column)| {
        panel.feature(format!("feature_{at:02}"), column.to_vec())
    });
    Ok(all.build()?)
}
