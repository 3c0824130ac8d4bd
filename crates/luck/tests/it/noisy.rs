//! One model that is nothing but noise, of fifty times the others' spread: what studentising is for.

use fattail_luck::{ConfidenceSet, Equality, Resampling, Studentised, Superior};
use fattail_stats::Counter;

use crate::speed::noise;

/// Five models of which the first is better, a noisy one, and the benchmark.
fn world() -> (Vec<Vec<f64>>, Vec<f64>) {
    let mut columns = noise(Counter::new(2024), 7, 300);
    columns[0].iter_mut().for_each(|v| *v += 0.35);
    let mean = fattail_stats::mean(&columns[5]);
    columns[5].iter_mut().for_each(|v| *v = 50.0 * (*v - mean));
    let benchmark = columns.pop().unwrap();
    (columns, benchmark)
}

#[test]
fn a_noisy_model_moves_the_reality_check_and_not_the_studentised_test() {
    let (columns, benchmark) = world();
    let all: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
    let (quiet, noisy) = (&all[..5], &all[..6]);
    let test = |studentised| Superior {
        studentised,
        resampling: Resampling { draws: 1999, ..Resampling::default() },
        ..Superior::default()
    };
    let spa = |studentised, models| test(studentised).spa(models, &benchmark).unwrap().consistent;
    let check = |models| test(Studentised::No).reality_check(models, &benchmark).unwrap().p_value;
    let forms =
        [Studentised::Prewhitened, Studentised::Bootstrap, Studentised::Overlap { span: 1 }];
    for studentised in forms {
        let (before, after) = (spa(studentised, quiet), spa(studentised, noisy));
        println!("{studentised:?}: {before:.4} -> {after:.4}");
        assert!(before < 0.005 && after < 0.005);
    }
    let (before, after) = (spa(Studentised::No, quiet), spa(Studentised::No, noisy));
    println!("No: {before:.4} -> {after:.4}");
    assert!(before < 0.005 && after > 0.1);
    let (before, after) = (check(quiet), check(noisy));
    println!("reality check: {before:.4} -> {after:.4}");
    assert!(before < 0.005 && after > 0.1);
    let steps = |studentised, models| {
        test(studentised).stepwise(models, &benchmark).unwrap().superior(0.05)
    };
    assert_eq!(steps(Studentised::Prewhitened, noisy), [0]);
    assert_eq!(steps(Studentised::Overlap { span: 1 }, noisy), [0]);
    assert!(steps(Studentised::No, noisy).is_empty());
}

/// The good model stays alone among the quiet ones; without studentising the noisy one keeps all of them.
#[test]
fn a_noisy_model_hides_no_bad_one_from_a_studentised_set() {
    let (mut columns, _) = world();
    columns.remove(5);
    let mut loud = noise(Counter::new(7), 1, 300).remove(0);
    loud.iter_mut().for_each(|v| *v *= 50.0);
    columns.push(loud);
    let all: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
    let members = |studentised, models: &[&[f64]]| {
        let set =
            ConfidenceSet { equality: Equality::Range, studentised, ..ConfidenceSet::default() };
        set.of(models).unwrap().members(0.05)
    };
    let forms =
        [Studentised::Prewhitened, Studentised::Bootstrap, Studentised::Overlap { span: 1 }];
    for studentised in forms {
        assert_eq!(members(studentised, &all[..5]), [0], "{studentised:?}");
        assert_eq!(members(studentised, &all), [0, 5], "{studentised:?}");
    }
    assert_eq!(members(Studentised::No, &all[..5]), [0]);
    assert_eq!(members(Studentised::No, &all), [0, 1, 2, 3, 4, 5]);
}
