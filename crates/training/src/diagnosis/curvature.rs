//! The leading eigenvalues of the loss's second derivative H, without H.
//!
//! A product is a difference of gradients, `H v = (g(w + h v) - g(w - h v)) / (2 h)` with |v| = 1 and
//! `h = eps^(1/3) (1 + |w|)`, eps that of f32: the rounding of the gradients over h and the third
//! derivative times h^2 are then of one size. Lanczos builds an orthonormal basis with
//! `H q_j = b_{j-1} q_{j-1} + a_j q_j + b_j q_{j+1}`; each new vector is made orthogonal to all before
//! it, twice, so that no eigenvalue comes twice by rounding. Where the basis closes (b_j vanishes) it
//! goes on with a fresh vector, so that equal eigenvalues and the null space are found. The numerical
//! rank is the number of Ritz values above `tolerance` times the largest in size. Cost: two gradients
//! an iteration, iterations x weights numbers kept. A gradient that is not finite gives NaN.
//! Reference: Pearlmutter (1994), Fast exact multiplication by the Hessian; Lanczos (1950), An
//! iteration method for the solution of the eigenvalue problem; Golub and Van Loan (2013), Matrix
//! Computations, 10.3.

use fattail_core::{Error, Result};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::tridiagonal::eigenvalues;
use crate::{Batch, Engine, Fault};

/// How the curvature is measured.
///
/// ```
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/slope.rs")); }
/// # use doc::Slope;
/// use fattail_core::Panel;
/// use fattail_training::{Buffer, Curvature, Plan, Reading, Samples};
/// let panel = Panel::builder()
///     .feature("x", vec![1.0f32, 2.0, 3.0])
///     .target("y", vec![0.0f32; 3])
///     .build()?;
/// let samples = Samples::known(&panel, &Reading::default())?;
/// let (mut plan, mut buffer) = (Plan::default(), Buffer::default());
/// plan.arrange_in_order(&samples, false, 3);
/// let batch = buffer.batch(&samples, &plan, plan.step(0), 0)?;
/// // Half the mean of `(weight x - y)^2` has the second derivative mean(x^2) = 14 / 3.
/// let mut engine = Slope { weight: 0.2, ..Slope::default() };
/// let found = Curvature::default().measure(&mut engine, &batch, &[0.2])?;
/// assert!((found.eigenvalues[0] - 14.0 / 3.0).abs() < 1e-3);
/// assert_eq!((found.rank, engine.weight), (1, 0.2));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Curvature {
    /// Lanczos steps: the most eigenvalues that are found.
    pub iterations: usize,
    /// An eigenvalue counts above this share of the largest.
    pub tolerance: f64,
    /// Samples that the loss is taken over.
    pub samples: usize,
    /// Where the basis begins.
    pub seed: u64,
}

impl Default for Curvature {
    fn default() -> Self {
        Self { iterations: 10, tolerance: 1e-3, samples: 1024, seed: 0 }
    }
}

/// The leading eigenvalues.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Spectrum {
    /// Those found, the largest in size first.
    pub eigenvalues: Vec<f64>,
    /// How many count.
    pub rank: usize,
}

impl Curvature {
    /// Answers whether the settings are in range.
    ///
    /// # Errors
    /// Names the setting, its value and what is allowed.
    pub fn check(&self) -> Result<()> {
        if self.iterations == 0 {
            return Err(Error::setting("iterations", self.iterations, "at least 1"));
        }
        if self.samples == 0 {
            return Err(Error::setting("curvature samples", self.samples, "at least 1"));
        }
        if self.tolerance > 0.0 && self.tolerance < 1.0 {
            return Ok(());
        }
        Err(Error::setting("tolerance", self.tolerance, "between 0 and 1, both excluded"))
    }

    /// Measures the curvature of the batch's mean loss at `weights`, which are the engine's and are
    /// put back.
    ///
    /// # Errors
    /// A fault of the engine, whose weights may then be others.
    pub fn measure(
        &self,
        engine: &mut dyn Engine,
        batch: &Batch<'_>,
        weights: &[f32],
    ) -> Result<Spectrum, Fault> {
        let iterations = self.iterations.min(weights.len());
        let mut lanczos = Lanczos::new(weights.len(), self.seed);
        let mut product = Product::new(weights);
        for _ in 0..iterations {
            let image = product.of(engine, batch, lanczos.last())?;
            if !lanczos.extend(image) {
                break;
            }
        }
        engine.set_weights(weights)?;
        Ok(self.spectrum(&lanczos))
    }

    fn spectrum(&self, lanczos: &Lanczos) -> Spectrum {
        let inner = lanczos.diagonal.len().saturating_sub(1);
        let mut values = eigenvalues(&lanczos.diagonal, &lanczos.beside[..inner]);
        values.sort_by(|a, b| b.abs().total_cmp(&a.abs()));
        let largest = values.first().map_or(0.0, |value| value.abs());
        let counts = |value: &&f64| value.abs() > self.tolerance * largest;
        Spectrum { rank: values.iter().filter(counts).count(), eigenvalues: values }
    }
}

/// Products by differences of gradients.
struct Product<'a> {
    weights: &'a [f32],
    step: f64,
    moved: Vec<f32>,
}

impl<'a> Product<'a> {
    fn new(weights: &'a [f32]) -> Self {
        let norm = weights.iter().map(|&w| f64::from(w) * f64::from(w)).sum::<f64>().sqrt();
        let step = f64::from(f32::EPSILON).cbrt() * (1.0 + norm);
        Self { weights, step, moved: weights.to_vec() }
    }

    fn of(
        &mut self,
        engine: &mut dyn Engine,
        batch: &Batch<'_>,
        direction: &[f64],
    ) -> Result<Vec<f64>, Fault> {
        let ahead = self.slope(engine, batch, direction, self.step)?;
        let behind = self.slope(engine, batch, direction, -self.step)?;
        let pairs = ahead.iter().zip(&behind);
        Ok(pairs.map(|(&a, &b)| (f64::from(a) - f64::from(b)) / (2.0 * self.step)).collect())
    }

    fn slope(
        &mut self,
        engine: &mut dyn Engine,
        batch: &Batch<'_>,
        direction: &[f64],
        step: f64,
    ) -> Result<Vec<f32>, Fault> {
        for ((moved, &weight), &along) in self.moved.iter_mut().zip(self.weights).zip(direction) {
            *moved = (f64::from(weight) + step * along) as f32;
        }
        engine.set_weights(&self.moved)?;
        let slope = engine.slope(batch)?;
        if slope.len() == self.weights.len() {
            return Ok(slope);
        }
        let (given, expected) = (slope.len(), self.weights.len());
        Err(Error::Length { name: "slope".into(), given, expected }.into())
    }
}

/// An orthonormal basis that grows, and H in it.
struct Lanczos {
    basis: Vec<Vec<f64>>,
    diagonal: Vec<f64>,
    beside: Vec<f64>,
    /// The largest value seen, by which one is told from rounding.
    scale: f64,
    generator: ChaCha8Rng,
}

impl Lanczos {
    fn new(length: usize, seed: u64) -> Self {
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        let first = normalised(random(length, &mut generator)).unwrap_or_default();
        let (diagonal, beside) = (Vec::new(), Vec::new());
        Self { basis: vec![first], diagonal, beside, scale: 0.0, generator }
    }

    fn last(&self) -> &[f64] {
        self.basis.last().map_or(&[], Vec::as_slice)
    }

    /// Adds the vector that `image`, H times the last one, points to. False when there is none left.
    fn extend(&mut self, mut image: Vec<f64>) -> bool {
        let along = dot(&image, self.last());
        self.diagonal.push(along);
        self.scale = self.scale.max(along.abs());
        self.orthogonalise(&mut image);
        let length = dot(&image, &image).sqrt();
        // Differences of f32 gradients leave noise of about this share.
        let closed = length <= 1e-4 * self.scale || length.is_nan();
        self.beside.push(if closed { 0.0 } else { length });
        self.scale = self.scale.max(length);
        if closed {
            image = random(image.len(), &mut self.generator);
            self.orthogonalise(&mut image);
        }
        if self.basis.len() == image.len() {
            return false;
        }
        match normalised(image) {
            Some(next) => self.basis.push(next),
            None => return false,
        }
        true
    }

    fn orthogonalise(&self, vector: &mut [f64]) {
        for _ in 0..2 {
            for known in &self.basis {
                let along = dot(vector, known);
                vector.iter_mut().zip(known).for_each(|(value, &known)| *value -= along * known);
            }
        }
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn normalised(mut vector: Vec<f64>) -> Option<Vec<f64>> {
    let length = dot(&vector, &vector).sqrt();
    if !(length > 0.0 && length.is_finite()) {
        return None;
    }
    vector.iter_mut().for_each(|value| *value /= length);
    Some(vector)
}

/// Numbers between -1 and 1.
fn random(length: usize, generator: &mut ChaCha8Rng) -> Vec<f64> {
    let scale = 2.0 / f64::from(u32::MAX);
    (0..length).map(|_| f64::from(generator.next_u32()) * scale - 1.0).collect()
}
