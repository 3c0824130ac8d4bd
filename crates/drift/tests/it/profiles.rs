//! Profiles: the reference counted once, and panels that do not hold it.

use fattail_core::{ColumnData, Panel, Result as CoreResult};
use fattail_drift::{EraBlocks, EraTest, Found, Profile, Reason, Scan, ScanReport};

use crate::draws::Draws;

const ERAS: usize = 48;
const NOW: usize = 12;
const ROWS: usize = 25;

fn scan() -> Scan {
    let blocks = EraBlocks { block: 2, gap: 1 };
    Scan { test: EraTest { blocks, draws: 199, seed: 4 }, ..Scan::default() }
}

/// Two features of bins and two of numbers; the second and the fourth move in the last eras.
fn panel(eras: std::ops::Range<usize>) -> Panel {
    let mut draws = Draws::new(17, 0);
    let mut columns: [Vec<f32>; 4] = Default::default();
    for era in 0..ERAS {
        let shift = if era >= ERAS - NOW { 0.8 } else { 0.0 };
        for row in 0..ROWS {
            let number = |draws: &mut Draws, shift: f64| (draws.normal() + shift) as f32;
            columns[0].push(draws.bins(1, 0.0)[0].into());
            columns[1].push(draws.bins(1, shift)[0].into());
            let hole = row == 0 && era % 5 == 0;
            columns[2].push(if hole { f32::NAN } else { number(&mut draws, 0.0) });
            columns[3].push(number(&mut draws, shift));
        }
    }
    let rows = eras.start * ROWS..eras.end * ROWS;
    let labels: Vec<String> = rows.clone().map(|row| format!("{:03}", row / ROWS)).collect();
    let bins =
        |at: usize| -> Vec<u8> { columns[at][rows.clone()].iter().map(|&x| x as u8).collect() };
    Panel::builder()
        .eras(&labels)
        .unwrap()
        .feature("a", bins(0))
        .feature("b", bins(1))
        .feature("c", columns[2][rows.clone()].to_vec())
        .feature("d", columns[3][rows.clone()].to_vec())
        .build()
        .unwrap()
}

fn list(eras: std::ops::Range<usize>) -> Vec<usize> {
    eras.collect()
}

/// Written and read, as a profile is.
fn kept(scan: &Scan, panel: &Panel, reference: &[usize]) -> Profile {
    let text = serde_json::to_string(&scan.profile(panel, reference).unwrap()).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn both() -> (ScanReport, ScanReport) {
    let one = scan().run(&panel(0..ERAS), &list(0..36), &list(36..48)).unwrap();
    let profile = kept(&scan(), &panel(0..36), &list(0..36));
    assert_eq!((profile.eras().len(), profile.features().len()), (36, 4));
    (one, profile.scan(&panel(36..48), &list(0..12)).unwrap())
}

#[test]
fn a_profile_scans_as_one_panel_does() {
    let (one, two) = both();
    assert_eq!((one.eras, one.rows, one.blocks), (two.eras, two.rows, two.blocks));
    assert_eq!(one.heat, two.heat);
    assert_eq!(one.verdict.found, Found::Drift);
    assert_eq!(two.verdict.found, Found::Drift);
    // Bins to the bit; the adjusted p-value also depends on the others.
    for (one, two) in one.features[..2].iter().zip(&two.features) {
        let same = |f: &fattail_drift::FeatureDrift| fattail_drift::FeatureDrift {
            q: 0.0,
            adjusted: 0.0,
            ..f.clone()
        };
        assert_eq!(same(one), same(two));
    }
    for (one, two) in one.features[2..].iter().zip(&two.features[2..]) {
        assert_eq!(
            (one.psi, one.jensen_shannon, one.row_p),
            (two.psi, two.jensen_shannon, two.row_p)
        );
        assert_eq!(one.missing, two.missing);
        assert!(two.smirnov <= one.smirnov && two.smirnov > one.smirnov - 0.05);
        assert!(two.wasserstein.is_nan());
    }
    assert!(two.features[3].adjusted < 0.02 && two.features[2].adjusted > 0.05);
}

#[test]
fn few_values_are_scanned_whole() {
    let numbers = |panel: &Panel| {
        let column = panel.feature(1).to_f32();
        panel.select(&["a"]).unwrap().append_features([("b", column)]).unwrap()
    };
    let one = scan().run(&panel(0..ERAS), &list(0..36), &list(36..48)).unwrap();
    let profile = kept(&scan(), &numbers(&panel(0..36)), &list(0..36));
    let two = profile.scan(&numbers(&panel(36..48)), &list(0..12)).unwrap();
    assert_eq!(one.features[1].wasserstein, two.features[1].wasserstein);
    assert_eq!(
        (one.features[1].p, one.features[1].smirnov),
        (two.features[1].p, two.features[1].smirnov)
    );
}

#[test]
fn one_era_is_ranked_among_the_reference() {
    let profile = kept(&scan(), &panel(0..36), &list(0..36));
    let report = profile.scan(&panel(40..41), &[0]).unwrap();
    // Single eras, every other one, since one lies between.
    assert_eq!((report.block, report.blocks), (1, [18, 1]));
    let smallest_p = 1.0 / 19.0;
    assert_eq!(report.smallest_p, smallest_p);
    let reason = Reason::OutOfReach { smallest_p, level: 0.05 };
    assert_eq!(report.verdict.found, Found::Undecidable(reason));
    let test = EraTest { blocks: EraBlocks { block: 4, gap: 0 }, ..scan().test };
    let profile = kept(&Scan { test, ..scan() }, &panel(0..36), &list(0..36));
    let odd = panel(40..41).replace_features([(1, vec![4_u8; ROWS])]).unwrap();
    let report = profile.scan(&odd, &[0]).unwrap();
    assert_eq!((report.blocks, report.verdict.found), ([36, 1], Found::Drift));
    let report = profile.scan(&panel(40..43), &[0, 1, 2]).unwrap();
    assert_eq!((report.block, report.blocks), (3, [12, 1]));
}

#[test]
fn other_features_are_told() {
    let profile = kept(&scan(), &panel(0..36), &list(0..36));
    let now = panel(36..48);
    let column = |at: usize| ColumnData::from(now.feature(at).to_f32());
    let scanned = |features: Vec<(&str, ColumnData)>| -> CoreResult<ScanReport> {
        Ok(profile.scan(&now.with_features(features)?, &list(0..12))?)
    };
    let report = scanned(vec![
        ("new", column(0)),
        ("a", column(0)),
        ("c", column(2)),
        ("e", column(3)),
        ("f", column(3)),
    ])
    .unwrap();
    assert_eq!(report.changed.added, ["new", "f"]);
    assert_eq!(report.changed.removed, ["b"]);
    assert_eq!(report.changed.renamed, [("d".to_owned(), "e".to_owned())]);
    assert_eq!(report.changed.retyped, ["a"]);
    assert_eq!((report.features.len(), &report.features[0].name[..]), (1, "c"));
    // Calm, as far as it was seen.
    let reason = Reason::NotCompared { features: 3 };
    assert_eq!(report.verdict.found, Found::Undecidable(reason));
    let report = scanned(vec![("z", column(0))]).unwrap();
    assert_eq!(report.verdict.found, Found::Undecidable(Reason::NoFeatures));
}

#[test]
fn what_a_profile_refuses() {
    let profile = scan().profile(&panel(0..36), &list(0..36)).unwrap();
    let error = profile.scan(&panel(35..48), &list(0..13)).unwrap_err().to_string();
    assert_eq!(error, "era 0 of 'current' is not allowed: an era of the profile has its label");
    let error = profile.scan(&panel(36..48), &[12]).unwrap_err().to_string();
    assert_eq!(error, "era 12 of 'current' is not allowed: the panel has no such era");
    assert!(scan().profile(&panel(0..36), &[3, 3]).is_err());
    assert!(Scan { level: 0.0, ..scan() }.profile(&panel(0..36), &[3]).is_err());
    let mut text = serde_json::to_value(&profile).unwrap();
    text["eras"]["rows"][3] = 24.into();
    let changed: Profile = serde_json::from_value(text.clone()).unwrap();
    let error = changed.scan(&panel(36..48), &list(0..12)).unwrap_err().to_string();
    assert_eq!(error, "the profile's counts do not fit together");
    text["eras"]["positions"] = vec![7].into();
    let changed: Profile = serde_json::from_value(text).unwrap();
    let error = changed.scan(&panel(36..48), &list(0..12)).unwrap_err().to_string();
    assert_eq!(error, "the profile's eras do not fit together");
}

#[test]
fn infinite_and_missing_numbers_survive() {
    let labels: Vec<String> = (0..120).map(|row| format!("{:03}", row / 10)).collect();
    let of = |eras: std::ops::Range<usize>, all: &[f32], hollow: f32| {
        let rows = eras.start * 10..eras.end * 10;
        Panel::builder()
            .eras(&labels[rows.clone()])
            .unwrap()
            .feature("x", all[rows.clone()].to_vec())
            .feature("hollow", vec![hollow; rows.len()])
            .build()
            .unwrap()
    };
    let mut x = Draws::new(3, 0).normals(120, 0.0);
    x.iter_mut().step_by(7).for_each(|x| *x = f64::INFINITY);
    x.iter_mut().step_by(11).for_each(|x| *x = f64::NEG_INFINITY);
    let x: Vec<f32> = x.into_iter().map(|x| x as f32).collect();
    let settings =
        Scan { test: EraTest { blocks: EraBlocks { block: 1, gap: 0 }, ..scan().test }, ..scan() };
    let profile = kept(&settings, &of(0..8, &x, f32::NAN), &list(0..8));
    let two = profile.scan(&of(8..12, &x, 1.0), &list(0..4)).unwrap();
    let whole = of(0..12, &x, f32::NAN).replace_features([(
        1,
        (0..120).map(|row| if row < 80 { f32::NAN } else { 1.0 }).collect::<Vec<f32>>(),
    )]);
    let one = settings.run(&whole.unwrap(), &list(0..8), &list(8..12)).unwrap();
    for (one, two) in one.features.iter().zip(&two.features) {
        assert_eq!((one.psi, one.missing), (two.psi, two.missing));
    }
    assert_eq!(
        (two.features[1].missing, two.features[1].adjusted),
        ([1.0, 0.0], one.features[1].adjusted)
    );
    let text = serde_json::to_string(&one).unwrap();
    serde_json::from_str::<ScanReport>(&text).unwrap();
}

#[test]
fn a_heat_map_with_holes_is_read_back() {
    let (one, _) = both();
    let mut heat = one.heat.unwrap();
    heat.psi[3] = f32::NAN;
    let again: fattail_drift::Heat =
        serde_json::from_str(&serde_json::to_string(&heat).unwrap()).unwrap();
    assert!(again.psi[3].is_nan() && again.psi[4..] == heat.psi[4..]);
}
