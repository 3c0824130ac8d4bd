//! Laws that hold for every objective: slopes are differences, weights are rows, unknown rows are
//! none, threads change nothing, renewed leaves are best.

use fattail_objective::{Aft, Binary, EraScore, Evaluation, Labels, Lambdarank, Noise, Objective};
use proptest::prelude::*;

const ROWS: usize = 12;
const ERAS: [usize; 4] = [0, 4, 7, 12];

/// What labels an objective takes.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Real,
    Positive,
    Share,
    Sign,
    Class,
    Span,
    Time,
}

/// Smooth objectives, and how often their metric goes into their loss.
fn smooth() -> Vec<(Objective, Kind, f64)> {
    let aft = |noise| Objective::Aft(Aft { noise, sigma: 0.8 });
    let binary = Binary { sigmoid: 1.7, ..Binary::default() };
    vec![
        (Objective::Regression, Kind::Real, 0.5),
        (Objective::Huber { alpha: 0.9 }, Kind::Real, 1.0),
        (Objective::Fair { c: 0.6 }, Kind::Real, 1.0),
        (Objective::PseudoHuber { delta: 0.7 }, Kind::Real, 1.0),
        (Objective::LogCosh, Kind::Real, 1.0),
        (Objective::Expectile { alphas: vec![0.8] }, Kind::Real, 1.0),
        (Objective::Poisson { max_delta_step: 0.7 }, Kind::Positive, 1.0),
        (Objective::Gamma, Kind::Positive, 1.0),
        (Objective::Tweedie { variance_power: 1.4 }, Kind::Positive, 1.0),
        (Objective::Binary(binary), Kind::Sign, 1.0),
        (Objective::Multiclass { classes: 3 }, Kind::Class, 1.0),
        (Objective::CrossEntropy, Kind::Share, 1.0),
        (Objective::CrossEntropyLambda, Kind::Share, 1.0),
        (Objective::Cox, Kind::Time, 1.0),
        (aft(Noise::Normal), Kind::Span, 1.0),
        (aft(Noise::Logistic), Kind::Span, 1.0),
        (aft(Noise::Extreme), Kind::Span, 1.0),
        (Objective::EraCorrelation, Kind::Real, -1.0),
    ]
}

/// One or two targets out of draws between 0 and 1, never constant.
fn targets(kind: Kind, draws: &[f32]) -> Vec<Vec<f32>> {
    let map = |f: &dyn Fn(usize, f32) -> f32| -> Vec<f32> {
        draws.iter().enumerate().map(|(row, &u)| f(row, u)).collect()
    };
    match kind {
        Kind::Real => vec![map(&|row, u| 4.0 * u - 2.0 + row as f32 * 0.01)],
        Kind::Positive => vec![map(&|row, u| u * 3.0 + 0.05 + row as f32 * 0.01)],
        Kind::Share => vec![map(&|row, u| (u + (row % 12) as f32 * 0.02) / 1.3)],
        Kind::Sign => vec![map(&|row, u| if row == 0 || row > 1 && u > 0.5 { 1.0 } else { 0.0 })],
        Kind::Class => {
            vec![map(&|row, u| if row < 3 { row as f32 } else { (u * 2.99).floor() })]
        }
        Kind::Time => vec![map(&|row, u| if row % 3 == 1 { -u - 0.1 } else { u + 0.1 })],
        Kind::Span => vec![
            map(&|row, u| if row % 4 == 1 { 0.0 } else { u + 0.2 }),
            map(&|row, u| match row % 4 {
                0 => u + 0.2,
                2 => f32::INFINITY,
                _ => u * 2.0 + 0.7,
            }),
        ],
    }
}

fn slices(targets: &[Vec<f32>]) -> Vec<&[f32]> {
    targets.iter().map(Vec::as_slice).collect()
}

fn weighted<'a>(targets: &'a [&'a [f32]], weights: &'a [f32]) -> Labels<'a> {
    Labels { targets, weights: Some(weights), eras: &[] }
}

fn slopes(objective: &Objective, labels: Labels<'_>, scores: &[f64]) -> (Vec<f32>, Vec<f32>) {
    let bound = objective.bind(labels).unwrap();
    let (mut g, mut h) = (vec![9.0; scores.len()], vec![9.0; scores.len()]);
    bound.slopes(3, scores, &mut g, &mut h);
    (g, h)
}

fn outputs(objective: &Objective) -> usize {
    if let Objective::Multiclass { classes } = objective { *classes } else { 1 }
}

/// How often the mean of the metric is in the sum that slopes are of.
fn total(objective: &Objective, labels: &Labels<'_>) -> f64 {
    let weight = |row: usize| labels.weights.map_or(1.0, |weights| f64::from(weights[row]));
    let rows = 0..labels.rows();
    match objective {
        Objective::CrossEntropyLambda => labels.rows() as f64,
        Objective::Cox => rows.filter(|&row| labels.target()[row] > 0.0).map(weight).sum(),
        _ => rows.map(weight).sum(),
    }
}

fn draws(rows: usize) -> impl Strategy<Value = (Vec<f32>, Vec<f64>, Vec<f32>)> {
    let unit = proptest::collection::vec(0.0f32..1.0, rows);
    let scores = proptest::collection::vec(-1.5f64..1.5, 3 * rows);
    (unit, scores, proptest::collection::vec(0.2f32..3.0, rows))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn gradients_are_differences((unit, scores, weights) in draws(ROWS), row in 0..ROWS) {
        for (objective, kind, factor) in smooth() {
            let targets = targets(kind, &unit);
            let columns = slices(&targets);
            // The metric of eras does not weigh.
            let weighted = objective != Objective::EraCorrelation;
            let labels = Labels { targets: &columns, weights: weighted.then_some(&weights[..]), eras: &ERAS };
            let mut scores = scores[..outputs(&objective) * ROWS].to_vec();
            let (g, h) = slopes(&objective, labels, &scores);
            prop_assert!(h.iter().all(|&h| h >= 0.0));
            let (metric, link) = (objective.evaluation(), objective.link());
            let step = 1e-5;
            let mut at = |shift: f64| {
                let kept = scores[row];
                scores[row] += shift;
                let value = metric.value(&labels, &scores, link).unwrap();
                scores[row] = kept;
                value
            };
            let difference = (at(step) - at(-step)) / (2.0 * step);
            let expected = factor * total(&objective, &labels) * difference;
            let found = f64::from(g[row]);
            prop_assert!(
                (found - expected).abs() < 2e-4 * (1.0 + expected.abs()),
                "{} {} {}", objective.name(), found, expected
            );
        }
    }

    #[test]
    fn a_weight_of_two_is_two_rows((unit, scores, _) in draws(ROWS), row in 3..ROWS) {
        for (objective, kind, _) in smooth() {
            // Exponents are no counts, and correlations of eras are not sums over rows.
            if matches!(objective, Objective::CrossEntropyLambda | Objective::EraCorrelation) {
                continue;
            }
            let once = targets(kind, &unit);
            let mut weights = vec![1.0; ROWS];
            weights[row] = 2.0;
            let columns = slices(&once);
            let labels = Labels { targets: &columns, weights: Some(&weights), eras: &[] };
            let scores = &scores[..outputs(&objective) * ROWS];
            let (g, _) = slopes(&objective, labels, scores);
            let repeat = |target: &Vec<f32>| [&target[..], &target[row..=row]].concat();
            let twice: Vec<Vec<f32>> = once.iter().map(repeat).collect();
            let columns = slices(&twice);
            let labels = Labels { targets: &columns, ..Labels::default() };
            let longer: Vec<f64> =
                scores.chunks(ROWS).flat_map(|s| [s, &s[row..=row]].concat()).collect();
            let (doubled, _) = slopes(&objective, labels, &longer);
            for (g, doubled) in g.chunks(ROWS).zip(doubled.chunks(ROWS + 1)) {
                let sum = doubled[row] + doubled[ROWS];
                prop_assert!((g[row] - sum).abs() < 1e-5 * (1.0 + sum.abs()), "{}", objective.name());
                let others = (0..ROWS).filter(|&other| other != row);
                for other in others {
                    prop_assert!((g[other] - doubled[other]).abs() < 1e-5);
                }
            }
        }
    }

    #[test]
    fn unknown_rows_are_none((unit, scores, weights) in draws(ROWS), hole in 4usize..6) {
        let mut all: Vec<(Objective, Kind)> =
            smooth().into_iter().map(|(objective, kind, _)| (objective, kind)).collect();
        all.extend([
            (Objective::RegressionL1, Kind::Real),
            (Objective::RegressionSqrt, Kind::Real),
            (Objective::Mape, Kind::Real),
            (Objective::Quantile { alphas: vec![0.2] }, Kind::Real),
            (Objective::Lambdarank(Lambdarank::default()), Kind::Class),
            (Objective::RankXendcg { seed: 5, label_gain: Vec::new() }, Kind::Class),
        ]);
        for (objective, kind) in all {
            let mut holed = targets(kind, &unit);
            let rest = |values: &[f32]| [&values[..hole], &values[hole + 1..]].concat();
            let closed: Vec<Vec<f32>> = holed.iter().map(|target| rest(target)).collect();
            holed[0][hole] = f32::NAN;
            let scores = &scores[..outputs(&objective) * ROWS];
            let fewer: Vec<f64> =
                scores.chunks(ROWS).flat_map(|s| [&s[..hole], &s[hole + 1..]].concat()).collect();
            let fewer_weights = rest(&weights);
            let (with, without) = (slices(&holed), slices(&closed));
            let with = Labels { targets: &with, weights: Some(&weights), eras: &ERAS };
            let eras = [0, 4, 6, 11];
            let without = Labels { targets: &without, weights: Some(&fewer_weights), eras: &eras };
            let ((g, h), (g_less, h_less)) =
                (slopes(&objective, with, scores), slopes(&objective, without, &fewer));
            for (long, short) in [(g, g_less), (h, h_less)] {
                for (long, short) in long.chunks(ROWS).zip(short.chunks(ROWS - 1)) {
                    prop_assert_eq!(long[hole], 0.0);
                    let near = |(a, b): (&f32, &f32)| (a - b).abs() < 1e-5 * (1.0 + a.abs());
                    let kept = rest(long);
                    prop_assert!(kept.iter().zip(short).all(near), "{}", objective.name());
                }
            }
            let (bound, less) = (objective.bind(with).unwrap(), objective.bind(without).unwrap());
            for (start, other) in bound.start().iter().zip(less.start()) {
                prop_assert!((start - other).abs() < 1e-9, "{}", objective.name());
            }
            // The weight of an era is the mean of all its rows.
            if kind != Kind::Class {
                let (metric, link) = (objective.evaluation(), objective.link());
                let value = metric.value(&with, scores, link).unwrap();
                let other = metric.value(&without, &fewer, link).unwrap();
                prop_assert!((value - other).abs() < 1e-9 * (1.0 + value.abs()), "{}", metric.name());
            }
        }
    }

    #[test]
    fn renewed_leaves_are_best((unit, scores, _) in draws(9), shift in -1.0f64..1.0) {
        let objective = Objective::RegressionL1;
        let target = targets(Kind::Real, &unit).remove(0);
        let labels = Labels { targets: &[&target], ..Labels::default() };
        let scores = &scores[..9];
        let bound = objective.bind(labels).unwrap();
        let value = bound.renew(0, &[0, 1, 2, 3, 4, 5, 6, 7, 8], scores).unwrap();
        let loss = |value: f64| {
            let moved: Vec<f64> = scores.iter().map(|score| score + value).collect();
            objective.evaluation().value(&labels, &moved, bound.link()).unwrap()
        };
        prop_assert!(loss(value) <= loss(value + shift) + 1e-12);
    }

    #[test]
    fn renewed_quantiles_lie_next_to_theirs((unit, scores, _) in draws(9), alpha in 0.05f64..0.95) {
        // LightGBM interpolates at (n - 1) alpha, which is near the best value, not at it.
        let target = targets(Kind::Real, &unit).remove(0);
        let labels = Labels { targets: &[&target], ..Labels::default() };
        let bound = Objective::Quantile { alphas: vec![alpha] }.bind(labels).unwrap();
        let value = bound.renew(0, &[0, 1, 2, 3, 4, 5, 6, 7, 8], &scores[..9]).unwrap();
        let residuals = target.iter().zip(&scores).map(|(y, s)| f64::from(*y) - s);
        let below = residuals.clone().filter(|&r| r < value - 1e-9).count() as f64;
        let most = residuals.filter(|&r| r <= value + 1e-9).count() as f64;
        prop_assert!(below <= 8.0 * alpha + 1.0 && most >= 8.0 * alpha);
    }

    #[test]
    fn the_fast_path_is_the_plain_one((unit, scores, _) in draws(ROWS)) {
        let target = targets(Kind::Real, &unit).remove(0);
        for name in ["l2", "l1", "huber", "quantile", "fair", "mape"] {
            let objective = Objective::from_name(name).unwrap();
            let plain = Labels { targets: &[&target], ..Labels::default() };
            let ones = Labels { weights: Some(&[1.0; ROWS]), ..plain };
            let scores = &scores[..ROWS];
            prop_assert_eq!(slopes(&objective, plain, scores), slopes(&objective, ones, scores));
        }
    }

    #[test]
    fn outputs_side_by_side_are_alone((unit, scores, weights) in draws(ROWS)) {
        let first = targets(Kind::Real, &unit).remove(0);
        let mut second: Vec<f32> = first.iter().rev().copied().collect();
        second[4] = f32::NAN;
        let objective = Objective::Quantile { alphas: vec![0.2, 0.7] };
        let wide = [&scores[..], &scores[..ROWS]].concat();
        let (g, h) = slopes(&objective, weighted(&[&first, &second], &weights), &wide);
        for (output, (target, alpha)) in
            [(&first, 0.2), (&first, 0.7), (&second, 0.2), (&second, 0.7)].into_iter().enumerate()
        {
            let alone = Objective::Quantile { alphas: vec![alpha] };
            let rows = output * ROWS..(output + 1) * ROWS;
            let found = slopes(&alone, weighted(&[target], &weights), &wide[rows.clone()]);
            prop_assert_eq!(found, (g[rows.clone()].to_vec(), h[rows].to_vec()));
        }
        let both = objective.evaluation().value(&weighted(&[&first], &weights), &wide[..2 * ROWS], objective.link());
        let one = |alpha: f64, scores: &[f64]| {
            let metric = Evaluation::Quantile { alphas: vec![alpha] };
            metric.value(&weighted(&[&first], &weights), scores, objective.link()).unwrap()
        };
        let mean = 0.5 * (one(0.2, &wide[..ROWS]) + one(0.7, &wide[ROWS..2 * ROWS]));
        prop_assert!((both.unwrap() - mean).abs() < 1e-12);
    }
}

#[test]
fn threads_change_no_bit() {
    let rows = 40_000;
    let unit: Vec<f32> = (0..rows).map(|row| ((row * 7919) % 10_007) as f32 / 10_007.0).collect();
    let scores: Vec<f64> = (0..3 * rows).map(|row| (row as f64 * 0.37).sin()).collect();
    let eras: Vec<usize> = (0..=40).map(|era| era * 1000).collect();
    let mut all = smooth();
    all.push((Objective::RankXendcg { seed: 1, label_gain: Vec::new() }, Kind::Class, 1.0));
    for (objective, kind, _) in all {
        let targets = targets(kind, &unit);
        let columns = slices(&targets);
        let labels = Labels { targets: &columns, weights: None, eras: &eras };
        let scores = &scores[..outputs(&objective) * rows];
        let run = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let (g, h) = slopes(&objective, labels, scores);
                let value = objective.evaluation().value(&labels, scores, objective.link());
                (objective.bind(labels).unwrap().start(), g, h, value.unwrap())
            })
        };
        let one = run(1);
        assert!([2, 3].iter().all(|&threads| run(threads) == one), "{}", objective.name());
    }
}

#[test]
fn the_sharpe_ratio_of_eras_by_hand() {
    let target = [0.0, 1.0, 0.0, 1.0, 2.0];
    let labels = Labels { targets: &[&target], weights: None, eras: &[0, 2, 5] };
    // Correlations 1 and 0.5: mean 0.75, standard deviation 0.25.
    let scores = [1.0, 2.0, 1.0, 0.0, 2.0];
    let value = |metric: Evaluation| metric.value(&labels, &scores, Objective::Regression.link());
    for score in [EraScore::Pearson, EraScore::Spearman] {
        assert!((value(Evaluation::EraMean(score)).unwrap() - 0.75).abs() < 1e-15);
        assert!((value(Evaluation::EraSharpe(score)).unwrap() - 3.0).abs() < 1e-14);
    }
}
