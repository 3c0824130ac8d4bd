//! The order of an epoch: which samples make which step.
//!
//! | order | an epoch |
//! |---|---|
//! | shuffled | all samples, in a random order |
//! | eras | whole eras, in a random order; a step takes eras until it has its samples |
//! | in order | as in the panel |
//!
//! Shuffles are those of Fisher and Yates with ChaCha8 keyed by (seed, epoch), so that an epoch's
//! order needs no other epoch's. Bounded numbers by multiplication with rejection (Lemire 2019). The
//! last step takes what is left. Cost: 3 to 5 ns a sample. Reference: Knuth, TAOCP 2, algorithm P;
//! Lemire (2019), Fast random integer generation in an interval, ACM TOMACS 29(1).

use std::ops::Range;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::Samples;

/// The order in which samples are seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// A random order, another one each epoch.
    #[default]
    Shuffled,
    /// Whole eras in a random order: for losses and graphs of an era.
    Eras,
    /// The panel's.
    InOrder,
}

/// The steps of an epoch.
///
/// ```
/// use fattail_core::Panel;
/// use fattail_training::{Order, Plan, Reading, Samples};
/// let panel = Panel::builder()
///     .eras(&["1", "1", "2", "2", "2"])?
///     .feature("x", vec![0u8, 1, 2, 3, 4])
///     .target("y", vec![0.0f32; 5])
///     .build()?;
/// let samples = Samples::known(&panel, &Reading::default())?;
/// let mut plan = Plan::default();
/// plan.arrange(&samples, Order::Eras, 2, (7, 0));
/// // A step for each era, however many samples it has.
/// assert_eq!(plan.steps(), 2);
/// plan.arrange(&samples, Order::Shuffled, 2, (7, 0));
/// assert_eq!((plan.steps(), plan.step(2)), (3, 4..5));
/// # Ok::<(), fattail_core::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct Plan {
    /// The samples, in the order of the epoch.
    pub(super) order: Vec<u32>,
    /// The number of samples that it was arranged for.
    pub(super) of: usize,
    /// Samples a step, where steps are not made of eras.
    size: usize,
    /// Where each era ends, and each step; empty where steps are not made of eras.
    cuts: Vec<usize>,
    ends: Vec<usize>,
}

impl Plan {
    /// Plans an epoch with `size` samples a step; `key` is the seed and the epoch.
    pub fn arrange(&mut self, samples: &Samples, order: Order, size: usize, key: (u64, u64)) {
        self.clear(samples, size);
        if order == Order::Eras {
            self.arrange_eras(samples, key);
            return;
        }
        self.order.extend(0..samples.len() as u32);
        if order == Order::Shuffled {
            shuffle(&mut self.order, key);
        }
    }

    fn clear(&mut self, samples: &Samples, size: usize) {
        (self.of, self.size) = (samples.len(), size.max(1));
        self.order.clear();
        self.cuts.clear();
        self.ends.clear();
    }

    /// Plans one pass in panel order, in steps of whole eras or not.
    pub fn arrange_in_order(&mut self, samples: &Samples, whole_eras: bool, size: usize) {
        self.arrange(samples, Order::InOrder, size, (0, 0));
        if whole_eras {
            self.cuts.extend(&samples.bounds()[1..]);
            self.join_eras();
        }
    }

    /// Plans one step of about `most` samples, spread evenly, in panel order: at least one, or one
    /// era.
    pub fn spread(&mut self, samples: &Samples, whole_eras: bool, most: usize) {
        self.clear(samples, usize::MAX);
        if whole_eras {
            let bounds = samples.bounds();
            let eras = bounds.len() - 1;
            let wanted = (most.saturating_mul(eras) / samples.len().max(1)).clamp(1, eras.max(1));
            for era in (0..eras).step_by(eras.div_ceil(wanted).max(1)) {
                self.order.extend(bounds[era] as u32..bounds[era + 1] as u32);
                self.cuts.push(self.order.len());
            }
            self.join_eras();
            return;
        }
        let stride = samples.len().div_ceil(most.max(1)).max(1);
        self.order.extend((0..samples.len() as u32).step_by(stride));
    }

    fn arrange_eras(&mut self, samples: &Samples, key: (u64, u64)) {
        let bounds = samples.bounds();
        let mut eras: Vec<u32> = (0..bounds.len() as u32 - 1).collect();
        shuffle(&mut eras, key);
        self.order.reserve_exact(samples.len());
        self.cuts.reserve_exact(eras.len());
        for era in eras {
            let era = era as usize;
            self.order.extend(bounds[era] as u32..bounds[era + 1] as u32);
            self.cuts.push(self.order.len());
        }
        self.join_eras();
    }

    fn join_eras(&mut self) {
        self.ends.reserve_exact(self.cuts.len());
        let mut start = 0;
        for &end in &self.cuts {
            if end - start >= self.size {
                self.ends.push(end);
                start = end;
            }
        }
        if start < self.order.len() {
            self.ends.push(self.order.len());
        }
    }

    /// The number of steps.
    #[must_use]
    pub fn steps(&self) -> usize {
        if self.cuts.is_empty() { self.order.len().div_ceil(self.size) } else { self.ends.len() }
    }

    /// The positions of a step's samples; none past the last step.
    #[must_use]
    pub fn step(&self, index: usize) -> Range<usize> {
        let length = self.order.len();
        if self.cuts.is_empty() {
            let start = index.saturating_mul(self.size).min(length);
            return start..start.saturating_add(self.size).min(length);
        }
        let start = index
            .checked_sub(1)
            .map_or(0, |before| self.ends.get(before).copied().unwrap_or(length));
        start..self.ends.get(index).copied().unwrap_or(length)
    }

    /// The part of `rest` that goes first when at most `size` samples go together; eras stay whole,
    /// even when one has more.
    #[must_use]
    pub fn chunk(&self, rest: &Range<usize>, size: usize) -> Range<usize> {
        let most = rest.start.saturating_add(size.max(1));
        if most >= rest.end || self.cuts.is_empty() {
            return rest.start..most.min(rest.end);
        }
        let fitting = self.cuts.partition_point(|&cut| cut <= most);
        let whole = fitting.checked_sub(1).map(|at| self.cuts[at]).filter(|&cut| cut > rest.start);
        let end = whole.or_else(|| self.cuts.get(fitting).copied()).unwrap_or(rest.end);
        rest.start..end.min(rest.end)
    }

    /// Whether the positions are one era, which is not divided.
    #[must_use]
    pub fn is_whole(&self, positions: &Range<usize>) -> bool {
        let first = self.cuts.partition_point(|&cut| cut <= positions.start);
        self.cuts.get(first).is_some_and(|&cut| cut >= positions.end)
    }

    /// The number of samples.
    #[must_use]
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }
}

fn shuffle(values: &mut [u32], (seed, epoch): (u64, u64)) {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    generator.set_stream(epoch);
    for last in (1..values.len()).rev() {
        let other = below(&mut generator, last as u32 + 1);
        values.swap(last, other as usize);
    }
}

/// A whole number below `n > 0`, each equally likely.
fn below(generator: &mut ChaCha8Rng, n: u32) -> u32 {
    let mut product = u64::from(generator.next_u32()) * u64::from(n);
    if (product as u32) < n {
        let least = n.wrapping_neg() % n;
        while (product as u32) < least {
            product = u64::from(generator.next_u32()) * u64::from(n);
        }
    }
    (product >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shuffles_are_permutations_and_functions_of_seed_and_epoch() {
        let shuffled = |key| {
            let mut values: Vec<u32> = (0..100).collect();
            shuffle(&mut values, key);
            values
        };
        assert_eq!(shuffled((1, 2)), shuffled((1, 2)));
        assert_ne!(shuffled((1, 2)), shuffled((1, 3)));
        assert_ne!(shuffled((1, 2)), shuffled((2, 2)));
        let mut sorted = shuffled((1, 2));
        sorted.sort_unstable();
        assert_eq!(sorted, (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn every_place_is_equally_likely() {
        let mut counts = [0u32; 4];
        for epoch in 0..4000 {
            let mut values = [0, 1, 2, 3];
            shuffle(&mut values, (5, epoch));
            counts[values.iter().position(|&value| value == 0).unwrap()] += 1;
        }
        // Five standard deviations of a binomial with n = 4000, p = 1/4.
        assert!(counts.iter().all(|&count| count.abs_diff(1000) < 137), "{counts:?}");
    }

    #[test]
    fn chunks_keep_eras_whole() {
        let plan =
            Plan { order: (0..9).collect(), of: 9, size: 9, cuts: vec![2, 7, 9], ends: vec![9] };
        assert_eq!(plan.chunk(&(0..9), 3), 0..2);
        assert_eq!(plan.chunk(&(2..9), 3), 2..7);
        assert_eq!(plan.chunk(&(0..9), 8), 0..7);
        assert_eq!(plan.chunk(&(7..9), 8), 7..9);
        assert!(plan.is_whole(&(2..7)) && !plan.is_whole(&(0..7)));
        let rows = Plan { cuts: vec![], ..plan };
        assert_eq!(rows.chunk(&(2..9), 3), 2..5);
        assert!(!rows.is_whole(&(2..3)));
    }
}
