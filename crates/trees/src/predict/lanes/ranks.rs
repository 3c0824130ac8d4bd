//! Thresholds laid out for a search in two steps of 16 comparisons.

/// The thresholds of a feature.
#[derive(Debug, Clone)]
pub(crate) struct Ranks {
    /// Sorted, distinct, never NaN.
    pub(super) thresholds: Vec<f32>,
    /// Every 16th threshold, then infinity; empty when there are more than 256.
    pub(super) pivots: Vec<f32>,
    /// The thresholds, then infinity up to 17 times 16.
    pub(super) padded: Vec<f32>,
}

impl Ranks {
    /// Of thresholds that are sorted, distinct and not NaN.
    pub(crate) fn new(thresholds: Vec<f32>) -> Self {
        let (mut pivots, mut padded) = (Vec::new(), Vec::new());
        if thresholds.len() <= 256 {
            pivots.extend(thresholds.iter().skip(15).step_by(16));
            pivots.resize(16, f32::INFINITY);
            padded.clone_from(&thresholds);
            padded.resize(17 * 16, f32::INFINITY);
        }
        Self { thresholds, pivots, padded }
    }

    /// The thresholds below `x`; none when it is NaN.
    pub(crate) fn of(&self, x: f32) -> u32 {
        self.thresholds.partition_point(|&threshold| threshold < x) as u32
    }

    /// The position of a threshold.
    pub(crate) fn position(&self, threshold: f32) -> usize {
        self.thresholds.partition_point(|&other| other < threshold)
    }

    pub(crate) fn len(&self) -> usize {
        self.thresholds.len()
    }
}
