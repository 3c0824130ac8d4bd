//! Softmax over classes.
//!
//! With `p_k = exp f_k / sum_j exp f_j`: gradient `p_k - [y = k]`, hessian `K/(K-1) p_k (1 - p_k)`,
//! times the weight. Starts at the logarithms of the classes' shares, at least `1e-15`.
//! A class that no row or every row is of keeps its start. NaN labels: [`Known`].
//! Cost: one exponential a row and class. Reference: Friedman (2001), section 4.5, for the factor;
//! LightGBM 4.7 `multiclass_objective.hpp`.

use fattail_trees::Link;
use rayon::prelude::*;

use super::{Bind, EPSILON};
use crate::{Bound, Error, Labels, chunks::CHUNK, known, known::Known, known::Range};

/// The softmax of several classes.
#[derive(Debug)]
pub(crate) struct Softmax<'a> {
    known: Known<'a>,
    shares: Vec<f64>,
}

impl<'a> Softmax<'a> {
    pub(crate) fn bind(labels: &Labels<'a>, classes: usize) -> Bind<'a> {
        let more = |value, row| Error::MoreClasses { value, row, classes };
        known::check_whole("multiclass", labels.target(), classes, more)?;
        let known = Known::new(labels, 0, &Range::finite("multiclass"))?.vary()?;
        let mut shares = vec![0.0; classes];
        for (row, &label) in known.target.iter().enumerate().filter(|pair| !pair.1.is_nan()) {
            shares[label as usize] += f64::from(known.weight(row));
        }
        let total: f64 = shares.iter().sum();
        shares.iter_mut().for_each(|share| *share /= total);
        Ok(Box::new(Self { known, shares }))
    }

    /// The slopes of rows from `first`, one slice a class.
    fn chunk(
        &self,
        first: usize,
        score: &[f64],
        gradient: &mut [&mut [f32]],
        hessian: &mut [&mut [f32]],
    ) {
        let (rows, classes) = (self.known.rows(), self.shares.len());
        let factor = classes as f64 / (classes as f64 - 1.0);
        let mut shares = vec![0.0; classes];
        for place in 0..gradient.first().map_or(0, |plane| plane.len()) {
            let row = first + place;
            let weight = f64::from(self.known.weight(row));
            if weight == 0.0 {
                gradient.iter_mut().for_each(|plane| plane[place] = 0.0);
                hessian.iter_mut().for_each(|plane| plane[place] = 0.0);
                continue;
            }
            let scores = score[row..].iter().step_by(rows);
            shares.iter_mut().zip(scores).for_each(|(share, score)| *share = *score);
            Link::Softmax.apply(&mut shares);
            let own = self.known.target[row] as usize;
            for (class, &share) in shares.iter().enumerate() {
                let slope = if class == own { share - 1.0 } else { share };
                gradient[class][place] = (slope * weight) as f32;
                hessian[class][place] = (factor * share * (1.0 - share) * weight) as f32;
            }
        }
    }
}

impl Bound for Softmax<'_> {
    fn outputs(&self) -> usize {
        self.shares.len()
    }

    fn start(&self) -> Vec<f64> {
        self.shares.iter().map(|share| share.max(EPSILON).ln()).collect()
    }

    fn slopes(&self, _: usize, score: &[f64], gradient: &mut [f32], hessian: &mut [f32]) {
        let rows = self.known.rows();
        let (mut gradients, mut hessians) = (blocks(gradient, rows), blocks(hessian, rows));
        let pairs = gradients.par_iter_mut().zip(&mut hessians).enumerate();
        pairs.for_each(|(block, (g, h))| self.chunk(block * CHUNK, score, g, h));
    }

    fn trains(&self, output: usize) -> bool {
        let share = self.shares.get(output).copied().unwrap_or_default();
        share > EPSILON && share < 1.0 - EPSILON
    }

    fn link(&self) -> Link {
        Link::Softmax
    }

    fn text(&self) -> String {
        format!("multiclass num_class:{}", self.shares.len())
    }
}

/// Blocks of rows, each with one slice a class.
fn blocks(values: &mut [f32], rows: usize) -> Vec<Vec<&mut [f32]>> {
    let mut blocks: Vec<Vec<&mut [f32]>> = Vec::new();
    blocks.resize_with(rows.div_ceil(CHUNK), Vec::new);
    for plane in values.chunks_mut(rows) {
        blocks.iter_mut().zip(plane.chunks_mut(CHUNK)).for_each(|(block, part)| block.push(part));
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slopes_by_hand() {
        let target = [0.0, 1.0, f32::NAN];
        let labels = Labels { targets: &[&target], ..Labels::default() };
        let bound = Softmax::bind(&labels, 2).unwrap();
        let (mut g, mut h) = ([9.0; 6], [9.0; 6]);
        bound.slopes(0, &[0.0; 6], &mut g, &mut h);
        assert_eq!(g, [-0.5, 0.5, 0.0, 0.5, -0.5, 0.0]);
        assert_eq!(h, [0.5, 0.5, 0.0, 0.5, 0.5, 0.0]);
        assert_eq!(bound.start(), [0.5f64.ln(); 2]);
    }

    #[test]
    fn classes_beyond_the_declared_are_named() {
        let target = [0.0, 3.0];
        let labels = Labels { targets: &[&target], ..Labels::default() };
        let error = Softmax::bind(&labels, 3).unwrap_err();
        assert_eq!(error.to_string(), "label 3 at row 1 is class number 4, declared are 3 classes");
    }
}
