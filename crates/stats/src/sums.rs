//! Sums over slices in eight running totals.
//!
//! A single running total makes every addition wait for the last one; eight independent ones fill
//! the processor's lanes and shorten the rounding error from n to n/8 additions. The order of
//! additions is fixed by the length alone, so results are the same bits everywhere.

const LANES: usize = 8;

/// `sum f(x_i)`.
#[inline]
pub(crate) fn sum_of(x: &[f64], f: impl Fn(f64) -> f64) -> f64 {
    let mut lanes = [0.0; LANES];
    let chunks = x.chunks_exact(LANES);
    let rest: f64 = chunks.remainder().iter().map(|&v| f(v)).sum();
    for chunk in chunks {
        for (lane, &v) in lanes.iter_mut().zip(chunk) {
            *lane += f(v);
        }
    }
    fold(lanes) + rest
}

/// `sum f(x_i, y_i)` for slices of the same length.
#[inline]
pub(crate) fn sum_of_pairs(x: &[f64], y: &[f64], f: impl Fn(f64, f64) -> f64) -> f64 {
    let mut lanes = [0.0; LANES];
    let (left, right) = (x.chunks_exact(LANES), y.chunks_exact(LANES));
    let rest: f64 = left.remainder().iter().zip(right.remainder()).map(|(&a, &b)| f(a, b)).sum();
    for (a, b) in left.zip(right) {
        for i in 0..LANES {
            lanes[i] += f(a[i], b[i]);
        }
    }
    fold(lanes) + rest
}

/// `sum x_i y_i`.
#[inline]
pub(crate) fn dot(x: &[f64], y: &[f64]) -> f64 {
    sum_of_pairs(x, y, |a, b| a * b)
}

fn fold(lanes: [f64; LANES]) -> f64 {
    let [a, b, c, d, e, f, g, h] = lanes;
    ((a + e) + (c + g)) + ((b + f) + (d + h))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remainders_are_counted() {
        for n in 0..40 {
            let x: Vec<f64> = (0..n).map(f64::from).collect();
            let n = f64::from(n);
            assert_eq!(sum_of(&x, |v| v), n * (n - 1.0).max(0.0) / 2.0);
            assert_eq!(dot(&x, &x), sum_of(&x, |v| v * v));
        }
    }
}
