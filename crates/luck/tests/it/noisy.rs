//! One model that is nothing but noise, of fifty times the others' spread: what studentising is for.

use fattail_luck::{Resampling, Studentised, Superior};
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
    for studentised in [Studentised::Prewhitened, Studentised::Bootstrap] {
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
    assert!(steps(Studentised::No, noisy).is_empty());
}
