//! What holds for every loss and schedule.

use fattail_descent::{
    Absolute, Constant, Cosine, Huber, Linear, LogCosh, Loss, Objective, Pearson, Quantile,
    Schedule, Sequence, Squared, Truth, Tukey,
};
use proptest::prelude::*;

/// Targets (one in ten unknown), weights, predictions, and three eras.
#[derive(Debug, Clone)]
struct Case {
    target: Vec<f32>,
    weights: Vec<f32>,
    prediction: Vec<f64>,
    bounds: [usize; 4],
}

impl Case {
    fn truth(&self) -> Truth<'_> {
        Truth::new(&self.target)
            .with_weights(&self.weights)
            .unwrap()
            .with_eras(&self.bounds)
            .unwrap()
    }

    /// Whether the era of a row has two known targets that differ.
    fn era_counts(&self, row: usize) -> bool {
        let era = self.bounds.windows(2).find(|pair| (pair[0]..pair[1]).contains(&row)).unwrap();
        let mut known = self.target[era[0]..era[1]].iter().filter(|target| !target.is_nan());
        known.next().is_some_and(|first| known.any(|target| target != first))
    }
}

fn cases() -> impl Strategy<Value = Case> {
    let row = (
        prop_oneof![9 => (-3.0f32..3.0).boxed(), 1 => Just(f32::NAN).boxed()],
        0.1f32..2.0,
        -3.0f64..3.0,
    );
    prop::collection::vec(row, 12..30).prop_map(|rows| {
        let third = rows.len() / 3;
        Case {
            target: rows.iter().map(|row| row.0).collect(),
            weights: rows.iter().map(|row| row.1).collect(),
            prediction: rows.iter().map(|row| row.2).collect(),
            bounds: [0, third, 2 * third, rows.len()],
        }
    })
}

fn losses() -> Vec<Objective> {
    vec![
        Squared.into(),
        Absolute.into(),
        Huber { delta: 0.8 }.into(),
        Quantile { tau: 0.2 }.into(),
        LogCosh.into(),
        Tukey { c: 2.5 }.into(),
        Pearson.into(),
    ]
}

fn slopes(loss: &Objective, case: &Case) -> (Vec<f64>, Vec<f64>) {
    let (mut g, mut h) = (vec![f64::NAN; case.target.len()], vec![f64::NAN; case.target.len()]);
    loss.slopes(&case.truth(), &case.prediction, &mut g, &mut h);
    (g, h)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn gradients_equal_differences(case in cases()) {
        let step = 1e-6;
        for loss in losses() {
            let truth = case.truth();
            let (gradient, _) = slopes(&loss, &case);
            for row in 0..case.target.len() {
                // The kinks have no derivative.
                let residual = case.prediction[row] - f64::from(case.target[row]);
                if residual.abs() < 1e-4 { continue }
                let at = |shift: f64| {
                    let mut moved = case.prediction.clone();
                    moved[row] += shift;
                    loss.value(&truth, &moved) * truth.total_weight()
                };
                let difference = (at(step) - at(-step)) / (2.0 * step);
                prop_assert!((difference - gradient[row]).abs() < 2e-5 * (1.0 + gradient[row].abs()),
                    "{loss:?} row {row}: {difference} {}", gradient[row]);
            }
        }
    }

    #[test]
    fn curvatures_are_positive_where_rows_count(case in cases()) {
        for loss in losses() {
            let (gradient, curvature) = slopes(&loss, &case);
            for row in 0..case.target.len() {
                let (g, h) = (gradient[row], curvature[row]);
                let by_era = matches!(loss, Objective::Pearson(_));
                if case.target[row].is_nan() || (by_era && !case.era_counts(row)) {
                    prop_assert_eq!((g, h), (0.0, 0.0));
                } else {
                    prop_assert!(h > 0.0 || (matches!(loss, Objective::Tukey(_)) && h == 0.0 && g == 0.0));
                }
            }
        }
    }

    #[test]
    fn a_step_by_slope_over_curvature_never_climbs(case in cases()) {
        let smooth = [Objective::from(Huber { delta: 0.8 }), LogCosh.into(), Tukey { c: 2.5 }.into()];
        for loss in smooth {
            let truth = case.truth();
            let (gradient, curvature) = slopes(&loss, &case);
            let total: f64 = curvature.iter().sum();
            if total == 0.0 { continue }
            let step = -gradient.iter().sum::<f64>() / total;
            let moved: Vec<f64> = case.prediction.iter().map(|p| p + step).collect();
            prop_assert!(loss.value(&truth, &moved) <= loss.value(&truth, &case.prediction) + 1e-12);
        }
    }

    #[test]
    fn no_constant_beats_the_start(case in cases(), other in -3.0f64..3.0) {
        for loss in losses() {
            let truth = case.truth();
            let value = |constant: f64| loss.value(&truth, &vec![constant; case.target.len()]);
            let start = loss.start(&truth);
            let rival = match loss {
                // Not convex: never worse than the median.
                Objective::Tukey(_) => Absolute.start(&truth),
                _ => other,
            };
            prop_assert!(value(start) <= value(rival) + 1e-10, "{loss:?} {start} {rival}");
        }
    }

    #[test]
    fn correlation_is_blind_to_level_and_scale(case in cases(), level in -5.0f64..5.0, scale in 0.1f64..9.0) {
        let moved: Vec<f64> = case.prediction.iter().map(|p| level + scale * p).collect();
        let truth = case.truth();
        let difference = Pearson.value(&truth, &moved) - Pearson.value(&truth, &case.prediction);
        prop_assert!(difference.abs() < 1e-9);
    }

    #[test]
    fn rates_stay_between_their_ends(step in any::<u64>(), period in 1u64..500, growth in 1u64..4) {
        let rate = Sequence {
            parts: vec![
                Linear { from: 0.1, to: 1.0, steps: 7 }.into(),
                Cosine { high: 1.0, low: 0.1, period, growth }.into(),
                Constant { rate: 0.5 }.into(),
            ],
            milestones: vec![7, u64::MAX / 2],
        };
        prop_assert!(rate.check().is_ok());
        let found = rate.rate(step);
        prop_assert!((0.1 - 1e-15..=1.0 + 1e-15).contains(&found));
    }
}
