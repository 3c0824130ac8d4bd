//! Detectors: a state that is written and read in the middle answers as the batch does.

use fattail_drift::{
    Adwin, Alarm, Baseline, Cusum, CusumDetector, Dependence, Direction, FalseAlarms, PageHinkley,
};
use proptest::{collection::vec, prelude::*};
use serde::{Serialize, de::DeserializeOwned};

use crate::draws::Draws;

/// Feeds one half, writes the state to JSON, reads it back and feeds the other.
fn restarted<D: Serialize + DeserializeOwned>(
    mut detector: D,
    update: impl Fn(&mut D, f64) -> Option<Alarm>,
    scores: &[f64],
    half: usize,
) -> Vec<Alarm> {
    let mut found: Vec<Alarm> =
        scores[..half].iter().filter_map(|&score| update(&mut detector, score)).collect();
    let text = serde_json::to_string(&detector).unwrap();
    let mut detector: D = serde_json::from_str(&text).unwrap();
    found.extend(scores[half..].iter().filter_map(|&score| update(&mut detector, score)));
    found
}

fn dependence() -> impl Strategy<Value = Dependence> {
    prop_oneof![
        Just(Dependence::None),
        (1..4_usize).prop_map(|lag| Dependence::Thin { lag }),
        Just(Dependence::Whiten { mean: 0.1, coefficients: vec![0.5, -0.2] }),
    ]
}

fn scores() -> impl Strategy<Value = Vec<f64>> {
    let score = (0..15_u8, -40..40_i32).prop_map(|(hole, hundredth)| {
        if hole == 0 { f64::NAN } else { f64::from(hundredth) / 100.0 }
    });
    vec(score, 2..120)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn streaming_is_batch(scores in scores(), dependence in dependence(), at in 0.0..1.0_f64) {
        let half = (at * scores.len() as f64) as usize;
        let baselines = [Baseline::Known { mean: 0.0, std: 0.2 }, Baseline::Learnt { warm_up: 5 }];
        for baseline in baselines {
            let false_alarms = FalseAlarms::Threshold(2.0);
            let dependence = dependence.clone();
            let settings = Cusum { baseline, false_alarms, dependence, ..Cusum::default() };
            let detector = settings.detector().unwrap();
            let found = restarted(detector, |d, score| d.update(score), &scores, half);
            prop_assert_eq!(found, settings.alarms(&scores).unwrap());
        }
        let settings = PageHinkley {
            threshold: 0.5,
            min_scores: 4,
            dependence: dependence.clone(),
            ..PageHinkley::default()
        };
        let detector = settings.detector().unwrap();
        let found = restarted(detector, |d, score| d.update(score), &scores, half);
        prop_assert_eq!(found, settings.alarms(&scores).unwrap());
        for restart in [false, true] {
            let dependence = dependence.clone();
            let (delta, least, grace) = (0.9, 2, 4);
            let settings =
                Adwin { delta, least, grace, restart, dependence, ..Adwin::default() };
            let detector = settings.detector().unwrap();
            let found = restarted(detector, |d, score| d.update(score), &scores, half);
            prop_assert_eq!(found, settings.alarms(&scores).unwrap());
        }
    }

    #[test]
    fn adwin_window_is_its_scores(scores in vec(0.0..1.0_f64, 1..200)) {
        let settings = Adwin { range: [0.0, 1.0], delta: 0.5, ..Adwin::default() };
        let mut detector = settings.detector().unwrap();
        for (at, &score) in scores.iter().enumerate() {
            detector.update(score);
            let window = &scores[at + 1 - detector.width() as usize..=at];
            prop_assert!((detector.mean() - fattail_stats::mean(window)).abs() < 1e-12);
            let variance = fattail_stats::variance(window, 0);
            prop_assert!((detector.variance() - variance).abs() < 1e-12);
        }
    }
}

#[test]
fn a_fall_is_found_and_dated_by_all_three() {
    let mut draws = Draws::new(11, 0);
    let scores: Vec<f64> =
        (0..200).map(|era| 0.02 * draws.normal() + if era < 120 { 0.03 } else { -0.03 }).collect();
    let cusum = Cusum {
        baseline: Baseline::Learnt { warm_up: 20 },
        false_alarms: FalseAlarms::Within { eras: 200, probability: 0.01 },
        ..Cusum::default()
    };
    let hinkley = PageHinkley { delta: 0.01, ..PageHinkley::default() };
    let hinkley = hinkley.calibrated(0.02, 200, 0.01, 1).unwrap();
    // ADWIN's bound is careful, and its window sheds the past a bucket at a time.
    for (alarms, latest, earliest) in [
        (cusum.alarms(&scores).unwrap(), 135, 115),
        (hinkley.alarms(&scores).unwrap(), 135, 115),
        (Adwin::default().alarms(&scores).unwrap(), 199, 1),
    ] {
        let first = alarms.first().unwrap();
        assert_eq!(first.direction, Direction::Down);
        assert!((120..=latest).contains(&first.at), "{first:?}");
        assert!((earliest..=first.at).contains(&first.since), "{first:?}");
        assert!(first.statistic > first.threshold);
    }
}

#[test]
fn a_state_is_plain_json() {
    let settings = Cusum {
        baseline: Baseline::Known { mean: 0.0, std: 1.0 },
        false_alarms: FalseAlarms::Threshold(4.0),
        ..Cusum::default()
    };
    let mut detector = settings.detector().unwrap();
    detector.update(1.5);
    assert_eq!(detector.sums(), [1.0, 0.0]);
    let text = serde_json::to_string(&detector).unwrap();
    let again: CusumDetector = serde_json::from_str(&text).unwrap();
    assert_eq!(again, detector);
}
