//! What the market promises.

use std::{collections::HashSet, ops::Range};

use fattail_core::{Error, Panel, Result};
use fattail_stats::{kurtosis, pearson};
use fattail_testing::{Market, Signal};

/// The correlation of a weighted sum of features with the target, era by era.
fn scores(panel: &Panel, signals: &[Signal]) -> Result<Vec<f64>> {
    let mut prediction = vec![0.0; panel.rows()];
    for signal in signals {
        let bins = panel.feature(signal.position).to_f64();
        prediction.iter_mut().zip(bins).for_each(|(sum, bin)| *sum += signal.weight * bin);
    }
    let target = panel.target()?.to_f64();
    let score = |rows: Range<usize>| pearson(&prediction[rows.clone()], &target[rows]);
    panel.eras().ranges().map(|rows| score(rows).map_err(Error::other)).collect()
}

fn mean(values: impl IntoIterator<Item = f64>) -> f64 {
    let values: Vec<f64> = values.into_iter().collect();
    values.iter().sum::<f64>() / values.len() as f64
}

#[test]
fn shape_of_the_default() {
    let market = Market::default();
    let panel = market.panel().unwrap();
    assert_eq!((panel.eras().len(), panel.rows(), panel.width()), (240, 120_000, 40));
    assert_eq!((panel.eras().label(0), panel.eras().label(239)), ("0001", "0240"));
    assert_eq!(panel.schema().target(), Some("target"));
    for era in [panel.era(0), panel.era(239)] {
        let count = |value: f32| era.target().unwrap().iter().filter(|&&t| t == value).count();
        assert_eq!([0.0, 0.25, 0.5, 0.75, 1.0].map(count), [25, 100, 250, 100, 25]);
        let bins = |bin: f32| era.feature(0).iter().filter(|&value| value == bin).count();
        assert_eq!([0.0, 1.0, 2.0, 3.0, 4.0].map(bins), [100; 5]);
        let ids: HashSet<&str> = era.ids().unwrap().collect();
        assert_eq!(ids.len(), 500);
        assert!(ids.iter().all(|id| id.len() == 16 && id.starts_with('n')));
    }
}

#[test]
fn the_stable_signal_has_the_strength_of_a_good_model() {
    let mut all = Vec::new();
    for seed in 0..3 {
        let market = Market { seed, ..Market::default() };
        let scores = scores(&market.panel().unwrap(), &market.signals().unwrap().stable).unwrap();
        let mean = mean(scores.iter().copied());
        assert!((0.012..0.045).contains(&mean), "seed {seed}: {mean}");
        all.extend(scores);
    }
    let mean = mean(all);
    assert!((0.02..0.03).contains(&mean), "{mean}");
}

#[test]
fn the_flipping_signal_turns_with_the_regime() {
    let market = Market { flip: 0.2, eras: 200, stress: 1.0, ..Market::default() };
    let signals = market.signals().unwrap();
    let scores = scores(&market.panel().unwrap(), &signals.flipping).unwrap();
    let by = |sign: f64| scores.iter().zip(&signals.sign).filter(move |pair| *pair.1 == sign);
    let (calm, stressed) = (mean(by(1.0).map(|p| *p.0)), mean(by(-1.0).map(|p| *p.0)));
    assert!(calm > 0.12 && stressed < -0.12, "{calm} {stressed}");
}

#[test]
fn labels_overlap_for_the_horizon() {
    let market = Market {
        factor_risk: 0.5,
        eras: 400,
        rows: 100,
        signal: 0.0,
        flip: 0.0,
        ..Market::default()
    };
    let panel = Market { factors: 1, coherence: 1.0, missing_eras: 0, ..market }.panel().unwrap();
    let factor = Signal { feature: String::new(), position: 0, weight: 1.0 };
    let scores = scores(&panel, &[factor]).unwrap();
    let lagged = |lag: usize| pearson(&scores[lag..], &scores[..scores.len() - lag]).unwrap();
    assert!(lagged(1) > 0.5 && lagged(3) > 0.05, "{} {}", lagged(1), lagged(3));
    assert!(lagged(6).abs() < 0.2, "{}", lagged(6));
}

#[test]
fn tails_are_fat_and_extras_there() {
    let market = Market { eras: 40, ..Market::default() };
    let panel = market.panel().unwrap();
    assert!(kurtosis(&panel.extra(Market::RETURN).unwrap().to_f64()) > 6.0);
    let meta = panel.extra(Market::META_MODEL).unwrap().to_f64();
    assert!(meta.iter().all(|&rank| 0.0 < rank && rank < 1.0));
    let mut truth = vec![0.0; panel.rows()];
    for signal in market.signals().unwrap().stable {
        let bins = panel.feature(signal.position).to_f64();
        truth.iter_mut().zip(bins).for_each(|(sum, bin)| *sum += signal.weight * bin);
    }
    let related = pearson(&meta, &truth).unwrap();
    assert!((0.5..0.7).contains(&related), "{related}");
}

#[test]
fn late_features_and_unknown_targets() {
    let market = Market { eras: 40, rows: 50, ..Market::default() };
    let panel = market.panel().unwrap();
    let all_two = |era: usize| panel.era(era).feature(39).iter().all(|bin| bin == 2.0);
    assert!(all_two(0) && all_two(23) && !all_two(24));
    let long = panel.target_named(Market::LONG_TARGET).unwrap();
    let unknown = |era: usize| long.era(era).iter().filter(|value| value.is_nan()).count();
    // The last 12 - 4 eras look at weeks after the end.
    assert_eq!((unknown(31) < 10, unknown(32), unknown(39)), (true, 50, 50));
    assert!((0..32).map(unknown).sum::<usize>() > 0);
    assert!(panel.target().unwrap().to_f32().iter().all(|value| value.is_finite()));
}

#[test]
fn an_era_depends_on_seed_and_position_alone() {
    let market = Market { eras: 30, rows: 40, ..Market::default() };
    let (long, again) = (market.panel().unwrap(), market.panel().unwrap());
    let short = Market { eras: 20, ..market.clone() }.panel().unwrap();
    let other = Market { seed: 1, ..market }.panel().unwrap();
    for era in 0..20 {
        for position in [0, 17, 39] {
            assert_eq!(long.era(era).feature(position), short.era(era).feature(position));
            assert_eq!(long.era(era).feature(position), again.era(era).feature(position));
        }
        let target = |panel: &Panel| panel.era(era).target().unwrap().to_vec();
        assert_eq!(target(&long), target(&short));
        assert_ne!(target(&long), target(&other));
        let ids =
            |panel: &Panel| panel.era(era).ids().unwrap().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(ids(&long), ids(&short));
    }
}
