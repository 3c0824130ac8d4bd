//! Correlations of scores and targets within eras: their mean, and mean by standard deviation.
//!
//! With r_e the correlation of era e over its known rows: the mean over the eras that count, and
//! `mean / sd` with divisor E (Sharpe). Pearson; Spearman with ties averaged; or Numerai's: Pearson of
//! `pow(gauss(rank(score)))` and `pow(t - mean t)`, ranks `(r - 1/2) / n` with ties kept, gauss the
//! normal quantile, `pow(x) = sign(x) |x|^1.5`.
//! Raw scores are taken: links rise, so that ranks do not change. Constant scores correlate 0; an era
//! without two different known targets does not count. Without spread, the Sharpe ratio of a mean of 0
//! is 0 and of every other undefined. Weights are not used. Several outputs: the mean over them of the
//! mean, or the ratio of that, each output against its own target or the only one.
//! Cost: a sort an era for ranks. Reference: numerai-tools 0.7.2, `numerai_corr`.

use fattail_stats::{Ranker, Ties, gaussianise, mean, pearson, power_signed, spearman};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Evaluation, View};
use crate::{Error, known::Range};

/// A correlation within an era.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "score", rename_all = "snake_case")]
pub enum EraScore {
    /// Pearson's.
    #[default]
    Pearson,
    /// Spearman's.
    Spearman,
    /// Numerai's.
    Numerai,
}

impl EraScore {
    fn correlate(self, scores: &[f64], target: &[f64]) -> Result<f64, fattail_stats::Error> {
        match self {
            Self::Pearson => pearson(scores, target),
            Self::Spearman => spearman(scores, target),
            Self::Numerai => numerai(scores, target),
        }
    }
}

pub(super) fn value(metric: &Evaluation, view: &View<'_>) -> Result<f64, Error> {
    let targets = view.labels.targets;
    view.check(&Range::finite(view.by))?;
    if !view.outputs.is_multiple_of(targets.len()) {
        let (by, given, allowed) = (view.by, targets.len(), "1, or a divisor of the outputs");
        return Err(Error::Targets { by, given, allowed });
    }
    let (Evaluation::EraMean(score) | Evaluation::EraSharpe(score)) = metric else {
        return Err(metric.undefined("it is not a metric of eras"));
    };
    let each = view.outputs / targets.len();
    let eras = by_era(view, |rows| {
        let outputs = view.scores.chunks(view.rows()).enumerate();
        let found = outputs.filter_map(|(output, scores)| {
            one(*score, &scores[rows.clone()], &targets[output / each][rows.clone()])
        });
        let found: Vec<f64> = found.collect();
        (!found.is_empty()).then(|| mean(&found))
    });
    if eras.is_empty() {
        return Err(metric.undefined("no era has two different known targets"));
    }
    let centre = mean(&eras);
    if matches!(metric, Evaluation::EraMean(_)) {
        return Ok(centre);
    }
    let square = |value: &f64| (value - centre) * (value - centre);
    let spread = (eras.iter().map(square).sum::<f64>() / eras.len() as f64).sqrt();
    match (spread > 0.0, centre == 0.0) {
        (true, _) => Ok(centre / spread),
        (false, true) => Ok(0.0),
        (false, false) => Err(metric.undefined("the correlation is the same in every era")),
    }
}

/// The values of the eras that count, in order.
fn by_era(
    view: &View<'_>,
    value: impl Fn(std::ops::Range<usize>) -> Option<f64> + Sync,
) -> Vec<f64> {
    let whole = [0, view.rows()];
    let bounds = if view.labels.eras.is_empty() { &whole } else { view.labels.eras };
    let eras: Vec<Option<f64>> =
        bounds.par_windows(2).map(|pair| value(pair[0]..pair[1])).collect();
    eras.into_iter().flatten().collect()
}

/// The correlation of an era; none where the target does not vary.
fn one(score: EraScore, scores: &[f64], target: &[f32]) -> Option<f64> {
    let known = || scores.iter().zip(target).filter(|pair| !pair.1.is_nan());
    let scores: Vec<f64> = known().map(|pair| *pair.0).collect();
    let target: Vec<f64> = known().map(|pair| f64::from(*pair.1)).collect();
    if !varies(&target) {
        return None;
    }
    if !varies(&scores) {
        return Some(0.0);
    }
    score.correlate(&scores, &target).ok().filter(|value| !value.is_nan())
}

fn varies(values: &[f64]) -> bool {
    values.iter().any(|value| *value != values[0])
}

fn numerai(scores: &[f64], target: &[f64]) -> Result<f64, fattail_stats::Error> {
    let (mut ranks, mut gauss) = (vec![0.0; scores.len()], vec![0.0; scores.len()]);
    Ranker::new().uniform(scores, Ties::Average, &mut ranks)?;
    gaussianise(&ranks, &mut gauss)?;
    gauss.iter_mut().for_each(|value| *value = power_signed(*value));
    let centre = mean(target);
    let target: Vec<f64> = target.iter().map(|value| power_signed(value - centre)).collect();
    pearson(&gauss, &target)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eras_that_do_not_count() {
        assert_eq!(one(EraScore::Pearson, &[1.0, 2.0], &[3.0, 3.0]), None);
        assert_eq!(one(EraScore::Pearson, &[1.0, 2.0, 3.0], &[3.0, f32::NAN, 3.0]), None);
        assert_eq!(one(EraScore::Spearman, &[1.0, 1.0], &[3.0, 4.0]), Some(0.0));
        assert_eq!(one(EraScore::Numerai, &[1.0, 9.0], &[3.0, 4.0]), Some(1.0));
    }

    #[test]
    fn numerai_by_hand() {
        // pow(gauss(rank)) of five: 1.45.., 0.379.., 0; targets -0.5 .. 0.5 to the power 1.5.
        let (a, b) = (1.450_788_579_685_422, 0.3797472709071263);
        let (c, d) = (0.5f64.powf(1.5), 0.25f64.powf(1.5));
        let expected = (a * c + b * d) / ((a * a + b * b) * (c * c + d * d)).sqrt();
        let scores = [1.0, 2.0, 3.0, 4.0, 5.0];
        let found = one(EraScore::Numerai, &scores, &[0.0, 0.25, 0.5, 0.75, 1.0]).unwrap();
        assert!((found - expected).abs() < 1e-14);
    }
}
