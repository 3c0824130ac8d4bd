//! Seeded, counter-based random numbers: a draw is a function of (seed, stream, index).
//!
//! ChaCha with 8 rounds: the seed makes the key, the stream is the cipher's stream, and draw `i`
//! starts at word `i · 2³²`. Draws can therefore be made in any order and by any number of threads
//! with the same result.
//!
//! Cost: opening a draw is a key schedule; a word is about 1 ns.
//!
//! Reference: Bernstein (2008), ChaCha, a variant of Salsa20; Salmon, Moraes, Dror and Shaw (2011),
//! Parallel random numbers: as easy as 1, 2, 3, SC'11; Lemire (2019), Fast random integer generation
//! in an interval, ACM TOMACS 29(1).

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// An address in the space of random numbers.
///
/// ```
/// use fattail_stats::Counter;
/// use rand::Rng;
///
/// let counter = Counter::new(7).stream(1);
/// let mut late = counter.draw(1_000_000);
/// assert_eq!(late.next_u64(), counter.draw(1_000_000).next_u64());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Counter {
    seed: u64,
    stream: u64,
}

impl Counter {
    /// Stream 0 of `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { seed, stream: 0 }
    }

    /// Another stream of the same seed.
    #[must_use]
    pub fn stream(self, stream: u64) -> Self {
        Self { stream, ..self }
    }

    /// The generator of draw `index`, good for 2³² words before it reaches the next draw.
    #[must_use]
    pub fn draw(self, index: u32) -> ChaCha8Rng {
        let mut generator = ChaCha8Rng::seed_from_u64(self.seed);
        generator.set_stream(self.stream);
        generator.set_word_pos(u128::from(index) << 32);
        generator
    }
}

/// A whole number below `n`, each equally likely; the same for every width of `usize`.
///
/// # Panics
/// When `n` is 0.
#[must_use]
pub fn below(generator: &mut impl Rng, n: usize) -> usize {
    assert!(n > 0, "no number is below 0");
    let n = n as u64;
    let mut product = u128::from(generator.next_u64()) * u128::from(n);
    if (product as u64) < n {
        let unfair = n.wrapping_neg() % n;
        while (product as u64) < unfair {
            product = u128::from(generator.next_u64()) * u128::from(n);
        }
    }
    (product >> 64) as usize
}

/// A number in `[0, 1)` with 53 random bits.
#[must_use]
pub fn unit(generator: &mut impl Rng) -> f64 {
    (generator.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_do_not_meet() {
        let base = Counter::new(3);
        let first = |c: Counter, i| c.draw(i).next_u64();
        let drawn = [
            first(base, 0),
            first(base, 1),
            first(base.stream(1), 0),
            first(Counter::new(4), 0),
            first(base, u32::MAX),
        ];
        for (i, a) in drawn.iter().enumerate() {
            assert!(!drawn[..i].contains(a));
        }
    }

    #[test]
    fn every_number_below_is_reached_about_equally() {
        let mut generator = Counter::new(1).draw(0);
        let mut counts = [0_u32; 7];
        for _ in 0..70_000 {
            counts[below(&mut generator, 7)] += 1;
        }
        assert!(counts.iter().all(|&c| (9_600..10_400).contains(&c)), "{counts:?}");
        assert!((0..1000).all(|_| (0.0..1.0).contains(&unit(&mut generator))));
    }
}
