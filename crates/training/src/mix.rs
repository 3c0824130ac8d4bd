//! Numbers mixed so that they look like nothing: keys of noise, fingerprints.
//!
//! `fold` is the finaliser of SplitMix64 over what was and what comes: a function that is its own
//! test against accidents, not against enemies. Cost: about a nanosecond. Reference: Steele, Lea and
//! Flood (2014), Fast splittable pseudorandom number generators, OOPSLA.

/// What was, and a number more.
pub(crate) fn fold(state: u64, value: u64) -> u64 {
    let mut mixed = (state ^ value).wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// The fingerprint of a text.
pub(crate) fn text(text: &str) -> u64 {
    text.bytes().fold(text.len() as u64, |state, byte| fold(state, u64::from(byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_and_length_count() {
        assert_ne!(text("ab"), text("ba"));
        assert_ne!(fold(fold(0, 1), 2), fold(fold(0, 2), 1));
        // The first output of SplitMix64 with seed 0.
        assert_eq!(fold(0, 0), 0xe220_a839_7b1d_cdaf);
    }
}
