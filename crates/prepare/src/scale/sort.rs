//! Sorted values: order statistics of long slices, and windows that are kept sorted.
//!
//! A quantile needs two neighbours of the sorted values. The 16 leading bits of the values, which
//! hold sign, exponent and four bits of the fraction, are counted; the few values that share the
//! leading bits of a neighbour are gathered and searched by selection.
//!
//! No NaN may come in; no values give NaN.
//!
//! Cost: two passes, and selection in what was gathered: `O(n)`.
//!
//! Reference: Hoare (1961), Algorithm 65: Find, CACM 4(7); Knuth (1998), The Art of Computer
//! Programming 3, section 5.2.5 (radix sorting).

use fattail_stats::quantile_sorted;

use super::radix::sort_f32;

/// Below this length counting costs more than sorting.
const SHORT: usize = 1 << 13;
const BUCKETS: usize = 1 << 16;
const ABSENT: u8 = u8::MAX;

/// Sorts values without NaN.
pub(crate) fn sort(values: &mut [f64]) {
    if values.len() < SHORT || !sort_f32(values) {
        values.sort_unstable_by(f64::total_cmp);
    }
}

/// Sorted `window`, with `add` and without `drop`, both sorted.
pub(crate) fn merged(window: &[f64], add: &[f64], drop: &[f64]) -> Vec<f64> {
    let mut out = Vec::with_capacity(window.len() + add.len() - drop.len());
    let (mut add, mut drop) = (add.iter().peekable(), drop.iter().peekable());
    for v in window {
        if drop.next_if(|gone| gone.to_bits() == v.to_bits()).is_some() {
            continue;
        }
        while let Some(new) = add.next_if(|new| new.total_cmp(v).is_lt()) {
            out.push(*new);
        }
        out.push(*v);
    }
    out.extend(add);
    out
}

/// The quantiles `q`, each between 0 and 1, of values without NaN.
pub(crate) fn order_statistics<const K: usize>(values: &mut [f64], q: [f64; K]) -> [f64; K] {
    if values.len() < SHORT {
        sort(values);
        return q.map(|q| quantile_sorted(values, q).unwrap_or(f64::NAN));
    }
    let places = q.map(|q| q * (values.len() - 1) as f64);
    let mut gathered = Gathered::new(values, &places);
    places.map(|place| {
        let low = place.floor();
        let pair = [gathered.at(low as usize), gathered.at(place.ceil() as usize)];
        quantile_sorted(&pair, place - low).unwrap_or(f64::NAN)
    })
}

/// The values of the buckets that hold the ranks asked for.
struct Gathered {
    /// Rank of the first value of each bucket, and its values.
    buckets: Vec<(usize, Vec<f64>)>,
}

impl Gathered {
    fn new(values: &[f64], places: &[f64]) -> Self {
        let mut counts = vec![0u32; BUCKETS];
        values.iter().for_each(|&v| counts[bucket(v)] += 1);
        let mut ranks: Vec<usize> =
            places.iter().flat_map(|p| [p.floor() as usize, p.ceil() as usize]).collect();
        ranks.sort_unstable();
        let (mut slots, mut buckets) = (vec![ABSENT; BUCKETS], Vec::new());
        let (mut start, mut wanted) = (0, ranks.into_iter().peekable());
        for (slot, &count) in slots.iter_mut().zip(&counts) {
            let end = start + count as usize;
            if wanted.peek().is_some_and(|&rank| rank < end) {
                *slot = buckets.len() as u8;
                buckets.push((start, Vec::with_capacity(count as usize)));
                while wanted.next_if(|&rank| rank < end).is_some() {}
            }
            start = end;
        }
        for &v in values {
            let slot = slots[bucket(v)];
            if slot != ABSENT {
                buckets[usize::from(slot)].1.push(v);
            }
        }
        Self { buckets }
    }

    /// The value of a rank that was asked for.
    fn at(&mut self, rank: usize) -> f64 {
        let at = self.buckets.partition_point(|&(start, _)| start <= rank) - 1;
        let (start, values) = &mut self.buckets[at];
        *values.select_nth_unstable_by(rank - *start, f64::total_cmp).1
    }
}

/// The 16 leading bits, in the order of the values.
fn bucket(value: f64) -> usize {
    let bits = value.to_bits();
    let flip = ((bits as i64 >> 63) as u64) | (1 << 63);
    ((bits ^ flip) >> 48) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_merge_and_forget() {
        let kept = merged(&[1.0, 2.0, 2.0, 5.0], &[0.0, 3.0, 9.0], &[2.0, 5.0]);
        assert_eq!(kept, [0.0, 1.0, 2.0, 3.0, 9.0]);
    }

    #[test]
    fn counting_is_sorting() {
        for spread in [1e-3, 1.0, 1e9] {
            let long = (0..20_000u32).map(|i| i.wrapping_mul(2_654_435_761) % 100_003);
            let mut values: Vec<f64> = long.map(|v| (f64::from(v) - 5e4) * spread).collect();
            let q = [0.5, 0.25, 0.75, 0.0, 1.0, 0.123];
            let fast = order_statistics(&mut values.clone(), q);
            sort(&mut values);
            assert_eq!(fast, q.map(|q| quantile_sorted(&values, q).unwrap()));
        }
    }
}
