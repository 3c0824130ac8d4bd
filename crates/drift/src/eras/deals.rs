//! Choices of the current ones among units that are exchangeable: all of them, or many at random.

use fattail_stats::{Counter, below};
use rayon::prelude::*;

use super::layout::{twins, ways};
use crate::{
    error::Result,
    null::{checked_draws, tie_floor},
};

/// Choices of `size` of the units, one after another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Deals {
    chosen: Vec<u32>,
    size: usize,
    exact: bool,
}

impl Deals {
    /// All choices of `size` of `units`, if they are at most `draws` or one for each unit, else `draws`
    /// at random.
    pub(crate) fn new(units: usize, size: usize, draws: u32, seed: u64) -> Result<Self> {
        checked_draws(draws)?;
        if ways(units, size) <= f64::from(draws).max(units as f64) {
            return Ok(Self { chosen: all(units, size), size, exact: true });
        }
        let counter = Counter::new(seed).stream(STREAM);
        let mut order: Vec<u32> = (0..units as u32).collect();
        let mut chosen = Vec::with_capacity(draws as usize * size);
        for draw in 0..draws {
            let mut generator = counter.draw(draw);
            order.sort_unstable();
            for at in 0..size {
                let other = at + below(&mut generator, units - at);
                order.swap(at, other);
            }
            chosen.extend_from_slice(&order[..size]);
        }
        Ok(Self { chosen, size, exact: false })
    }

    /// Whether these are all choices.
    pub(crate) fn is_exact(&self) -> bool {
        self.exact
    }

    /// The number of choices.
    pub(crate) fn len(&self) -> usize {
        self.chosen.len() / self.size
    }

    /// The least p-value that is possible; `symmetric` when the statistic is the same with the sides
    /// exchanged, so that a choice of half the units ties with the other half.
    pub(crate) fn smallest_p(&self, units: usize, symmetric: bool) -> f64 {
        if !self.exact {
            return 1.0 / (self.len() + 1) as f64;
        }
        let ties = if symmetric { twins(units, self.size) } else { 1.0 };
        ties / self.len() as f64
    }

    /// The choices.
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = &[u32]> {
        self.chosen.chunks_exact(self.size)
    }

    /// The choices, for many threads.
    pub(crate) fn par_iter(&self) -> impl IndexedParallelIterator<Item = &[u32]> {
        self.chosen.par_chunks_exact(self.size)
    }

    /// The p-value of `observed`.
    pub(crate) fn p(&self, observed: f64, statistic: impl FnMut(&[u32]) -> f64) -> f64 {
        self.p_of(observed, self.iter().map(statistic))
    }

    /// The p-value of `observed` among the statistics of the choices.
    pub(crate) fn p_of(&self, observed: f64, drawn: impl Iterator<Item = f64>) -> f64 {
        let floor = tie_floor(observed);
        let above = drawn.filter(|&drawn| drawn >= floor).count();
        // The choice that is observed is among all of them, but not among those at random.
        let one = usize::from(!self.exact);
        ((above + one).max(1)) as f64 / (self.len() + one) as f64
    }
}

/// Keeps these draws apart from those of rows under the same seed.
const STREAM: u64 = 0xE7A5;

/// All choices in lexical order.
fn all(units: usize, size: usize) -> Vec<u32> {
    let (units, mut choice) = (units as u32, (0..size as u32).collect::<Vec<u32>>());
    let mut found = choice.clone();
    loop {
        let last = |at: usize| units - (size - at) as u32;
        let Some(at) = (0..size).rev().find(|&at| choice[at] < last(at)) else { return found };
        choice[at] += 1;
        for next in at + 1..size {
            choice[next] = choice[next - 1] + 1;
        }
        found.extend_from_slice(&choice);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_units_are_dealt_in_all_ways() {
        let deals = Deals::new(5, 2, 10, 0).unwrap();
        assert!(deals.is_exact() && deals.len() == 10);
        assert_eq!(deals.iter().next(), Some(&[0, 1][..]));
        assert_eq!(deals.iter().last(), Some(&[3, 4][..]));
        let p = deals.p(7.0, |chosen| f64::from(chosen[0] + chosen[1]));
        assert_eq!((p, deals.smallest_p(5, true)), (0.1, 0.1));
        // As many choices as units are always all of them.
        assert!(Deals::new(5, 1, 2, 0).unwrap().is_exact());
        let halves = Deals::new(4, 2, 10, 0).unwrap();
        let apart = |chosen: &[u32]| (f64::from(chosen[0] + chosen[1]) - 3.0).abs();
        assert_eq!(halves.p(2.0, apart), halves.smallest_p(4, true));
        assert_eq!(halves.smallest_p(4, false), 1.0 / 6.0);
    }

    #[test]
    fn many_are_dealt_at_random_and_evenly() {
        let deals = Deals::new(20, 5, 4000, 3).unwrap();
        let mut counts = [0_u32; 20];
        for chosen in deals.iter() {
            let mut sorted = chosen.to_vec();
            sorted.sort_unstable();
            sorted.dedup();
            assert_eq!(sorted.len(), 5);
            chosen.iter().for_each(|&unit| counts[unit as usize] += 1);
        }
        assert!(counts.iter().all(|&count| (850..1150).contains(&count)), "{counts:?}");
        assert_eq!(deals.p(1.0, |_| 0.0), 1.0 / 4001.0);
    }
}
