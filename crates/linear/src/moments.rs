//! Weighted moments of the features and the target, which can be added up and taken away again.
//!
//! W = sum w, mean m = sum w z / W, scatter `S = sum w (z - m)(z - m)'`, z the features and then the
//! target. Two sets: `S = S1 + S2 + W1 W2 / W (m2 - m1)(m2 - m1)'`, and back by the same formula. Only
//! the lower triangle of S is kept up. Rows without a known target or weight do not come in here.
//! Cost: the square of the width. Reference: Chan, Golub & LeVeque (1983), eq. 2.1.

/// Moments of some rows; the target is the last column.
#[derive(Debug, Clone)]
pub(crate) struct Moments {
    pub(crate) rows: usize,
    pub(crate) weight: f64,
    pub(crate) mean: Vec<f64>,
    /// Column by column; the lower triangle counts.
    pub(crate) scatter: Vec<f64>,
}

impl Moments {
    pub(crate) fn empty(columns: usize) -> Self {
        Self {
            rows: 0,
            weight: 0.0,
            mean: vec![0.0; columns],
            scatter: vec![0.0; columns * columns],
        }
    }

    pub(crate) fn columns(&self) -> usize {
        self.mean.len()
    }

    /// The number of features.
    pub(crate) fn width(&self) -> usize {
        self.columns() - 1
    }

    /// Scatter of columns `i >= j`.
    pub(crate) fn at(&self, i: usize, j: usize) -> f64 {
        self.scatter[j * self.columns() + i]
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        let weight = self.weight + other.weight;
        if other.weight <= 0.0 {
            return;
        }
        let away: Vec<f64> = other.mean.iter().zip(&self.mean).map(|(b, a)| b - a).collect();
        self.combine(other, 1.0, self.weight * other.weight / weight, &away);
        let share = other.weight / weight;
        self.mean.iter_mut().zip(&away).for_each(|(mean, away)| *mean += share * away);
        self.weight = weight;
        self.rows += other.rows;
    }

    /// What is left without `part`, which was merged before; nothing when no row is left.
    pub(crate) fn without(&self, part: &Self) -> Option<Self> {
        let mut rest = self.clone();
        rest.rows = self.rows.checked_sub(part.rows).filter(|&rows| rows > 0)?;
        if part.weight <= 0.0 {
            return Some(rest);
        }
        rest.weight = self.weight - part.weight;
        if rest.weight <= 1e-12 * self.weight {
            return None;
        }
        for (mean, part_mean) in rest.mean.iter_mut().zip(&part.mean) {
            *mean += (*mean - part_mean) * (part.weight / rest.weight);
        }
        let away: Vec<f64> = part.mean.iter().zip(&rest.mean).map(|(b, a)| b - a).collect();
        let coupling = rest.weight * part.weight / self.weight;
        rest.combine(part, -1.0, -coupling, &away);
        Some(rest)
    }

    fn combine(&mut self, other: &Self, sign: f64, coupling: f64, away: &[f64]) {
        let columns = self.columns();
        for j in 0..columns {
            let lower = j * columns + j..(j + 1) * columns;
            let pull = coupling * away[j];
            let values = self.scatter[lower.clone()].iter_mut().zip(&other.scatter[lower]);
            for ((value, other), away) in values.zip(&away[j..]) {
                *value += sign * other + pull * away;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(points: &[[f64; 2]]) -> Moments {
        points.iter().fold(Moments::empty(2), |mut all, point| {
            let one = Moments { rows: 1, weight: 1.0, mean: point.to_vec(), scatter: vec![0.0; 4] };
            all.merge(&one);
            all
        })
    }

    #[test]
    fn merging_and_taking_away_by_hand() {
        let all = of(&[[0.0, 0.0], [2.0, 4.0], [4.0, 2.0]]);
        assert_eq!((all.rows, all.weight, all.mean.clone()), (3, 3.0, vec![2.0, 2.0]));
        assert!((all.at(0, 0) - 8.0).abs() < 1e-14 && (all.at(1, 0) - 4.0).abs() < 1e-14);
        let rest = all.without(&of(&[[4.0, 2.0]])).unwrap();
        assert!((rest.at(0, 0) - 2.0).abs() < 1e-14 && (rest.at(1, 0) - 4.0).abs() < 1e-14);
        assert!((rest.mean[0] - 1.0).abs() < 1e-14);
        assert!(all.without(&all).is_none());
    }
}
