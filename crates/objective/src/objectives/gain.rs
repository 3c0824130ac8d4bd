//! Discounted cumulative gain of a ranking.
//!
//! `DCG@k = sum over positions i < k of gain(label_i) / log2(i + 2)`, positions by falling score;
//! equal scores keep their order. The gain of label l is `2^l - 1` unless given.
//! Cost: a sort a query. Reference: Jarvelin & Kekalainen (2002); LightGBM 4.7 `dcg_calculator.cpp`,
//! without its limit of 10,000 rows a query.

/// LightGBM's gains of the labels 0 to 30: `2^label - 1`.
///
/// ```
/// assert_eq!(fattail_objective::label_gain()[..4], [0.0, 1.0, 3.0, 7.0]);
/// ```
#[must_use]
pub fn label_gain() -> Vec<f64> {
    (0..31).map(|label| f64::from((1u32 << label) - 1)).collect()
}

/// Gains by label and discounts by position.
#[derive(Debug)]
pub(crate) struct Gain {
    gains: Vec<f64>,
    discounts: Vec<f64>,
}

impl Gain {
    /// For queries of at most `longest` rows.
    pub(crate) fn new(gains: &[f64], longest: usize) -> Self {
        let gains = if gains.is_empty() { label_gain() } else { gains.to_vec() };
        let discounts = (0..longest).map(|i| 1.0 / (2.0 + i as f64).log2()).collect();
        Self { gains, discounts }
    }

    pub(crate) fn of(&self, label: f32) -> f64 {
        self.gains[label as usize]
    }

    pub(crate) fn discount(&self, position: usize) -> f64 {
        self.discounts[position]
    }

    /// The DCG of labels in the order of `scores`.
    pub(crate) fn at(&self, k: usize, labels: &[f32], scores: &[f64]) -> f64 {
        let order = falling(scores);
        let top = order.iter().take(k).zip(&self.discounts);
        top.map(|(&row, discount)| self.of(labels[row]) * discount).sum()
    }

    /// The DCG of labels in their best order.
    pub(crate) fn best(&self, k: usize, labels: &[f32]) -> f64 {
        let mut counts = vec![0usize; self.gains.len()];
        labels.iter().for_each(|&label| counts[label as usize] += 1);
        let ordered = counts.iter().enumerate().rev();
        let gains =
            ordered.flat_map(|(label, &count)| std::iter::repeat_n(self.gains[label], count));
        gains.take(k).zip(&self.discounts).map(|(gain, discount)| gain * discount).sum()
    }
}

/// Rows by falling score, equal scores in their order.
pub(crate) fn falling(scores: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    // Adding 0 makes the two zeros equal.
    order.sort_by(|&a, &b| (scores[b] + 0.0).total_cmp(&(scores[a] + 0.0)));
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        let gain = Gain::new(&[], 3);
        let labels = [0.0, 2.0, 1.0];
        assert_eq!(gain.best(1, &labels), 3.0);
        assert_eq!(gain.at(1, &labels, &[3.0, 2.0, 1.0]), 0.0);
        let second = 1.0 / 3.0f64.log2();
        assert!((gain.best(3, &labels) - (3.0 + second)).abs() < 1e-15);
        assert!((gain.at(3, &labels, &[3.0, 2.0, 1.0]) - (3.0 * second + 0.5)).abs() < 1e-15);
        assert_eq!(falling(&[1.0, -0.0, 0.0, 1.0]), [0, 3, 1, 2]);
    }
}
