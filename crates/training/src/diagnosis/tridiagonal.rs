//! Eigenvalues of a symmetric tridiagonal matrix, by bisection.
//!
//! The number of negative pivots of T - x I, `q_1 = a_1 - x`, `q_i = a_i - x - b_{i-1}^2 / q_{i-1}`,
//! is the number of eigenvalues below x (Sylvester's law of inertia); the k-th is found by halving
//! Gershgorin's interval. Each is exact to a few units in the last place of the largest. Cost: n^2
//! times about 100. Input that is not finite gives NaN. Reference: Barth, Martin and Wilkinson
//! (1967), Calculation of the eigenvalues of a symmetric tridiagonal matrix by the method of
//! bisection, Numerische Mathematik 9.

/// The eigenvalues of the matrix with this diagonal and those values beside it, in falling order.
pub(super) fn eigenvalues(diagonal: &[f64], beside: &[f64]) -> Vec<f64> {
    let n = diagonal.len();
    if diagonal.iter().chain(beside).any(|value| !value.is_finite()) {
        return vec![f64::NAN; n];
    }
    let off = |index: usize| beside.get(index).map_or(0.0, |value| value.abs());
    let radius = |row: usize| if row == 0 { 0.0 } else { off(row - 1) } + if row + 1 < n { off(row) } else { 0.0 };
    let low = (0..n).map(|row| diagonal[row] - radius(row)).fold(f64::INFINITY, f64::min);
    let high = (0..n).map(|row| diagonal[row] + radius(row)).fold(f64::NEG_INFINITY, f64::max);
    (0..n).rev().map(|index| bisect(diagonal, beside, index, (low, high))).collect()
}

/// The eigenvalue with `index` others below it.
fn bisect(diagonal: &[f64], beside: &[f64], index: usize, (mut low, mut high): (f64, f64)) -> f64 {
    // A hundred halvings bring any interval down to neighbouring numbers.
    for _ in 0..100 {
        let middle = low + (high - low) / 2.0;
        if middle <= low || middle >= high {
            break;
        }
        if below(diagonal, beside, middle) > index { high = middle } else { low = middle }
    }
    low + (high - low) / 2.0
}

/// The number of eigenvalues below `x`.
fn below(diagonal: &[f64], beside: &[f64], x: f64) -> usize {
    let (mut count, mut pivot) = (0, 1.0);
    for (row, &value) in diagonal.iter().enumerate() {
        let off = row.checked_sub(1).map_or(0.0, |before| beside[before]);
        pivot = value - x - if off == 0.0 { 0.0 } else { off * off / pivot };
        if pivot == 0.0 {
            pivot = f64::MIN_POSITIVE;
        }
        count += usize::from(pivot < 0.0);
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_difference_has_known_eigenvalues() {
        // 2 - 2 cos(k pi / (n + 1)).
        let n = 12;
        let found = eigenvalues(&vec![2.0; n], &vec![-1.0; n - 1]);
        for (index, value) in found.iter().enumerate() {
            let angle = (n - index) as f64 * std::f64::consts::PI / (n + 1) as f64;
            assert!((value - (2.0 - 2.0 * angle.cos())).abs() < 1e-13, "{index}: {value}");
        }
    }

    #[test]
    fn diagonals_equal_values_and_nan() {
        let found = eigenvalues(&[1.0, 3.0, 1.0], &[0.0, 0.0]);
        for (value, expected) in found.iter().zip([3.0, 1.0, 1.0]) {
            assert!((value - expected).abs() < 1e-15, "{found:?}");
        }
        assert!(eigenvalues(&[f64::NAN], &[]).iter().all(|value| value.is_nan()));
        assert!(eigenvalues(&[], &[]).is_empty());
    }
}
