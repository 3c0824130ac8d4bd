//! Best constants.
//!
//! The mean; the weighted quantile: the smallest target whose cumulated weight reaches tau of the
//! whole, or the middle between it and the next where it reaches it exactly; and the root of the
//! summed slope, found between the smallest and the largest target by the Illinois form of false
//! position (Dowell & Jarratt 1971). Unknown rows are skipped; without a known row the answer is NaN.
//! Cost: one sort for a quantile, about ten passes for a root.

use super::Truth;

pub(super) fn mean(truth: &Truth<'_>) -> f64 {
    let (sum, weight) = truth.pairs().fold((0.0, 0.0), |(s, w), (t, v)| (s + v * t, w + v));
    sum / weight
}

pub(super) fn quantile(truth: &Truth<'_>, tau: f64) -> f64 {
    let mut pairs: Vec<(f64, f64)> = truth.pairs().collect();
    pairs.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let goal = tau * pairs.iter().map(|pair| pair.1).sum::<f64>();
    let mut reached = 0.0;
    for (position, &(target, weight)) in pairs.iter().enumerate() {
        reached += weight;
        if (reached - goal).abs() <= 1e-12 * goal {
            let next = pairs.get(position + 1).map_or(target, |pair| pair.0);
            return f64::midpoint(target, next);
        }
        if reached > goal {
            return target;
        }
    }
    pairs.last().map_or(f64::NAN, |pair| pair.0)
}

/// The constant c at which `sum w slope(c - t)` changes its sign, for a slope that never falls.
pub(super) fn root(truth: &Truth<'_>, slope: impl Fn(f64) -> f64) -> f64 {
    let sum = |c: f64| truth.pairs().map(|(t, w)| w * slope(c - t)).sum::<f64>();
    let ends = truth
        .pairs()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), (t, _)| (low.min(t), high.max(t)));
    let (mut low, mut high) = ends;
    if low > high {
        return f64::NAN;
    }
    let (mut at_low, mut at_high) = (sum(low), sum(high));
    if at_low >= 0.0 {
        return low;
    }
    let mut side = 0;
    for _ in 0..200 {
        let middle = (low * at_high - high * at_low) / (at_high - at_low);
        let at_middle = sum(middle);
        if at_middle == 0.0 || high - low <= 1e-14 * low.abs().max(high.abs()) {
            return middle;
        }
        if at_middle > 0.0 {
            (high, at_high) = (middle, at_middle);
            at_low *= if side == 1 { 0.5 } else { 1.0 };
            side = 1;
        } else {
            (low, at_low) = (middle, at_middle);
            at_high *= if side == -1 { 0.5 } else { 1.0 };
            side = -1;
        }
    }
    f64::midpoint(low, high)
}

/// Where reweighted means settle, from `start`: a local best constant for a loss that is not convex.
pub(super) fn settle(truth: &Truth<'_>, start: f64, weight: impl Fn(f64) -> f64) -> f64 {
    let mut centre = start;
    for _ in 0..100 {
        let pull = truth.pairs().fold((0.0, 0.0), |(s, m), (t, w)| {
            let w = w * weight(centre - t);
            (s + w * t, m + w)
        });
        if pull.1 <= 0.0 {
            return centre;
        }
        let next = pull.0 / pull.1;
        if (next - centre).abs() <= 1e-13 * centre.abs() {
            return next;
        }
        centre = next;
    }
    centre
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weighted_median_by_hand() {
        let truth = Truth::new(&[3.0, 1.0, 2.0, f32::NAN]);
        assert_eq!(quantile(&truth, 0.5), 2.0);
        let heavy = truth.with_weights(&[5.0, 1.0, 1.0, 9.0]).unwrap();
        assert_eq!(quantile(&heavy, 0.5), 3.0);
        assert_eq!(quantile(&Truth::new(&[1.0, 2.0]), 0.5), 1.5);
        assert!(quantile(&Truth::new(&[f32::NAN]), 0.5).is_nan());
    }

    #[test]
    fn root_of_the_sign_free_slope_is_the_mean() {
        let truth = Truth::new(&[0.0, 1.0, 5.0]);
        assert!((root(&truth, |r| r) - 2.0).abs() < 1e-14);
        assert_eq!(root(&Truth::new(&[4.0]), |r| r), 4.0);
    }
}
