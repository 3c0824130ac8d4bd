//! Damage to files: flipped, cut, copied and removed bytes.

use fattail_exchange::{Error, Result};
use fattail_trees::Forest;

/// Numbers from a seed (SplitMix64).
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number from -2 to 2.
    pub(crate) fn number(&mut self) -> f64 {
        self.below(1 << 53) as f64 / (1_u64 << 51) as f64 - 2.0
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let x = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((x ^ (x >> 31)) % limit.max(1) as u64) as usize
    }
}

/// Bytes that mean something in the formats.
const WORDS: [&[u8]; 16] = [
    b"-1",
    b"0",
    b"9",
    b"99999999999",
    b"1e999",
    b"null",
    b"[",
    b"]",
    b"{",
    b"}",
    b"\"",
    b",",
    b"\xff",
    b"[$T#L\x7f\xff\xff\xff\xff\xff\xff\xff",
    b"L\x7f\xff\xff\xff\xff\xff\xff\xff",
    b"NaN",
];

fn damage(bytes: &mut Vec<u8>, dice: &mut Dice) {
    let at = dice.below(bytes.len());
    let to = (at + dice.below(40)).min(bytes.len());
    match dice.below(6) {
        0 => bytes.truncate(at),
        1 => drop(bytes.drain(at..to)),
        2 => {
            let copy = bytes[at..to].to_vec();
            bytes.splice(at..at, copy);
        }
        3 => {
            bytes.splice(at..to.min(at + 1), WORDS[dice.below(WORDS.len())].iter().copied());
        }
        4 if at < bytes.len() => bytes[at] = b"0123456789-"[dice.below(11)],
        _ if at < bytes.len() => bytes[at] ^= 1 << dice.below(8),
        _ => {}
    }
}

/// Reads `cases` damaged copies of a file: each gives an error with a message, or a forest that predicts.
pub(crate) fn attack(file: &[u8], cases: usize, read: impl Fn(&[u8]) -> Result<Forest>) {
    let mut dice = Dice::new(17);
    let (mut refused, mut undamaged) = (0, 0);
    for case in 0..cases {
        let mut bytes = file.to_vec();
        for _ in 0..=dice.below(3) {
            damage(&mut bytes, &mut dice);
        }
        match read(&bytes) {
            Ok(forest) => {
                forest.check().unwrap();
                let row = vec![case as f64 - 3.0; forest.features.len()];
                assert_eq!(forest.predict_row(&row).unwrap().len(), forest.outputs);
                undamaged += 1;
            }
            Err(error) => {
                assert!(!error.to_string().contains('\n'), "{error}");
                assert!(!matches!(error, Error::UnknownFormat), "{error}");
                refused += 1;
            }
        }
    }
    assert!(refused > cases / 4 && undamaged > 0, "{refused} refused, {undamaged} read");
}
