//! The whole flow on a synthetic market, and what a learner gets to see.

use std::sync::Mutex;

use fattail_core::{Fit, IdsBuilder, Panel, Predict, Result};
use fattail_drift::{
    Adversarial, AucNull, EraBlocks, EraTest, Found, Mmd, Reason, Rule, Scan, ScanReport, Tally,
    psi,
};
use fattail_testing::Market;

use crate::learner::MeanDifference;

fn sides(eras: usize, now: usize) -> (Vec<usize>, Vec<usize>) {
    ((0..eras - now).collect(), (eras - now..eras).collect())
}

/// A market of whose 40 eras the last twelve have one feature raised by a bin.
fn moved() -> Panel {
    let market = Market { eras: 40, rows: 60, features: 12, late_features: 0, ..Market::default() };
    let panel = market.panel().unwrap();
    let name = panel.schema().features()[3].to_string();
    let column = panel.feature(3);
    let raised: Vec<u8> = (0..40)
        .flat_map(|era| {
            column.era(era).iter().map(move |bin| (bin as u8 + u8::from(era >= 28)).min(4))
        })
        .collect();
    assert_eq!(panel.schema().feature_position(&name).unwrap(), 3);
    panel.replace_features([(3, raised)]).unwrap()
}

fn scan() -> Scan {
    let blocks = EraBlocks { block: 1, gap: 0 };
    Scan { test: EraTest { blocks, draws: 499, seed: 1 }, ..Scan::default() }
}

#[test]
fn a_scan_finds_the_feature_that_moved() {
    let panel = moved();
    let (past, now) = sides(40, 12);
    let report = scan().run(&panel, &past, &now).unwrap();
    assert!(report.verdict.found == Found::Drift && report.verdict.discoveries >= 1);
    let first = report.features.iter().min_by(|a, b| a.adjusted.total_cmp(&b.adjusted)).unwrap();
    assert_eq!(first.name, report.features[3].name);
    assert!(first.adjusted <= 0.002 + 1e-12 && first.psi > 0.2, "{first:?}");
    // The index of a report is the index of the rows.
    let bins = |eras: &[usize]| {
        let rows = eras.iter().flat_map(|&era| panel.feature(3).era(era).iter());
        rows.map(|bin| bin as u8).collect::<Vec<u8>>()
    };
    let tally = Tally::of_bins(&bins(&past), &bins(&now)).unwrap();
    let plain = psi(&tally, &scan().binning, &fattail_drift::Null::Asymptotic).unwrap();
    assert_eq!(first.psi, plain.statistic);
    // Its p-value is that of the test of the eras' histograms.
    let shares: Vec<Vec<f64>> = (0..40)
        .map(|era| {
            let values = panel.feature(3).era(era);
            let share = |bin: u8| values.iter().filter(|&v| v == f32::from(bin)).count() as f64;
            (0..5).map(|bin| share(bin) / values.len() as f64).collect()
        })
        .collect();
    let found = scan().test.summaries(&shares, &past, &now).unwrap();
    assert!((first.statistic - found.statistic).abs() < 1e-9 && first.p == found.p);
    let heat = report.heat.as_ref().unwrap();
    assert_eq!((heat.eras.len(), heat.columns.len(), heat.psi.len()), (40, 12, 480));
    assert!(heat.psi[39 * 12 + 3] > 4.0 * heat.psi[12 + 3]);
    let text = serde_json::to_string(&report).unwrap();
    assert_eq!(serde_json::from_str::<ScanReport>(&text).unwrap(), report);
    let other = Scan { rule: Rule::BenjaminiHochberg, heat: false, ..scan() };
    let other = other.run(&panel, &past, &now).unwrap();
    assert!(other.verdict.found == Found::Drift && other.heat.is_none());
}

#[test]
fn same_bits_on_any_number_of_threads() {
    let panel = moved();
    let (past, now) = sides(40, 12);
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let scanned = scan().run(&panel, &past, &now).unwrap();
            let mmd = Mmd { rows: 160, ..Mmd::default() };
            (scanned, mmd.panel(&panel, &past, &now, &scan().test).unwrap())
        })
    };
    assert_eq!(on(1), on(3));
}

#[test]
fn numbers_are_scanned_as_bins_are() {
    let panel = moved();
    let (past, now) = sides(40, 12);
    let names: Vec<String> = panel.schema().features().iter().map(ToString::to_string).collect();
    let numbers = names.iter().enumerate().map(|(at, name)| {
        let mut values = panel.feature(at).to_f32();
        // One missing value in the first feature.
        if at == 0 {
            values[5] = f32::NAN;
        }
        (name.as_str(), values)
    });
    let twin = panel.with_features(numbers).unwrap();
    let (one, other) =
        (scan().run(&panel, &past, &now).unwrap(), scan().run(&twin, &past, &now).unwrap());
    assert_eq!(one.features[1..], other.features[1..]);
    assert!(other.features[0].missing[0] > 0.0 && other.features[0].missing[1] == 0.0);
}

#[test]
fn many_valued_features_are_cut_at_quantiles() {
    let mut draws = crate::draws::Draws::new(5, 1);
    let eras: Vec<String> = (0..1200).map(|row| format!("{:03}", row / 30)).collect();
    let calm: Vec<f32> = draws.normals(1200, 0.0).into_iter().map(|x| x as f32).collect();
    let wide = calm.iter().zip(0..).map(|(x, row)| if row < 900 { *x } else { 2.0 * x });
    let panel = Panel::builder()
        .eras(&eras)
        .unwrap()
        .feature("wide", wide.collect::<Vec<f32>>())
        .feature("calm", calm)
        .build()
        .unwrap();
    let (past, now) = sides(40, 10);
    let report = scan().run(&panel, &past, &now).unwrap();
    assert!(report.features[0].adjusted < 0.01, "{:?}", report.features[0]);
    assert!(report.features[1].adjusted > 0.01, "{:?}", report.features[1]);
}

#[test]
fn a_learner_finds_it_too() {
    let panel = moved();
    let (past, now) = sides(40, 12);
    let blocks = EraBlocks { block: 1, gap: 0 };
    for null in [AucNull::HeldOut, AucNull::Refit] {
        let settings =
            Adversarial { blocks, null, draws: 99, importance: true, ..Adversarial::default() };
        let report = settings.run(&MeanDifference, &panel, &past, &now).unwrap();
        assert!(report.auc > 0.6 && report.found == Found::Drift, "{report:?}");
        assert_eq!(report.importance[0].0, panel.schema().features()[3].to_string());
        assert!(report.importance[0].1 > 5.0 * report.importance[1].1.abs());
    }
}

/// Remembers what it was shown.
struct Spy(Mutex<Vec<Panel>>);

impl Fit for Spy {
    type Fitted = MeanOf;

    fn fit(&self, train: &Panel) -> Result<MeanOf> {
        self.0.lock().unwrap().push(train.clone());
        Ok(MeanOf)
    }
}

struct MeanOf;

impl Predict for MeanOf {
    fn predict(&self, panel: &Panel) -> Result<Vec<f32>> {
        assert!(!panel.has_target() && !panel.has_ids() && panel.weights().is_none());
        Ok(panel.feature(0).to_f32())
    }
}

#[test]
fn a_learner_sees_nothing_that_gives_the_answer() {
    let panel = moved();
    let ids: Vec<String> = (0..panel.rows()).map(|row| format!("n{row}")).collect();
    let mut builder = IdsBuilder::default();
    ids.iter().for_each(|id| builder.push(id));
    let labels: Vec<&str> = (0..panel.eras().len())
        .flat_map(|era| {
            let rows = panel.eras().range(era).len();
            std::iter::repeat_n(panel.eras().label(era), rows)
        })
        .collect();
    let column = panel.feature(3).to_f32();
    let panel = Panel::builder()
        .eras(&labels)
        .unwrap()
        .ids(builder.finish())
        .feature("x", column.clone())
        .target("target", vec![0.5; column.len()])
        .extra("leak", vec![1.0; column.len()])
        .weights(vec![1.0; column.len()])
        .build()
        .unwrap();
    let (past, now) = sides(40, 12);
    let spy = Spy(Mutex::default());
    let settings = Adversarial {
        blocks: EraBlocks { block: 1, gap: 0 },
        rows: 20 * 40,
        ..Adversarial::default()
    };
    settings.run(&spy, &panel, &past, &now).unwrap();
    let shown = spy.0.lock().unwrap();
    assert_eq!(shown.len(), 3);
    for train in shown.iter() {
        assert!(!train.has_ids() && train.weights().is_none());
        assert_eq!(train.schema().targets().len(), 1);
        assert_eq!((train.schema().extras().len(), train.width()), (0, 1));
        let target = train.target().unwrap();
        let by_era: Vec<f32> = target.eras().map(|era| era.get(0)).collect();
        // Labels are constant in an era, and the current eras do not stand at the end.
        assert!(target.eras().all(|era| era.iter().all(|y| y == era.get(0))));
        let flips = by_era.windows(2).filter(|pair| pair[0] != pair[1]).count();
        assert!(flips > 3, "{by_era:?}");
        assert!(target.eras().all(|era| era.len() == 20));
    }
}

#[test]
fn what_is_refused() {
    let panel = moved();
    let told =
        |past: &[usize], now: &[usize]| scan().run(&panel, past, now).unwrap_err().to_string();
    assert_eq!(told(&[0, 1, 2], &[]), "'current' has 0 blocks of eras, needs at least 1");
    assert_eq!(told(&[0], &[3]), "'reference' has 1 blocks of eras, needs at least 2");
    assert!(told(&[0, 1, 2], &[40]).ends_with("the panel has no such era"));
    assert!(told(&[0, 1, 2], &[2, 3]).contains("it is on both sides"));
    let wrong = Scan { level: 1.0, ..scan() };
    let (past, now) = sides(40, 12);
    let error = wrong.run(&panel, &past, &now).unwrap_err().to_string();
    assert_eq!(error, "setting 'level' is 1, allowed is above 0, below 1");
    let wrong = Adversarial { folds: 1, ..Adversarial::default() };
    let error = wrong.run(&MeanDifference, &panel, &past, &now).unwrap_err().to_string();
    assert_eq!(error, "setting 'folds' is 1, allowed is at least 2");
    let wrong = Adversarial { rows: 39, ..Adversarial::default() };
    let error = wrong.run(&MeanDifference, &panel, &past, &now).unwrap_err().to_string();
    assert_eq!(error, "setting 'rows' is 39, allowed is at least one for each era");
    let wrong = Mmd { rows: 39, ..Mmd::default() };
    let error = wrong.panel(&panel, &past, &now, &scan().test).unwrap_err().to_string();
    assert_eq!(error, "setting 'rows' is 39, allowed is at least one row for each block of eras");
    let error = Mmd::default().panel(&panel, &past, &[39], &scan().test).unwrap_err().to_string();
    assert_eq!(error, "'current' has 1 blocks of eras, needs at least 2");
}

#[test]
fn an_alarm_that_cannot_ring_says_so() {
    let panel = moved();
    let (past, now) = sides(40, 12);
    let blocks = EraBlocks { block: 6, gap: 0 };
    let wide = Scan { test: EraTest { blocks, ..scan().test }, ..scan() };
    let verdict = wide.run(&panel, &past[16..], &now).unwrap().verdict;
    // Two blocks and two: the six deals are three pairs.
    let out = |smallest_p| Found::Undecidable(Reason::OutOfReach { smallest_p, level: 0.05 });
    assert_eq!(verdict.found, out(2.0 / 6.0));
    assert_eq!((verdict.alone, verdict.discoveries), (2.0 / 6.0, 0));
    let few = Scan { test: EraTest { draws: 9, ..scan().test }, ..scan() };
    assert_eq!(few.run(&panel, &past, &now).unwrap().verdict.found, out(0.1));
    let narrow = panel.select::<&str>(&[]).unwrap();
    let verdict = scan().run(&narrow, &past, &now).unwrap().verdict;
    assert_eq!(verdict.found, Found::Undecidable(Reason::NoFeatures));
    // One feature of twelve cannot be found by this rule with nineteen deals.
    let test = EraTest { draws: 19, ..scan().test };
    let rule = Rule::BenjaminiHochberg;
    let verdict = Scan { rule, test, ..scan() }.run(&panel, &past, &now).unwrap().verdict;
    assert!((verdict.alone - 0.6).abs() < 1e-12);
    for (null, smallest_p) in [(AucNull::HeldOut, 2.0 / 6.0), (AucNull::Refit, 2.0 / 70.0)] {
        let blocks = EraBlocks { block: 3, gap: 0 };
        let settings =
            Adversarial { blocks, folds: 2, null, level: 0.01, ..Adversarial::default() };
        let report = settings.run(&MeanDifference, &panel, &past[16..], &now).unwrap();
        let reason = Reason::OutOfReach { smallest_p, level: 0.01 };
        assert_eq!(report.found, Found::Undecidable(reason), "{report:?}");
        assert_eq!((report.p, report.importance.len()), (smallest_p, 0));
    }
}

#[test]
fn predictions_are_one_feature_more() {
    let panel = moved();
    let (past, now) = sides(40, 12);
    let prediction: Vec<f32> = (0..panel.rows()).map(|row| (row * 37 % 101) as f32).collect();
    let with = panel.append_features([("prediction", prediction)]).unwrap();
    let report = scan().run(&with, &past, &now).unwrap();
    assert_eq!((report.features.len(), &report.features[12].name[..]), (13, "prediction"));
    assert!(report.features[12].adjusted > 0.05);
}

#[test]
fn no_setting_is_misread() {
    fn refused<T: serde::de::DeserializeOwned>(text: &str) {
        assert!(serde_json::from_str::<T>(text).is_err(), "{text}");
    }
    let wrong = r#"{"levle": 0.1}"#;
    refused::<Scan>(wrong);
    refused::<EraTest>(wrong);
    refused::<EraBlocks>(wrong);
    refused::<fattail_drift::Binning>(wrong);
    refused::<Mmd>(wrong);
    refused::<Adversarial>(wrong);
    refused::<fattail_drift::Cusum>(wrong);
    refused::<fattail_drift::PageHinkley>(wrong);
    refused::<fattail_drift::Adwin>(wrong);
    refused::<fattail_drift::Null>(r#"{"auto": {"draws": 9, "seed": 0, "x": 1}}"#);
    refused::<fattail_drift::Baseline>(r#"{"learnt": {"warm_up": 9, "x": 1}}"#);
    refused::<fattail_drift::Dependence>(r#"{"thin": {"lag": 9, "x": 1}}"#);
    refused::<fattail_drift::FalseAlarms>(r#"{"within": {"eras": 9, "probability": 0.1, "x": 1}}"#);
}

/// Prints seconds: `cargo test --release -p fattail-drift -- --ignored --nocapture wide`.
#[test]
#[ignore = "700 MB: a measurement"]
#[allow(clippy::disallowed_methods, reason = "it measures")]
fn a_wide_panel() {
    let (eras, rows, width) = (60, 5000, 2376);
    let labels: Vec<String> = (0..eras * rows).map(|row| format!("{:04}", row / rows)).collect();
    let mut builder = Panel::builder().eras(&labels).unwrap();
    drop(labels);
    let mut state = 1_u64;
    for feature in 0..width {
        let column = |_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            ((state >> 33) % 5) as u8
        };
        builder = builder
            .feature(format!("x{feature}"), (0..eras * rows).map(column).collect::<Vec<u8>>());
    }
    let panel = builder.build().unwrap();
    let (past, now) = sides(eras, 20);
    for draws in [999, 9999] {
        let scan = Scan { test: EraTest { draws, ..scan().test }, ..scan() };
        let start = std::time::Instant::now();
        let report = scan.run(&panel, &past, &now).unwrap();
        println!("{draws} deals: {:.2?}, {:?}", start.elapsed(), report.verdict);
    }
    let start = std::time::Instant::now();
    let found = Mmd::default().panel(&panel, &past, &now, &scan().test).unwrap();
    println!("MMD of 1,000 rows: {:.2?}, {found:?}", start.elapsed());
}
