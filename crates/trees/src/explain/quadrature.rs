//! Gauss-Legendre points and weights on `[0, 1]`.
//!
//! `sum_i w_i f(p_i)` equals the integral of `f` over `[0, 1]` for every polynomial of degree
//! `2 N - 1` or less. The points are the zeros of the Legendre polynomial, found by Newton's method
//! from Tricomi's estimate. Cost `N^2`.
//! Reference: Press et al. 2007, Numerical Recipes, section 4.6.1.

/// The points `p` of the rule of `N` points, and their weights.
#[derive(Debug, Clone, Copy)]
pub(super) struct Quadrature<const N: usize> {
    pub(super) points: [f64; N],
    pub(super) weights: [f64; N],
}

impl<const N: usize> Quadrature<N> {
    pub(super) fn new() -> Self {
        let (mut points, mut weights) = ([0.0; N], [0.0; N]);
        for at in 0..N {
            let zero = legendre_zero(N, at);
            let (_, slope) = legendre(N, zero);
            points[at] = (1.0 + zero) / 2.0;
            weights[at] = 1.0 / ((1.0 - zero * zero) * slope * slope);
        }
        Self { points, weights }
    }
}

fn legendre_zero(degree: usize, at: usize) -> f64 {
    let mut x = (std::f64::consts::PI * (at as f64 + 0.75) / (degree as f64 + 0.5)).cos();
    for _ in 0..5 {
        let (value, slope) = legendre(degree, x);
        x -= value / slope;
    }
    x
}

/// The Legendre polynomial and its slope, by the three-term recurrence.
fn legendre(degree: usize, x: f64) -> (f64, f64) {
    let (mut before, mut value) = (0.0, 1.0);
    for n in 1..=degree {
        let n = n as f64;
        (before, value) = (value, ((2.0 * n - 1.0) * x * value - (n - 1.0) * before) / n);
    }
    (value, degree as f64 * (x * value - before) / (x * x - 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn integrates<const N: usize>() {
        let rule = Quadrature::<N>::new();
        for degree in 0..2 * N {
            let terms = rule.points.iter().zip(&rule.weights);
            let sum: f64 = terms.map(|(p, w)| w * p.powi(degree as i32)).sum();
            let exact = 1.0 / (degree as f64 + 1.0);
            assert!((sum - exact).abs() < 1e-14, "{N} points, degree {degree}: {sum} for {exact}");
        }
    }

    #[test]
    fn polynomials_are_integrated_exactly() {
        integrates::<1>();
        integrates::<4>();
        integrates::<8>();
        integrates::<16>();
        integrates::<32>();
        integrates::<64>();
    }
}
