//! Columns that begin later, grow, are filler only, or have fat tails: learnt, and later eras pass.

use std::f64::consts::{PI, TAU};

use fattail_core::Panel;
use fattail_guard::{Error, Gate, GateRecipe, Kind, Rule};
use fattail_stats::{Counter, below, unit};

const ROWS: usize = 40;

fn labels(first: usize, eras: usize, rows: usize) -> Vec<String> {
    (0..eras * rows).map(|row| format!("{:04}", first + row / rows)).collect()
}

/// Numbers in `[0, 1)`, another for each seed, column and row.
fn uniform(seed: u64, column: usize, rows: usize) -> Vec<f32> {
    let mut generator = Counter::new(seed).draw(column as u32);
    (0..rows).map(|_| unit(&mut generator) as f32).collect()
}

fn bins(seed: u64, column: usize, rows: usize) -> Vec<u8> {
    let mut generator = Counter::new(seed).draw(column as u32);
    (0..rows).map(|_| below(&mut generator, 5) as u8).collect()
}

fn learnt(train: &Panel) -> Gate {
    let gate = GateRecipe::default().learn(train).unwrap();
    let report = gate.batch(train);
    assert!(report.is_admitted(), "{:?}", report.batch);
    gate
}

/// Five features, of which some are wholly missing in the first two eras of 100, and maybe in another one.
fn lags(late: usize, as_bins: bool, empty: Option<usize>) -> Panel {
    let mut builder = Panel::builder().eras(&labels(1, 100, ROWS)).unwrap();
    for column in 0..5 {
        let gone = |row: usize| {
            let era = row / ROWS;
            column < late && era < 2 || Some(era) == empty
        };
        let name = format!("x{column}");
        builder = if as_bins {
            let values = bins(1, column, 100 * ROWS).into_iter().enumerate();
            let values = values.map(|(row, bin)| if gone(row) { 2 } else { bin });
            builder.feature(name, values.collect::<Vec<u8>>())
        } else {
            let values = uniform(1, column, 100 * ROWS).into_iter().enumerate();
            let values = values.map(|(row, value)| if gone(row) { f32::NAN } else { value });
            builder.feature(name, values.collect::<Vec<f32>>())
        };
    }
    builder.build().unwrap()
}

#[test]
fn a_warm_up_is_not_odd() {
    for as_bins in [false, true] {
        let gate = learnt(&lags(3, as_bins, None));
        assert!((gate.schema().batch.most_wholly - 0.61).abs() < 1e-12);
        assert_eq!(gate.schema().features[0].missing.wholly_eras, 2);
        // An empty era after it is.
        match GateRecipe::default().learn(&lags(3, as_bins, Some(60))) {
            Err(Error::OddEra { era, .. }) => assert_eq!(era, "0061"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_coverage_may_grow() {
    let (eras, rows) = (1000, 50);
    let panel = |odd: Option<usize>| {
        let values = uniform(1, 0, eras * rows).into_iter().enumerate().map(|(row, value)| {
            let (era, at) = (row / rows, row % rows);
            // From nine tenths down to a tenth within 20 eras.
            let share = if Some(era) == odd { 0.9 } else { (0.9 - 0.04 * era as f64).max(0.1) };
            if (at as f64) < share * rows as f64 { f32::NAN } else { value }
        });
        Panel::builder()
            .eras(&labels(1, eras, rows))
            .unwrap()
            .feature("grows", values.collect::<Vec<f32>>())
            .feature("full", uniform(1, 1, eras * rows))
            .build()
            .unwrap()
    };
    learnt(&panel(None));
    match GateRecipe::default().learn(&panel(Some(500))) {
        Err(Error::OddEra { era, .. }) => assert_eq!(era, "0501"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_column_of_filler_takes_the_bins_of_the_others() {
    let panel = |first: usize, eras: usize, filled: bool, other: u8| {
        let rows = eras * 300;
        let filler = if filled { vec![2u8; rows] } else { bins(3, 9, rows) };
        let mut strange = filler.clone();
        strange[0] = other;
        let full = |column| bins(first as u64, column, rows);
        Panel::builder()
            .eras(&labels(first, eras, 300))
            .unwrap()
            .feature("a", full(0))
            .feature("later", strange)
            .feature("b", full(1))
            .feature("c", full(2))
            .build()
            .unwrap()
    };
    let gate = learnt(&panel(1, 10, true, 2));
    assert_eq!(gate.schema().features[1].kind, Kind::Bins { allowed: vec![0, 1, 2, 3, 4] });
    assert!(gate.batch(&panel(20, 1, true, 2)).is_admitted());
    let report = gate.batch(&panel(21, 1, false, 2));
    assert!(report.is_admitted() && report.refused == 0, "{:?}", report.batch);
    // A bin that no column has; a bin is told as one, not as a number with a fraction.
    let report = gate.batch(&panel(22, 1, false, 77));
    let first = &report.verdicts[0].first;
    assert_eq!((first.rule, &*first.value), (Rule::UnknownBin, "77"));
    // A column that is one other bin alone stays so.
    let fixed = Panel::builder()
        .eras(&labels(1, 10, 300))
        .unwrap()
        .feature("a", bins(1, 0, 3000))
        .feature("fixed", vec![3u8; 3000])
        .build()
        .unwrap();
    assert_eq!(learnt(&fixed).schema().features[1].kind, Kind::Bins { allowed: vec![3] });
}

#[test]
fn a_rare_flag_may_be_wholly_the_filler_by_chance() {
    let panel = |first: usize, eras: usize, every: usize, common: u8| {
        let rows = eras * 300;
        let flag = (0..rows).map(|row| if row % every == every - 1 { 4 } else { common });
        Panel::builder()
            .eras(&labels(first, eras, 300))
            .unwrap()
            .feature("a", bins(first as u64, 0, rows))
            .feature("b", bins(first as u64, 1, rows))
            .feature("flag", flag.collect::<Vec<u8>>())
            .build()
            .unwrap()
    };
    let recipe = GateRecipe { wholly_margin: 0.4, ..GateRecipe::default() };
    let gate = recipe.learn(&panel(1, 10, 100, 2)).unwrap();
    let report = gate.batch(&panel(20, 1, usize::MAX, 2));
    assert!(report.is_admitted(), "{:?}", report.batch);
    // Of a flag that is often up it is no chance.
    let gate = recipe.learn(&panel(1, 10, 3, 2)).unwrap();
    let report = gate.batch(&panel(20, 1, usize::MAX, 2));
    let rules: Vec<Rule> = report.batch.iter().map(|verdict| verdict.rule).collect();
    assert_eq!(rules, [Rule::NewlyMissing]);
}

/// Student t of three degrees of freedom. Reference: Bailey (1994), Polar generation of random variates with
/// the t-distribution, Mathematics of Computation 62.
fn students(first: usize, eras: usize, columns: usize) -> Panel {
    let mut builder = Panel::builder().eras(&labels(first, eras, 300)).unwrap();
    for column in 0..columns {
        let mut generator = Counter::new(first as u64).draw(column as u32);
        let mut student = || {
            let (u, angle) = (1.0 - unit(&mut generator), TAU * unit(&mut generator));
            ((3.0 * (u.powf(-2.0 / 3.0) - 1.0)).sqrt() * angle.cos()) as f32
        };
        let values = (0..eras * 300).map(|_| student()).collect::<Vec<f32>>();
        builder = builder.feature(format!("t{column}"), values);
    }
    builder.build().unwrap()
}

#[test]
fn fat_tails_do_not_refuse_later_eras() {
    let gate = learnt(&students(1, 40, 60));
    let refused: usize = (0..60)
        .map(|week| {
            let report = gate.batch(&students(1000 + week, 1, 60));
            assert!(report.batch.is_empty(), "{week}: {:?}", report.batch);
            report.refused
        })
        .sum();
    // At the fences of the training extremes it were 120 F / N a row: about 180 rows.
    assert!((1..100).contains(&refused), "{refused}");
    // What is far beyond is refused.
    let mut row = vec![0.0; 60];
    gate.row(&row).unwrap();
    row[7] = 1e6;
    assert_eq!(gate.row(&row).unwrap_err().rule, Rule::Above);
}

#[test]
fn the_reach_grows_with_the_rows() {
    let n = 1_000_000;
    let cauchy = |wild: Option<f32>| {
        let values = (1..=n).map(|i| (PI * (f64::from(i) / f64::from(n + 1) - 0.5)).tan() as f32);
        let panel = Panel::builder().feature("x", values.chain(wild).collect::<Vec<f32>>()).build();
        GateRecipe::default().learn(&panel.unwrap())
    };
    cauchy(None).unwrap();
    for wild in [1e30, -1e30, 1e12] {
        assert!(matches!(cauchy(Some(wild)), Err(Error::Training { .. })), "{wild}");
    }
}

#[test]
fn threads_change_nothing() {
    let panel = students(1, 5, 12);
    let learn = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| GateRecipe::default().learn(&panel).unwrap())
    };
    assert_eq!(learn(1), learn(4));
    // The first column that is wrong is told, whoever finds one first.
    let wrong = (0..40).fold(Panel::builder(), |builder, at| {
        let mut values = uniform(1, at, 100);
        if at >= 7 {
            values[at] = f32::INFINITY;
        }
        builder.feature(format!("x{at}"), values)
    });
    match GateRecipe::default().learn(&wrong.build().unwrap()) {
        Err(Error::Training { column, .. }) => assert_eq!(column, "x7"),
        other => panic!("{other:?}"),
    }
}
