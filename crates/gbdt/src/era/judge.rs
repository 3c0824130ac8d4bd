//! What eras say about a split.
//!
//! In era e let G_e, H_e be the sums of gradients and hessians, L and R the sides, and
//! `v(G, H) = -G / (H + l2)`. An era counts when each side holds `min_rows` rows of it.
//!
//! ```text
//! gain_e      = G_Le^2/(H_Le + l2) + G_Re^2/(H_Re + l2) - G_e^2/(H_e + l2)
//! boltzmann   = sum_e gain_e exp(alpha gain_e) / sum_e exp(alpha gain_e)
//! agreement   = |sum_e sign(v_Le - v_Re)| / M,   M the eras that count
//! era split   = gamma boltzmann + directional agreement + pooled gain
//! directional = gain agreement^power
//! t-statistic = mean_e(gain'_e) / sd_e(gain'_e) sqrt(M)
//! ```
//!
//! In the t-statistic `gain'_e = -(2 G_Le w_L + H_Le w_L^2 + 2 G_Re w_R + H_Re w_R^2)` is what the
//! leaves fitted on all eras win in era e: negative where the era disagrees, while `gain_e`, fitted on
//! the era itself, never is. Cost: one pass over the eras a threshold.
//! Reference: DeLise (2023), Era Splitting, arXiv 2309.14496, sections 3 and 4.

use crate::{Criterion, EraSettings, histogram::Sums};

/// An era and what of it goes left.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Cut {
    pub(crate) all: Sums,
    pub(crate) left: Sums,
}

/// What the pool says of the split that eras judge.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Pooled {
    /// What it wins over the floor.
    pub(crate) gain: f64,
    /// The values of its leaves.
    pub(crate) outputs: (f64, f64),
    /// The penalty on the square of leaves.
    pub(crate) l2: f64,
}

/// The worth of a split by the criterion; none where eras refuse it.
pub(crate) fn judge(settings: &EraSettings, cuts: &[Cut], pooled: Pooled) -> Option<f64> {
    let least = settings.min_rows.max(1) as f64;
    let present = cuts.iter().filter(|cut| cut.all.n > 0.0).count();
    let valid = |cut: &&Cut| cut.left.n >= least && cut.all.n - cut.left.n >= least;
    let counted = cuts.iter().filter(valid).count();
    let mute = counted == 0 && settings.criterion != Criterion::Pooled;
    if mute || (counted as f64) < settings.valid_share * present as f64 {
        return None;
    }
    let cuts = || cuts.iter().filter(valid);
    let score = match settings.criterion {
        Criterion::Pooled => pooled.gain,
        Criterion::EraSplit { alpha, gamma, directional, pooled: share } => {
            let gain = boltzmann(alpha, || cuts().map(|cut| gain(cut, pooled.l2)));
            let agreed = agreement(cuts(), counted, pooled.l2);
            gamma * gain + directional * agreed + share * pooled.gain
        }
        Criterion::Directional { power, least } => {
            let agreed = agreement(cuts(), counted, pooled.l2);
            if agreed < least {
                return None;
            }
            pooled.gain * agreed.powf(power)
        }
        Criterion::TStatistic { least } => {
            let t = t_statistic(cuts().map(|cut| pooled_gain(cut, pooled.outputs)));
            if !(pooled.gain > 0.0 && t >= least) {
                return None;
            }
            t
        }
    };
    (score > 0.0).then_some(score)
}

/// The most that eras can make of a split that wins `gain` in the pool; none where that says nothing.
pub(crate) fn most(settings: &EraSettings, gain: f64) -> Option<f64> {
    match settings.criterion {
        Criterion::Pooled | Criterion::Directional { .. } => Some(gain),
        Criterion::TStatistic { .. } if gain <= 0.0 => Some(f64::NEG_INFINITY),
        Criterion::EraSplit { .. } | Criterion::TStatistic { .. } => None,
    }
}

/// The spread of the eras' answers: `var_e(slope) / mean_e(slope)^2`, the slope being `v_Le - v_Re`.
pub(crate) fn spread(cuts: &[Cut], l2: f64) -> f64 {
    let valid = cuts.iter().filter(|cut| cut.left.n > 0.0 && cut.all.n > cut.left.n);
    let (mut n, mut sum, mut squares) = (0.0, 0.0, 0.0);
    for cut in valid {
        let slope = slope(cut, l2);
        (n, sum, squares) = (n + 1.0, sum + slope, squares + slope * slope);
    }
    if n < 2.0 {
        return 0.0;
    }
    let mean = sum / n;
    let variance = ((squares - sum * mean) / (n - 1.0)).max(0.0);
    // Eras that cancel out leave nothing to believe in: the largest penalty that is still a number.
    if mean == 0.0 { 1e12 } else { (variance / (mean * mean)).min(1e12) }
}

fn value(sums: Sums, l2: f64) -> f64 {
    let weight = sums.h + l2;
    if weight > 0.0 { -sums.g / weight } else { 0.0 }
}

fn slope(cut: &Cut, l2: f64) -> f64 {
    value(cut.left, l2) - value(cut.all.minus(cut.left), l2)
}

fn gain(cut: &Cut, l2: f64) -> f64 {
    let worth = |sums: Sums| -sums.g * value(sums, l2);
    worth(cut.left) + worth(cut.all.minus(cut.left)) - worth(cut.all)
}

fn pooled_gain(cut: &Cut, (left, right): (f64, f64)) -> f64 {
    let worth = |sums: Sums, w: f64| -(2.0 * sums.g * w + sums.h * w * w);
    worth(cut.left, left) + worth(cut.all.minus(cut.left), right)
}

/// The mean of gains under weights `exp(alpha gain)`, the largest exponent taken out.
fn boltzmann<I: Iterator<Item = f64>>(alpha: f64, gains: impl Fn() -> I) -> f64 {
    let top = gains().map(|gain| alpha * gain).fold(f64::NEG_INFINITY, f64::max);
    let (mut sum, mut weights) = (0.0, 0.0);
    for gain in gains() {
        let weight = (alpha * gain - top).exp();
        sum += weight * gain;
        weights += weight;
    }
    sum / weights
}

fn agreement<'a>(cuts: impl Iterator<Item = &'a Cut>, counted: usize, l2: f64) -> f64 {
    let sign = |cut: &Cut| {
        let slope = slope(cut, l2);
        if slope == 0.0 { 0.0 } else { slope.signum() }
    };
    cuts.map(sign).sum::<f64>().abs() / counted as f64
}

fn t_statistic(gains: impl Iterator<Item = f64>) -> f64 {
    let (mut n, mut mean, mut squares) = (0.0, 0.0, 0.0);
    for gain in gains {
        n += 1.0;
        let step = gain - mean;
        mean += step / n;
        squares += step * (gain - mean);
    }
    let error = (squares / (n - 1.0) / n).sqrt();
    if n > 1.0 && error > 0.0 { mean / error } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(left: (f64, f64), right: (f64, f64)) -> Cut {
        let left = Sums { g: left.0, h: left.1, n: left.1 };
        let right = Sums { g: right.0, h: right.1, n: right.1 };
        Cut { all: left.plus(right), left }
    }

    fn settings(criterion: Criterion) -> EraSettings {
        EraSettings { criterion, ..EraSettings::default() }
    }

    const POOLED: Pooled = Pooled { gain: 4.0, outputs: (1.0, -1.0), l2: 0.0 };

    #[test]
    fn agreement_by_hand() {
        let directional = settings(Criterion::Directional { power: 1.0, least: 0.0 });
        let same = [cut((-1.0, 1.0), (1.0, 1.0)), cut((-2.0, 1.0), (0.0, 1.0))];
        assert_eq!(judge(&directional, &same, POOLED), Some(4.0));
        let three = [same[0], same[1], cut((1.0, 1.0), (-1.0, 1.0))];
        let agreed = judge(&directional, &three, POOLED).unwrap();
        assert!((agreed - 4.0 / 3.0).abs() < 1e-12);
        let strict = settings(Criterion::Directional { power: 1.0, least: 0.5 });
        assert_eq!(judge(&strict, &three, POOLED), None);
    }

    #[test]
    fn boltzmann_lies_between_least_and_largest() {
        // Gains of the eras: 2 and 2/3 (left 1 row of -1, right 1 of 1; left 1 of -1, right 2 of 0).
        let cuts = [cut((-1.0, 1.0), (1.0, 1.0)), cut((-1.0, 1.0), (0.0, 2.0))];
        let at = |alpha| {
            let split = Criterion::EraSplit { alpha, gamma: 1.0, directional: 0.0, pooled: 0.0 };
            judge(&settings(split), &cuts, POOLED).unwrap()
        };
        assert!((at(0.0) - 4.0 / 3.0).abs() < 1e-12);
        assert!((at(-1e3) - 2.0 / 3.0).abs() < 1e-12);
        assert!((at(1e3) - 2.0).abs() < 1e-12);
    }

    #[test]
    fn t_statistic_by_hand() {
        // What outputs 1 and -1 win: era one 2 - 1 + 2 - 1 = 2, era two 4 - 1 + 0 - 1 = 2 (no spread),
        // era three -4; the mean is 0.
        let cuts = [
            cut((-1.0, 1.0), (1.0, 1.0)),
            cut((-2.0, 1.0), (0.0, 1.0)),
            cut((0.5, 1.0), (-0.5, 1.0)),
        ];
        let t = settings(Criterion::TStatistic { least: 0.0 });
        assert!(judge(&t, &cuts, POOLED).is_none());
        let gains = [2.0, 2.0, 5.0];
        // Mean 3, variance 3, error 1.
        assert!((t_statistic(gains.into_iter()) - 3.0).abs() < 1e-12);
    }

    #[test]
    fn eras_with_an_empty_side_do_not_count() {
        let cuts = [cut((-1.0, 1.0), (1.0, 1.0)), cut((0.0, 0.0), (1.0, 2.0))];
        let mut settings = settings(Criterion::Directional { power: 1.0, least: 0.0 });
        assert_eq!(judge(&settings, &cuts, POOLED), Some(4.0));
        settings.valid_share = 1.0;
        assert_eq!(judge(&settings, &cuts, POOLED), None);
    }

    #[test]
    fn spread_by_hand() {
        // Slopes 2 and 1: variance 1/2, mean 3/2.
        let cuts = [cut((-1.0, 1.0), (1.0, 1.0)), cut((-1.0, 1.0), (0.0, 2.0))];
        assert!((spread(&cuts, 0.0) - 0.5 / 2.25).abs() < 1e-12);
        assert_eq!(spread(&cuts[..1], 0.0), 0.0);
    }
}
