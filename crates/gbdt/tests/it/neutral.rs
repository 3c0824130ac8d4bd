//! Neutralised gradients.

use fattail_core::{Fit, Panel, Predict};
use fattail_gbdt::{EraSettings, Gbdt, Neutralise, Objective};

use crate::data::bins;

/// The mean over eras and features of the size of the correlation of predictions with a feature.
fn exposure(panel: &Panel, neutralise: Option<Neutralise>) -> f64 {
    let eras = EraSettings { neutralise, ..EraSettings::default() };
    let model = Gbdt { rounds: 15, leaves: 8, eras, ..Gbdt::default() }.fit(panel).unwrap();
    let prediction = model.predict(panel).unwrap();
    let (mut sum, mut count) = (0.0, 0.0);
    for feature in 0..panel.schema().features().len() {
        let column: Vec<f32> = panel.feature(feature).to_f32();
        for range in panel.eras().ranges() {
            let x: Vec<f64> = column[range.clone()].iter().map(|&x| f64::from(x)).collect();
            let y: Vec<f64> = prediction[range].iter().map(|&y| f64::from(y)).collect();
            let r = fattail_stats::pearson(&x, &y).unwrap();
            sum += if r.is_nan() { 0.0 } else { r.abs() };
            count += 1.0;
        }
    }
    sum / count
}

#[test]
fn exposure_in_training_falls() {
    let panel = bins(3, 8, 200, 6, 1.0);
    let plain = exposure(&panel, None);
    let half = exposure(&panel, Some(Neutralise { proportion: 0.5, components: 6 }));
    let whole = exposure(&panel, Some(Neutralise { proportion: 1.0, components: 6 }));
    println!("plain {plain:.3} half {half:.3} whole {whole:.3}");
    assert!(whole < 0.7 * plain && whole < half, "plain {plain} half {half} whole {whole}");
}

#[test]
fn what_cannot_be_neutral_is_refused() {
    let panel = bins(3, 4, 50, 3, 1.0);
    let with = |neutralise| EraSettings { neutralise: Some(neutralise), ..EraSettings::default() };
    let eras = with(Neutralise::default());
    let error = |settings: Gbdt| settings.fit(&panel).unwrap_err().to_string();
    let objective = Objective::RegressionL1;
    assert!(error(Gbdt { eras, objective, ..Gbdt::default() }).contains("neutral"));
    assert!(error(Gbdt { eras, max_memory: Some(10), ..Gbdt::default() }).contains("bytes"));
    for components in [0, 2000] {
        let eras = with(Neutralise { components, ..Neutralise::default() });
        assert!(error(Gbdt { eras, ..Gbdt::default() }).contains("components"));
    }
    let eras = with(Neutralise { proportion: 1.1, ..Neutralise::default() });
    assert!(error(Gbdt { eras, ..Gbdt::default() }).contains("proportion"));
}
