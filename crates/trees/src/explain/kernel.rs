//! The value of one leaf to each feature on its path.
//!
//! A leaf of value `V` whose path asks about features `F` pays, when the features of `S` are known,
//! `V prod_{f in F} (o_f if f in S else z_f)`: `o_f` is 1 when the row passes all of the path's
//! rules about `f`, `z_f` is the path's share of the training rows by those rules. Hence
//!
//! ```text
//! phi_f    = V int_0^1 (o_f - z_f) prod_{g != f} (z_g + p (o_g - z_g)) dp
//! phi_{fg} = V/2 int_0^1 (o_f - z_f)(o_g - z_g) prod_{h != f, g} (z_h + p (o_h - z_h)) dp
//! ```
//!
//! The integrands are polynomials of degree `|F| - 1`, so `N >= |F| / 2` points integrate them
//! exactly. With `h(p)` the whole product, each integral is a sum over points of `w h r_f`, where
//! `r_f = (o_f - z_f) / (z_f + p (o_f - z_f))` is `-1 / (1 - p)` for every feature that fails.
//! Cost `N |F|` a leaf. Reference: Wettenstein, Mitchell, Yu 2026, Quadrature-TreeSHAP
//! (arXiv 2605.04497).

use super::quadrature::Quadrature;

/// Quadrature points, and what depends on them alone.
#[derive(Debug)]
pub(super) struct Kernel<const N: usize> {
    points: [f64; N],
    pub(super) weights: [f64; N],
    /// `-1 / (1 - p)`, the ratio of a feature whose rule fails.
    pub(super) fails: [f64; N],
}

impl<const N: usize> Kernel<N> {
    pub(super) fn new() -> Self {
        let Quadrature { points, weights } = Quadrature::new();
        Self { points, weights, fails: points.map(|p| -1.0 / (1.0 - p)) }
    }

    /// The factor `z + p (1 - z)` of a feature whose rules pass.
    pub(super) fn passing(&self, off: f64) -> [f64; N] {
        self.points.map(|p| off + p * (1.0 - off))
    }

    /// The factor `z (1 - p)` of a feature whose rules fail.
    pub(super) fn failing(&self, off: f64) -> [f64; N] {
        self.points.map(|p| off * (1.0 - p))
    }

    /// The ratio of a feature whose rules pass.
    pub(super) fn ratio(&self, off: f64) -> [f64; N] {
        self.points.map(|p| (1.0 - off) / (off + p * (1.0 - off)))
    }

    /// The terms of a leaf of value 1 for every pattern of passing features, term by term: one for
    /// each slot, then, when asked for, one for each pair of a slot and one before it.
    pub(super) fn terms(&self, path: &[(u32, f64)], pairs: bool) -> Vec<f64> {
        let slots = path.len();
        let products = self.products(path);
        let ratios: Vec<[f64; N]> = path.iter().map(|&(_, off)| self.ratio(off)).collect();
        let ratio = |slot: usize, pattern: usize| match pattern >> slot & 1 {
            1 => &ratios[slot],
            _ => &self.fails,
        };
        let count = if pairs { slots * (slots + 1) / 2 } else { slots };
        let mut terms = Vec::with_capacity(count << slots);
        for slot in 0..slots {
            let values = products.iter().enumerate();
            terms.extend(values.map(|(pattern, product)| dot(product, ratio(slot, pattern))));
        }
        for slot in 0..if pairs { slots } else { 0 } {
            for other in 0..slot {
                terms.extend(products.iter().enumerate().map(|(pattern, product)| {
                    0.5 * dot(&times(product, ratio(slot, pattern)), ratio(other, pattern))
                }));
            }
        }
        terms
    }

    /// Weights times the product of the factors, for every pattern.
    fn products(&self, path: &[(u32, f64)]) -> Vec<[f64; N]> {
        let mut products = Vec::with_capacity(1 << path.len());
        products.push(self.weights);
        for &(_, off) in path {
            let (passing, failing) = (self.passing(off), self.failing(off));
            for pattern in 0..products.len() {
                let product = products[pattern];
                products.push(times(&product, &passing));
                products[pattern] = times(&product, &failing);
            }
        }
        products
    }
}

pub(super) fn times<const N: usize>(a: &[f64; N], b: &[f64; N]) -> [f64; N] {
    std::array::from_fn(|at| a[at] * b[at])
}

pub(super) fn dot<const N: usize>(a: &[f64; N], b: &[f64; N]) -> f64 {
    let mut sums = [0.0; 2];
    for at in 0..N {
        sums[at % 2] += a[at] * b[at];
    }
    sums[0] + sums[1]
}
