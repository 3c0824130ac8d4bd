//! Laws of metrics.

use fattail_core::{Era, Metric, Panel};
use rand_distr::{Distribution, StandardNormal};

use super::panels::{mixed, reorder, reordered, scored};
use crate::{
    Law, Market, Verdict, Violation,
    stream::{Purpose, stream},
};

/// Checks a metric: that it ignores the order of rows, is finite for a plain prediction and for
/// nothing else, and is larger for a prediction nearer to the target.
///
/// The panel has bins, a target of five values and the extra columns `meta_model`, `return` and
/// `benchmark`; a metric that looks at other columns is checked with [`check_metric_on`], one that
/// breaks a law on purpose with [`check_metric_except`].
///
/// # Errors
/// The first law that does not hold, with the values that show it.
///
/// ```
/// use fattail_core::{Era, Metric, Result};
/// use fattail_testing::{Law, check_metric};
///
/// /// The first prediction, for what it is worth.
/// struct First;
/// impl Metric for First {
///     fn name(&self) -> &str {
///         "first"
///     }
///     fn score(&self, _: &Era<'_>, prediction: &[f32]) -> Result<f64> {
///         Ok(f64::from(prediction[0]))
///     }
/// }
/// assert_eq!(check_metric(&First).unwrap_err().law, Law::RowOrder);
/// ```
pub fn check_metric(metric: &dyn Metric) -> Verdict {
    check_metric_except(metric, &[])
}

/// Checks a metric as [`check_metric`] does, but for laws that it breaks on purpose: a prediction
/// error is defined for constants ([`Law::Undefined`]), an exposure does not look at the target
/// ([`Law::Nearer`]).
///
/// # Errors
/// The first law that does not hold, with the values that show it.
pub fn check_metric_except(metric: &dyn Metric, except: &[Law]) -> Verdict {
    check(metric, &Law::Works.answer("the fixture", scored())?, except)
}

/// Checks a metric as [`check_metric`] does, on a panel with what it looks at: eras of a hundred rows
/// or more, with a target.
///
/// # Errors
/// The first law that does not hold, with the values that show it.
pub fn check_metric_on(metric: &dyn Metric, panel: &Panel) -> Verdict {
    check(metric, panel, &[])
}

fn check(metric: &dyn Metric, panel: &Panel, except: &[Law]) -> Verdict {
    let plain = prediction(panel, 0.5)?;
    let laws: [(Law, &dyn Fn() -> Verdict); 5] = [
        (Law::Finite, &|| finite(metric, panel, &plain)),
        (Law::RowOrder, &|| row_order(metric, panel, &plain)),
        (Law::Undefined, &|| undefined(metric, panel)),
        (Law::Length, &|| length(metric, panel, &plain)),
        (Law::Nearer, &|| nearer(metric, panel)),
    ];
    laws.iter().filter(|(law, _)| !except.contains(law)).try_for_each(|(_, holds)| holds())
}

/// The target and noise.
fn prediction(panel: &Panel, noise: f64) -> Result<Vec<f32>, Violation> {
    let target = Law::Works.answer("the target of the panel", panel.target())?.to_f64();
    let mut rng = stream(19, Purpose::Conform, 3);
    let blend = |value: f64| {
        let normal: f64 = StandardNormal.sample(&mut rng);
        (value + noise * normal) as f32
    };
    Ok(target.into_iter().map(blend).collect())
}

fn era_scores(
    metric: &dyn Metric,
    panel: &Panel,
    prediction: &[f32],
) -> Result<Vec<f64>, Violation> {
    let score = |era: Era<'_>| {
        let rows = panel.eras().range(era.index());
        let what = format!("a plain prediction of era {} by {}", era.label(), metric.name());
        Law::Works.answer(&what, metric.score(&era, &prediction[rows]))
    };
    panel.iter().map(score).collect()
}

fn finite(metric: &dyn Metric, panel: &Panel, prediction: &[f32]) -> Verdict {
    let scores = era_scores(metric, panel, prediction)?;
    Law::Finite.expect(scores.iter().all(|score| score.is_finite()), || {
        format!("{} of a plain prediction is {scores:?}", metric.name())
    })
}

fn row_order(metric: &dyn Metric, panel: &Panel, prediction: &[f32]) -> Verdict {
    let law = Law::RowOrder;
    let rows = mixed(panel.eras());
    let other = law.answer("the panel in another order", reordered(panel, &rows))?;
    let before = era_scores(metric, panel, prediction)?;
    let after = era_scores(metric, &other, &reorder(prediction, &rows))?;
    let near = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-9 * a.abs().max(1.0);
    law.expect(before.iter().zip(&after).all(near), || {
        format!("{} is {before:?}, with rows in another order {after:?}", metric.name())
    })
}

fn undefined(metric: &dyn Metric, panel: &Panel) -> Verdict {
    let era = panel.era(0);
    match metric.score(&era, &vec![0.5; era.rows()]) {
        Ok(score) if !score.is_nan() => {
            Err(Law::Undefined.broken(format!("{} of one half is {score}", metric.name())))
        }
        _ => Ok(()),
    }
}

fn length(metric: &dyn Metric, panel: &Panel, prediction: &[f32]) -> Verdict {
    let era = panel.era(0);
    let short = era.rows() - 1;
    Law::Length.expect(metric.score(&era, &prediction[..short]).is_err(), || {
        format!("{} scored {short} predictions of {} rows", metric.name(), era.rows())
    })
}

fn nearer(metric: &dyn Metric, panel: &Panel) -> Verdict {
    let mean = |noise: f64| {
        let scores = era_scores(metric, panel, &prediction(panel, noise)?)?;
        Ok(scores.iter().sum::<f64>() / scores.len() as f64)
    };
    let (near, far) = (mean(0.2)?, mean(2.0)?);
    Law::Nearer.expect(near > far, || {
        format!("{} is {near} near to {} and {far} far from it", metric.name(), Market::TARGET)
    })
}
