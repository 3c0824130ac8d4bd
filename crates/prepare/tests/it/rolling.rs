//! Windows: fast against plain, stream against slice, wherever a series is cut.

use fattail_prepare::{
    Change, Decay, Ewm, EwmStream, Lag, LagStream, Rolling, RollingStream, Stat, VwapStream, vwap,
};
use proptest::prelude::*;

const STATS: [Stat; 8] = [
    Stat::Count,
    Stat::Sum,
    Stat::Mean,
    Stat::Variance,
    Stat::Std,
    Stat::Min,
    Stat::Max,
    Stat::Range,
];

/// A series around a level, with holes and jumps.
fn series() -> impl Strategy<Value = Vec<f64>> {
    let value = prop_oneof![
        8 => -1.0..1.0f64,
        1 => Just(f64::NAN),
        1 => -1e3..1e3f64,
        1 => Just(f64::INFINITY),
    ];
    let level = prop_oneof![Just(0.0), Just(1e9), Just(-1e4)];
    (level, prop::collection::vec(value, 0..120))
        .prop_map(|(level, values)| values.into_iter().map(|v| v + level).collect())
}

fn window() -> impl Strategy<Value = Rolling> {
    (1..40usize, 0..2usize).prop_flat_map(|(length, ddof)| {
        prop::option::of(0..=length).prop_map(move |min_periods| Rolling {
            length,
            min_periods,
            ddof,
        })
    })
}

/// Two passes over the window, nothing shared.
fn plain(x: &[f64], rolling: &Rolling, stat: Stat) -> f64 {
    let from = x.len().saturating_sub(rolling.length);
    let known: Vec<f64> = x[from..].iter().copied().filter(|v| v.is_finite()).collect();
    let n = known.len() as f64;
    if known.len() < rolling.min_periods.unwrap_or(rolling.length) {
        return f64::NAN;
    }
    let mean = known.iter().sum::<f64>() / n;
    // About a value of the window: at a level of 1e9 the mean itself is rounded to 1e-7.
    let from = known.first().copied().unwrap_or(f64::NAN);
    let away: Vec<f64> = known.iter().map(|v| v - from).collect();
    let centre = away.iter().sum::<f64>() / n;
    let squares = away.iter().map(|v| (v - centre).powi(2)).sum::<f64>();
    let variance = squares / (n - rolling.ddof as f64);
    let variance = if known.len() > rolling.ddof { variance } else { f64::NAN };
    let least = known.iter().copied().reduce(f64::min).unwrap_or(f64::NAN);
    let most = known.iter().copied().reduce(f64::max).unwrap_or(f64::NAN);
    match stat {
        Stat::Count => n,
        Stat::Sum => known.iter().sum(),
        Stat::Mean => mean,
        Stat::Variance => variance,
        Stat::Std => variance.sqrt(),
        Stat::Min => least,
        Stat::Max => most,
        Stat::Range => most - least,
    }
}

fn near(found: f64, expected: f64, size: f64) -> bool {
    (found.is_nan() && expected.is_nan()) || (found - expected).abs() <= 1e-12 * size
}

fn same(a: f64, b: f64) -> bool {
    (a.is_nan() && b.is_nan()) || a.to_bits() == b.to_bits()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn fast_is_plain_and_stream_is_slice(x in series(), rolling in window()) {
        let out = rolling.columns(&[&x], &STATS).unwrap();
        let mut stream = RollingStream::new(rolling).unwrap();
        for row in 0..x.len() {
            stream.push(x[row]);
            for (stat, column) in STATS.iter().zip(&out[0]) {
                prop_assert!(same(stream.get(*stat), column[row]), "{stat:?} at {row}");
                let expected = plain(&x[..=row], &rolling, *stat);
                // Sums and means lose bits to the level, as the plain ones do; spreads do not.
                let size = match stat {
                    Stat::Sum | Stat::Mean => 1e9 * 40.0,
                    _ => expected.abs(),
                };
                prop_assert!(near(column[row], expected, size), "{stat:?} at {row}: {} {expected}", column[row]);
            }
        }
    }

    #[test]
    fn a_statistic_alone_is_the_same_as_in_company(x in series(), rolling in window()) {
        let all = rolling.columns(&[&x], &STATS).unwrap();
        for (at, stat) in STATS.iter().enumerate() {
            let alone = rolling.columns(&[&x], &[*stat]).unwrap();
            prop_assert!(alone[0][0].iter().zip(&all[0][at]).all(|(a, b)| same(*a, *b)));
        }
    }

    #[test]
    fn streams_of_lags_and_decays_are_their_slices(x in series(), k in 1..9usize, adjust: bool) {
        let lag = Lag { periods: k, change: Change::Momentum };
        let ewm = Ewm { decay: Decay::Span(k as f64), adjust, ..Ewm::default() };
        let (mut lagged, mut mean) = (vec![0.0; x.len()], vec![0.0; x.len()]);
        let mut std = mean.clone();
        lag.apply(&x, &mut lagged).unwrap();
        ewm.apply(&x, &mut mean, &mut std).unwrap();
        let (mut lags, mut decays) = (LagStream::new(lag).unwrap(), EwmStream::new(ewm).unwrap());
        for row in 0..x.len() {
            prop_assert!(same(lags.push(x[row]), lagged[row]));
            decays.push(x[row]);
            prop_assert!(same(decays.mean(), mean[row]) && same(decays.std(), std[row]));
        }
    }

    #[test]
    fn vwap_is_plain(x in series(), rolling in window()) {
        let volume: Vec<f64> = (0..x.len()).map(|row| (row % 4) as f64).collect();
        let mut out = vec![0.0; x.len()];
        vwap(&x, &volume, &rolling, &mut out).unwrap();
        let mut stream = VwapStream::new(rolling).unwrap();
        for row in 0..x.len() {
            prop_assert!(same(stream.push(x[row], volume[row]), out[row]));
            let rows = (row + 1).saturating_sub(rolling.length)..=row;
            let known: Vec<usize> = rows.filter(|&r| x[r].is_finite()).collect();
            let weight: f64 = known.iter().map(|&r| volume[r]).sum();
            let needed = rolling.min_periods.unwrap_or(rolling.length);
            let mean = known.iter().map(|&r| x[r] * volume[r]).sum::<f64>() / weight;
            let expected = if known.len() < needed || weight == 0.0 { f64::NAN } else { mean };
            prop_assert!(near(out[row], expected, 1e9 * 40.0), "{} {expected}", out[row]);
        }
    }
}

#[test]
fn spread_survives_a_high_level() {
    let x: Vec<f64> = (0..5000).map(|i| 1e9 + f64::from(i % 7) * 1e-3).collect();
    let rolling = Rolling::new(200);
    let out = rolling.columns(&[&x], &[Stat::Std]).unwrap();
    for row in 199..x.len() {
        // The values themselves are exact to 1e-7; both ways see the same ones.
        let expected = plain(&x[..=row], &rolling, Stat::Std);
        assert!((out[0][0][row] - expected).abs() < 1e-9, "row {row}");
    }
}

#[test]
fn singles_are_rounded_once() {
    let x: Vec<f32> = (0..50).map(|i| (i as f32).sin()).collect();
    let wide: Vec<f64> = x.iter().map(|&v| v.into()).collect();
    let rolling = Rolling::new(7);
    let narrow = rolling.columns(&[&x], &[Stat::Std]).unwrap();
    let exact = rolling.columns(&[&wide], &[Stat::Std]).unwrap();
    for (a, b) in narrow[0][0].iter().zip(&exact[0][0]) {
        assert!(a.is_nan() && b.is_nan() || *a == *b as f32);
    }
}
