//! Sets of categories as bits: category `c` at bit `c % 32` of word `c / 32`.

use fattail_trees::{Forest, Info, Rule};

/// Categories in lists and words of sets that one model may have together: 64 MiB of words.
const ALLOWANCE: usize = 1 << 24;

/// What is left of a model's allowance.
#[derive(Debug)]
pub(crate) struct Budget {
    left: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { left: ALLOWANCE }
    }
}

impl Budget {
    /// Takes an amount, or says what is too much.
    pub(crate) fn charge(&mut self, amount: usize) -> Result<(), String> {
        let left = self.left.checked_sub(amount);
        self.left = left
            .ok_or_else(|| format!("lists and sets of categories are larger than {ALLOWANCE}"))?;
        Ok(())
    }
}

/// The bits of a list of categories.
pub(crate) fn set(list: &[usize]) -> Box<[u32]> {
    let mut bits = vec![0_u32; list.iter().max().map_or(0, |&last| last / 32 + 1)];
    list.iter().for_each(|&category| bits[category / 32] |= 1 << (category % 32));
    bits.into()
}

/// The categories of a set, in rising order.
pub(crate) fn members(bits: &[u32]) -> impl Iterator<Item = usize> + '_ {
    let of = |(at, &word): (usize, &u32)| {
        (0..32).filter(move |bit| word >> bit & 1 == 1).map(move |bit| at * 32 + bit)
    };
    bits.iter().enumerate().flat_map(of)
}

/// Notes on the features with categorical rules which categories the rules name.
pub(crate) fn name(forest: &mut Forest) {
    let mut named: Vec<Option<Vec<u32>>> = vec![None; forest.features.len()];
    for node in forest.trees.iter().flat_map(|tree| &tree.nodes) {
        let slot = named.get_mut(node.feature as usize);
        if let (Rule::Categorical { left, .. }, Some(slot)) = (&node.rule, slot) {
            let words = slot.get_or_insert_default();
            words.resize(words.len().max(left.len()), 0);
            words.iter_mut().zip(left).for_each(|(word, more)| *word |= more);
        }
    }
    for (feature, words) in forest.features.iter_mut().zip(named) {
        if let Some(words) = words {
            let list = members(&words).map(|category| category as i32).collect();
            feature.info = Info::Categories { list };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_has_its_members() {
        let bits = set(&[3, 64, 0, 3]);
        assert_eq!(*bits, [0b1001, 0, 1]);
        assert_eq!(members(&bits).collect::<Vec<_>>(), [0, 3, 64]);
        assert!(set(&[]).is_empty());
    }
}
