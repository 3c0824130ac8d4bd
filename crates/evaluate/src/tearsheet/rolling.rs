//! Mean and Sharpe ratio of the last eras, era by era.
//!
//! Over the `w` eras that end with era `e`: mean `μ` and its 95 % interval as [`EraMean`], Sharpe `μ / σ_0`.
//!
//! Eras without a score are left out of their windows; a window in which fewer than half of the eras have
//! one, and the first `w - 1` eras, are NaN. A window without spread has no Sharpe, and one with fewer eras
//! than three labels span has no interval.
//!
//! Cost: `O(n w B)` for `B` cosines of a window.
//!
//! Reference: pandas, `Series.rolling`; that of [`EraMean`].

use serde::{Deserialize, Serialize};

use crate::{EraMean, Scores};

/// Figures of the last eras.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rolling {
    /// Eras of a window.
    pub window: usize,
    /// The labels of the eras, the last of their windows.
    pub eras: Vec<String>,
    /// The mean.
    #[serde(with = "fattail_core::null::list")]
    pub mean: Vec<f64>,
    /// The lower end of its 95 % interval.
    #[serde(with = "fattail_core::null::list")]
    pub low: Vec<f64>,
    /// The upper end.
    #[serde(with = "fattail_core::null::list")]
    pub high: Vec<f64>,
    /// Mean by deviation, per era.
    #[serde(with = "fattail_core::null::list")]
    pub sharpe: Vec<f64>,
}

/// The figures of the windows of `scores`.
pub(super) fn of(scores: &Scores, window: usize, lag: usize) -> Result<Rolling, String> {
    let values = scores.values();
    if values.len() < window {
        let eras = values.len();
        return Err(format!("a window of {window} eras is longer than the {eras} eras there are"));
    }
    let mut rolling = Rolling {
        window,
        eras: scores.eras.iter().map(|era| era.era.clone()).collect(),
        mean: Vec::with_capacity(values.len()),
        low: Vec::with_capacity(values.len()),
        high: Vec::with_capacity(values.len()),
        sharpe: Vec::with_capacity(values.len()),
    };
    let mut kept = Vec::with_capacity(window);
    for end in 1..=values.len() {
        kept.clear();
        if let Some(start) = end.checked_sub(window) {
            kept.extend(values[start..end].iter().copied().filter(|value| value.is_finite()));
        }
        let enough = 2 * kept.len() >= window && kept.len() >= 2;
        let EraMean { mean, std, interval: [low, high], .. } = EraMean::of(&kept, lag);
        let figures = [mean, low, high, if std > 0.0 { mean / std } else { f64::NAN }];
        let figures = if enough { figures } else { [f64::NAN; 4] };
        let lists = [&mut rolling.mean, &mut rolling.low, &mut rolling.high, &mut rolling.sharpe];
        lists.into_iter().zip(figures).for_each(|(list, figure)| list.push(figure));
    }
    if rolling.mean.iter().all(|mean| mean.is_nan()) {
        return Err(format!("no window of {window} eras has scores in half of them"));
    }
    Ok(rolling)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::EraScore;

    fn scores(values: &[f64]) -> Scores {
        let era = |(i, &value): (usize, &f64)| EraScore { era: i.to_string(), value, reason: None };
        Scores { metric: "corr".into(), eras: values.iter().enumerate().map(era).collect() }
    }

    #[test]
    fn by_hand() {
        let found = of(&scores(&[1.0, 3.0, f64::NAN, f64::NAN, f64::NAN, 2.0]), 4, 0).unwrap();
        assert!(found.mean[..3].iter().all(|mean| mean.is_nan()));
        // Two of four scores are enough, one is not.
        assert_eq!((found.mean[3], found.sharpe[3]), (2.0, 2.0));
        assert!(found.mean[4].is_nan() && found.mean[5].is_nan());
        // Two scores have no interval, four have that of their mean.
        assert!(found.low[3].is_nan() && found.high[3].is_nan());
        let values = [0.5, 1.0, 3.0, 2.0, 4.0];
        let (found, mean) = (of(&scores(&values), 4, 0).unwrap(), EraMean::of(&values[1..], 0));
        assert_eq!([found.low[4], found.high[4]], mean.interval);
    }

    #[test]
    fn windows_that_do_not_fit_are_told() {
        let long = of(&scores(&[1.0; 3]), 4, 0).unwrap_err();
        assert_eq!(long, "a window of 4 eras is longer than the 3 eras there are");
        assert!(of(&scores(&[f64::NAN; 4]), 2, 0).is_err());
        assert!(of(&scores(&[1.0; 4]), 2, 0).unwrap().sharpe[3].is_nan());
    }
}
