//! What the data gives away: copies, the order of rows, features that know the target.

use fattail_certificate::{
    Certificate, Certifier, Check, Procedure, Refit, Sealed, State, Verdict,
};
use fattail_core::{Ids, Panel, silent};

use crate::support::{Covariance, Faulty, found, market, of};

/// The rows `rows` of a panel, with ids and first features as told.
fn taken(
    panel: &Panel,
    rows: &[usize],
    id: impl Fn(usize) -> String,
    first: impl Fn(usize, f32) -> f32,
) -> Panel {
    let take = |all: Vec<f32>| -> Vec<f32> { rows.iter().map(|&row| all[row]).collect() };
    let ids: Ids = (0..rows.len()).map(id).collect();
    let mut builder = Panel::builder().era_runs(panel.eras().clone()).ids(ids);
    for (at, name) in panel.schema().features().iter().enumerate() {
        let mut values = take(panel.feature(at).to_f32());
        if at == 0 {
            values.iter_mut().enumerate().for_each(|(row, value)| *value = first(row, *value));
        }
        builder = builder.feature(name.clone(), values);
    }
    for name in panel.schema().targets() {
        builder = builder.target(name.clone(), take(panel.target_named(name).unwrap().to_f32()));
    }
    builder.main_target("target").build().unwrap()
}

fn certify(procedure: &dyn Procedure, panel: &Panel) -> Certificate {
    let (_, folds) = market();
    Certifier::default().certify(procedure, panel, &folds, &silent).unwrap()
}

#[test]
fn copies_are_found_under_their_ids_and_under_others() {
    let (panel, _) = market();
    let id = |row: usize| panel.id(row).unwrap().to_owned();
    let own = |_: usize, value: f32| value;
    // Every fifth row is that of the same place twenty eras before.
    let source = |row: usize| if row % 5 == 3 && row >= 500 { row - 500 } else { row };
    let rows: Vec<usize> = (0..panel.rows()).map(source).collect();
    let procedure = Sealed(Refit(Covariance));
    let joined = taken(&panel, &rows, |row| id(source(row)), own);
    let renamed = taken(&panel, &rows, |row| format!("row{row}"), own);
    // Features of copies were made anew, and ids were kept for fewer of them: ids still name rows.
    let few = |row: usize| if row % 20 == 3 { source(row) } else { row };
    let rows: Vec<usize> = (0..panel.rows()).map(few).collect();
    let anew = |row: usize, value: f32| value + if few(row) == row { 0.0 } else { 0.01 };
    let anew = taken(&panel, &rows, |row| id(few(row)), anew);
    for (name, panel) in [("joined", joined), ("renamed", renamed), ("made anew", anew)] {
        let made = certify(&procedure, &panel);
        assert_eq!(found(&made), [Check::Copies], "{name}: {made}");
        assert_eq!(of(&made, Check::Copies).plant_caught, Some(true), "{name}: {made}");
    }
}

#[test]
fn narrow_features_that_many_rows_share_are_no_copies() {
    let (panel, _) = market();
    let names = &panel.schema().features()[..2];
    let narrow = panel.select(names).unwrap();
    let made = certify(&Sealed(Refit(Covariance)), &narrow);
    assert_eq!(of(&made, Check::Copies).state, State::Passed, "{made}");
    assert!(!of(&made, Check::Copies).note.contains("by features"), "{made}");
}

#[test]
fn a_feature_that_knows_the_target_is_named() {
    let (panel, _) = market();
    let target = panel.target().unwrap().to_f32();
    let told = target.iter().enumerate().map(|(row, y)| y + (row % 7) as f32 / 20.0);
    let panel = panel.append_features([("told", told.collect::<Vec<f32>>())]).unwrap();
    let made = certify(&Sealed(Refit(Covariance)), &panel);
    assert_eq!(found(&made), [Check::Oracle], "{made}");
    assert!(of(&made, Check::Oracle).note.contains("'told'"));
}

/// Rows of each era in the order of their target and so much noise.
fn ordered(panel: &Panel, noise: f32) -> Panel {
    let target = panel.target().unwrap().to_f32();
    let mixed = |row: usize| target[row] + noise * ((row * 7919) % 997) as f32 / 997.0;
    let mut rows: Vec<usize> = (0..panel.rows()).collect();
    for range in panel.eras().ranges() {
        rows[range].sort_by(|&a, &b| mixed(a).total_cmp(&mixed(b)));
    }
    taken(panel, &rows, |row| panel.id(rows[row]).unwrap().to_owned(), |_, value| value)
}

#[test]
fn an_order_that_tells_the_target_fails_where_it_is_used_or_is_that_of_the_target() {
    let (panel, _) = market();
    let honest = Sealed(Refit(Covariance));
    // In full order it is a fault of the data, whoever looks.
    let made = certify(&honest, &ordered(&panel, 0.0));
    assert_eq!(found(&made), [Check::RowOrder], "{made}");
    // An order that tells something is none as long as no prediction depends on it.
    let somewhat = ordered(&panel, 1.7);
    let made = certify(&honest, &somewhat);
    assert_eq!(made.verdict, Verdict::Passed, "{made}");
    let place = Faulty {
        name: "place",
        fault: |panel, fold, values| {
            let places = fold.test.iter().flat_map(|&era| 0..panel.eras().range(era).len());
            Ok(values.iter().zip(places).map(|(value, at)| value + at as f32).collect())
        },
        reads: Vec::new(),
    };
    let made = certify(&place, &somewhat);
    assert_eq!(found(&made), [Check::Order, Check::RowOrder], "{made}");
    let order = of(&made, Check::RowOrder);
    assert!(order.limit == 5.0 && order.plant_caught == Some(true), "{order:?}");
    // An order that tells nothing leaves the place alone as the fault.
    assert_eq!(found(&certify(&place, &panel)), [Check::Order]);
}
