//! Numbers as integers in the same order.

/// A key that increases with the number; -0 comes right before 0, NaN at either end.
#[inline]
pub(crate) fn key(x: f32) -> u32 {
    let bits = x.to_bits();
    bits ^ (((bits as i32) >> 31) as u32 | 1 << 31)
}

/// The number of a key.
pub(crate) fn number(key: u32) -> f32 {
    f32::from_bits(key ^ (((!key as i32) >> 31) as u32 | 1 << 31))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_keep_the_order_and_come_back() {
        let sorted = [f32::NEG_INFINITY, -2.5, -1e-40, -0.0, 0.0, 1e-40, 1.0, f32::INFINITY];
        assert!(sorted.map(key).is_sorted_by(|a, b| a < b));
        assert_eq!(sorted.map(|x| number(key(x)).to_bits()), sorted.map(f32::to_bits));
    }
}
