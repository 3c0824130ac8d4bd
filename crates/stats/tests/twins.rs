//! Fast kernels beside their plain forms.

use fattail_stats::*;
use proptest::prelude::*;

/// Ranks by comparing every value with every other.
fn plain_rank(x: &[f64], ties: Ties) -> Vec<f64> {
    let rank = |(i, &v): (usize, &f64)| {
        if v.is_nan() {
            return f64::NAN;
        }
        let below = x.iter().filter(|w| **w < v).count() as f64;
        let equal = |rows: &[f64]| rows.iter().filter(|w| **w == v).count() as f64;
        match ties {
            Ties::Average => below + 0.5 * (equal(x) + 1.0),
            Ties::Broken => below + equal(&x[..i]) + 1.0,
        }
    };
    x.iter().enumerate().map(rank).collect()
}

/// Kendall's tau from all pairs.
fn plain_kendall(x: &[f64], y: &[f64]) -> f64 {
    let (mut difference, mut free_x, mut free_y) = (0.0, 0.0, 0.0);
    for i in 0..x.len() {
        for j in 0..i {
            let sign = |v: &[f64]| f64::from(i8::from(v[i] > v[j]) - i8::from(v[i] < v[j]));
            difference += sign(x) * sign(y);
            free_x += sign(x).abs();
            free_y += sign(y).abs();
        }
    }
    difference / (free_x * free_y).sqrt()
}

/// Residual by orthogonalising against one column after the other, twice.
fn plain_residual(columns: &[Vec<f64>], y: &[f64]) -> Vec<f64> {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let clear = |v: &mut Vec<f64>, basis: &[Vec<f64>]| {
        for _ in 0..2 {
            for b in basis {
                let share = dot(v, b);
                v.iter_mut().zip(b).for_each(|(v, b)| *v -= share * b);
            }
        }
    };
    let mut basis: Vec<Vec<f64>> = Vec::new();
    for column in columns {
        let size = dot(column, column).sqrt();
        let mut part = column.clone();
        clear(&mut part, &basis);
        let left = dot(&part, &part).sqrt();
        if left > 1e-9 * size {
            basis.push(part.iter().map(|v| v / left).collect());
        }
    }
    let mut out = y.to_vec();
    clear(&mut out, &basis);
    out
}

/// Values that collide in single precision, tie, miss, and lie at the ends.
fn awkward() -> impl Strategy<Value = f64> {
    prop_oneof![
        3 => -2.0..2.0_f64,
        2 => (-3..3_i8).prop_map(f64::from),
        2 => (0..50_i32).prop_map(|i| 1.0 + f64::from(i) * 1e-15),
        1 => Just(f64::NAN),
        1 => prop::sample::select(vec![
            0.0, -0.0, 1e-310, -1e-310, 1e300, -1e300, f64::INFINITY, f64::NEG_INFINITY,
        ]),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn ranks(x in prop_oneof![
        prop::collection::vec(awkward(), 0..40),
        prop::collection::vec(awkward(), 500..900),
        prop::collection::vec((0..300_i16).prop_map(|i| f64::from(i) / 16.0), 500..900),
    ]) {
        for ties in [Ties::Average, Ties::Broken] {
            for (fast, plain) in rank(&x, ties).unwrap().iter().zip(plain_rank(&x, ties)) {
                prop_assert!(*fast == plain || (fast.is_nan() && plain.is_nan()));
            }
        }
        let mut ranker = Ranker::new();
        let broken = plain_rank(&x, Ties::Broken);
        for (i, row) in ranker.order(&x).unwrap().enumerate() {
            prop_assert_eq!(broken[row], (i + 1) as f64);
        }
    }

    #[test]
    fn gaussian_ranks(x in prop::collection::vec((0..90_i16).prop_map(f64::from), 1..200)) {
        let (mut fast, mut plain) = (vec![0.0; x.len()], vec![0.0; x.len()]);
        for ties in [Ties::Average, Ties::Broken] {
            Ranker::new().gaussian(&x, ties, &mut GaussTable::new(), &mut fast).unwrap();
            gaussianise(&uniform_rank(&x, ties).unwrap(), &mut plain).unwrap();
            for (a, b) in fast.iter().zip(&plain) {
                prop_assert!((a - b).abs() < 1e-13);
            }
        }
    }

    #[test]
    fn kendalls(pairs in prop::collection::vec((-4..5_i8, -4..5_i8), 2..120)) {
        let (x, y): (Vec<f64>, Vec<f64>) =
            pairs.iter().map(|(a, b)| (f64::from(*a), f64::from(*b))).unzip();
        let (fast, plain) = (kendall(&x, &y).unwrap(), plain_kendall(&x, &y));
        prop_assert!((fast.is_nan() && plain.is_nan()) || (fast - plain).abs() < 1e-14);
    }

    #[test]
    fn projections(
        base in prop::collection::vec(prop::collection::vec(0..5_u8, 60), 1..8),
        copies in prop::collection::vec(0..8_usize, 0..3),
        constant: bool,
        scale in prop::sample::select(vec![1.0, 1e-3, 1e4]),
        y in prop::collection::vec(-5.0..5.0_f64, 60),
    ) {
        let mut columns: Vec<Vec<f64>> =
            base.iter().map(|c| c.iter().map(|&v| scale * f64::from(v)).collect()).collect();
        for copy in copies {
            columns.push(columns[copy % base.len()].clone());
        }
        if constant {
            columns.push(vec![2.0; 60]);
        }
        let z: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
        let mut fast = vec![0.0; 60];
        Projector::from_columns(&z, true, 1e-6).unwrap().residual(&y, 1.0, &mut fast).unwrap();
        columns.push(vec![1.0; 60]);
        for (a, b) in fast.iter().zip(plain_residual(&columns, &y)) {
            prop_assert!((a - b).abs() < 1e-10, "{} instead of {}", a, b);
        }
    }

    #[test]
    fn solutions(z in prop::collection::vec(prop::collection::vec(-2.0..2.0_f64, 20), 1..6)) {
        let columns: Vec<&[f64]> = z.iter().map(Vec::as_slice).collect();
        let (k, mut matrix) = (z.len(), gram(&columns).unwrap());
        (0..k).for_each(|i| matrix[i * k + i] += 1.0);
        let rhs: Vec<f64> = (0..k).map(|i| i as f64 - 1.0).collect();
        let solution = solve_spd(&matrix, &rhs).unwrap();
        for (row, expected) in matrix.chunks_exact(k).zip(rhs) {
            let given: f64 = row.iter().zip(&solution).map(|(a, b)| a * b).sum();
            prop_assert!((given - expected).abs() < 1e-10);
        }
    }
}
