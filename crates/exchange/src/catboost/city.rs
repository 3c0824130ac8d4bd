//! The hashes by which CatBoost knows categories.
//!
//! A category is the low half of the CityHash of its text; a statistic by one category looks it up under
//! `M (M c)` modulo 2^64, `c` the category as a signed number.

use std::collections::HashMap;

/// Categories from 0 to below this are told apart.
pub(super) const CATEGORIES: usize = 1 << 16;

const K2: u64 = 0x9ae1_6a3b_2f90_404f;
const K3: u64 = 0xc949_d7c7_509e_6557;
const MIX: u64 = 0x9ddf_ea08_eb38_2d69;
const PROJECTION: u64 = 0x4906_ba49_4954_cb65;

/// The hash of a category's text of 1 to 7 bytes.
fn hash(text: &str) -> i32 {
    let bytes = text.as_bytes();
    let four = |at: usize| {
        let word = bytes[at..at + 4].iter().rev();
        word.fold(0_u64, |word, &byte| word << 8 | u64::from(byte))
    };
    let length = bytes.len() as u64;
    let whole = if bytes.len() >= 4 {
        sixteen(length.wrapping_add(four(0) << 3), four(bytes.len() - 4))
    } else {
        let at = |at: usize| u64::from(bytes[at]);
        let low = at(0) + (at(bytes.len() / 2) << 8);
        let high = length + (at(bytes.len() - 1) << 2);
        shift(low.wrapping_mul(K2) ^ high.wrapping_mul(K3)).wrapping_mul(K2)
    };
    whole as i32
}

fn shift(x: u64) -> u64 {
    x ^ (x >> 47)
}

fn sixteen(low: u64, high: u64) -> u64 {
    let first = shift((low ^ high).wrapping_mul(MIX));
    shift((high ^ first).wrapping_mul(MIX)).wrapping_mul(MIX)
}

/// The key of a category in a table of statistics.
pub(super) fn key(hash: i32) -> u64 {
    PROJECTION.wrapping_mul(PROJECTION.wrapping_mul(i64::from(hash) as u64))
}

/// The categories of each hash.
pub(super) struct Codes {
    by_hash: HashMap<i32, Vec<usize>>,
    /// The hash of a missing value.
    pub(super) nan: i32,
}

impl Codes {
    pub(super) fn new() -> Self {
        let mut by_hash: HashMap<i32, Vec<usize>> = HashMap::with_capacity(CATEGORIES);
        for code in 0..CATEGORIES {
            by_hash.entry(hash(&code.to_string())).or_default().push(code);
        }
        Self { by_hash, nan: hash("nan") }
    }

    /// The categories with a hash; none for the hash of anything but a whole number.
    pub(super) fn of(&self, hash: i32) -> &[usize] {
        self.by_hash.get(&hash).map_or(&[], Vec::as_slice)
    }

    /// The hashes of categories and of missing values by their keys in tables.
    pub(super) fn by_key(&self) -> HashMap<u64, i32> {
        let all = self.by_hash.keys().copied().chain([self.nan]);
        all.map(|hash| (key(hash), hash)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_catboosts() {
        // Keys of categories 2 and 0 in `reference/catboost/ctr_counter.json`.
        assert_eq!(key(hash("2")), 6_692_239_851_685_836_511);
        assert_eq!(key(hash("0")), 14_096_670_708_071_601_218);
    }

    #[test]
    fn a_hash_finds_its_category() {
        let codes = Codes::new();
        for code in [0, 9, 10, 999, 1_000, 65_535] {
            assert!(codes.of(hash(&code.to_string())).contains(&code));
        }
        assert!(codes.of(hash("ab")).is_empty());
    }
}
