//! The order in which rows are seen by what may not look ahead.

use fattail_stats::below;

use super::sample::Stream;

/// Rows in an order, in units that see nothing of each other: eras, or, where there is one era only,
/// single rows in a random order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Order {
    /// The rows.
    pub(super) rows: Vec<u32>,
    /// Where each unit ends.
    pub(super) ends: Vec<usize>,
}

impl Order {
    /// `eras` are the starts of the eras and the number of rows.
    pub(super) fn new(eras: &[usize], seed: u64) -> Self {
        let count = eras.last().copied().unwrap_or(0);
        let mut rows: Vec<u32> = (0..count as u32).collect();
        if eras.len() > 2 {
            return Self { rows, ends: eras[1..].to_vec() };
        }
        let mut generator = Stream::Order.of(seed).draw(0);
        for at in (1..count).rev() {
            rows.swap(at, below(&mut generator, at + 1));
        }
        Self { rows, ends: (1..=count).collect() }
    }

    /// Whether units are eras.
    pub(super) fn is_by_era(&self) -> bool {
        self.ends.len() != self.rows.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eras_keep_their_order_and_one_era_is_shuffled() {
        let order = Order::new(&[0, 2, 5], 0);
        assert_eq!((order.rows, order.ends), (vec![0, 1, 2, 3, 4], vec![2, 5]));
        let order = Order::new(&[0, 100], 7);
        assert_eq!(order, Order::new(&[0, 100], 7));
        assert_ne!(order, Order::new(&[0, 100], 8));
        let mut sorted = order.rows.clone();
        sorted.sort_unstable();
        assert!(sorted != order.rows && sorted == (0..100).collect::<Vec<u32>>());
    }
}
