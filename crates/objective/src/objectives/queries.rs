//! Rows in eras (queries), for losses of an order.

use rayon::prelude::*;

use crate::{Error, Labels, chunks, known, known::Known, known::Range};

/// A target with its queries; rows of unknown label are in none.
#[derive(Debug)]
pub(crate) struct Queries<'a> {
    pub(crate) known: Known<'a>,
    bounds: &'a [usize],
}

impl<'a> Queries<'a> {
    /// Labels in eras, whole numbers below `limit`.
    pub(crate) fn new(by: &'static str, labels: &Labels<'a>, limit: usize) -> Result<Self, Error> {
        if labels.eras.is_empty() {
            return Err(Error::NoEras { by });
        }
        let allowed = format!("a whole number from 0 to {}, one less than the gains", limit - 1);
        let beyond = |value, row| Error::Label { by, value, row, allowed: allowed.clone() };
        known::check_whole(by, labels.target(), limit, beyond)?;
        Ok(Self { known: Known::new(labels, 0, &Range::finite(by))?, bounds: labels.eras })
    }

    /// The rows of the longest query.
    pub(crate) fn longest(&self) -> usize {
        self.bounds.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or_default()
    }

    /// Answers `each(known labels, their scores, mean weight)` of every query, in order. The mean
    /// weight is that of all rows of the query.
    pub(crate) fn map<T: Send>(
        &self,
        score: Option<&[f64]>,
        each: impl Fn(&[f32], &[f64], f64) -> T + Sync,
    ) -> Vec<T> {
        let one = |pair: &[usize]| {
            let rows: Vec<usize> =
                (pair[0]..pair[1]).filter(|&row| !self.known.target[row].is_nan()).collect();
            let labels: Vec<f32> = rows.iter().map(|&row| self.known.target[row]).collect();
            let scores: Vec<f64> =
                score.map_or_else(Vec::new, |score| rows.iter().map(|&row| score[row]).collect());
            let weight: f32 = (pair[0]..pair[1]).map(|row| self.known.weight(row)).sum();
            each(&labels, &scores, f64::from(weight / (pair[1] - pair[0]) as f32))
        };
        self.bounds.par_windows(2).map(one).collect()
    }

    /// Lets `each(query, known labels, their scores, gradients, hessians)` write the slopes of every
    /// query, weighs them, and writes 0 where the label is unknown.
    pub(crate) fn slopes(
        &self,
        score: &[f64],
        gradient: &mut [f32],
        hessian: &mut [f32],
        each: impl Fn(usize, &[f32], &[f64], &mut [f32], &mut [f32]) + Sync,
    ) {
        let gradients = chunks::split(gradient, self.bounds);
        let hessians = chunks::split(hessian, self.bounds);
        gradients.into_par_iter().zip(hessians).enumerate().for_each(|(query, (g, h))| {
            let rows = self.bounds[query]..self.bounds[query + 1];
            let (labels, scores) = (&self.known.target[rows.clone()], &score[rows.clone()]);
            if labels.iter().any(|label| label.is_nan()) {
                gathered(labels, scores, g, h, |l, s, g, h| each(query, l, s, g, h));
            } else {
                each(query, labels, scores, g, h);
            }
            if let Some(weights) = &self.known.weights {
                let weighed = g.iter_mut().zip(h).zip(&weights[rows]);
                weighed.for_each(|((g, h), weight)| (*g, *h) = (*g * weight, *h * weight));
            }
        });
    }
}

/// Calls `each` on the rows whose label is known, closed up.
fn gathered(
    labels: &[f32],
    scores: &[f64],
    gradient: &mut [f32],
    hessian: &mut [f32],
    each: impl Fn(&[f32], &[f64], &mut [f32], &mut [f32]),
) {
    let rows: Vec<usize> = (0..labels.len()).filter(|&row| !labels[row].is_nan()).collect();
    let known: Vec<f32> = rows.iter().map(|&row| labels[row]).collect();
    let known_scores: Vec<f64> = rows.iter().map(|&row| scores[row]).collect();
    let (mut g, mut h) = (vec![0.0; rows.len()], vec![0.0; rows.len()]);
    if !rows.is_empty() {
        each(&known, &known_scores, &mut g, &mut h);
    }
    gradient.fill(0.0);
    hessian.fill(0.0);
    for ((&row, g), h) in rows.iter().zip(g).zip(h) {
        (gradient[row], hessian[row]) = (g, h);
    }
}
