//! XE-NDCG: a cross entropy between scores and labels of an era, with random ties.
//!
//! With `rho` the softmax of the scores of an era and `phi_i = (2^label_i - u_i) / sum`, u uniform:
//! the gradient is `-phi_i + rho_i` and two further terms of its series, the hessian
//! `rho_i (1 - rho_i)`. Starts at 0. The u of an era are those of LightGBM's generator, seeded with
//! the seed plus the era's number; those of an iteration follow those of the last, so that a call
//! knows them from the iteration alone.
//! Eras of one row teach nothing. NaN labels: [`Queries`]. Cost: rows, one exponential each.
//! Reference: Bruch (2021), An Alternative Cross Entropy Loss for Learning-to-Rank; LightGBM 4.7.

use fattail_trees::Link;

use super::{Bind, EPSILON, Queries};
use crate::{Bound, Labels};

/// XE-NDCG on labels.
#[derive(Debug)]
pub(crate) struct Xendcg<'a> {
    queries: Queries<'a>,
    seed: u32,
}

impl<'a> Xendcg<'a> {
    pub(crate) fn bind(labels: &Labels<'a>, seed: u32) -> Bind<'a> {
        Ok(Box::new(Self { queries: Queries::new("rank_xendcg", labels, 31)?, seed }))
    }
}

impl Bound for Xendcg<'_> {
    fn start(&self) -> Vec<f64> {
        vec![0.0]
    }

    fn slopes(&self, iteration: usize, score: &[f64], gradient: &mut [f32], hessian: &mut [f32]) {
        self.queries.slopes(score, gradient, hessian, |query, labels, scores, g, h| {
            let mut random = Random(self.seed.wrapping_add(query as u32));
            random.skip((iteration as u64).wrapping_mul(labels.len() as u64));
            era(&mut random, labels, scores, g, h);
        });
    }

    fn text(&self) -> String {
        "rank_xendcg".into()
    }
}

fn era(random: &mut Random, labels: &[f32], scores: &[f64], g: &mut [f32], h: &mut [f32]) {
    if labels.len() <= 1 {
        g.fill(0.0);
        h.fill(0.0);
        return;
    }
    let mut rho = scores.to_vec();
    Link::Softmax.apply(&mut rho);
    let phi = |&label: &f32| 2.0f64.powi(label as i32) - f64::from(random.next());
    let mut terms: Vec<f64> = labels.iter().map(phi).collect();
    let scale = 1.0 / terms.iter().sum::<f64>().max(EPSILON);
    let mut sum = 0.0;
    for ((term, &rho), g) in terms.iter_mut().zip(&rho).zip(g.iter_mut()) {
        let slope = -*term * scale + rho;
        *g = slope as f32;
        *term = slope / (1.0 - rho);
        sum += *term;
    }
    let mut next = 0.0;
    for ((term, &rho), g) in terms.iter_mut().zip(&rho).zip(g.iter_mut()) {
        let slope = rho * (sum - *term);
        *g += slope as f32;
        *term = slope / (1.0 - rho);
        next += *term;
    }
    for (((term, &rho), g), h) in terms.iter().zip(&rho).zip(g).zip(h) {
        *g += (rho * (next - term)) as f32;
        *h = (rho * (1.0 - rho)) as f32;
    }
}

/// LightGBM's linear congruential generator.
struct Random(u32);

impl Random {
    const FACTOR: u32 = 214_013;
    const TERM: u32 = 2_531_011;

    /// The next number in `[0, 1)`, of 15 bits.
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(Self::FACTOR).wrapping_add(Self::TERM);
        ((self.0 >> 16) & 0x7fff) as f32 / 32_768.0
    }

    /// Leaves out `count` numbers: the map of one step, squared as the bits of `count` ask.
    fn skip(&mut self, mut count: u64) {
        let (mut factor, mut term) = (Self::FACTOR, Self::TERM);
        while count > 0 {
            if count & 1 == 1 {
                self.0 = self.0.wrapping_mul(factor).wrapping_add(term);
            }
            term = term.wrapping_mul(factor.wrapping_add(1));
            factor = factor.wrapping_mul(factor);
            count >>= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skipping_is_drawing() {
        let mut drawn = Random(5);
        (0..1000).for_each(|_| assert!(drawn.next() < 1.0));
        let mut skipped = Random(5);
        skipped.skip(1000);
        assert_eq!(drawn.next(), skipped.next());
    }

    #[test]
    fn the_better_label_is_pulled_up() {
        let target = [0.0, 3.0, 1.0, 2.0];
        let labels = Labels { targets: &[&target], eras: &[0, 3, 4], ..Labels::default() };
        let bound = Xendcg::bind(&labels, 5).unwrap();
        let (mut g, mut h) = ([9.0; 4], [9.0; 4]);
        bound.slopes(0, &[0.0; 4], &mut g, &mut h);
        assert!(g[1] < 0.0 && g[0] > 0.0 && g[3] == 0.0 && h[3] == 0.0);
        let first = g;
        bound.slopes(1, &[0.0; 4], &mut g, &mut h);
        assert_ne!(first, g);
    }
}
