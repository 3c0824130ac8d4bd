//! The seam where histograms of several workers become one.

/// Sums integers over workers: every worker calls with its own and leaves with the sum of all.
///
/// Workers that hold disjoint rows and share bins, settings and seed grow the same trees: settings by which
/// anything else depends on rows that a worker does not hold are refused. Sums wrap, so their order does
/// not matter. All workers ask for the same sums in the same order; the only worker asks from any thread.
pub trait Reduce: Sync {
    /// Replaces each integer by its sum over the workers.
    fn sum(&self, integers: &mut [u64]);

    /// Whether there is one worker only.
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
