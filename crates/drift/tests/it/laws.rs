//! Laws of the distances, and plain twins of the counted forms.

use fattail_drift::{
    Binning, Mmd, Null, Tally, chi_squared, jensen_shannon, kolmogorov_smirnov, psi, wasserstein,
};
use proptest::{collection::vec, prelude::*};

const FEW: Null = Null::Permutation { draws: 19, seed: 3 };

fn bins() -> impl Strategy<Value = (Vec<u8>, Vec<u8>)> {
    (vec(0..7_u8, 1..60), vec(0..7_u8, 1..60))
}

fn numbers() -> impl Strategy<Value = (Vec<f64>, Vec<f64>)> {
    // Tenths, so that some values tie; one in twenty is missing.
    let number = || (0..20_u8, -30..30_i32);
    let side = || {
        vec(number(), 2..60).prop_map(|list| {
            let value = |(hole, tenth): (u8, i32)| {
                if hole == 0 { f64::NAN } else { f64::from(tenth) / 10.0 }
            };
            list.into_iter().map(value).collect::<Vec<f64>>()
        })
    };
    (side(), side())
}

fn present(side: &[f64]) -> Vec<f64> {
    side.iter().copied().filter(|value| !value.is_nan()).collect()
}

/// The distance by its definition, `O(n m)`; missing values above all others.
fn plain_smirnov(x: &[f64], y: &[f64]) -> f64 {
    let share = |side: &[f64], at: f64| {
        side.iter().filter(|&&value| value <= at).count() as f64 / side.len() as f64
    };
    let gap = |&at: &f64| (share(x, at) - share(y, at)).abs();
    x.iter().chain(y).filter(|at| !at.is_nan()).map(gap).fold(0.0, f64::max)
}

/// `∫ |F⁻¹ - G⁻¹|` over the common steps of both quantile functions.
fn plain_wasserstein(x: &[f64], y: &[f64]) -> f64 {
    let (mut x, mut y) = (present(x), present(y));
    x.sort_by(f64::total_cmp);
    y.sort_by(f64::total_cmp);
    let steps = x.len() * y.len();
    let at = |side: &[f64], step: usize| side[step * side.len() / steps];
    (0..steps).map(|step| (at(&x, step) - at(&y, step)).abs()).sum::<f64>() / steps as f64
}

/// The index by bins as they are, each share by its own count.
fn plain_psi(x: &[u8], y: &[u8]) -> f64 {
    let share = |side: &[u8], bin: u8| {
        (side.iter().filter(|&&b| b == bin).count() as f64).max(0.5) / side.len() as f64
    };
    let used = |bin: &u8| x.contains(bin) || y.contains(bin);
    (0..=255)
        .filter(used)
        .map(|bin| {
            let (a, b) = (share(x, bin), share(y, bin));
            (a - b) * (a / b).ln()
        })
        .sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn counted_bins_are_sorted_values((x, y) in bins()) {
        let counted = Tally::of_bins(&x, &y).unwrap();
        let sorted = Tally::of_values(&x, &y).unwrap();
        prop_assert_eq!(&counted, &sorted);
        let found = psi(&counted, &Binning::default(), &Null::Asymptotic).unwrap();
        prop_assert!((found.statistic - plain_psi(&x, &y)).abs() < 1e-12);
    }

    #[test]
    fn twins((x, y) in numbers()) {
        let tally = Tally::of_values(&x, &y).unwrap();
        let found = kolmogorov_smirnov(&tally, &Null::Asymptotic).unwrap();
        prop_assert!((found.statistic - plain_smirnov(&x, &y)).abs() < 1e-12);
        if !present(&x).is_empty() && !present(&y).is_empty() {
            let found = wasserstein(&tally, &FEW).unwrap();
            prop_assert!((found.raw - plain_wasserstein(&x, &y)).abs() < 1e-9);
        }
    }

    #[test]
    fn symmetric_where_bins_are_given((x, y) in bins()) {
        let binning = Binning::default();
        let (there, back) = (Tally::of_bins(&x, &y).unwrap(), Tally::of_bins(&y, &x).unwrap());
        for distance in [psi, chi_squared, jensen_shannon] {
            let one = distance(&there, &binning, &Null::Asymptotic).unwrap();
            let other = distance(&back, &binning, &Null::Asymptotic).unwrap();
            prop_assert!((one.statistic - other.statistic).abs() < 1e-9 * one.statistic.max(1.0));
            prop_assert!((one.p - other.p).abs() < 1e-9);
        }
        let one = kolmogorov_smirnov(&there, &Null::default()).unwrap();
        let other = kolmogorov_smirnov(&back, &Null::default()).unwrap();
        prop_assert!((one.statistic - other.statistic).abs() < 1e-12);
        prop_assert!((one.p - other.p).abs() < 1e-9, "{one:?} {other:?}");
    }

    #[test]
    fn zero_on_equal_samples((x, _) in numbers()) {
        let tally = Tally::of_values(&x, &x).unwrap();
        for distance in [psi, chi_squared, jensen_shannon] {
            let found = distance(&tally, &Binning::default(), &FEW).unwrap();
            prop_assert!(found.statistic.abs() < 1e-7 && found.p == 1.0, "{found:?}");
        }
        let found = kolmogorov_smirnov(&tally, &Null::default()).unwrap();
        prop_assert!(found.statistic == 0.0 && found.p == 1.0);
    }

    #[test]
    fn monotone_maps_and_shifts((x, y) in numbers(), shift in -5..5_i32) {
        let map = |side: &[f64]| side.iter().map(|v| (v * 0.5).exp()).collect::<Vec<f64>>();
        let moved = |side: &[f64]| side.iter().map(|v| v + f64::from(shift)).collect::<Vec<_>>();
        let tally = Tally::of_values(&x, &y).unwrap();
        let mapped = Tally::of_values(&map(&x), &map(&y)).unwrap();
        for null in [FEW, Null::default(), Null::Asymptotic] {
            let one = kolmogorov_smirnov(&tally, &null).unwrap();
            prop_assert_eq!(one, kolmogorov_smirnov(&mapped, &null).unwrap());
            let binning = Binning { bins: 4, ..Binning::default() };
            let one = psi(&tally, &binning, &null).unwrap();
            prop_assert_eq!(one, psi(&mapped, &binning, &null).unwrap());
        }
        if !present(&x).is_empty() && !present(&y).is_empty() {
            let one = wasserstein(&tally, &FEW).unwrap();
            let other = wasserstein(&Tally::of_values(&moved(&x), &moved(&y)).unwrap(), &FEW);
            prop_assert!((one.raw - other.unwrap().raw).abs() < 1e-9);
            let apart = wasserstein(&Tally::of_values(&x, &moved(&x)).unwrap(), &FEW).unwrap();
            prop_assert!((apart.raw - f64::from(shift).abs()).abs() < 1e-9);
        }
    }

    #[test]
    fn p_values_lie_above_zero_and_at_most_one((x, y) in numbers(), seed in 0..99_u64) {
        let null = Null::Permutation { draws: 9, seed };
        let tally = Tally::of_values(&x, &y).unwrap();
        let binning = Binning { bins: 3, ..Binning::default() };
        let mut found = vec![
            psi(&tally, &binning, &null).unwrap().p,
            chi_squared(&tally, &binning, &null).unwrap().p,
            jensen_shannon(&tally, &binning, &null).unwrap().p,
            kolmogorov_smirnov(&tally, &null).unwrap().p,
        ];
        let mmd = Mmd { rows: 20, draws: 9, seed, ..Mmd::default() };
        found.push(mmd.samples(&[&x], &[&y]).unwrap().p);
        prop_assert!(found.iter().all(|&p| p > 0.0 && p <= 1.0), "{found:?}");
    }

    #[test]
    fn discrepancy_is_its_definition((x, y) in numbers()) {
        let (x, y) = (present(&x), present(&y));
        prop_assume!(x.len() > 2 && y.len() > 2);
        let all: Vec<f64> = x.iter().chain(&y).copied().collect();
        let std = fattail_stats::std(&all, 0);
        prop_assume!(std > 0.0);
        let mmd = Mmd { bandwidth: Some(0.7), draws: 3, ..Mmd::default() };
        let found = mmd.samples(&[&x], &[&y]).unwrap();
        let k = |a: f64, b: f64| (-((a - b) / std).powi(2) / (2.0 * 0.49)).exp();
        let inside = |side: &[f64]| {
            let n = side.len();
            let mut sum = 0.0;
            for i in 0..n {
                sum += (0..n).filter(|&j| j != i).map(|j| k(side[i], side[j])).sum::<f64>();
            }
            sum / (n * (n - 1)) as f64
        };
        let across: f64 = x.iter().map(|&a| y.iter().map(|&b| k(a, b)).sum::<f64>()).sum();
        let plain = inside(&x) + inside(&y) - 2.0 * across / (x.len() * y.len()) as f64;
        prop_assert!((found.statistic - plain).abs() < 1e-10, "{found:?} {plain}");
    }
}
