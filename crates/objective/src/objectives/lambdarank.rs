//! LambdaRank with NDCG: pairs of an era push each other by what their swap would change.
//!
//! For rows i above j by label, with positions by falling score, d the difference of scores, s the
//! factor: `swap = (gain_i - gain_j) |discount_i - discount_j| / maxDCG`, divided by `0.01 + |d|` with
//! `norm`, `p = 1 / (1 + exp(s d))`; i gets gradient `-s swap p` and j the opposite, both the hessian
//! `s^2 swap p (1 - p)`. Pairs count when one of them stands above the truncation level. With `norm`,
//! slopes of an era are multiplied by `log2(1 + S) / S`, S the sum of their sizes. Starts at 0.
//! As in LightGBM, d is rounded down to a grid of 2^20 points in `[-25/s, 25/s]`.
//! Eras (queries) are needed. Equal scores keep their order; NaN labels: [`Queries`].
//! Cost: truncation level x rows an era, one exponential a pair.
//! Reference: Burges (2010); LightGBM 4.7 `rank_objective.hpp`, without position bias.

use fattail_core::Error;
use serde::{Deserialize, Serialize};

use super::{Bind, Gain, Queries, gain::falling};
use crate::{Bound, Labels};

/// Settings of LambdaRank.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Lambdarank {
    /// The factor of the scores, above 0.
    pub sigmoid: f64,
    /// How many of the first positions count, at least 1.
    pub truncation_level: usize,
    /// Whether eras are brought to one scale.
    pub norm: bool,
    /// The gain of each label; empty for `2^label - 1` up to label 30.
    pub label_gain: Vec<f64>,
}

impl Default for Lambdarank {
    fn default() -> Self {
        Self { sigmoid: 1.0, truncation_level: 30, norm: true, label_gain: Vec::new() }
    }
}

impl Lambdarank {
    /// Answers whether the settings are in range.
    ///
    /// # Errors
    /// Names the setting, its value and what is allowed.
    pub fn check(&self) -> fattail_core::Result<()> {
        if !(self.sigmoid > 0.0 && self.sigmoid.is_finite()) {
            return Err(Error::setting("sigmoid", self.sigmoid, "above 0 and finite"));
        }
        if self.truncation_level == 0 {
            return Err(Error::setting("lambdarank_truncation_level", 0, "at least 1"));
        }
        check_gain(&self.label_gain)
    }
}

/// Answers whether gains are finite.
pub(crate) fn check_gain(gains: &[f64]) -> fattail_core::Result<()> {
    match gains.iter().find(|gain| !gain.is_finite()) {
        Some(gain) => Err(Error::setting("label_gain", gain, "finite")),
        None => Ok(()),
    }
}

/// LambdaRank on labels.
#[derive(Debug)]
struct Ranked<'a> {
    settings: Lambdarank,
    queries: Queries<'a>,
    gain: Gain,
    /// One over the best DCG of each era, 0 where it is 0.
    scale: Vec<f64>,
}

pub(crate) fn bind<'a>(labels: &Labels<'a>, settings: &Lambdarank) -> Bind<'a> {
    let settings = settings.clone();
    let limit = if settings.label_gain.is_empty() { 31 } else { settings.label_gain.len() };
    let queries = Queries::new("lambdarank", labels, limit)?;
    let gain = Gain::new(&settings.label_gain, queries.longest());
    let scale = queries.map(None, |labels, _, _| {
        let best = gain.best(settings.truncation_level, labels);
        if best > 0.0 { 1.0 / best } else { best }
    });
    Ok(Box::new(Ranked { settings, queries, gain, scale }))
}

impl Ranked<'_> {
    fn era(&self, scale: f64, labels: &[f32], scores: &[f64], g: &mut [f32], h: &mut [f32]) {
        g.fill(0.0);
        h.fill(0.0);
        let order = falling(scores);
        let spread = scores[order[0]] != scores[order[order.len() - 1]];
        let mut sum = 0.0;
        for i in 0..order.len().min(self.settings.truncation_level) {
            for j in i + 1..order.len() {
                let (above, below) = (order[i], order[j]);
                if labels[above] == labels[below] {
                    continue;
                }
                let best_first = labels[above] > labels[below];
                let (high, low) = if best_first { (above, below) } else { (below, above) };
                let gap = self.gain.of(labels[high]) - self.gain.of(labels[low]);
                let swap = gap * (self.gain.discount(i) - self.gain.discount(j)).abs() * scale;
                let (lambda, bend) = self.pair(swap, scores[high] - scores[low], spread);
                g[low] -= lambda as f32;
                g[high] += lambda as f32;
                h[low] += bend as f32;
                h[high] += bend as f32;
                sum -= 2.0 * lambda;
            }
        }
        if self.settings.norm && sum > 0.0 {
            let factor = (1.0 + sum).log2() / sum;
            let slopes = g.iter_mut().chain(h);
            slopes.for_each(|slope| *slope = (f64::from(*slope) * factor) as f32);
        }
    }

    /// Gradient of the higher row, and hessian.
    fn pair(&self, swap: f64, difference: f64, spread: bool) -> (f64, f64) {
        let scale = self.settings.sigmoid;
        let swap = if self.settings.norm && spread {
            swap / (f64::from(0.01f32) + difference.abs())
        } else {
            swap
        };
        let p = sigmoid(difference, scale);
        (p * (-scale * swap), p * (1.0 - p) * (scale * scale * swap))
    }
}

/// `1 / (1 + exp(scale score))` on LightGBM's grid.
fn sigmoid(score: f64, scale: f64) -> f64 {
    const POINTS: f64 = (1 << 20) as f64;
    let end = 50.0 / scale / 2.0;
    let step = POINTS / (end + end);
    let place = ((score + end) * step).floor().clamp(0.0, POINTS - 1.0);
    1.0 / (1.0 + ((place / step - end) * scale).exp())
}

impl Bound for Ranked<'_> {
    fn start(&self) -> Vec<f64> {
        vec![0.0]
    }

    fn slopes(&self, _: usize, score: &[f64], gradient: &mut [f32], hessian: &mut [f32]) {
        self.queries.slopes(score, gradient, hessian, |query, labels, scores, g, h| {
            self.era(self.scale[query], labels, scores, g, h);
        });
    }

    fn text(&self) -> String {
        "lambdarank".into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_by_hand() {
        let target = [0.0, 1.0, f32::NAN];
        let labels = Labels { targets: &[&target], eras: &[0, 3], ..Labels::default() };
        let settings = Lambdarank { norm: false, ..Lambdarank::default() };
        let bound = bind(&labels, &settings).unwrap();
        let (mut g, mut h) = ([9.0; 3], [9.0; 3]);
        bound.slopes(0, &[0.0; 3], &mut g, &mut h);
        let swap = (1.0 - 1.0 / 3.0f64.log2()) as f32;
        assert!((g[0] - 0.5 * swap).abs() < 1e-5 && (g[1] + 0.5 * swap).abs() < 1e-5);
        assert!((h[0] - 0.25 * swap).abs() < 1e-5 && h[0] == h[1]);
        assert_eq!((g[2], h[2]), (0.0, 0.0));
    }

    #[test]
    fn labels_and_eras_are_checked() {
        let bind = |target: &[f32], eras: &[usize]| {
            let labels = Labels { targets: &[target], eras, ..Labels::default() };
            bind(&labels, &Lambdarank { label_gain: vec![0.0, 1.0], ..Lambdarank::default() })
                .unwrap_err()
                .to_string()
        };
        assert_eq!(bind(&[0.0, 1.0], &[]), "'lambdarank' needs eras (queries), none are given");
        assert!(bind(&[0.0, 2.0], &[0, 2]).starts_with("label 2 at row 1 is out of range"));
        assert!(bind(&[0.0, 0.5], &[0, 2]).starts_with("label 0.5 at row 1 is out of range"));
    }
}
