//! Axes: ranges that hold zero, round ticks, era labels thin enough to be read.

use std::ops::Range;

/// The range of the finite values, zero always inside, with a little air.
pub(crate) fn range(values: impl Iterator<Item = f64>) -> Range<f64> {
    let (mut low, mut high) = (0.0f64, 0.0f64);
    for value in values.filter(|value| value.is_finite()) {
        low = low.min(value);
        high = high.max(value);
    }
    let air = 0.06 * (high - low);
    if air <= 0.0 || !air.is_finite() {
        return -1.0..1.0;
    }
    let below = if low < 0.0 { low - air } else { 0.0 };
    let above = if high > 0.0 { high + air } else { 0.0 };
    below..above
}

/// The range of the finite values with a little air, zero inside only where it lies among them.
pub(crate) fn close_range(values: impl Iterator<Item = f64>) -> Range<f64> {
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for value in values.filter(|value| value.is_finite()) {
        (low, high) = (low.min(value), high.max(value));
    }
    let air = if high > low { 0.06 * (high - low) } else { 0.06 * high.abs().max(1e-9) };
    let (below, above) = (low - air, high + air);
    // No value at all, or values too far apart.
    if (above - below).is_finite() { below..above } else { range(std::iter::empty()) }
}

/// Round ticks inside a range (steps of 1, 2 or 5) and the step between them.
pub(crate) fn ticks(range: &Range<f64>, most: usize) -> (Vec<f64>, f64) {
    let raw = (range.end - range.start) / most.max(1) as f64;
    let scale = 10f64.powf(raw.log10().floor());
    let step = [1.0, 2.0, 5.0].into_iter().map(|m| m * scale).find(|&step| step >= raw);
    let step = step.unwrap_or(10.0 * scale);
    let first = (range.start / step).ceil();
    let count = ((range.end / step).floor() - first).max(0.0) as usize;
    ((0..=count).map(|i| (first + i as f64) * step).collect(), step)
}

/// Positions of at most `most` era labels, a round number of eras apart.
pub(crate) fn thin(eras: usize, most: usize) -> impl Iterator<Item = usize> {
    let mut step = 1;
    for factor in [2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000] {
        if eras.div_ceil(step) <= most {
            break;
        }
        step = factor;
    }
    if eras.div_ceil(step) > most {
        step = eras.div_ceil(most.max(1));
    }
    (0..eras).step_by(step)
}

/// Where values that are finite follow one another.
pub(crate) fn runs(values: &[f64], wanted: impl Fn(f64) -> bool) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for (i, _) in values.iter().enumerate().filter(|(_, value)| wanted(**value)) {
        match runs.last_mut() {
            Some(run) if run.end == i => run.end = i + 1,
            _ => runs.push(i..i + 1),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_holds_zero_and_survives_nothing() {
        assert_eq!(range([f64::NAN].into_iter()), -1.0..1.0);
        assert_eq!(range([0.0].into_iter()), -1.0..1.0);
        let some = range([0.5, 1.0, f64::INFINITY].into_iter());
        assert!(some.start == 0.0 && some.end > 1.0 && some.end < 1.1);
    }

    #[test]
    fn a_close_range_holds_values_alone() {
        let some = close_range([0.5, 1.0, f64::NAN].into_iter());
        assert!((some.start - 0.47).abs() < 1e-12 && (some.end - 1.03).abs() < 1e-12);
        let level = close_range([2.0].into_iter());
        assert!(level.start < 2.0 && level.end > 2.0);
        for nothing in [&[][..], &[f64::NAN], &[f64::MIN, f64::MAX]] {
            assert_eq!(close_range(nothing.iter().copied()), -1.0..1.0);
        }
    }

    #[test]
    fn ticks_are_round() {
        let (places, step) = ticks(&(-0.03..0.09), 5);
        assert!((step - 0.05).abs() < 1e-12);
        assert_eq!(places.len(), 2);
        let (places, step) = ticks(&(-1.0..1.0), 5);
        assert_eq!((places.len(), step), (5, 0.5));
    }

    #[test]
    fn a_thousand_eras_get_few_labels() {
        assert_eq!(thin(1000, 9).collect::<Vec<_>>(), [0, 200, 400, 600, 800]);
        assert_eq!(thin(3, 9).count(), 3);
        assert_eq!(thin(0, 9).count(), 0);
        assert!(thin(1_000_000, 9).count() <= 9);
    }

    #[test]
    fn runs_end_at_gaps() {
        let values = [f64::NAN, 1.0, 2.0, f64::NAN, 3.0];
        assert_eq!(runs(&values, f64::is_finite), [1..3, 4..5]);
        assert_eq!(runs(&values, f64::is_nan), [0..1, 3..4]);
    }
}
