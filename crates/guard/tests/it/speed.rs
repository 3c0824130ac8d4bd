//! What a row costs: `cargo test --release -p fattail-guard -- --ignored speed --nocapture`.

use std::{hint::black_box, time::Instant};

use fattail_core::Panel;
use fattail_guard::{Budget, BudgetSettings, Field, GateRecipe, Machine, Record};
use fattail_stats::{Counter, below, unit};

const FEATURES: usize = 100;
const ROWS: usize = 4000;

/// Half bins, half numbers.
fn panel() -> Panel {
    let mut generator = Counter::new(1).draw(0);
    let mut builder = Panel::builder();
    for at in 0..FEATURES {
        builder = match at % 2 {
            0 => builder.feature(
                format!("bins_{at}"),
                (0..ROWS).map(|_| below(&mut generator, 5) as u8).collect::<Vec<u8>>(),
            ),
            _ => builder.feature(
                format!("number_{at}"),
                (0..ROWS).map(|_| unit(&mut generator) as f32).collect::<Vec<f32>>(),
            ),
        };
    }
    builder.build().unwrap()
}

#[allow(clippy::disallowed_methods, reason = "it measures time")]
fn best(mut work: impl FnMut() -> usize) -> f64 {
    let mut least = f64::MAX;
    for _ in 0..20 {
        let start = Instant::now();
        let items = black_box(work());
        least = least.min(start.elapsed().as_secs_f64() / items as f64);
    }
    1e9 * least
}

#[test]
#[ignore = "a measurement: only the release profile tells"]
fn speed() {
    let panel = panel();
    let gate = GateRecipe::default().learn(&panel).unwrap();
    let rows: Vec<Vec<f32>> = (0..ROWS).map(|at| super::panels::row(&panel, at)).collect();
    let good = best(|| rows.iter().filter(|row| gate.row(black_box(row)).is_ok()).count());
    let spoilt: Vec<Vec<f32>> = rows
        .iter()
        .map(|row| {
            let mut row = row.clone();
            row[99] = f32::NAN;
            row
        })
        .collect();
    let bad = best(|| spoilt.iter().filter(|row| gate.row(black_box(row)).is_err()).count());
    let fields: Vec<Vec<Field<'_>>> = rows
        .iter()
        .map(|row| row.iter().map(|&value| Field::Number(f64::from(value))).collect())
        .collect();
    let names: Vec<&str> = gate.schema().features.iter().map(|feature| &*feature.name).collect();
    let reader = gate.reader(&names).unwrap();
    let mut out = vec![0.0; FEATURES];
    let typed = best(|| {
        let good = |row: &&Vec<Field<'_>>| reader.fields_into(black_box(row), &mut out).is_ok();
        fields.iter().filter(good).count()
    });
    let all: Vec<Record<'_>> =
        fields.iter().map(|fields| Record { era: "0", id: None, fields }).collect();
    let records = best(|| {
        assert!(reader.records(black_box(&all)).is_admitted());
        ROWS
    });
    let all_bad: Vec<f32> = vec![f32::NAN; 100 * ROWS];
    let hopeless = Panel::builder().feature("number_1", all_bad).build().unwrap();
    let narrow = Panel::builder().feature("number_1", panel.feature(1).to_f32()).build().unwrap();
    let narrow = GateRecipe { rows_margin: 1e9, ..GateRecipe::default() }.learn(&narrow).unwrap();
    let hopeless = best(|| narrow.batch(black_box(&hopeless)).refused);
    let batch = best(|| {
        assert!(gate.batch(black_box(&panel)).is_admitted());
        ROWS
    });
    println!(
        "a row of {FEATURES} values: {good:.0} ns, refused {bad:.0} ns, typed {typed:.0} ns, \
         in a batch {batch:.0} ns, in a batch of records {records:.0} ns; a hopeless row {hopeless:.0} ns"
    );
    for cost in [good, typed, batch, records] {
        assert!(cost < 2000.0, "{cost}");
    }

    let admit = |budget: &Budget| (0..1000).filter(|_| budget.admit(1).is_ok()).count();
    let fixed = Budget::of(1 << 30);
    let fixed = best(|| admit(&fixed));
    let live = Budget::open(&BudgetSettings::default(), &Machine::here()).unwrap();
    let live = best(|| admit(&live));
    println!("a permit taken and given back: {fixed:.0} ns, of a live budget {live:.0} ns");
}
