//! How long the large cases take; for people, so that nothing is asserted about the clock.

use std::time::Instant;

use fattail_luck::Cscv;
use fattail_stats::{Counter, normal_quantile, unit};

/// Independent standard normal columns.
pub(crate) fn noise(counter: Counter, columns: usize, rows: usize) -> Vec<Vec<f64>> {
    let column = |at: usize| {
        let mut generator = counter.draw(at as u32);
        (0..rows).map(|_| normal_quantile(unit(&mut generator).max(1e-300))).collect()
    };
    (0..columns).map(column).collect()
}

#[test]
#[ignore = "measures: run it in release mode"]
#[allow(clippy::disallowed_methods, reason = "the clock is what is asked for")]
fn thousand_strategies_of_two_thousand_eras() {
    let columns = noise(Counter::new(1), 1000, 2000);
    let slices: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
    for round in 0..3 {
        let start = Instant::now();
        let found = Cscv::default().run(&slices).unwrap();
        let seconds = start.elapsed().as_secs_f64();
        println!("round {round}: {seconds:.3} s, pbo {:.4}", found.pbo);
    }
}
