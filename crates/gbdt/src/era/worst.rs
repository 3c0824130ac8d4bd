//! The eras that training goes on with: those that are predicted worst.
//!
//! Era e is judged by Spearman's correlation of score and target over its rows whose target is known.
//! Of E eras that can be judged the `round(proportion E)` worst are kept, at least one; of equal ones
//! the earlier. An era whose target does not vary has no order to learn and is neither judged nor kept;
//! a score that does not vary over an era says nothing of it and counts as correlation 0. Where no era
//! can be judged all are kept. Of several outputs the first one is looked at.
//! Cost: one sort a row. Reference: Craib (2019), "Era Boosted Models", forum.numer.ai/t/189.

use std::ops::Range;

use fattail_stats::spearman;
use rayon::prelude::*;

/// The known rows of the worst share of the eras, increasing. `known` are rows, `eras` where eras start.
pub(crate) fn worst(
    proportion: f64,
    score: &[f64],
    target: &[f32],
    known: &[u32],
    eras: &[u32],
) -> Vec<u32> {
    let parts: Vec<Range<usize>> = super::parts(eras, known).collect();
    let judged = parts.par_iter().map(|part| correlation(score, target, &known[part.clone()]));
    let judged: Vec<Option<f64>> = judged.collect();
    let mut order: Vec<(f64, usize)> =
        judged.iter().enumerate().filter_map(|(era, r)| r.map(|r| (r, era))).collect();
    if order.is_empty() {
        return known.to_vec();
    }
    order.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    order.truncate(((order.len() as f64 * proportion).round() as usize).max(1));
    let mut kept: Vec<usize> = order.into_iter().map(|(_, era)| era).collect();
    kept.sort_unstable();
    kept.into_iter().flat_map(|era| &known[parts[era].clone()]).copied().collect()
}

/// The correlation of an era; none where its target does not vary.
fn correlation(score: &[f64], target: &[f32], rows: &[u32]) -> Option<f64> {
    let y: Vec<f64> = rows.iter().map(|&row| f64::from(target[row as usize])).collect();
    if y.windows(2).all(|pair| pair[0] == pair[1]) {
        return None;
    }
    let x: Vec<f64> = rows.iter().map(|&row| score[row as usize]).collect();
    let r = spearman(&x, &y).unwrap_or(f64::NAN);
    Some(if r.is_nan() { 0.0 } else { r })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ERAS: [u32; 5] = [0, 3, 6, 9, 12];
    const TARGET: [f32; 12] = [0.0, 1.0, 2.0, 0.0, 1.0, 2.0, 5.0, 5.0, 5.0, 0.0, 1.0, 2.0];
    // Correlations: 1, -1, none, 0 (constant).
    const SCORE: [f64; 12] = [0.0, 1.0, 2.0, 2.0, 1.0, 0.0, 0.0, 1.0, 2.0, 7.0, 7.0, 7.0];

    #[test]
    fn the_worst_by_hand() {
        let known: Vec<u32> = (0..12).collect();
        let kept = |proportion| worst(proportion, &SCORE, &TARGET, &known, &ERAS);
        assert_eq!(kept(0.01), [3, 4, 5]);
        assert_eq!(kept(0.67), [3, 4, 5, 9, 10, 11]);
        assert_eq!(kept(1.0), [0, 1, 2, 3, 4, 5, 9, 10, 11]);
    }

    #[test]
    fn rows_that_are_not_known_do_not_judge() {
        // Without row 5 and row 0 both eras have correlation -1 and 1 still; without 3, 4 and 5 the
        // era is gone, and the constant score is the worst.
        assert_eq!(worst(0.3, &SCORE, &TARGET, &[1, 2, 3, 4, 9, 10], &ERAS), [3, 4]);
        assert_eq!(worst(0.3, &SCORE, &TARGET, &[1, 2, 9, 10], &ERAS), [9, 10]);
    }

    #[test]
    fn equal_eras_keep_their_order_and_nothing_judged_keeps_all() {
        let score = [7.0; 12];
        let known: Vec<u32> = (0..12).collect();
        assert_eq!(worst(0.3, &score, &TARGET, &known, &ERAS), [0, 1, 2]);
        assert_eq!(worst(0.3, &score, &[1.0; 12], &known, &ERAS), known);
    }
}
