//! What is learnt: outliers and odd eras are errors, targets without values are left unchecked, records
//! become the panel that they were.

use fattail_core::Panel;
use fattail_guard::{
    BatchReport, Decision, Error, Field, Gate, GateRecipe, Kind, Presence, Record, Rule,
};

use super::panels::{BINS, Column, HOLES, NUMBER, Parts, ROWS, SET, names, parts, row, train};

fn learn(spoil: impl Fn(&mut Parts), eras: usize) -> Result<Gate, Error> {
    let mut parts = parts(1, 1, eras);
    spoil(&mut parts);
    let panel = parts.panel();
    let gate = GateRecipe::default().learn(&panel)?;
    let report = gate.batch(&panel);
    assert!(report.is_admitted(), "{:?} {:?}", report.batch, report.verdicts.first());
    Ok(gate)
}

fn of_numbers(values: Vec<f32>) -> Result<Kind, Error> {
    let panel = Panel::builder().feature("x", values).build().unwrap();
    let gate = GateRecipe::default().learn(&panel)?;
    assert!(gate.batch(&panel).is_admitted());
    Ok(gate.schema().features[0].kind.clone())
}

/// So many numbers between -1 and 1, none of them 0.
fn spread(n: usize) -> Vec<f32> {
    (0..n).map(|at| 2.0 * (at as f32 + 0.5) / n as f32 - 1.0).collect()
}

#[test]
fn an_outlier_is_not_learnt_whatever_the_column_looks_like() {
    let refused = |values: Vec<f32>| matches!(of_numbers(values), Err(Error::Training { .. }));
    let zeros = |n: usize, rest: &[f32]| [&vec![0.0; n][..], rest].concat();
    // Nearly all zero, few numbers, one outlier.
    assert!(refused(zeros(9_960, &[&spread(39)[..], &[1e30]].concat())));
    // A set with one.
    assert!(refused(zeros(9_999, &[1e30])));
    assert!(refused(zeros(5_000, &[&vec![1.0; 4_999][..], &[1e30]].concat())));
    let quarters: Vec<f32> = (0..10_000).map(|at| (at % 5) as f32 / 4.0).collect();
    assert!(refused([&quarters[..], &[1e30]].concat()));
    // More outliers on one side than the tail.
    assert!(refused([&spread(9_900)[..], &[1e30; 100]].concat()));
    let wild: Vec<f32> = (0..100).map(|at| -1e30 - 1e28 * at as f32).collect();
    assert!(refused([&spread(9_900)[..], &wild].concat()));
    // The same without the outlier.
    let Kind::Number { low, high, .. } = of_numbers(zeros(9_960, &spread(39))).unwrap() else {
        panic!("numbers")
    };
    assert!((-3.0..=-1.0).contains(&low) && (1.0..=3.0).contains(&high), "{low} {high}");
    assert_eq!(of_numbers(zeros(9_999, &[1.0])).unwrap(), Kind::Set { allowed: vec![0.0, 1.0] });
    assert!(matches!(of_numbers(quarters).unwrap(), Kind::Set { allowed } if allowed.len() == 5));
    // A reach without end takes everything.
    let recipe = GateRecipe { reach: f64::INFINITY, ..GateRecipe::default() };
    let panel = Panel::builder().feature("x", zeros(9_999, &[1e30])).build().unwrap();
    assert!(recipe.learn(&panel).is_ok());
}

#[test]
fn an_odd_era_is_not_learnt() {
    let era = |at: usize| at * ROWS..(at + 1) * ROWS;
    let odd = |spoil: &dyn Fn(&mut Parts), label: &str| match learn(spoil, 10) {
        Err(Error::OddEra { era, .. }) => assert_eq!(era, label),
        other => panic!("{other:?}"),
    };
    let fill = |p: &mut Parts, at: usize, columns: &[usize], value: f32| {
        for &column in columns {
            era(at).for_each(|row| p.put(column, row, value));
        }
    };
    // All features missing, or stuck; all rows one; missing values of a column; a rest of an era.
    odd(&|p| fill(p, 4, &[0, 1, 2, 3, 4, 6], 2.0), "0005");
    let stuck = |p: &mut Parts| {
        fill(p, 4, &[0, 1, 2], 4.0);
        fill(p, 4, &[3, 5, 6], 0.25);
    };
    odd(&stuck, "0005");
    odd(&|p| era(7).skip(1).for_each(|row| p.copy_row(7 * ROWS, row)), "0008");
    odd(&|p| fill(p, 3, &[HOLES], f32::NAN), "0004");
    odd(&|p| p.keep(|row| !era(2).skip(1).any(|gone| gone == row)), "0003");
    // The last one by leave, and then the gate is as wide as that.
    let keep = GateRecipe { keep_odd_eras: true, ..GateRecipe::default() };
    let mut short = parts(1, 1, 10);
    short.keep(|row| !era(2).skip(1).any(|gone| gone == row));
    assert_eq!(keep.learn(&short.panel()).unwrap().schema().eras.least_rows, 0);
    // A column that begins later is as it should be, and so are few eras without others.
    learn(|p| fill(p, 0, &[HOLES], f32::NAN), 10).unwrap();
    learn(|p| (0..3).for_each(|at| fill(p, at, &[HOLES], f32::NAN)), 10).unwrap();
    learn(|p| fill(p, 1, &[HOLES], f32::NAN), 3).unwrap();
}

#[test]
fn what_eras_look_like_is_learnt() {
    let gate = learn(|_| {}, 6).unwrap();
    let schema = gate.schema();
    let features = &schema.features;
    assert!(features[BINS].fullest < 0.35 && features[NUMBER].fullest < 0.01);
    assert!((0.2..0.35).contains(&features[SET].fullest));
    assert_eq!(features[7].fullest, 1.0);
    assert!(features.iter().all(|feature| !feature.twin));
    assert!((schema.batch.most_stuck - (1.0 / 8.0 + 0.01)).abs() < 1e-12);
    assert!((schema.batch.most_equal - 0.01).abs() < 1e-12);
    // Two features that were equal may be.
    let twins = |p: &mut Parts| p.features[BINS].1 = p.features[2].1.clone();
    let gate = learn(twins, 6).unwrap();
    assert!(gate.schema().features[BINS].twin && gate.schema().features[2].twin);
    let mut later = parts(2, 40, 1);
    twins(&mut later);
    assert!(gate.batch(&later.panel()).is_admitted());
    // A feature that is a target.
    let error = learn(|p| p.features[SET].1 = Column::Numbers(p.targets[0].1.clone()), 3);
    assert!(matches!(error, Err(Error::Alias { .. })));
    // A flag that is rare may be constant by chance.
    let flag = |p: &mut Parts, every: usize| {
        let rows = p.eras.len();
        p.features[SET].1 =
            Column::Numbers((0..rows).map(|row| f32::from(u8::from(row % every == 1))).collect());
    };
    let gate = learn(|p| flag(p, 100), 6).unwrap();
    let mut later = parts(2, 40, 1);
    flag(&mut later, 10_000);
    later.put(SET, 1, 0.0);
    assert!(gate.batch(&later.panel()).is_admitted());
}

#[test]
fn targets_without_labels() {
    let empty = |p: &mut Parts| p.targets[1].1.fill(f32::NAN);
    let gate = learn(empty, 3).unwrap();
    assert_eq!(gate.schema().targets.unchecked, ["target_aux"]);
    assert_eq!(gate.schema().targets.columns.len(), 1);
    // Labels have come meanwhile: they are not looked at, and kept.
    let live = parts(2, 40, 1).panel();
    let report = gate.batch(&live);
    assert!(report.is_admitted(), "{report:?}");
    assert!(report.split().unwrap().0.unwrap().target_named("target_aux").is_ok());
    let recipe = GateRecipe { targets: Presence::Required, ..GateRecipe::default() };
    let mut train = parts(1, 1, 3);
    empty(&mut train);
    let gate = recipe.learn(&train.panel()).unwrap();
    let mut bare = parts(2, 40, 1);
    bare.targets.pop();
    assert_eq!(gate.batch(&bare.panel()).batch[0].rule, Rule::TargetMissing);
}

/// A panel as rows from outside.
fn from_outside(gate: &Gate, panel: &Panel, spoilt: &[usize]) -> BatchReport {
    let field = |value: f32| match value.is_nan() {
        true => Field::Missing,
        false => Field::Number(f64::from(value)),
    };
    let rows: Vec<Vec<Field<'_>>> =
        (0..panel.rows()).map(|at| row(panel, at).into_iter().map(field).collect()).collect();
    let mut rows = rows;
    spoilt.iter().for_each(|&at| rows[at][NUMBER] = Field::Text("NaN"));
    let era = |at| panel.eras().label(panel.eras().of_row(at).unwrap());
    let record = |(at, fields)| Record { era: era(at), id: panel.id(at), fields };
    let records: Vec<Record<'_>> = rows.iter().map(Vec::as_slice).enumerate().map(record).collect();
    gate.reader(&names()).unwrap().records(&records)
}

#[test]
fn records_become_the_panel_that_they_were() {
    let gate = GateRecipe { most_refused: 0.05, ..GateRecipe::default() }.learn(&train()).unwrap();
    let panel = parts(5, 40, 2).panel();
    let report = from_outside(&gate, &panel, &[3, 450]);
    assert_eq!((report.decision(), report.eras), (Decision::Quarantined, 2), "{report:?}");
    let (admitted, quarantine) = report.split().unwrap();
    let admitted = admitted.unwrap();
    assert_eq!((admitted.rows(), quarantine.rows.len()), (2 * ROWS - 2, 2));
    assert!(quarantine.panel.is_none());
    assert!(admitted.feature(BINS).is_u8() && !admitted.feature(SET).is_u8());
    let kept: Vec<usize> = (0..panel.rows()).filter(|at| ![3, 450].contains(at)).collect();
    for (at, &was) in kept.iter().enumerate() {
        assert_eq!(admitted.id(at), panel.id(was));
        let same = row(&admitted, at)
            .iter()
            .zip(row(&panel, was))
            .all(|(a, b)| a.to_bits() == b.to_bits());
        assert!(same, "{at}");
    }
    assert!(gate.batch(&admitted).is_admitted());
}

#[test]
fn records_are_looked_at_as_a_whole() {
    let gate = GateRecipe::default().learn(&train()).unwrap();
    let rules = |spoil: &dyn Fn(&mut Parts)| {
        let mut live = parts(5, 40, 1);
        spoil(&mut live);
        let report = from_outside(&gate, &live.panel(), &[]);
        report.batch.iter().map(|verdict| verdict.rule).collect::<Vec<_>>()
    };
    let fill =
        |p: &mut Parts, at: usize, value: f32| (0..ROWS).for_each(|row| p.put(at, row, value));
    assert_eq!(rules(&|_| {}), []);
    assert_eq!(rules(&|p| fill(p, BINS, 0.0)), [Rule::Stuck]);
    assert_eq!(rules(&|p| fill(p, NUMBER, 0.5)), [Rule::Stuck]);
    assert_eq!(rules(&|p| fill(p, NUMBER, 2.0)), [Rule::NewlyMissing]);
    assert_eq!(rules(&|p| (1..30).for_each(|row| p.copy_row(0, row))), [Rule::RowsEqual]);
    assert_eq!(rules(&|p| p.features[BINS].1 = p.features[2].1.clone()), [Rule::ColumnsEqual]);
    assert_eq!(
        rules(&|p| (0..200).for_each(|row| p.put(HOLES, row, f32::NAN))),
        [Rule::MissingShare]
    );
}

#[test]
fn an_id_read_as_the_era_is_refused_soon() {
    let labels: Vec<String> = (0..50_000).map(|at| at.to_string()).collect();
    let fields = [Field::Number(0.25)];
    let records: Vec<Record<'_>> =
        labels.iter().map(|era| Record { era, id: None, fields: &fields }).collect();
    // Labels that no era has: rows fall, and no era is counted.
    let rows =
        |label: &str| Panel::builder().eras(&vec![label; 300]).unwrap().feature("x", spread(300));
    let gate = GateRecipe::default().learn(&rows("era1").build().unwrap()).unwrap();
    let report = gate.reader(&["x"]).unwrap().records(&records);
    assert_eq!((report.refused, report.eras), (50_000, 0));
    assert_eq!(report.verdicts[0].first.rule, Rule::EraForm);
    // Labels that an era could have: there are too many.
    let gate = GateRecipe {
        eras: labels.iter().step_by(1000).cloned().collect(),
        ..GateRecipe::default()
    };
    let gate = GateRecipe { most_eras: 10, ..gate };
    let gate = gate.learn(&rows("7").build().unwrap()).unwrap();
    let report = gate.reader(&["x"]).unwrap().records(&records);
    assert_eq!((report.batch.len(), report.batch[0].rule), (1, Rule::ManyEras));
    let runs: Vec<&str> = labels[..50].iter().map(|label| &**label).collect();
    let panel = Panel::builder().eras(&runs).unwrap().feature("x", spread(50)).build().unwrap();
    assert_eq!(gate.batch(&panel).batch[0].rule, Rule::ManyEras);
}

#[test]
fn a_verdict_tells_some_faults_of_a_row() {
    let gate = GateRecipe { most_refused: 0.05, ..GateRecipe::default() }.learn(&train()).unwrap();
    let mut live = parts(5, 40, 1);
    for column in [NUMBER, HOLES, SET] {
        live.put(column, 9, f32::INFINITY);
    }
    let report = gate.batch(&live.panel());
    let verdict = &report.verdicts[0];
    assert_eq!((verdict.faults, verdict.next.len()), (3, 2));
    assert_eq!((verdict.first.position, verdict.next[1].position), (Some(NUMBER), Some(SET)));
    let panel = (0..20)
        .fold(Panel::builder(), |b, at| b.feature(format!("f{at}"), spread(30)))
        .build()
        .unwrap();
    let bad =
        (0..20).fold(Panel::builder(), |b, at| b.feature(format!("f{at}"), vec![f32::NAN; 30]));
    let gate = GateRecipe::default().learn(&panel).unwrap();
    let report = gate.batch(&bad.build().unwrap());
    assert_eq!((report.verdicts[0].faults, report.verdicts[0].next.len()), (20, 7));
}
