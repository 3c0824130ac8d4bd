//! Curves over the eras, as charts draw them: the running sum and the fall below its peak.
//!
//! `sum_t = s_1 + … + s_t`, `fall_t = sum_t - max(sum_1 … sum_t) <= 0`. An era without a score
//! (NaN, or infinite) leaves the sum as it is and is NaN in the curve. Cost: O(eras).

/// The running sum of the scores.
///
/// ```
/// let curve = fattail_evaluate::cumulative(&[0.5, f64::NAN, -0.25]);
/// assert_eq!((curve[0], curve[2]), (0.5, 0.25));
/// assert!(curve[1].is_nan());
/// ```
#[must_use]
pub fn cumulative(scores: &[f64]) -> Vec<f64> {
    let mut sum = 0.0;
    let step = |&score: &f64| {
        if !score.is_finite() {
            return f64::NAN;
        }
        sum += score;
        sum
    };
    scores.iter().map(step).collect()
}

/// How far the running sum stands below its highest value so far: zero or less.
///
/// ```
/// let fall = fattail_evaluate::drawdown(&[0.5, -0.25, 0.5]);
/// assert_eq!(fall, [0.0, -0.25, 0.0]);
/// ```
#[must_use]
pub fn drawdown(scores: &[f64]) -> Vec<f64> {
    let mut peak = f64::NEG_INFINITY;
    let step = |sum: f64| {
        peak = peak.max(sum);
        sum - peak
    };
    cumulative(scores).into_iter().map(step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_starts_at_the_first_score() {
        assert_eq!(drawdown(&[-0.5, -0.25, 1.0]), [0.0, -0.25, 0.0]);
        assert!(cumulative(&[]).is_empty());
    }

    #[test]
    fn an_era_without_a_score_is_a_gap() {
        let fall = drawdown(&[1.0, f64::NAN, -1.0]);
        assert!(fall[1].is_nan());
        assert_eq!((fall[0], fall[2]), (0.0, -1.0));
    }
}
