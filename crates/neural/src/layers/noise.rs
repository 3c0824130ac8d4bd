//! Dropout as a pure function of a key, so that a resumed run draws what the uninterrupted one drew.
//!
//! burn's own dropout draws from a generator of the whole process: runs beside each other would
//! disturb each other, and a resumed run would differ. Here the mask of a layer is a function of the
//! step's key, the layer and the position, the same as in the fused kernels; a value is kept with
//! probability `1 - rate` and then divided by it. Reference: Srivastava et al. (2014).

use burn::tensor::{Tensor, TensorData};
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, StandardNormal};

/// The noise of a step, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Noise {
    key: Option<u64>,
}

impl Noise {
    /// No noise, as in predictions.
    pub const OFF: Self = Self { key: None };

    /// The noise of a step.
    #[must_use]
    pub const fn of(key: u64) -> Self {
        Self { key: Some(key) }
    }

    /// The key, when there is noise.
    #[must_use]
    pub const fn key(self) -> Option<u64> {
        self.key
    }

    /// Dropout of layer `layer` over `[rows, width]` values.
    #[must_use]
    pub fn dropout(self, input: Tensor<2>, rate: f64, layer: usize) -> Tensor<2> {
        let Some(key) = self.key.filter(|_| rate > 0.0) else {
            return input;
        };
        let [rows, width] = input.dims();
        let Ok(mask) = fattail_mlp::mask(key, layer, rows, width, rate) else {
            // A rate that is none drops nothing; networks refuse it before they are built.
            return input;
        };
        let mask = Tensor::<2>::from_data(TensorData::new(mask, [rows, width]), &input.device());
        let kind = input.dtype();
        input * mask.cast(kind)
    }

    /// Standard normal values in the shape of `like`, for sampling.
    #[must_use]
    pub fn normal(self, like: &Tensor<2>, layer: usize) -> Option<Tensor<2>> {
        let key = self.key?;
        let [rows, width] = like.dims();
        let mut generator = ChaCha8Rng::seed_from_u64(key.wrapping_add((layer as u64) << 32));
        let draw = |_| StandardNormal.sample(&mut generator);
        let values: Vec<f32> = (0..rows * width).map(draw).collect();
        let values = Tensor::<2>::from_data(TensorData::new(values, [rows, width]), &like.device());
        Some(values.cast(like.dtype()))
    }
}
