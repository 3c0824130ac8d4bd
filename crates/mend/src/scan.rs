//! Where delimiters, record ends and quotes stand: 64 bytes at a time become a mask of 64 bits, and the
//! bits are taken one after the other (after G. Langdale, D. Lemire, Parsing gigabytes of JSON per
//! second, 2019).

use wide::u8x16;

/// Bytes a mask.
const BLOCK: usize = 64;

/// Walks over the places of up to three bytes.
#[derive(Debug)]
pub(crate) struct Scanner<'a> {
    text: &'a [u8],
    wide: [u8x16; 3],
    block: usize,
    bits: u64,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(text: &'a [u8], needles: [u8; 3], at: usize) -> Self {
        let wide = needles.map(u8x16::splat);
        let mut scanner = Self { text, wide, block: 0, bits: 0 };
        scanner.seek(at);
        scanner
    }

    /// Goes on at a place.
    pub(crate) fn seek(&mut self, at: usize) {
        self.block = at & !(BLOCK - 1);
        self.bits = self.mask() & (!0 << (at & (BLOCK - 1)));
    }

    /// The next place.
    #[inline]
    pub(crate) fn next(&mut self) -> Option<usize> {
        while self.bits == 0 {
            self.block += BLOCK;
            if self.block >= self.text.len() {
                return None;
            }
            self.bits = self.mask();
        }
        let at = self.block + self.bits.trailing_zeros() as usize;
        self.bits &= self.bits - 1;
        Some(at)
    }

    #[inline]
    fn mask(&self) -> u64 {
        let rest = self.text.get(self.block..).unwrap_or_default();
        match rest.first_chunk::<BLOCK>() {
            Some(block) => self.block_mask(block),
            None => {
                let mut block = [0; BLOCK];
                block[..rest.len()].copy_from_slice(rest);
                let inside = if rest.is_empty() { 0 } else { !0 >> (BLOCK - rest.len()) };
                self.block_mask(&block) & inside
            }
        }
    }

    #[inline]
    fn block_mask(&self, block: &[u8; BLOCK]) -> u64 {
        let mut mask = 0;
        for (at, lane) in block.as_chunks::<16>().0.iter().enumerate() {
            let lane = u8x16::new(*lane);
            let found = self.wide[0].simd_eq(lane)
                | self.wide[1].simd_eq(lane)
                | self.wide[2].simd_eq(lane);
            mask |= u64::from(found.to_bitmask()) << (16 * at);
        }
        mask
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn finds_what_a_plain_search_finds(
            text in proptest::collection::vec(prop_oneof![Just(b','), Just(b'\n'), any::<u8>()], 0..300),
            from in 0usize..300,
        ) {
            let from = from.min(text.len());
            let needles = [b',', b'\n', b'"'];
            let mut scanner = Scanner::new(&text, needles, from);
            let plain = (from..text.len()).filter(|&at| needles.contains(&text[at]));
            let expected: Vec<usize> = plain.collect();
            let found: Vec<usize> = std::iter::from_fn(|| scanner.next()).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
