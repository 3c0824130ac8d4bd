//! What was not shown does not pass: checks that could not be made, plants that were missed, eras of one row.

use fattail_certificate::{Certifier, Check, Refit, Sealed, Skip, State, Verdict};
use fattail_core::{Ids, Panel, silent};
use fattail_evaluate::{Expanding, Split};
use fattail_stats::{Counter, spearman, unit};

use crate::support::{Covariance, certified, found, market, of};

/// Whether targets of the first era are shuffled: they are no longer the ranks of the return.
fn is_shuffled(panel: &Panel) -> bool {
    let era = panel.era(0);
    let wide = |values: &[f32]| values.iter().map(|&value| value.into()).collect::<Vec<f64>>();
    let returns = panel.extra("return").unwrap().era(0).to_f64();
    spearman(&wide(era.target().unwrap()), &returns).unwrap().abs() < 0.6
}

#[test]
fn an_error_on_shuffled_targets_is_void() {
    let made = certified(|panel, _, values| match is_shuffled(panel) {
        true => Err(fattail_core::Error::empty("the list of features that tell anything")),
        false => Ok(values),
    });
    let canary = of(&made, Check::Shuffled);
    assert_eq!((canary.state, canary.plant_caught), (State::Unknown, None), "{canary:?}");
    assert_eq!((made.verdict, found(&made)), (Verdict::Void, vec![]), "{made}");
    let names: Vec<Check> = made.missing().map(|finding| finding.check).collect();
    assert_eq!(names, [Check::Shuffled]);
}

#[test]
fn constants_on_shuffled_targets_are_asked_again_where_there_is_something_to_learn() {
    let made = certified(|panel, _, values| match is_shuffled(panel) {
        true => Ok(vec![0.5; values.len()]),
        false => Ok(values),
    });
    let canary = of(&made, Check::Shuffled);
    assert_eq!((canary.state, canary.plant_caught), (State::Passed, Some(true)), "{canary:?}");
    assert!(canary.note.contains("10 test eras of the last cut"), "{canary:?}");
    assert_eq!(made.verdict, Verdict::Passed, "{made}");
    // The same, and where it does not say nothing it tells the target.
    let made = certified(|panel, fold, values| {
        let target = panel.cut(&fold.test)?.target()?.to_f32();
        let told = values.iter().zip(target).map(|(value, y)| value + 1e3 * y);
        Ok(if is_shuffled(panel) { vec![0.5; values.len()] } else { told.collect() })
    });
    assert_eq!(of(&made, Check::Shuffled).state, State::Failed, "{made}");
}

#[test]
fn a_plant_that_is_missed_is_void() {
    let (panel, folds) = market();
    // Just below the size of what is planted.
    let blunt = Certifier { tolerance: 9.9e-3, ..Certifier::default() };
    let made = blunt.certify(&Sealed(Refit(Covariance)), &panel, &folds, &silent).unwrap();
    assert_eq!(made.verdict, Verdict::Void, "{made}");
    assert!(found(&made).is_empty());
    let labels = of(&made, Check::Labels);
    assert_eq!((labels.state, labels.plant_caught), (State::Passed, Some(false)));
    assert!(made.to_string().contains("PLANT MISSED"));
}

/// Eras of `rows` rows, whose target is the first of three features and noise.
fn small(eras: usize, rows: usize, ids: bool) -> Panel {
    let mut generator = Counter::new(5).draw(0);
    let mut draw = || unit(&mut generator) as f32;
    let count = eras * rows;
    let labels: Vec<String> = (0..count).map(|row| format!("{:03}", row / rows)).collect();
    let features: Vec<Vec<f32>> =
        (0..3).map(|_| (0..count).map(|_| 4.0 * draw()).collect()).collect();
    let target: Vec<f32> = features[0].iter().map(|x| x / 16.0 + draw() * 0.75).collect();
    let mut builder = Panel::builder().eras(&labels).unwrap().target("y", target);
    for (at, values) in features.into_iter().enumerate() {
        builder = builder.feature(format!("x{at}"), values);
    }
    if ids {
        builder = builder.ids((0..count).map(|row| format!("id{row}")).collect::<Ids>());
    }
    builder.build().unwrap()
}

#[test]
fn eras_of_one_row_pass_with_what_applies() {
    for ids in [true, false] {
        let panel = small(120, 1, ids);
        let folds = Expanding { folds: 3, ..Expanding::default() }.folds(panel.eras()).unwrap();
        let procedure = Sealed(Refit(Covariance));
        let made = Certifier::default().certify(&procedure, &panel, &folds, &silent).unwrap();
        assert_eq!(made.verdict, Verdict::Passed, "{made}");
        let skipped: Vec<_> =
            made.checks.iter().filter_map(|found| Some((found.check, found.skip?))).collect();
        let small =
            [Check::Oracle, Check::FutureRows, Check::Order, Check::RowOrder, Check::Shuffled];
        for check in small {
            assert!(skipped.contains(&(check, Skip::SmallEras)), "{check:?}: {made}");
        }
        assert_eq!(skipped.contains(&(Check::Copies, Skip::NotDistinct)), !ids, "{made}");
        assert_eq!(skipped.contains(&(Check::FutureIds, Skip::NoIds)), !ids, "{made}");
        assert_eq!(skipped.len(), if ids { 6 } else { 8 });
    }
}

#[test]
fn eras_of_two_rows_pass_as_well() {
    let panel = small(120, 2, true);
    let folds = Expanding { folds: 3, ..Expanding::default() }.folds(panel.eras()).unwrap();
    let procedure = Sealed(Refit(Covariance));
    let made = Certifier::default().certify(&procedure, &panel, &folds, &silent).unwrap();
    assert_eq!(made.verdict, Verdict::Passed, "{made}");
}

#[test]
fn a_missing_target_in_every_era_is_left_out() {
    let (panel, folds) = market();
    let mut target = panel.target().unwrap().to_f32();
    panel.eras().ranges().for_each(|rows| target[rows.start + 3] = f32::NAN);
    let panel = panel.with_target_values(target).unwrap();
    let procedure = Sealed(Refit(Covariance));
    let made = Certifier::default().certify(&procedure, &panel, &folds, &silent).unwrap();
    assert_eq!(made.verdict, Verdict::Passed, "{made}");
    assert_eq!(of(&made, Check::RowOrder).plant_caught, Some(true));
}
