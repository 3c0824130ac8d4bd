//! Laws of the gate: training rows pass, corrupted ones do not, and a schema is read as it was written.

use std::sync::OnceLock;

use fattail_core::Panel;
use fattail_guard::{
    BatchReport, Decision, Error, Field, Gate, GateRecipe, GateSchema, IdForm, Kind, Policy, Rule,
};
use fattail_testing::Market;
use proptest::prelude::*;

use super::panels::{ERAS, HOLES, LATE, NUMBER, ROWS, TAIL, WIDTH, parts, row, train};

fn shared() -> &'static (Gate, Panel) {
    static SHARED: OnceLock<(Gate, Panel)> = OnceLock::new();
    SHARED.get_or_init(|| {
        let train = train();
        (GateRecipe::default().learn(&train).unwrap(), train)
    })
}

/// Values that no column of the panel may hold, but for NaN where holes are.
fn corruption() -> impl Strategy<Value = f32> {
    prop_oneof![
        Just(f32::INFINITY),
        Just(f32::NEG_INFINITY),
        Just(1e-41),
        Just(-1e-45),
        (1e5f32..f32::MAX),
        (-f32::MAX..-1e5),
        Just(f32::NAN),
    ]
}

proptest! {
    #[test]
    fn training_rows_pass(at in 0..ERAS * ROWS) {
        let (gate, train) = shared();
        let values = row(train, at);
        prop_assert!(gate.row(&values).is_ok());
        let number = |&v: &f32| if v.is_nan() { Field::Missing } else { Field::Number(f64::from(v)) };
        let fields: Vec<Field<'_>> = values.iter().map(number).collect();
        prop_assert!(super::panels::fields(gate, &fields).is_ok());
    }

    #[test]
    fn one_corrupted_value_is_refused(at in 0..ERAS * ROWS, column in 0..WIDTH, value in corruption()) {
        let (gate, train) = shared();
        let mut values = row(train, at);
        values[column] = value;
        let refused = gate.row(&values);
        if column == HOLES && value.is_nan() {
            prop_assert!(refused.is_ok());
        } else {
            let refused = refused.unwrap_err();
            prop_assert_eq!(refused.position, Some(column));
            let field = |&v: &f32| Field::Number(f64::from(v));
            let fields: Vec<Field<'_>> = values.iter().map(field).collect();
            prop_assert_eq!(super::panels::fields(gate, &fields).unwrap_err().rule, refused.rule);
        }
    }

    /// A batch says of its rows what rows say one at a time.
    #[test]
    fn batches_say_what_rows_say(
        seed in any::<u64>(),
        spoilt in prop::collection::vec((0..ROWS, 3..WIDTH, corruption()), 0..12),
    ) {
        let (gate, _) = shared();
        let mut live = parts(seed, 40, 1);
        for &(at, column, value) in &spoilt {
            live.put(column, at, value);
        }
        let panel = live.panel();
        let report = gate.batch(&panel);
        let refused: Vec<usize> =
            (0..panel.rows()).filter(|&at| gate.row(&row(&panel, at)).is_err()).collect();
        prop_assert_eq!(report.refused_rows(), &refused[..]);
        for verdict in &report.verdicts {
            let first = gate.row(&row(&panel, verdict.row)).unwrap_err();
            prop_assert_eq!(&first, &verdict.first);
        }
    }

    /// What is admitted and what is put aside are the batch, and what is admitted passes.
    #[test]
    fn a_split_loses_nothing(
        seed in any::<u64>(),
        spoilt in prop::collection::vec((0..ROWS, corruption()), 0..4),
    ) {
        let recipe = GateRecipe { most_refused: 0.05, ..GateRecipe::default() };
        let gate = recipe.learn(&shared().1).unwrap();
        let mut live = parts(seed, 40, 1);
        spoilt.iter().for_each(|&(at, value)| live.put(NUMBER, at, value));
        let panel = live.panel();
        let report = gate.batch(&panel);
        let (admitted, quarantine) = report.split().unwrap();
        let admitted = admitted.unwrap();
        let aside = quarantine.panel.as_ref().map_or(0, Panel::rows);
        prop_assert_eq!(admitted.rows() + aside, panel.rows());
        prop_assert_eq!(quarantine.rows.len(), aside);
        prop_assert!(gate.batch(&admitted).is_admitted());
        let mut ids: Vec<&str> = (0..admitted.rows()).filter_map(|row| admitted.id(row)).collect();
        if let Some(aside) = &quarantine.panel {
            ids.extend((0..aside.rows()).filter_map(|row| aside.id(row)));
            prop_assert_eq!(gate.batch(aside).refused, aside.rows());
        }
        ids.sort_unstable();
        let mut all: Vec<&str> = (0..panel.rows()).filter_map(|row| panel.id(row)).collect();
        all.sort_unstable();
        prop_assert_eq!(ids, all);
    }
}

#[test]
fn training_data_and_later_eras_pass() {
    let (gate, train) = shared();
    let report = gate.batch(train);
    assert!(report.is_admitted(), "{report:?}");
    for seed in 0..20 {
        let report = gate.batch(&parts(100 + seed, 20, 3).panel());
        assert!(report.is_admitted(), "{report:?}");
    }
    // Each era by itself.
    for era in 0..ERAS {
        assert!(gate.batch(&train.cut(&[era]).unwrap()).is_admitted());
    }
}

#[test]
fn a_market_passes_its_own_gate() {
    let all =
        Market { eras: 60, rows: 200, late_features: 3, missing_eras: 20, ..Market::default() };
    let panel = all.panel().unwrap();
    let (past, later): (Vec<usize>, Vec<usize>) = ((0..40).collect(), (40..60).collect());
    let gate = GateRecipe::default().learn(&panel.cut(&past).unwrap()).unwrap();
    let report = gate.batch(&panel.cut(&later).unwrap());
    assert!(report.is_admitted(), "{report:?}");
    let numerai = GateRecipe { id: Some(IdForm::numerai()), ..GateRecipe::default() };
    assert!(numerai.learn(&panel).is_ok());
}

#[test]
fn schema_is_read_as_it_was_written() {
    let (gate, _) = shared();
    let text = gate.to_json().unwrap();
    assert_eq!(&Gate::from_json(&text).unwrap(), gate);
    let through: Gate = serde_json::from_str(&serde_json::to_string(gate).unwrap()).unwrap();
    assert_eq!(&through, gate);
}

#[test]
fn a_schema_that_is_not_ours_is_refused() {
    let (gate, _) = shared();
    let text = gate.to_json().unwrap();
    let with = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        Gate::from_json(&text.replacen(from, to, 1)).unwrap_err()
    };
    for version in ["0", "1", "3", "\"2\"", "null", "1.5", "-1", "[1]"] {
        let error = with("\"version\": 2", &format!("\"version\": {version}"));
        assert!(matches!(error, Error::Version { known: 2, .. }), "{version}: {error}");
    }
    assert!(matches!(with("\"version\": 2,", ""), Error::Version { .. }));
    let changes = [
        ("\"policy\"", "\"police\""),
        ("\"quarantine\"", "\"lenient\""),
        ("\"version\": 2", "\"version\": 2, \"version\": 2"),
        ("\"observed\": 0.0", "\"observed\": null"),
        ("\"low\":", "\"lower\":"),
    ];
    for (from, to) in changes {
        assert!(matches!(with(from, to), Error::Json(_)), "{from}");
    }
    let changes = [
        ("\"feature_gaps\"", "\"feature_bins\""),
        ("\"feature_gaps\"", "\"\""),
        ("\"most_refused\": 0.01", "\"most_refused\": 1.5"),
        ("\"observed\": 0.0", "\"observed\": -0.1"),
    ];
    for (from, to) in changes {
        assert!(matches!(with(from, to), Error::Schema { .. }), "{from}");
    }
    for text in ["", "null", "[]", "{}", "nonsense", &text[..text.len() / 2]] {
        assert!(Gate::from_json(text).is_err());
    }
    let changes: [fn(&mut GateSchema); 12] = [
        |schema| schema.features.clear(),
        |schema| schema.eras.forms.clear(),
        |schema| schema.eras.least_rows = usize::MAX,
        |schema| schema.ids.form.as_mut().unwrap().shortest = 99,
        |schema| schema.features[0].kind = Kind::Bins { allowed: vec![] },
        |schema| schema.features[0].kind = Kind::Bins { allowed: vec![2, 1] },
        |schema| schema.features[3].kind = Kind::Number { low: 1.0, high: 0.0, subnormal: false },
        |schema| {
            schema.features[3].kind = Kind::Number { low: 0.0, high: f32::NAN, subnormal: false }
        },
        |schema| schema.features[5].kind = Kind::Set { allowed: vec![0.0, f32::INFINITY] },
        |schema| schema.features[0].missing.observed = 0.5,
        |schema| schema.features[4].missing.low = 1.0,
        |schema| schema.extras.push("feature_bins".into()),
    ];
    for change in changes {
        let mut schema = gate.schema().clone();
        change(&mut schema);
        assert!(matches!(Gate::new(schema), Err(Error::Schema { .. })));
    }
}

#[test]
fn what_is_learnt() {
    let (gate, train) = shared();
    let schema = gate.schema();
    let kinds: Vec<&Kind> = schema.features.iter().map(|feature| &feature.kind).collect();
    assert_eq!(*kinds[0], Kind::Bins { allowed: vec![0, 1, 2, 3, 4] });
    assert_eq!(*kinds[1], Kind::Bins { allowed: vec![0, 2, 4] });
    assert_eq!(*kinds[5], Kind::Set { allowed: vec![0.0, 0.25, 0.5, 0.75, 1.0] });
    assert_eq!(*kinds[7], Kind::Set { allowed: vec![1.5] });
    let Kind::Number { low, high, subnormal } = *kinds[3] else { panic!("{:?}", kinds[3]) };
    assert!(!subnormal && (-3.1..-2.7).contains(&low) && (2.7..3.1).contains(&high));
    let Kind::Number { low, high, .. } = *kinds[6] else { panic!("{:?}", kinds[6]) };
    let tail = train.feature(TAIL).to_f32();
    assert!(tail.iter().all(|value| (low..=high).contains(value)));
    let missing = &schema.features[HOLES].missing;
    assert!(missing.low < missing.observed && missing.observed < missing.high);
    assert!((missing.observed - 0.1).abs() < 0.03);
    assert_eq!(schema.features[LATE].missing.wholly_eras, 1);
    assert_eq!(schema.ids.form.as_ref().unwrap(), &IdForm::numerai());
    assert!(schema.ids.one_era);
    assert_eq!((schema.eras.least_rows, schema.eras.most_rows), (225, 375));
}

#[test]
fn training_data_that_cannot_be_learnt_is_refused() {
    let learn = |recipe: GateRecipe, spoil: &dyn Fn(&mut super::panels::Parts)| {
        let mut parts = parts(1, 1, 2);
        spoil(&mut parts);
        recipe.learn(&parts.panel()).unwrap_err()
    };
    let default = GateRecipe::default;
    let error = learn(default(), &|p| p.put(NUMBER, 7, f32::INFINITY));
    assert!(matches!(error, Error::Training { row: 7, .. }), "{error}");
    let error = learn(default(), &|p| p.put(NUMBER, 7, 1e30));
    assert!(matches!(error, Error::Training { row: 7, .. }), "{error}");
    let error = learn(GateRecipe { hard_high: 0.5, ..default() }, &|_| {});
    assert!(matches!(error, Error::Training { .. }), "{error}");
    let error = learn(GateRecipe { bins: vec![0, 1, 2], ..default() }, &|_| {});
    assert!(matches!(error, Error::Training { .. }), "{error}");
    let error = learn(GateRecipe { id: Some(IdForm::numerai()), ..default() }, &|p| {
        p.ids_mut()[4] = "x".into();
    });
    assert!(matches!(error, Error::Training { row: 4, .. }), "{error}");
    let error = learn(default(), &|p| p.ids_mut()[4] = "n 1".into());
    assert!(matches!(error, Error::Training { row: 4, .. }), "{error}");
    let error = learn(default(), &|p| (0..2 * ROWS).for_each(|row| p.put(HOLES, row, f32::NAN)));
    assert!(matches!(error, Error::NoValues { .. }), "{error}");
    for recipe in [
        GateRecipe { tail: 0.5, ..default() },
        GateRecipe { margin: -1.0, ..default() },
        GateRecipe { reach: f64::NAN, ..default() },
        GateRecipe { most_refused: 2.0, ..default() },
        GateRecipe { hard_low: 1.0, hard_high: 0.0, ..default() },
        GateRecipe { rows_margin: f64::INFINITY, ..default() },
    ] {
        assert!(matches!(learn(recipe, &|_| {}), Error::Setting { .. }));
    }
    let bare = Panel::builder().target("y", vec![0.5f32]).build().unwrap();
    assert!(matches!(default().learn(&bare), Err(Error::Schema { .. })));
}

#[test]
fn a_report_cuts_the_panel_that_it_is_of() {
    let gate = GateRecipe { most_refused: 0.05, ..GateRecipe::default() };
    let gate = gate.learn(&shared().1).unwrap();
    // Two of one shape.
    let (mut one, mut other) = (parts(3, 30, 1), parts(4, 30, 1));
    one.put(NUMBER, 12, f32::NAN);
    other.put(NUMBER, 13, f32::NAN);
    let reports = [one, other].map(|parts| gate.batch(&parts.panel()));
    for (report, row) in reports.iter().zip([12, 13]) {
        assert_eq!(report.refused_rows(), [row]);
        let (admitted, quarantine) = report.clone().split().unwrap();
        assert!(gate.batch(&admitted.unwrap()).is_admitted());
        assert!(quarantine.panel.unwrap().feature(NUMBER).to_f32()[0].is_nan());
    }
}

#[test]
fn lines_of_the_quarantine() {
    let gate = GateRecipe { most_refused: 0.01, ..GateRecipe::default() };
    let gate = gate.learn(&shared().1).unwrap();
    let mut live = parts(3, 30, 1);
    live.put(NUMBER, 12, f32::NAN);
    live.put(TAIL, 12, f32::INFINITY);
    live.put(NUMBER, 200, 1e30);
    let panel = live.panel();
    let report: BatchReport = gate.batch(&panel);
    assert_eq!(report.decision(), Decision::Quarantined);
    let (_, quarantine) = report.split().unwrap();
    let mut lines = Vec::new();
    quarantine.write_json_lines(&mut lines).unwrap();
    let lines = String::from_utf8(lines).unwrap();
    let lines: Vec<serde_json::Value> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    let row = &lines[0]["row"];
    assert_eq!((row["row"].as_u64(), row["era"].as_str()), (Some(12), Some("0030")));
    assert_eq!((row["faults"].as_u64(), row["id"].as_str()), (Some(2), panel.id(12)));
    assert_eq!(row["first"]["rule"], "missing");
    assert_eq!(lines[1]["row"]["first"]["value"], "1e30");
    // The report itself is JSON.
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!((json["refused"].as_u64(), json["rows"].as_u64()), (Some(2), Some(300)));
}

#[test]
fn details_of_a_hopeless_batch_are_bounded() {
    let train = Panel::builder().feature("x", vec![0.5f32, 0.25, 1.0]).build().unwrap();
    let recipe = GateRecipe { rows_margin: 1e9, ..GateRecipe::default() };
    let gate = recipe.learn(&train).unwrap();
    let bad = Panel::builder().feature("x", vec![f32::NAN; 30_000]).build().unwrap();
    let report = gate.batch(&bad);
    assert_eq!((report.refused, report.verdicts.len(), report.untold), (30_000, 10_000, 20_000));
    assert_eq!(
        report.batch.iter().map(|v| v.rule).collect::<Vec<_>>(),
        [Rule::AllMissing, Rule::NewlyMissing, Rule::RefusedShare, Rule::FewRows]
    );
    let strict = GateRecipe { policy: Policy::Strict, rows_margin: 1e9, ..GateRecipe::default() };
    let strict = strict.learn(&train).unwrap();
    let mut one = vec![0.5f32; 30_000];
    one[29_999] = f32::NAN;
    let one = Panel::builder().feature("x", one).build().unwrap();
    assert_eq!(strict.batch(&one).decision(), Decision::Refused);
    assert_eq!(gate.batch(&one).decision(), Decision::Quarantined);
}
