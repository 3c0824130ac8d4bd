//! The exact choice by eras left out, beside refits without each era.

use crate::panels::mixed;
use fattail_core::{Fit, Panel};
use fattail_linear::{Choice, ElasticNet, LinearModel, PathPoint, Ridge};
use proptest::prelude::*;

/// Refits on a panel without the block of each era and scores on it.
fn plain(panel: &Panel, gap: usize, fit: impl Fn(&Panel) -> LinearModel) -> (f64, f64) {
    let eras = panel.eras().len();
    let (mut errors, mut correlations) = (Vec::new(), Vec::new());
    for era in 0..eras {
        let train: Vec<usize> = (0..eras).filter(|other| other.abs_diff(era) > gap).collect();
        if train.is_empty() {
            continue;
        }
        let model = fit(&panel.cut(&train).unwrap());
        let view = panel.era(era);
        let (target, weights) = (view.target().unwrap(), view.weights().unwrap());
        let rows: Vec<[f64; 3]> = (0..view.rows())
            .filter(|&row| !target[row].is_nan())
            .map(|row| {
                let x: Vec<f64> = view.features().map(|c| f64::from(c.get(row))).collect();
                [at(&model, &x), f64::from(target[row]), f64::from(weights[row])]
            })
            .collect();
        if rows.is_empty() {
            continue;
        }
        let weight: f64 = rows.iter().map(|row| row[2]).sum();
        let mean =
            |f: &dyn Fn(&[f64; 3]) -> f64| rows.iter().map(|r| r[2] * f(r)).sum::<f64>() / weight;
        errors.push(mean(&|r| (r[0] - r[1]).powi(2)));
        let (p, t) = (mean(&|r| r[0]), mean(&|r| r[1]));
        let spread = |i: usize, m: f64| mean(&|r| (r[i] - m).powi(2));
        let cross = mean(&|r| (r[0] - p) * (r[1] - t));
        let correlation = cross / (spread(0, p) * spread(1, t)).sqrt();
        if correlation.is_finite() {
            correlations.push(correlation);
        }
    }
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    (mean(&errors), mean(&correlations))
}

fn at(model: &LinearModel, x: &[f64]) -> f64 {
    let products = model.coefficients.iter().zip(x).map(|(c, x)| c.value * x);
    model.intercept.value + products.sum::<f64>()
}

fn agree(point: &PathPoint, plain: (f64, f64)) -> bool {
    (point.error - plain.0).abs() < 1e-8 * (1.0 + plain.0)
        && (point.correlation - plain.1).abs() < 1e-8
}

/// Fits of the cuts together beside a fit of each, whether it answers or refuses.
fn each_alone(
    learner: &impl Fit<Fitted = LinearModel>,
    panel: &Panel,
    cuts: &[Vec<usize>],
    tolerance: f64,
) -> Result<(), TestCaseError> {
    let (mut found, mut at) = (Vec::new(), 0);
    let answer = learner.fit_each(panel, cuts, &mut |number, model| {
        assert_eq!(number, at);
        at += 1;
        found.push(model);
        Ok(())
    });
    for (number, cut) in cuts.iter().enumerate() {
        let alone = learner.fit(&panel.cut(cut).unwrap());
        let Some(model) = found.get(number) else {
            let (refusal, alone) =
                (answer.unwrap_err().to_string(), alone.unwrap_err().to_string());
            prop_assert_eq!(refusal, alone);
            return Ok(());
        };
        same_model(model, &alone.unwrap(), tolerance)?;
    }
    prop_assert!(answer.is_ok());
    Ok(())
}

fn same_model(a: &LinearModel, b: &LinearModel, tolerance: f64) -> Result<(), TestCaseError> {
    prop_assert_eq!((a.penalty, a.rows, a.eras), (b.penalty, b.rows, b.eras));
    let near = |a: f64, b: f64| {
        (a.is_nan() && b.is_nan())
            || a == b
            || (a - b).abs() <= tolerance * (1.0 + a.abs().max(b.abs()))
    };
    let all = |model: &LinearModel| -> Vec<f64> {
        let coefficients = model.coefficients.iter().chain([&model.intercept]);
        let values = coefficients.flat_map(|c| [c.value, c.std_error, c.low, c.high]);
        values.chain(model.path.iter().flat_map(|point| [point.error, point.correlation])).collect()
    };
    for (a, b) in all(a).into_iter().zip(all(b)) {
        prop_assert!(near(a, b), "{} {}", a, b);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn ridge_equals_refits(
        seed in any::<u64>(), eras in 5usize..14, gap in 0usize..3, intercept: bool, standardise: bool,
    ) {
        let panel = mixed(seed, eras, 4);
        let settings = Ridge {
            penalties: vec![1e-4, 0.03, 1.0, 30.0], gap, intercept, standardise, ..Ridge::default()
        };
        let model = settings.fit(&panel).unwrap();
        for point in &model.path {
            let one = Ridge { penalties: vec![point.penalty], ..settings.clone() };
            let twin = plain(&panel, gap, |train| one.fit(train).unwrap());
            prop_assert!(agree(point, twin), "{point:?} {twin:?}");
        }
        let least = model.path.iter().map(|point| point.error).fold(f64::INFINITY, f64::min);
        let chosen = model.path.iter().find(|point| point.penalty == model.penalty).unwrap();
        prop_assert_eq!(chosen.error, least);
    }

    #[test]
    fn fits_of_many_cuts_equal_fits_of_each_alone(
        seed in any::<u64>(),
        (eras, masks) in (2usize..16).prop_flat_map(|eras| {
            (Just(eras), prop::collection::vec(prop::collection::vec(any::<bool>(), eras), 1..6))
        }),
        gap in 0usize..2, lags in 0usize..3, intercept: bool, standardise: bool, one: bool,
    ) {
        let panel = mixed(seed, eras, 4);
        let cut = |mask: &Vec<bool>| (0..eras).filter(|&era| mask[era] || era == 0).collect();
        let cuts: Vec<Vec<usize>> = masks.iter().map(cut).collect();
        let penalties = if one { vec![0.1] } else { vec![1e-3, 0.1, 10.0] };
        let ridge =
            Ridge { penalties: penalties.clone(), gap, lags, intercept, standardise, ..Ridge::default() };
        each_alone(&ridge, &panel, &cuts, 1e-9)?;
        let net = ElasticNet {
            penalties, gap, lags, intercept, standardise, tolerance: 1e-15, ..ElasticNet::default()
        };
        each_alone(&net, &panel, &cuts, 1e-6)?;
    }

    #[test]
    fn elastic_net_equals_refits(seed in any::<u64>(), gap in 0usize..2) {
        let panel = mixed(seed, 8, 4);
        let settings = ElasticNet {
            penalties: vec![0.01, 0.1], gap, tolerance: 1e-15, choice: Choice::Correlation, ..ElasticNet::default()
        };
        let model = settings.fit(&panel).unwrap();
        for point in &model.path {
            let one = ElasticNet { penalties: vec![point.penalty], ..settings.clone() };
            let twin = plain(&panel, gap, |train| one.fit(train).unwrap());
            prop_assert!((point.error - twin.0).abs() < 1e-6 * (1.0 + twin.0), "{point:?} {twin:?}");
        }
    }
}

#[test]
fn a_feature_that_lives_in_one_era_alone() {
    let eras: Vec<String> = (0..40).map(|row| format!("{:02}", row / 8)).collect();
    let target: Vec<f32> = (0..40).map(|row| ((row * 7) % 11) as f32).collect();
    let panel = Panel::builder()
        .eras(&eras)
        .unwrap()
        .feature("lives", (0..40).map(|row| (row * 3 % 5) as f32).collect::<Vec<_>>())
        .feature(
            "once",
            (0..40).map(|row| if row < 8 { row as f32 } else { 7.3 }).collect::<Vec<_>>(),
        )
        .target("y", target)
        .weights(vec![1.0f32; 40])
        .build()
        .unwrap();
    let settings = Ridge { penalties: vec![1e-6, 1e-3], ..Ridge::default() };
    let model = settings.fit(&panel).unwrap();
    for point in &model.path {
        let one = Ridge { penalties: vec![point.penalty], ..settings.clone() };
        let twin = plain(&panel, 0, |train| one.fit(train).unwrap());
        assert!(agree(point, twin), "{point:?} {twin:?}");
    }
}

#[test]
fn threads_change_no_bit() {
    let panel = mixed(5, 60, 6);
    let fit = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let ridge = Ridge { lags: 2, ..Ridge::default() }.fit(&panel).unwrap();
            let huber = fattail_linear::HuberRegression::default().fit(&panel).unwrap();
            let net = ElasticNet::default().fit(&panel).unwrap();
            let cuts = [(0..40).collect(), (10..60).collect::<Vec<_>>()];
            let mut each = Vec::new();
            let mut note = |_, model| {
                each.push(model);
                Ok(())
            };
            Ridge::default().fit_each(&panel, &cuts, &mut note).unwrap();
            [
                serde_json::to_string(&each).unwrap(),
                serde_json::to_string(&ridge).unwrap(),
                serde_json::to_string(&huber).unwrap(),
                serde_json::to_string(&net).unwrap(),
            ]
        })
    };
    assert_eq!(fit(1), fit(3));
}

#[test]
fn where_eras_and_blocks_end_does_not_matter() {
    let rows = 1300;
    let mut numbers = crate::panels::Numbers(1);
    let column: Vec<u8> = (0..rows).map(|_| (numbers.next() * 200.0) as u8).collect();
    let other: Vec<f32> = (0..rows).map(|_| numbers.next() as f32 + 1e4).collect();
    let target: Vec<f32> = (0..rows).map(|_| numbers.next() as f32).collect();
    let slopes = |rows_an_era: usize| {
        let eras: Vec<String> = (0..rows).map(|row| format!("{:04}", row / rows_an_era)).collect();
        let panel = Panel::builder()
            .eras(&eras)
            .unwrap()
            .feature("u", column.clone())
            .feature("f", other.clone())
            .target("y", target.clone())
            .build()
            .unwrap();
        let model = Ridge { penalties: vec![0.01], ..Ridge::default() }.fit(&panel).unwrap();
        [model.intercept.value, model.coefficients[0].value, model.coefficients[1].value]
    };
    for (long, short) in slopes(rows).into_iter().zip(slopes(7)) {
        assert!((long - short).abs() < 1e-9 * (1.0 + long.abs()), "{long} {short}");
    }
}

/// Of 200 panels with a strong signal, about 95 % of the intervals after a lasso hold the truth, and
/// far fewer would if they stood about the shrunk value.
#[test]
fn intervals_after_a_choice_cover_what_is_always_chosen() {
    let (mut covered, mut about_value) = (0, 0);
    for seed in 0..200 {
        let mut numbers = crate::panels::Numbers(seed * 7919 + 1);
        let rows = 30 * 8;
        let eras: Vec<String> = (0..rows).map(|row| format!("{:02}", row / 8)).collect();
        let mut column = || (0..rows).map(|_| numbers.next() as f32).collect::<Vec<f32>>();
        let (signal, noise, [a, b, c]) = (column(), column(), [column(), column(), column()]);
        let errors = a.iter().zip(&b).zip(&c).map(|((a, b), c)| a + b + c - 1.5);
        let target: Vec<f32> = signal.iter().zip(errors).map(|(s, e)| s + e).collect();
        let panel = Panel::builder()
            .eras(&eras)
            .unwrap()
            .feature("signal", signal)
            .feature("noise", noise)
            .target("y", target)
            .build()
            .unwrap();
        let settings = ElasticNet { ratio: 1.0, penalties: vec![0.06], ..ElasticNet::default() };
        let found = settings.fit(&panel).unwrap().coefficients.swap_remove(0);
        let half = 0.5 * (found.high - found.low);
        covered += usize::from(found.low <= 1.0 && 1.0 <= found.high);
        about_value += usize::from((found.value - 1.0).abs() <= half);
    }
    assert!((180..=198).contains(&covered), "{covered}");
    assert!(about_value < covered - 20, "{about_value}");
}

/// Forty features that are nearly one another, as bins of a market are.
#[test]
fn nearly_collinear_features_do_not_stop_a_default_fit() {
    let mut numbers = crate::panels::Numbers(77);
    let rows = 40 * 25;
    let eras: Vec<String> = (0..rows).map(|row| format!("{:02}", row / 25)).collect();
    let common: Vec<f64> = (0..rows).map(|_| numbers.next()).collect();
    let mut builder = Panel::builder().eras(&eras).unwrap();
    for j in 0..40 {
        let own: Vec<f32> =
            common.iter().map(|c| (c + 1e-4 * numbers.next()) as f32 * (1 + j) as f32).collect();
        builder = builder.feature(format!("x{j}"), own);
    }
    let target: Vec<f32> = common.iter().map(|c| (c + 10.0 * numbers.next()) as f32).collect();
    let panel = builder.target("y", target).build().unwrap();
    for (ratio, standardise) in [(0.5, true), (1.0, true), (1.0, false)] {
        let settings = ElasticNet { ratio, standardise, ..ElasticNet::default() };
        let model = settings.fit(&panel).unwrap();
        assert!(model.coefficients.iter().all(|coefficient| coefficient.value.is_finite()));
    }
}

#[test]
fn many_cuts_at_once_refuse_what_one_refuses() {
    let panel = mixed(9, 6, 3);
    let refusal = |panel: &Panel, cuts: &[Vec<usize>]| {
        Ridge::default().fit_each(panel, cuts, &mut |_, _| Ok(())).unwrap_err().to_string()
    };
    assert!(refusal(&panel, &[vec![0, 1], vec![]]).contains("empty"));
    assert!(refusal(&panel, &[vec![1, 0]]).starts_with("era index 0"));
    assert!(refusal(&panel, &[vec![6]]).starts_with("era index 6"));
    let unknown = panel.with_target_values(vec![f32::NAN; panel.rows()]).unwrap();
    assert!(refusal(&unknown, &[vec![0, 1]]).starts_with("none of"));
    // A feature that is missing where no cut looks is nobody's business.
    let mut holes = vec![1.0f32; panel.rows()];
    holes[0] = f32::NAN;
    let holes = panel.append_features([("holes", holes)]).unwrap();
    assert!(Ridge::default().fit_each(&holes, &[vec![1, 2, 3]], &mut |_, _| Ok(())).is_ok());
    assert!(refusal(&holes, &[vec![1, 2], vec![0, 2]]).starts_with("column 'holes' holds NaN"));
}
