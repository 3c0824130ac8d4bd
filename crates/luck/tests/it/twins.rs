//! Fast paths beside plain ones.

use fattail_luck::{Cscv, Statistic};
use fattail_stats::{mean, std};
use proptest::prelude::*;

fn columns(count: usize, rows: usize) -> impl Strategy<Value = Vec<Vec<f64>>> {
    prop::collection::vec(prop::collection::vec(-1.0..1.0_f64, rows), count)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn block_sums_are_the_eras_put_together(
        (strategies, half) in (2..6_usize, 8..40_usize, 1..4_usize)
            .prop_flat_map(|(n, rows, half)| (columns(n, rows), Just(half))),
        shift in -100.0..100.0_f64,
    ) {
        let shifted: Vec<Vec<f64>> =
            strategies.iter().map(|c| c.iter().map(|v| v + shift).collect()).collect();
        let slices: Vec<&[f64]> = shifted.iter().map(Vec::as_slice).collect();
        let sharpe: fn(&[f64]) -> f64 = |eras| mean(eras) / std(eras, 1);
        for (statistic, plain) in [(Statistic::Sharpe, sharpe), (Statistic::Mean, mean)] {
            let settings = Cscv { blocks: 2 * half, statistic, threshold: shift, points: 50, gap: 0 };
            let fast = settings.run(&slices).unwrap();
            let slow = settings.run_with(&slices, plain).unwrap();
            prop_assert_eq!(&fast.chosen, &slow.chosen);
            prop_assert_eq!(&fast.logits, &slow.logits);
            prop_assert_eq!((fast.pbo, fast.dropped), (slow.pbo, slow.dropped));
            prop_assert_eq!(fast.dropped, slices[0].len() % (2 * half));
            let pairs = fast.in_sample.iter().zip(&slow.in_sample);
            for (a, b) in pairs.chain(fast.out_of_sample.iter().zip(&slow.out_of_sample)) {
                prop_assert!((a - b).abs() <= 1e-9 * b.abs().max(1.0), "{} {}", a, b);
            }
            prop_assert!((fast.degradation - slow.degradation).abs() <= 1e-8 * shift.abs().max(1.0));
        }
    }
}
