//! Every kind of fault is refused by its rule: a table of rows, texts, ids, eras, columns and batches.

use std::collections::BTreeSet;

use fattail_core::Panel;
use fattail_guard::{
    Additional, BatchReport, Decision, Field, Gate, GateRecipe, Policy, Presence, Record, Rule,
};

use super::panels::{
    BINS, Column, FIXED, GAPS, HOLES, LATE, NUMBER, Parts, ROWS, SET, TAIL, WIDTH, fields, names,
    parts, row, train,
};

/// Kinds of faults seen, each by a name that no other has.
#[derive(Default)]
struct Kinds(BTreeSet<String>);

impl Kinds {
    fn add(&mut self, kind: String) {
        assert!(self.0.insert(kind.clone()), "{kind} stands in the table twice");
    }
}

fn strict() -> GateRecipe {
    GateRecipe { policy: Policy::Strict, ..GateRecipe::default() }
}

fn gate() -> Gate {
    strict().learn(&train()).unwrap()
}

/// A good batch after the training eras.
fn live() -> Parts {
    parts(2, 50, 1)
}

const NAMES: [&str; WIDTH] = ["bins", "gaps", "late", "number", "holes", "set", "tail", "fixed"];

/// Numbers that no column of a kind may hold.
fn bad_numbers() -> Vec<(usize, f32, Rule)> {
    let mut all = Vec::new();
    let mut put = |columns: &[usize], values: &[f32], rule: Rule| {
        for &column in columns {
            all.extend(values.iter().map(|&value| (column, value, rule)));
        }
    };
    let (bins, every) = ([BINS, GAPS, LATE], [BINS, GAPS, LATE, NUMBER, HOLES, SET, TAIL, FIXED]);
    put(&[BINS, GAPS, LATE, NUMBER, SET, TAIL, FIXED], &[f32::NAN], Rule::Missing);
    put(&every, &[f32::INFINITY, f32::NEG_INFINITY], Rule::Infinite);
    let fractions = [0.5, 1.999_999_9, 2.000_000_2, -0.5, 1e-40, 1e-30, 4.5];
    put(&bins, &fractions, Rule::Fraction);
    put(&bins, &[-0.0], Rule::NegativeZero);
    put(&bins, &[5.0, -1.0, 255.0, 256.0, 1e30, -1e30, 16_777_216.0, f32::MAX], Rule::UnknownBin);
    put(&[GAPS], &[1.0, 3.0], Rule::UnknownBin);
    put(&[SET], &[-0.0], Rule::NegativeZero);
    put(&[SET], &[0.3, 0.250_000_03, 2.0, -0.25, 1e-40, 1e30, f32::MIN], Rule::UnknownValue);
    put(&[FIXED], &[0.0, 1.0, 1.500_000_1, -1.5], Rule::UnknownValue);
    put(&[NUMBER, HOLES], &[3.1, 1e30, f32::MAX], Rule::Above);
    put(&[NUMBER, HOLES], &[-3.1, -1e30, f32::MIN], Rule::Below);
    put(&[TAIL], &[1e30, 1e9], Rule::Above);
    put(&[TAIL], &[-1e30, -1e9], Rule::Below);
    put(&[NUMBER, HOLES, TAIL], &[1e-40, -1e-45], Rule::Subnormal);
    all
}

#[test]
fn rows_of_numbers() {
    let (gate, train) = (gate(), train());
    let good = row(&train, 700);
    gate.row(&good).unwrap();
    for (column, value, rule) in bad_numbers() {
        let mut spoilt = good.clone();
        spoilt[column] = value;
        let refused = gate.row(&spoilt).unwrap_err();
        assert_eq!(
            (refused.rule, refused.position),
            (rule, Some(column)),
            "{value} in {}",
            NAMES[column]
        );
    }
    for (width, cut) in [(0, 8), (1, 7), (7, 1)] {
        assert_eq!(gate.row(&good[..width]).unwrap_err().rule, Rule::Width, "{cut} short");
    }
    let long = [&good[..], &good[..1]].concat();
    assert_eq!(gate.row(&long).unwrap_err().rule, Rule::Width);
    // Zeros with a sign are numbers where numbers stand.
    let mut zero = good;
    zero[NUMBER] = -0.0;
    gate.row(&zero).unwrap();
}

/// Texts and their rules.
const TEXTS: [(&str, Rule); 46] = [
    ("", Rule::TextMissing),
    (" ", Rule::TextMissing),
    ("\t", Rule::TextMissing),
    ("\u{a0}", Rule::TextMissing),
    ("\u{feff}", Rule::TextMissing),
    ("\0", Rule::TextMissing),
    ("NaN", Rule::TextMissing),
    ("nan", Rule::TextMissing),
    ("-nan", Rule::TextMissing),
    ("NULL", Rule::TextMissing),
    ("null", Rule::TextMissing),
    ("НULL", Rule::TextMissing),
    ("НУЛЛ", Rule::TextMissing),
    ("ΝaΝ", Rule::TextMissing),
    ("ＮＵＬＬ", Rule::TextMissing),
    ("NA", Rule::TextMissing),
    ("N/A", Rule::TextMissing),
    ("#N/A", Rule::TextMissing),
    ("None", Rule::TextMissing),
    ("NaT", Rule::TextMissing),
    ("\\N", Rule::TextMissing),
    ("-", Rule::TextMissing),
    ("?", Rule::TextMissing),
    ("2", Rule::TextNumber),
    ("2.0", Rule::TextNumber),
    ("1,5", Rule::TextNumber),
    ("1.000,5", Rule::TextNumber),
    ("0x1", Rule::TextNumber),
    ("1e400", Rule::TextNumber),
    ("inf", Rule::TextNumber),
    ("-Infinity", Rule::TextNumber),
    ("∞", Rule::TextNumber),
    ("5%", Rule::TextNumber),
    ("1_000", Rule::TextNumber),
    ("٣", Rule::TextNumber),
    ("\u{2212}1", Rule::TextNumber),
    ("true", Rule::TextTruth),
    ("FALSE", Rule::TextTruth),
    ("yes", Rule::TextTruth),
    ("abc", Rule::Text),
    ("2 apples", Rule::Text),
    ("1;2", Rule::Text),
    ("{}", Rule::Text),
    ("\u{fffd}", Rule::Text),
    ("=1+1", Rule::Text),
    ("0x", Rule::Text),
];

fn bad_fields() -> Vec<(usize, Field<'static>, Rule)> {
    let mut all: Vec<(usize, Field<'static>, Rule)> = Vec::new();
    for column in [BINS, HOLES, SET] {
        all.extend(TEXTS.iter().map(|&(text, rule)| (column, Field::Text(text), rule)));
    }
    for column in 0..WIDTH {
        all.push((column, Field::Truth(true), Rule::Truth));
        all.push((column, Field::Truth(false), Rule::Truth));
        all.push((column, Field::Nested, Rule::Nested));
        if column != HOLES {
            all.push((column, Field::Missing, Rule::Missing));
        }
    }
    for column in [BINS, GAPS, LATE] {
        all.push((column, Field::Integer(5), Rule::UnknownBin));
        all.push((column, Field::Integer(-1), Rule::UnknownBin));
        all.push((column, Field::Integer(i64::MAX), Rule::UnknownBin));
        // Would round to 2 in f32.
        all.push((column, Field::Number(2.000_000_01), Rule::Fraction));
        all.push((column, Field::Number(1e300), Rule::UnknownBin));
        all.push((column, Field::Number(-0.0), Rule::NegativeZero));
    }
    for column in [NUMBER, HOLES, TAIL] {
        // Would round to zero and to infinity.
        all.push((column, Field::Number(1e-60), Rule::Subnormal));
        all.push((column, Field::Number(1e300), Rule::Above));
        all.push((column, Field::Number(-1e300), Rule::Below));
        all.push((column, Field::Integer(i64::MIN), Rule::Below));
    }
    all.push((SET, Field::Number(1e300), Rule::UnknownValue));
    all.push((SET, Field::Number(1e-60), Rule::Subnormal));
    all.push((SET, Field::Integer(2), Rule::UnknownValue));
    all
}

#[test]
fn rows_of_fields() {
    let (gate, train) = (gate(), train());
    let good: Vec<Field<'_>> =
        row(&train, 700).into_iter().map(|value| Field::Number(f64::from(value))).collect();
    let admitted = fields(&gate, &good).unwrap();
    let same = admitted.iter().zip(row(&train, 700)).all(|(a, b)| a.to_bits() == b.to_bits());
    assert!(same);
    for (column, field, rule) in bad_fields() {
        let mut spoilt = good.clone();
        spoilt[column] = field;
        let refused = fields(&gate, &spoilt).unwrap_err();
        assert_eq!(
            (refused.rule, refused.position),
            (rule, Some(column)),
            "{field:?} in {}",
            NAMES[column]
        );
    }
    assert_eq!(fields(&gate, &good[1..]).unwrap_err().rule, Rule::Width);
    assert_eq!(fields(&gate, &[]).unwrap_err().rule, Rule::Width);
    // What is missing where it may be is a NaN, and a whole number is one.
    let mut holes = good.clone();
    (holes[HOLES], holes[BINS]) = (Field::Missing, Field::Integer(3));
    let admitted = fields(&gate, &holes).unwrap();
    assert!(admitted[HOLES].is_nan() && admitted[BINS] == 3.0);
}

#[test]
fn whole_numbers_must_be_exact() {
    let wide: Vec<f32> = (0..1000).map(|at| at as f32 * 40_000.0).collect();
    let train = Panel::builder().feature("volume", wide).build().unwrap();
    let gate = GateRecipe::default().learn(&train).unwrap();
    assert_eq!(fields(&gate, &[Field::Integer(16_777_216)]).unwrap(), [16_777_216.0]);
    assert_eq!(fields(&gate, &[Field::Integer(16_777_217)]).unwrap_err().rule, Rule::Inexact);
}

const BAD_IDS: [(&str, Rule); 16] = [
    ("", Rule::IdEmpty),
    (" ", Rule::IdSpace),
    ("n0123456789abcde ", Rule::IdSpace),
    (" n0123456789abcde", Rule::IdSpace),
    ("n0123456\t89abcde", Rule::IdSpace),
    ("n0123456\n89abcde", Rule::IdSpace),
    ("\u{feff}n0123456789abcde", Rule::IdSpace),
    ("n0123456\089abcde", Rule::IdSpace),
    ("n0123456789ABCDE", Rule::IdForm),
    ("N0123456789abcde", Rule::IdForm),
    ("0123456789abcdef", Rule::IdForm),
    ("n0123456789abcd", Rule::IdForm),
    ("n0123456789abcdef", Rule::IdForm),
    ("n0123456789abcdg", Rule::IdForm),
    ("n01234567-9abcde", Rule::IdForm),
    ("n0123456789аbcde", Rule::IdForm), // a Cyrillic а
];

const BAD_ERAS: [&str; 12] =
    ["", " ", "51", "00051", "era51", "0051 ", " 0051", "005a", "0x51", "-051", "51.0", "００５１"];

/// One changed row of records, and what it is refused for.
fn record_report(
    gate: &Gate,
    at: usize,
    change: impl Fn(Record<'static>) -> Record<'static>,
) -> BatchReport {
    let panel = Box::leak(Box::new(live().panel()));
    let all: Vec<&'static [Field<'static>]> = (0..panel.rows())
        .map(|at| {
            let fields: Vec<Field<'static>> =
                row(panel, at).into_iter().map(|value| Field::Number(f64::from(value))).collect();
            &*fields.leak()
        })
        .collect();
    let mut records: Vec<Record<'static>> = all
        .into_iter()
        .enumerate()
        .map(|(at, fields)| Record { era: panel.eras().label(0), id: panel.id(at), fields })
        .collect();
    records[at] = change(records[at]);
    gate.reader(&names()).unwrap().records(&records)
}

#[test]
fn records() {
    let gate = GateRecipe { most_refused: 0.02, ..GateRecipe::default() }.learn(&train()).unwrap();
    let good = record_report(&gate, 0, |record| record);
    assert!(good.is_admitted(), "{good:?}");
    let expect = |report: &BatchReport, at: usize, rule: Rule| {
        assert_eq!(report.decision(), Decision::Quarantined, "{rule}: {:?}", report.batch);
        let first = &report.verdicts[0];
        assert_eq!((report.refused_rows(), first.row, first.first.rule), (&[at][..], at, rule));
    };
    let loose = GateRecipe { rows_margin: 1.0, most_refused: 0.02, ..GateRecipe::default() };
    let loose = loose.learn(&train()).unwrap();
    for (at, (id, rule)) in BAD_IDS.into_iter().enumerate() {
        expect(&record_report(&gate, at, |record| Record { id: Some(id), ..record }), at, rule);
    }
    for (at, era) in BAD_ERAS.into_iter().enumerate() {
        expect(&record_report(&loose, at, |record| Record { era, ..record }), at, Rule::EraForm);
    }
    expect(&record_report(&gate, 5, |record| Record { id: None, ..record }), 5, Rule::IdMissing);
    let back = record_report(&loose, 299, |record| Record { era: "0049", ..record });
    expect(&back, 299, Rule::EraOrder);
    let short = record_report(&gate, 3, |record| Record { fields: &record.fields[1..], ..record });
    expect(&short, 3, Rule::Width);
    let text = record_report(&gate, 4, |record| {
        let mut fields = record.fields.to_vec();
        fields[NUMBER] = Field::Text("NaN");
        Record { fields: fields.leak(), ..record }
    });
    expect(&text, 4, Rule::TextMissing);
    let twice = record_report(&gate, 9, |record| Record { id: Some("n0123456789abcde"), ..record });
    assert!(twice.is_admitted(), "one id of the form is new");
    let panel = live().panel();
    let first = panel.id(0).unwrap().to_owned().leak();
    let twice = record_report(&gate, 9, |record| Record { id: Some(first), ..record });
    assert_eq!((twice.decision(), twice.batch[0].rule), (Decision::Refused, Rule::IdTwice));
    assert_eq!(gate.reader(&names()).unwrap().records(&[]).batch[0].rule, Rule::FewRows);
}

type Spoil = fn(&mut Parts);

fn set_ids(parts: &mut Parts, id: &str) {
    parts.ids_mut()[7] = id.to_owned();
}

fn fill(parts: &mut Parts, position: usize, value: f32) {
    (0..ROWS).for_each(|row| parts.put(position, row, value));
}

/// Batches, each spoilt in one way, with the rule: of a row where it says so, or else of the whole batch.
const BATCHES: &[(&str, Spoil, Rule, bool)] = &[
    ("bin 5", |p| p.put(BINS, 3, 5.0), Rule::UnknownBin, true),
    ("bin 255, last row", |p| p.put(BINS, ROWS - 1, 255.0), Rule::UnknownBin, true),
    ("bin in a gap", |p| p.put(GAPS, 0, 1.0), Rule::UnknownBin, true),
    ("NaN", |p| p.put(NUMBER, 0, f32::NAN), Rule::Missing, true),
    ("infinity", |p| p.put(NUMBER, 1, f32::INFINITY), Rule::Infinite, true),
    ("minus infinity", |p| p.put(HOLES, 1, f32::NEG_INFINITY), Rule::Infinite, true),
    ("1e30", |p| p.put(NUMBER, 2, 1e30), Rule::Above, true),
    ("-1e30", |p| p.put(TAIL, 2, -1e30), Rule::Below, true),
    ("subnormal", |p| p.put(NUMBER, 2, 1e-40), Rule::Subnormal, true),
    ("no quarter", |p| p.put(SET, 2, 0.3), Rule::UnknownValue, true),
    ("signed zero in a set", |p| p.put(SET, 2, -0.0), Rule::NegativeZero, true),
    ("another constant", |p| p.put(FIXED, 2, 1.0), Rule::UnknownValue, true),
    ("id empty", |p| set_ids(p, ""), Rule::IdEmpty, true),
    ("id blank", |p| set_ids(p, " "), Rule::IdSpace, true),
    ("id in capitals", |p| set_ids(p, "N0123456789ABCDE"), Rule::IdForm, true),
    ("id too short", |p| set_ids(p, "n0123"), Rule::IdForm, true),
    ("era in another form", |p| p.eras.fill("era50".into()), Rule::EraForm, true),
    ("era padded further", |p| p.eras.fill("00050".into()), Rule::EraForm, true),
    ("era unpadded", |p| p.eras.fill("50".into()), Rule::EraForm, true),
    ("era empty", |p| p.eras.fill(String::new()), Rule::EraForm, true),
    ("target infinite", |p| p.targets[0].1[0] = f32::INFINITY, Rule::Infinite, true),
    ("target no quarter", |p| p.targets[0].1[0] = 0.3, Rule::UnknownValue, true),
    ("target far off", |p| p.targets[1].1[0] = 1e9, Rule::Above, true),
    ("weight NaN", |p| p.weights.as_mut().unwrap()[0] = f32::NAN, Rule::Weight, true),
    ("weight negative", |p| p.weights.as_mut().unwrap()[0] = -1.0, Rule::Weight, true),
    ("weight infinite", |p| p.weights.as_mut().unwrap()[0] = f32::INFINITY, Rule::Weight, true),
    ("no ids", |p| p.ids = None, Rule::IdMissing, true),
    ("era of few rows", |p| p.keep(|row| row < 100), Rule::EraRows, false),
    ("era of one row", |p| p.keep(|row| row == 0), Rule::EraRows, false),
    (
        "era of many rows",
        |p| {
            let mut more = parts(3, 50, 1);
            p.eras.append(&mut more.eras);
            p.ids_mut().extend((0..ROWS).map(|row| format!("n{row:015x}")));
            for ((_, ours), (_, theirs)) in p.features.iter_mut().zip(&more.features) {
                match (ours, theirs) {
                    (Column::Bins(ours), Column::Bins(theirs)) => ours.extend(theirs),
                    (Column::Numbers(ours), Column::Numbers(theirs)) => ours.extend(theirs),
                    _ => unreachable!("the same kinds"),
                }
            }
            for (ours, theirs) in p.targets.iter_mut().zip(&more.targets) {
                ours.1.extend(&theirs.1);
            }
            p.extras[0].1.extend(&more.extras[0].1);
            p.weights.as_mut().unwrap().extend(more.weights.unwrap());
        },
        Rule::EraRows,
        false,
    ),
    ("wholly 2 for the first time", |p| fill(p, BINS, 2.0), Rule::NewlyMissing, false),
    (
        "two features wholly 2",
        |p| {
            fill(p, GAPS, 2.0);
            fill(p, LATE, 2.0)
        },
        Rule::AllMissing,
        false,
    ),
    (
        "too many missing",
        |p| (0..200).for_each(|row| p.put(HOLES, row, f32::NAN)),
        Rule::MissingShare,
        false,
    ),
    ("all missing", |p| fill(p, HOLES, f32::NAN), Rule::MissingShare, false),
    ("numbers wholly 2", |p| fill(p, NUMBER, 2.0), Rule::NewlyMissing, false),
    (
        "numbers and bins wholly 2",
        |p| [BINS, GAPS, LATE, NUMBER, TAIL].into_iter().for_each(|at| fill(p, at, 2.0)),
        Rule::AllMissing,
        false,
    ),
    ("bins wholly 0", |p| fill(p, BINS, 0.0), Rule::Stuck, false),
    ("bins with a gap wholly 4", |p| fill(p, GAPS, 4.0), Rule::Stuck, false),
    ("late bins wholly 1", |p| fill(p, LATE, 1.0), Rule::Stuck, false),
    ("a number stuck", |p| fill(p, NUMBER, 0.5), Rule::Stuck, false),
    ("a known value stuck", |p| fill(p, SET, 0.25), Rule::Stuck, false),
    ("a fat tail stuck", |p| fill(p, TAIL, -0.75), Rule::Stuck, false),
    (
        "what is not missing stuck",
        |p| {
            let Column::Numbers(values) = &mut p.features[HOLES].1 else { return };
            values.iter_mut().filter(|value| !value.is_nan()).for_each(|value| *value = 0.5);
        },
        Rule::Stuck,
        false,
    ),
    (
        "every feature stuck",
        |p| {
            [BINS, GAPS, LATE].into_iter().for_each(|at| fill(p, at, 0.0));
            [NUMBER, SET, TAIL].into_iter().for_each(|at| fill(p, at, 0.25));
        },
        Rule::Stuck,
        false,
    ),
    (
        "a row again and again",
        |p| (1..20).for_each(|row| p.copy_row(0, row)),
        Rule::RowsEqual,
        false,
    ),
    (
        "rows twice under other ids",
        |p| (0..ROWS / 2).for_each(|row| p.copy_row(row, ROWS / 2 + row)),
        Rule::RowsEqual,
        false,
    ),
    (
        "bins as others",
        |p| p.features[BINS].1 = p.features[LATE].1.clone(),
        Rule::ColumnsEqual,
        false,
    ),
    (
        "numbers as others",
        |p| p.features[HOLES].1 = p.features[NUMBER].1.clone(),
        Rule::ColumnsEqual,
        false,
    ),
    (
        "a target among the features",
        |p| p.features[SET].1 = Column::Numbers(p.targets[0].1.clone()),
        Rule::ColumnsEqual,
        false,
    ),
    (
        "column gone",
        |p| {
            p.features.remove(BINS);
        },
        Rule::ColumnMissing,
        false,
    ),
    (
        "last column gone",
        |p| {
            p.features.pop();
        },
        Rule::ColumnMissing,
        false,
    ),
    (
        "column more",
        |p| {
            let more = p.features[0].1.clone();
            p.features.push(("another".into(), more));
        },
        Rule::ColumnAdditional,
        false,
    ),
    (
        "column more, in front",
        |p| {
            let more = p.features[0].1.clone();
            p.features.insert(0, ("another".into(), more));
        },
        Rule::ColumnAdditional,
        false,
    ),
    (
        "target more",
        |p| {
            let more = p.targets[0].1.clone();
            p.targets.push(("target_other".into(), more));
        },
        Rule::ColumnAdditional,
        false,
    ),
    (
        "extra column more",
        |p| {
            let more = p.extras[0].1.clone();
            p.extras.push(("leak".into(), more));
        },
        Rule::ColumnAdditional,
        false,
    ),
    ("columns in another order", |p| p.features.swap(BINS, LATE), Rule::ColumnOrder, false),
    ("columns turned round", |p| p.features.reverse(), Rule::ColumnOrder, false),
    ("columns rotated", |p| p.features.rotate_left(1), Rule::ColumnOrder, false),
    ("column renamed", |p| p.features[BINS].0 = "feature_binz".into(), Rule::ColumnRenamed, false),
    (
        "column in capitals",
        |p| p.features[TAIL].0 = "FEATURE_TAIL".into(),
        Rule::ColumnRenamed,
        false,
    ),
    (
        "column with a space",
        |p| p.features[SET].0 = "feature_set ".into(),
        Rule::ColumnRenamed,
        false,
    ),
    (
        "bins as numbers",
        |p| {
            p.features[BINS].1 = Column::Numbers(vec![2.0; ROWS]);
        },
        Rule::ColumnKind,
        false,
    ),
    (
        "numbers as bins",
        |p| p.features[SET].1 = Column::Bins(vec![1; ROWS]),
        Rule::ColumnKind,
        false,
    ),
];

#[test]
fn batches() {
    let gate = gate();
    let good = gate.batch(&live().panel());
    assert!(good.is_admitted(), "{good:?}");
    for (name, spoil, rule, of_a_row) in BATCHES {
        let mut spoilt = live();
        spoil(&mut spoilt);
        let panel = spoilt.panel();
        let report = gate.batch(&panel);
        assert_eq!(report.decision(), Decision::Refused, "{name}");
        if *of_a_row {
            assert_eq!(report.verdicts[0].first.rule, *rule, "{name}");
            assert_eq!(report.batch[0].rule, Rule::RefusedShare, "{name}");
        } else {
            let rules: Vec<Rule> = report.batch.iter().map(|verdict| verdict.rule).collect();
            assert!(rules.contains(rule) && report.refused == 0, "{name}: {rules:?}");
        }
        let (admitted, quarantine) = report.split().unwrap();
        assert!(admitted.is_none() && !quarantine.is_empty(), "{name}");
    }
}

#[test]
fn targets_and_eras_by_recipe() {
    let rules = |recipe: GateRecipe, parts: &Parts| -> Vec<Rule> {
        let report = recipe.learn(&train()).unwrap().batch(&parts.panel());
        let rows = report.verdicts.iter().map(|verdict| verdict.first.rule);
        report.batch.iter().map(|verdict| verdict.rule).chain(rows.take(1)).collect()
    };
    let mut bare = live();
    bare.targets.clear();
    let forbidden = GateRecipe { targets: Presence::Forbidden, ..strict() };
    assert_eq!(rules(forbidden.clone(), &live()), [Rule::TargetPresent]);
    assert_eq!(rules(forbidden, &bare), []);
    let required = GateRecipe { targets: Presence::Required, ..strict() };
    assert_eq!(rules(required.clone(), &bare), [Rule::TargetMissing]);
    assert_eq!(rules(required.clone(), &live()), []);
    // A row without a label yet: allowed, unless labels are required.
    let mut unlabelled = live();
    unlabelled.targets[0].1.fill(f32::NAN);
    assert_eq!(rules(strict(), &unlabelled), []);
    assert_eq!(rules(required, &unlabelled), [Rule::RefusedShare, Rule::FewRows, Rule::Missing]);
    let fresh = GateRecipe { after_training: true, ..strict() };
    assert_eq!(rules(fresh.clone(), &live()), []);
    assert_eq!(rules(fresh, &parts(1, ERAS_END, 1)).last(), Some(&Rule::EraStale));
    let most = GateRecipe { least_rows: 301, ..strict() };
    assert_eq!(rules(most, &live()), [Rule::FewRows]);
    // A file under two eras: ids stand in both.
    let mut copied = parts(2, 50, 2);
    let first: Vec<String> = copied.ids_mut()[..ROWS].to_vec();
    copied.ids_mut()[ROWS..].clone_from_slice(&first);
    assert_eq!(rules(strict(), &copied), [Rule::IdTwice]);
    // Rows have ids although training rows had none.
    let mut nameless = parts(1, 1, 3);
    nameless.ids = None;
    let gate = strict().learn(&nameless.panel()).unwrap();
    assert_eq!(gate.batch(&live().panel()).batch[0].rule, Rule::IdUnexpected);
}

/// The last training era.
const ERAS_END: usize = super::panels::ERAS;

#[test]
fn headers() {
    let gate = gate();
    let good: Vec<String> = NAMES.iter().map(|name| format!("feature_{name}")).collect();
    gate.reader(&good).unwrap();
    let refused = |change: fn(&mut Vec<String>)| -> Vec<Rule> {
        let mut names = good.clone();
        change(&mut names);
        gate.reader(&names).unwrap_err().iter().map(|verdict| verdict.rule).collect()
    };
    assert_eq!(refused(|names| names.push("feature_bins".into())), [Rule::ColumnTwice]);
    assert_eq!(
        refused(|names| names[1] = names[0].clone()),
        [Rule::ColumnTwice, Rule::ColumnMissing]
    );
    assert_eq!(refused(|names| names.push("x".into())), [Rule::ColumnAdditional]);
    assert_eq!(refused(|names| names.swap(0, 7)), [Rule::ColumnOrder]);
    assert_eq!(refused(|names| names[2] = "late".into()), [Rule::ColumnRenamed]);
    assert_eq!(refused(|names| names.truncate(6)), [Rule::ColumnMissing; 2]);
    assert_eq!(refused(Vec::clear), [Rule::ColumnMissing; 8]);
    assert_eq!(refused(|names| names[0] = "\u{feff}feature_bins".into()), [Rule::ColumnRenamed]);
}

#[test]
fn what_is_not_known_is_left_out_with_leave() {
    let recipe = GateRecipe {
        additional: Additional::LeaveOut,
        most_refused: 0.01,
        ..GateRecipe::default()
    };
    let gate = recipe.learn(&train()).unwrap();
    let mut more = live();
    let values = more.features[0].1.clone();
    more.features.insert(2, ("another".into(), values));
    more.extras.push(("leak".into(), vec![0.0; ROWS]));
    more.put(4, 11, f32::NAN);
    let panel = more.panel();
    let report = gate.batch(&panel);
    let left: Vec<&str> = report.left_out.iter().filter_map(|v| v.column.as_deref()).collect();
    assert_eq!((report.decision(), left), (Decision::Quarantined, vec!["another", "leak"]));
    let (admitted, quarantine) = report.split().unwrap();
    let admitted = admitted.unwrap();
    assert_eq!((admitted.rows(), admitted.width()), (ROWS - 1, WIDTH));
    assert!(admitted.extra("leak").is_err() && admitted.extra("meta").is_ok());
    assert_eq!(quarantine.panel.unwrap().rows(), 1);
    // What is admitted passes by itself.
    assert!(gate.batch(&admitted).is_admitted());
}

#[test]
fn the_table_has_two_hundred_kinds() {
    let mut kinds = Kinds::default();
    for (column, value, rule) in bad_numbers() {
        kinds.add(format!("row, {} holds {value:?}: {rule}", NAMES[column]));
    }
    for (column, field, rule) in bad_fields() {
        kinds.add(format!("fields, {} holds {field:?}: {rule}", NAMES[column]));
    }
    BAD_IDS.iter().for_each(|(id, rule)| kinds.add(format!("id {id:?}: {rule}")));
    BAD_ERAS.iter().for_each(|era| kinds.add(format!("era {era:?}")));
    BATCHES.iter().for_each(|(name, ..)| kinds.add(format!("batch: {name}")));
    assert!(kinds.0.len() >= 200, "{}", kinds.0.len());
    println!("{} kinds of faults", kinds.0.len());
}
