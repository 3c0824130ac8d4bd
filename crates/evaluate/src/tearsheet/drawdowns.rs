//! The running sum of scores, its fall below the peak, and the worst falls one by one.
//!
//! `sum_t = s_1 + … + s_t`, `fall_t = sum_t - max(sum_1 … sum_t)`, as [`cumulative`] and [`drawdown`]. A
//! drawdown is a run of eras with `fall < 0`: it starts at the peak before them, its trough is the first era
//! of the deepest fall, and it is over in the first era with `fall = 0` again. Its length counts the scored
//! eras below the peak. The first score is a peak, so a loss there is no drawdown.
//!
//! Eras without a score are passed over. Of equal depth the earlier comes first.
//!
//! Cost: `O(n log n)`.
//!
//! Reference: Magdon-Ismail and Atiya (2004), Maximum drawdown, Risk Magazine 17(10).

use serde::{Deserialize, Serialize};

use crate::{Scores, cumulative, drawdown};

/// The curve and its worst falls.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Drawdowns {
    /// The labels of the eras.
    pub eras: Vec<String>,
    /// The running sum; NaN in eras without a score.
    #[serde(with = "fattail_core::null::list")]
    pub sum: Vec<f64>,
    /// How far it stands below its peak: zero or less.
    #[serde(with = "fattail_core::null::list")]
    pub fall: Vec<f64>,
    /// The deepest falls, the deepest first.
    pub worst: Vec<Drawdown>,
    /// Falls in all.
    pub count: usize,
    /// The share of scored eras below the peak.
    #[serde(with = "fattail_core::null")]
    pub below: f64,
}

/// One fall from a peak.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Drawdown {
    /// The era of the peak.
    pub start: String,
    /// The era in which the sum is lowest.
    pub trough: String,
    /// The era in which the sum is back at the peak; none while it is not.
    pub recovery: Option<String>,
    /// How far it fell: above zero.
    pub depth: f64,
    /// Scored eras below the peak.
    pub length: usize,
    /// Scored eras from the peak to the trough.
    pub to_trough: usize,
    /// Positions among the eras: peak, trough, and the recovery or the last scored era.
    pub places: [usize; 3],
}

/// The curve of `scores` and its `worst` falls.
pub(super) fn of(scores: &Scores, worst: usize) -> Result<Drawdowns, String> {
    let values = scores.values();
    let (sum, fall) = (cumulative(&values), drawdown(&values));
    let scored: Vec<usize> = (0..fall.len()).filter(|&at| !fall[at].is_nan()).collect();
    if scored.is_empty() {
        return Err("no era has a score".into());
    }
    let mut all = runs(&scored, &fall, scores);
    let below: usize = all.iter().map(|drawdown| drawdown.length).sum();
    let count = all.len();
    all.sort_by(|a, b| b.depth.total_cmp(&a.depth));
    all.truncate(worst);
    Ok(Drawdowns {
        eras: scores.eras.iter().map(|era| era.era.clone()).collect(),
        sum,
        fall,
        worst: all,
        count,
        below: below as f64 / scored.len() as f64,
    })
}

/// Every run below the peak, in order.
fn runs(scored: &[usize], fall: &[f64], scores: &Scores) -> Vec<Drawdown> {
    let label = |at: usize| scores.eras[at].era.clone();
    let mut all = Vec::new();
    let mut next = 0;
    while next < scored.len() {
        if fall[scored[next]] >= 0.0 {
            next += 1;
            continue;
        }
        let first = next;
        while next < scored.len() && fall[scored[next]] < 0.0 {
            next += 1;
        }
        let deepest = (first..next)
            .reduce(|best, at| if fall[scored[at]] < fall[scored[best]] { at } else { best });
        let deepest = deepest.unwrap_or(first);
        // The first score is a peak, so there is one before every run.
        let (peak, trough) = (scored[first - 1], scored[deepest]);
        let end = scored.get(next).copied();
        all.push(Drawdown {
            start: label(peak),
            trough: label(trough),
            recovery: end.map(label),
            depth: -fall[trough],
            length: next - first,
            to_trough: deepest + 1 - first,
            places: [peak, trough, end.unwrap_or(scored[next - 1])],
        });
    }
    all
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
        let values = [0.5, -0.25, -0.25, f64::NAN, 0.5, 0.25, -0.125, 0.0];
        let found = of(&scores(&values), 5).unwrap();
        assert_eq!((found.count, found.worst.len(), found.below), (2, 2, 4.0 / 7.0));
        let deepest = &found.worst[0];
        let told = (&*deepest.start, &*deepest.trough, deepest.recovery.as_deref());
        assert_eq!(told, ("0", "2", Some("4")));
        assert_eq!((deepest.depth, deepest.length, deepest.to_trough), (0.5, 2, 2));
        // The last is not over; its trough is the first of two equal ones.
        let open = &found.worst[1];
        assert_eq!((&*open.start, &*open.trough, &open.recovery), ("5", "6", &None));
        assert_eq!((open.depth, open.length, open.places), (0.125, 2, [5, 6, 7]));
    }

    #[test]
    fn no_score_and_a_first_loss() {
        assert_eq!(of(&scores(&[f64::NAN]), 3).unwrap_err(), "no era has a score");
        assert_eq!(of(&scores(&[-1.0, 0.5]), 3).unwrap().count, 0);
        assert_eq!(of(&scores(&[1.0, -0.5]), 0).unwrap().worst.len(), 0);
    }
}
