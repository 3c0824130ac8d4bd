//! Sorts values that are `f32` at heart, as the values of every panel are, by counting.
//!
//! The bits of an `f32`, with the sign turned, order as its values do. Three counting passes over 11
//! bits each sort them.
//!
//! No NaN may come in. Values that are no `f32` are left as they were.
//!
//! Cost: `O(n)` time and 8 bytes a value.
//!
//! Reference: Knuth (1998), The Art of Computer Programming 3, section 5.2.5.

const BITS: usize = 11;
const BUCKETS: usize = 1 << BITS;
const PASSES: usize = 3;

/// Sorts `values` and answers true, when all of them are `f32`.
pub(crate) fn sort_f32(values: &mut [f64]) -> bool {
    let Some(mut keys) = keys(values) else { return false };
    let mut other = vec![0; keys.len()];
    for pass in 0..PASSES {
        scatter(&keys, &mut other, pass);
        std::mem::swap(&mut keys, &mut other);
    }
    values.iter_mut().zip(keys).for_each(|(value, key)| *value = from_key(key));
    true
}

/// The values as numbers that order as they do.
fn keys(values: &[f64]) -> Option<Vec<u32>> {
    let key = |&value: &f64| {
        let narrow = value as f32;
        let bits = narrow.to_bits();
        let flip = ((bits as i32 >> 31) as u32) | 0x8000_0000;
        (f64::from(narrow).to_bits() == value.to_bits()).then_some(bits ^ flip)
    };
    values.iter().map(key).collect()
}

fn from_key(key: u32) -> f64 {
    let bits = if key >> 31 == 1 { key ^ 0x8000_0000 } else { !key };
    f64::from(f32::from_bits(bits))
}

/// Writes `keys` in the order of the digit of `pass`, equal digits in the order in which they came.
fn scatter(keys: &[u32], out: &mut [u32], pass: usize) {
    let digit = |key: u32| (key >> (BITS * pass)) as usize & (BUCKETS - 1);
    let mut places = [0usize; BUCKETS];
    keys.iter().for_each(|&key| places[digit(key)] += 1);
    let mut start = 0;
    places.iter_mut().for_each(|place| start += std::mem::replace(place, start));
    for &key in keys {
        let place = &mut places[digit(key)];
        out[*place] = key;
        *place += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counting_is_sorting() {
        let ends =
            [f32::MAX, f32::MIN, 0.0, -0.0, f32::INFINITY, f32::NEG_INFINITY, f32::MIN_POSITIVE];
        let spread = (0..5000u32).map(|i| f32::from_bits(i.wrapping_mul(2_654_435_761)));
        let all = ends.into_iter().chain(spread).filter(|value| !value.is_nan());
        let mut values: Vec<f64> = all.map(f64::from).collect();
        let mut plain = values.clone();
        plain.sort_by(f64::total_cmp);
        assert!(sort_f32(&mut values));
        let bits = |values: &[f64]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&values), bits(&plain));
    }

    #[test]
    fn what_is_no_f32_is_left() {
        let mut values = [2.0, 0.1, 1.0];
        assert!(!sort_f32(&mut values));
        assert_eq!(values, [2.0, 0.1, 1.0]);
    }
}
