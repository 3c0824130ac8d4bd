//! Activations between layers, and their slopes.
//!
//! ```text
//! Identity: x                        Relu: max(x, 0), slope 0 at 0
//! Gelu: x Phi(x), slope Phi(x) + x phi(x)
//! ```
//!
//! Phi is the normal distribution function itself, not the approximation by a hyperbolic tangent. NaN stays NaN.
//! Cost: about 30 instructions and a division a vector for the last.
//! Reference: Hendrycks & Gimpel 2016, "Gaussian error linear units".

use pulp::Simd;
use serde::{Deserialize, Serialize};

use super::lanes::{self, map};

/// What a layer's sums go through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Activation {
    /// Nothing.
    #[default]
    Identity,
    /// Zero where negative.
    Relu,
    /// Times the normal distribution function.
    Gelu,
}

impl Activation {
    /// The activation and its slope.
    #[inline(always)]
    pub(crate) fn value_and_slope<S: Simd>(self, simd: S, x: S::f32s) -> (S::f32s, S::f32s) {
        let (zero, one) = (simd.splat_f32s(0.0), simd.splat_f32s(1.0));
        match self {
            Self::Identity => (x, one),
            Self::Relu => {
                let is_off = simd.less_than_or_equal_f32s(x, zero);
                (simd.select_f32s(is_off, zero, x), simd.select_f32s(is_off, zero, one))
            }
            Self::Gelu => {
                let (below, density) = lanes::normal(simd, x);
                (simd.mul_f32s(x, below), simd.mul_add_f32s(x, density, below))
            }
        }
    }

    /// Activates a row in place.
    #[inline(always)]
    pub(crate) fn apply<S: Simd>(self, simd: S, row: &mut [f32]) {
        match self {
            Self::Identity => {}
            Self::Relu => map!(simd: S, x in row => Self::Relu.value_and_slope(simd, x).0),
            Self::Gelu => map!(simd: S, x in row => Self::Gelu.value_and_slope(simd, x).0),
        }
    }

    /// Multiplies a gradient by the slopes at these sums; the output of ReLU serves as well as its sums.
    #[inline(always)]
    pub(crate) fn steepen<S: Simd>(self, simd: S, gradient: &mut [f32], sums: &[f32]) {
        match self {
            Self::Identity => {}
            Self::Relu => map!(simd: S, gradient in gradient, x in sums =>
                simd.mul_f32s(gradient, Self::Relu.value_and_slope(simd, x).1)),
            Self::Gelu => map!(simd: S, gradient in gradient, x in sums =>
                simd.mul_f32s(gradient, Self::Gelu.value_and_slope(simd, x).1)),
        }
    }

    /// Multiplies a gradient by the slopes, and replaces the sums before the activation by their activation.
    #[inline(always)]
    pub(crate) fn back<S: Simd>(self, simd: S, gradient: &mut [f32], sums: &mut [f32]) {
        match self {
            Self::Identity => {}
            Self::Relu => Self::Relu.back_by(simd, gradient, sums),
            Self::Gelu => Self::Gelu.back_by(simd, gradient, sums),
        }
    }

    #[inline(always)]
    fn back_by<S: Simd>(self, simd: S, gradient: &mut [f32], sums: &mut [f32]) {
        let (gradient, gradient_rest) = S::as_mut_simd_f32s(gradient);
        let (sums, sums_rest) = S::as_mut_simd_f32s(sums);
        for (gradient, sum) in gradient.iter_mut().zip(sums) {
            let (value, slope) = self.value_and_slope(simd, *sum);
            *gradient = simd.mul_f32s(*gradient, slope);
            *sum = value;
        }
        if !gradient_rest.is_empty() {
            let (value, slope) = self.value_and_slope(simd, simd.partial_load_f32s(sums_rest));
            let gradient = simd.mul_f32s(simd.partial_load_f32s(gradient_rest), slope);
            simd.partial_store_f32s(gradient_rest, gradient);
            simd.partial_store_f32s(sums_rest, value);
        }
    }
}
