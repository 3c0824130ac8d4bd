//! What holds for every input.

use fattail_stats::*;
use proptest::prelude::*;

fn values(length: std::ops::Range<usize>) -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(-1e3..1e3_f64, length)
}

/// Few distinct values, so that ties are everywhere.
fn tied(length: std::ops::Range<usize>) -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec((-3..4_i8).prop_map(f64::from), length)
}

fn pair() -> impl Strategy<Value = (Vec<f64>, Vec<f64>)> {
    (2..60_usize).prop_flat_map(|n| (tied(n..n + 1), values(n..n + 1)))
}

fn close(a: f64, b: f64, tolerance: f64) -> bool {
    (a.is_nan() && b.is_nan()) || (a - b).abs() <= tolerance * a.abs().max(1.0)
}

proptest! {
    #[test]
    fn ranks_ignore_rising_maps(x in tied(0..700)) {
        let mapped: Vec<f64> = x.iter().map(|v| v.exp() * 3.0 - 1.0).collect();
        for ties in [Ties::Average, Ties::Broken] {
            prop_assert_eq!(rank(&x, ties).unwrap(), rank(&mapped, ties).unwrap());
        }
    }

    #[test]
    fn ranks_sum_to_those_of_untied_values(x in tied(0..700)) {
        let n = x.len() as f64;
        for ties in [Ties::Average, Ties::Broken] {
            let total: f64 = rank(&x, ties).unwrap().iter().sum();
            prop_assert_eq!(total, n * (n + 1.0) / 2.0);
        }
    }

    #[test]
    fn correlations_are_symmetric_and_bounded((x, y) in pair()) {
        for f in [pearson, spearman, kendall] {
            let (there, back) = (f(&x, &y).unwrap(), f(&y, &x).unwrap());
            prop_assert!(close(there, back, 1e-14));
            prop_assert!(there.is_nan() || there.abs() <= 1.0);
            let turned: Vec<f64> = y.iter().map(|v| -v).collect();
            prop_assert!(close(f(&x, &turned).unwrap(), -there, 1e-12));
        }
    }

    #[test]
    fn equal_weights_are_no_weights((x, y) in pair(), w in 0.1..10.0_f64) {
        let w = vec![w; x.len()];
        for (weighted, plain) in [
            (weighted_pearson(&x, &y, &w), pearson(&x, &y)),
            (weighted_spearman(&x, &y, &w), spearman(&x, &y)),
            (weighted_mean(&y, &w), Ok(mean(&y))),
            (weighted_variance(&y, &w, 0), Ok(variance(&y, 0))),
            (weighted_quantile(&y, &w, 0.5), Ok(median(&y))),
        ] {
            prop_assert!(close(weighted.unwrap(), plain.unwrap(), 1e-11));
        }
        prop_assert_eq!(weighted_rank(&x, &vec![1.0; x.len()]), rank(&x, Ties::Average));
    }

    #[test]
    fn whole_weights_are_repeated_rows(
        rows in prop::collection::vec((-3..4_i8, -5.0..5.0_f64, 0..4_usize), 1..60), q in 0.0..1.0_f64,
    ) {
        let x: Vec<f64> = rows.iter().map(|row| f64::from(row.0)).collect();
        let y: Vec<f64> = rows.iter().map(|row| row.1).collect();
        let w: Vec<f64> = rows.iter().map(|row| row.2 as f64).collect();
        let repeat = |v: &[f64]| -> Vec<f64> {
            v.iter().zip(&rows).flat_map(|(v, row)| std::iter::repeat_n(*v, row.2)).collect()
        };
        let (rx, ry) = (repeat(&x), repeat(&y));
        let ones = vec![1.0; rx.len()];
        for (weighted, plain) in [
            (weighted_spearman(&x, &y, &w), spearman(&rx, &ry)),
            (weighted_pearson(&x, &y, &w), pearson(&rx, &ry)),
            (weighted_variance(&y, &w, 1), Ok(variance(&ry, 1))),
            (weighted_quantile(&x, &w, q), weighted_quantile(&rx, &ones, q)),
        ] {
            let (weighted, plain) = (weighted.unwrap(), plain.unwrap());
            prop_assert!(close(weighted, plain, 1e-10), "{} {}", weighted, plain);
        }
    }

    #[test]
    fn quantiles_rise_and_stay_inside(x in values(1..80), p in 0.0..1.0_f64, q in 0.0..1.0_f64) {
        let (low, high) = (quantile(&x, p.min(q)).unwrap(), quantile(&x, p.max(q)).unwrap());
        prop_assert!(low <= high);
        prop_assert!(quantile(&x, 0.0).unwrap() <= low && high <= quantile(&x, 1.0).unwrap());
    }

    #[test]
    fn merging_moments_is_associative(a in values(0..30), b in values(0..30), c in values(0..30)) {
        let [one, two, three] = [&a, &b, &c].map(|x| x.iter().copied().collect::<Moments>());
        let mut left = one;
        left.merge(&two);
        left.merge(&three);
        let mut late = two;
        late.merge(&three);
        let mut right = one;
        right.merge(&late);
        let whole: Moments = a.iter().chain(&b).chain(&c).copied().collect();
        prop_assert_eq!(left.count(), whole.count());
        for other in [right, whole] {
            prop_assert!(close(left.mean(), other.mean(), 1e-10));
            prop_assert!(close(left.variance(1), other.variance(1), 1e-10));
            prop_assert!(close(left.skewness(), other.skewness(), 1e-8));
            prop_assert!(close(left.kurtosis(), other.kurtosis(), 1e-8));
        }
    }

    #[test]
    fn residuals_are_orthogonal_and_do_not_move(
        z in prop::collection::vec(prop::collection::vec(0..5_u8, 30), 1..6),
        y in prop::collection::vec(-5.0..5.0_f64, 30),
    ) {
        let columns: Vec<&[u8]> = z.iter().map(Vec::as_slice).collect();
        let projector = Projector::from_columns(&columns, true, 1e-6).unwrap();
        let (mut once, mut twice) = (vec![0.0; 30], vec![0.0; 30]);
        projector.residual(&y, 1.0, &mut once).unwrap();
        projector.residual(&once, 1.0, &mut twice).unwrap();
        for column in &z {
            let dot: f64 = column.iter().zip(&once).map(|(a, b)| f64::from(*a) * b).sum();
            prop_assert!(dot.abs() < 1e-9);
        }
        for (a, b) in once.iter().zip(&twice) {
            prop_assert!((a - b).abs() < 1e-10);
        }
    }

    #[test]
    fn eigenvectors_rebuild_the_matrix(
        z in prop::collection::vec(prop::collection::vec(-2.0..2.0_f64, 12), 1..7),
    ) {
        let columns: Vec<&[f64]> = z.iter().map(Vec::as_slice).collect();
        let (k, matrix) = (z.len(), gram(&columns).unwrap());
        let eigen = eigh(&matrix, k).unwrap();
        for i in 0..k {
            for j in 0..k {
                let parts = (0..k).map(|e| {
                    eigen.values()[e] * eigen.vector(e)[i] * eigen.vector(e)[j]
                });
                prop_assert!((parts.sum::<f64>() - matrix[i * k + j]).abs() < 1e-10);
            }
        }
    }

    #[test]
    fn resampled_rows_repeat_stay_inside_and_run(
        n in 1..80_usize,
        share in 0.0..1.0_f64,
        seed: u64,
        draw: u32,
    ) {
        let block = 1 + (share * (n - 1) as f64) as usize;
        for blocks in [Blocks::Moving(block), Blocks::Circular(block), Blocks::Stationary(block as f64)] {
            let (mut one, mut two) = (vec![0; n], vec![0; n]);
            let counter = Counter::new(seed);
            blocks.indices(&mut counter.draw(draw), &mut one).unwrap();
            blocks.indices(&mut counter.draw(draw), &mut two).unwrap();
            prop_assert_eq!(&one, &two);
            prop_assert!(one.iter().all(|&row| row < n));
            let runs = |run: &[usize], ring: bool| {
                run.windows(2).all(|w| w[1] == w[0] + 1 || (ring && w[1] == 0 && w[0] == n - 1))
            };
            match blocks {
                Blocks::Moving(b) => prop_assert!(one.chunks(b).all(|run| runs(run, false))),
                Blocks::Circular(b) => prop_assert!(one.chunks(b).all(|run| runs(run, true))),
                Blocks::Stationary(_) => {}
            }
        }
    }
}

#[test]
fn stationary_blocks_have_the_mean_length_asked_for() {
    let n = 1000;
    let (mut rows, mut starts) = (vec![0; n], 0);
    for draw in 0..100 {
        let mut generator = Counter::new(5).draw(draw);
        Blocks::Stationary(10.0).indices(&mut generator, &mut rows).unwrap();
        starts += rows.windows(2).filter(|w| w[1] != (w[0] + 1) % n).count();
    }
    let mean_length = 100.0 * n as f64 / starts as f64;
    assert!((9.7..10.3).contains(&mean_length), "{mean_length}");
}

#[test]
fn intervals_of_a_dependent_series_are_wider_with_blocks() {
    let mut generator = Counter::new(11).draw(0);
    let mut x = vec![0.0; 600];
    for t in 1..x.len() {
        x[t] = 0.8 * x[t - 1] + unit(&mut generator) - 0.5;
    }
    let width = |blocks| {
        let found = bootstrap_interval(&x, blocks, 400, 0.95, Counter::new(2), mean).unwrap();
        found.upper - found.lower
    };
    let block = optimal_block_length(&x).unwrap();
    assert!(width(Blocks::Stationary(block.stationary)) > 1.8 * width(Blocks::Moving(1)));
}

#[test]
fn settings_outside_their_range_are_named() {
    let mut rows = [0; 5];
    let mut generator = Counter::new(0).draw(0);
    for blocks in [Blocks::Moving(6), Blocks::Circular(0), Blocks::Stationary(0.5)] {
        let refused = blocks.indices(&mut generator, &mut rows).unwrap_err();
        assert!(refused.to_string().starts_with("`block` is"), "{refused}");
    }
    let series = [1.0, 2.0];
    let interval = |draws, level| {
        bootstrap_interval(&series, Blocks::Moving(1), draws, level, Counter::new(0), mean)
    };
    assert!(interval(0, 0.9).is_err() && interval(9, 1.0).is_err());
    let missing =
        bootstrap_interval(&series, Blocks::Moving(1), 9, 0.9, Counter::new(0), |_| f64::NAN);
    assert!(missing.unwrap().lower.is_nan());
    assert!(Blocks::Moving(1).indices(&mut generator, &mut []).is_err());
}
