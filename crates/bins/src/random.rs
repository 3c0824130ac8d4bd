//! The random numbers that LightGBM samples rows with.
//!
//! The state moves by `x <- 214013 x + 2531011` modulo 2^32. A sample of `k` among `n` rows is drawn in
//! one pass where `k` is large, else by Floyd's method. Cost: `n` or `k log k` steps.
//! Reference: LightGBM 4.7, `include/LightGBM/utils/random.h`; Bentley and Floyd 1987, Programming
//! Pearls: a sample of brilliance.

use std::collections::BTreeSet;

/// LightGBM's generator.
pub(crate) struct Random(u32);

impl Random {
    /// Starts from the low 32 bits of the seed, as the generator's state has no more.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed as u32)
    }

    /// `k` of `0..n`, increasing; all of them where `k` is no smaller.
    pub(crate) fn sample(&mut self, n: usize, k: usize) -> Vec<usize> {
        if k >= n {
            (0..n).collect()
        } else if k > 1 && k as f64 > n as f64 / (k as f64).log2() {
            self.pass(n, k)
        } else {
            self.floyd(n, k)
        }
    }

    fn pass(&mut self, n: usize, k: usize) -> Vec<usize> {
        let mut rows = Vec::with_capacity(k);
        for row in 0..n {
            let share = (k - rows.len()) as f64 / (n - row) as f64;
            if f64::from(self.fraction()) < share {
                rows.push(row);
            }
        }
        rows
    }

    fn floyd(&mut self, n: usize, k: usize) -> Vec<usize> {
        let mut rows = BTreeSet::new();
        for row in n - k..n {
            let drawn = self.below(row + 1);
            if !rows.insert(drawn) {
                rows.insert(row);
            }
        }
        rows.into_iter().collect()
    }

    fn step(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(214_013).wrapping_add(2_531_011);
        self.0
    }

    fn fraction(&mut self) -> f32 {
        (self.step() >> 16 & 0x7FFF) as f32 / 32768.0
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.step() & 0x7FFF_FFFF) as usize % limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_states_by_hand() {
        let mut random = Random::new(1);
        assert_eq!(random.step(), 214_013 + 2_531_011);
        assert_eq!(random.step(), 2_745_024_u32.wrapping_mul(214_013).wrapping_add(2_531_011));
    }

    #[test]
    fn samples_increase_and_have_their_size() {
        for (n, k) in [(10, 10), (10, 20), (1000, 300), (1000, 7), (1000, 1)] {
            let rows = Random::new(3).sample(n, k);
            assert_eq!(rows.len(), k.min(n), "{k} of {n}");
            assert!(rows.windows(2).all(|pair| pair[0] < pair[1]) && rows.last() < Some(&n));
        }
    }
}
