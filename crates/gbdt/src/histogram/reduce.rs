//! The seam where histograms of several workers become one.

/// Sums integers over workers: every worker calls with its own and leaves with the sum of all.
///
/// Workers that hold disjoint rows and share bins, settings and seed grow the same trees, because
/// nothing else of a node depends on rows that a worker does not hold. Sums wrap, so their order does
/// not matter.
pub trait Reduce: Sync {
    /// Replaces each integer by its sum over the workers.
    fn sum(&self, integers: &mut [u64]);

    /// Whether there is one worker only. Linear leaves and ordered boosting need all rows in one place.
    fn is_alone(&self) -> bool {
        false
    }
}

/// The only worker.
#[derive(Debug, Clone, Copy, Default)]
pub struct Alone;

impl Reduce for Alone {
    fn sum(&self, _: &mut [u64]) {}

    fn is_alone(&self) -> bool {
        true
    }
}
