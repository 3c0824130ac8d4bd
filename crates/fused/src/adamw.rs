//! AdamW's step on a slice of parameters, in one pass.
//!
//! With g the gradient after clipping, t the number of the step from 1:
//!
//! ```text
//! g <- g scale, cut to [-limit, limit]
//! m <- m beta1 + g (1 - beta1)        v <- v beta2 + g^2 (1 - beta2)
//! w <- w (1 - rate decay) - rate (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon)
//! ```
//!
//! in `f32`, in this order of operations, which is burn's: the bits do not depend on threads or on where a
//! slice is cut. Cost: three divisions and a root a parameter, seven values moved. Reference: Loshchilov & Hutter
//! (2019), algorithm 2.

use rayon::prelude::*;

use crate::{Error, Result};

/// Parameters that a thread moves at a time.
const CHUNK: usize = 1 << 14;

/// What a step goes by.
///
/// ```
/// use fattail_fused::adamw::AdamW;
/// let step = AdamW { rate: 0.1, time: 1, ..AdamW::default() };
/// let (mut weight, mut first, mut second) = ([1.0f32], [0.0], [0.0]);
/// step.apply(&mut weight, &[0.5], &mut first, &mut second)?;
/// // The first step is as long as the rate, whatever the gradient; the decay takes a thousandth.
/// assert!((weight[0] - (1.0 - 0.001 - 0.1)).abs() < 1e-6);
/// # Ok::<(), fattail_fused::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamW {
    /// The learning rate.
    pub rate: f64,
    /// What gradients are multiplied by.
    pub scale: f64,
    /// What their entries are then cut to.
    pub limit: Option<f64>,
    /// The memory of the first moment.
    pub beta1: f32,
    /// The memory of the second moment.
    pub beta2: f32,
    /// What keeps a step finite.
    pub epsilon: f32,
    /// The share of the rate that weights lose in a step.
    pub weight_decay: f32,
    /// The number of the step, from 1.
    pub time: i32,
}

impl Default for AdamW {
    /// PyTorch's.
    fn default() -> Self {
        Self {
            rate: 1e-3,
            scale: 1.0,
            limit: None,
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            weight_decay: 1e-2,
            time: 1,
        }
    }
}

impl AdamW {
    /// Moves weights and both moments, which are 0 before the first step.
    ///
    /// # Errors
    /// When the four are not of one length.
    pub fn apply(
        &self,
        weight: &mut [f32],
        gradient: &[f32],
        first: &mut [f32],
        second: &mut [f32],
    ) -> Result<()> {
        let expected = weight.len();
        let lengths = [
            ("the gradient", gradient.len()),
            ("the first moment", first.len()),
            ("the second moment", second.len()),
        ];
        for (what, found) in lengths {
            if found != expected {
                return Err(Error::Length { what, found, expected });
            }
        }
        if expected <= CHUNK {
            self.chunk(weight, gradient, first, second);
            return Ok(());
        }
        let moments = first.par_chunks_mut(CHUNK).zip(second.par_chunks_mut(CHUNK));
        let chunks = weight.par_chunks_mut(CHUNK).zip(gradient.par_chunks(CHUNK)).zip(moments);
        chunks.for_each(|((weight, gradient), (first, second))| {
            self.chunk(weight, gradient, first, second);
        });
        Ok(())
    }

    fn chunk(&self, weight: &mut [f32], gradient: &[f32], first: &mut [f32], second: &mut [f32]) {
        let (rate, scale) = (self.rate as f32, self.scale as f32);
        let limit = self.limit.map_or(f32::INFINITY, |limit| limit as f32);
        let kept = (1.0 - self.rate * f64::from(self.weight_decay)) as f32;
        let [own1, own2] = [1.0 - self.beta1, 1.0 - self.beta2];
        let whole1 = 1.0 - self.beta1.powi(self.time);
        let whole2 = 1.0 - self.beta2.powi(self.time);
        let moments = first.iter_mut().zip(second);
        for ((weight, &gradient), (first, second)) in weight.iter_mut().zip(gradient).zip(moments) {
            let gradient = (gradient * scale).max(-limit).min(limit);
            *first = *first * self.beta1 + gradient * own1;
            *second = *second * self.beta2 + gradient * gradient * own2;
            let step = (*first / whole1) / ((*second / whole2).sqrt() + self.epsilon);
            *weight = *weight * kept - step * rate;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_those_of_the_formula_in_f64() {
        let (mut weight, mut first, mut second) = ([0.3f32, -2.0], [0.0f32; 2], [0.0f32; 2]);
        let (mut w, mut m, mut v) = ([0.3f64, -2.0], [0.0f64; 2], [0.0f64; 2]);
        for time in 1..=20 {
            let gradient = [0.5 - 0.1 * time as f32, 4.0];
            let step = AdamW { rate: 0.01, scale: 0.5, limit: Some(0.2), time, ..AdamW::default() };
            step.apply(&mut weight, &gradient, &mut first, &mut second).unwrap();
            for at in 0..2 {
                let g = (f64::from(gradient[at]) * 0.5).clamp(-0.2, 0.2);
                m[at] = 0.9 * m[at] + 0.1 * g;
                v[at] = 0.999 * v[at] + 0.001 * g * g;
                let unbiased =
                    [m[at] / (1.0 - 0.9f64.powi(time)), v[at] / (1.0 - 0.999f64.powi(time))];
                w[at] = w[at] * (1.0 - 1e-4) - 0.01 * unbiased[0] / (unbiased[1].sqrt() + 1e-8);
                assert!(
                    (f64::from(weight[at]) - w[at]).abs() < 1e-5,
                    "{time}: {} {}",
                    weight[at],
                    w[at]
                );
            }
        }
        let short = AdamW::default().apply(&mut weight, &[1.0], &mut first, &mut second);
        assert!(short.unwrap_err().to_string().contains("the gradient"));
    }

    #[test]
    fn a_slice_may_be_cut_anywhere() {
        let values = |salt: usize| -> Vec<f32> {
            (0..3 * CHUNK + 7).map(|at| ((at * 7919 + salt) % 101) as f32 / 50.0 - 1.0).collect()
        };
        let (gradient, step) = (values(1), AdamW { time: 3, ..AdamW::default() });
        let start =
            || (values(2), values(3), values(4).iter().map(|v| v * v).collect::<Vec<f32>>());
        let (mut whole, mut cut) = (start(), start());
        step.apply(&mut whole.0, &gradient, &mut whole.1, &mut whole.2).unwrap();
        for (((w, g), m), v) in cut
            .0
            .chunks_mut(13)
            .zip(gradient.chunks(13))
            .zip(cut.1.chunks_mut(13))
            .zip(cut.2.chunks_mut(13))
        {
            step.apply(w, g, m, v).unwrap();
        }
        assert_eq!(whole, cut);
    }
}
