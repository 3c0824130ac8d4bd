//! A variational autoencoder: features squeezed into a few numbers, and back.
//!
//! ```text
//! h = relu(enc1 x),  mu = mu h,  v = logvar h,  z = mu + exp(v / 2) noise,  x~ = dec2 relu(dec1 z)
//! loss = mean over samples of  sum_j (x_j - x~_j)^2 + beta sum_k max(KL_k, free bits)
//! KL_k = (mu_k^2 + exp(v_k) - v_k - 1) / 2, averaged over the batch before the floor is applied;
//!        both means by the samples' weights
//! ```
//!
//! The floor leaves each latent some information at no price, so that none dies at once. Reference: Kingma
//! & Welling (2014); Higgins et al. (2017) for beta; Kingma et al. (2016), appendix C.8 for free bits.

use burn::{
    module::{Module, Param},
    tensor::{Tensor, activation::relu},
};
use fattail_training::Probe;
use serde::{Deserialize, Serialize};

use super::{count, dead};
use crate::{
    Length, Result,
    layers::{Dense, Noise, Start, expect_axis, expect_input},
    network::{Input, Memory, Network, Truth},
    ops::{Activation, squared_distance},
};

/// The shape of a [`VaeNetwork`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct VaeShape {
    /// Features.
    pub inputs: usize,
    /// Values in the middle layers.
    pub hidden: usize,
    /// Latent values.
    pub latent: usize,
    /// What the divergence weighs.
    pub beta: f64,
    /// What each latent value may tell for nothing, in nats.
    pub free_bits: f64,
}

/// A variational autoencoder.
#[derive(Module, Debug)]
pub struct VaeNetwork {
    /// What is taken off each feature first; it does not move.
    pub centre: Param<Tensor<1>>,
    /// What it is then divided by; it does not move.
    pub spread: Param<Tensor<1>>,
    /// Features to hidden.
    pub encoder: Dense,
    /// Hidden to the latent means.
    pub mu: Dense,
    /// Hidden to the logarithms of the latent variances.
    pub logvar: Dense,
    /// Latent to hidden.
    pub decoder: Dense,
    /// Hidden to features.
    pub output: Dense,
    #[module(skip)]
    pub(super) shape: VaeShape,
}

impl VaeNetwork {
    /// A network of a shape.
    #[must_use]
    pub fn new(shape: VaeShape, start: &mut Start<'_>) -> Self {
        let fixed = |value| start.constant([shape.inputs], value).set_require_grad(false);
        let (centre, spread) = (fixed(0.0), fixed(1.0));
        Self {
            centre,
            spread,
            encoder: Dense::new(shape.inputs, shape.hidden, start),
            mu: Dense::new(shape.hidden, shape.latent, start),
            logvar: Dense::new(shape.hidden, shape.latent, start),
            decoder: Dense::new(shape.latent, shape.hidden, start),
            output: Dense::new(shape.hidden, shape.inputs, start),
            shape,
        }
    }

    /// Features in units of their spread.
    fn scaled(&self, values: Tensor<2>) -> Tensor<2> {
        (values - self.centre.val().unsqueeze::<2>()) / self.spread.val().unsqueeze::<2>()
    }

    /// The latent means of features as they come.
    pub(crate) fn latent(&self, values: Tensor<2>) -> Tensor<2> {
        let [mean, _] = self.encoded(self.scaled(values));
        mean
    }

    /// Means and logarithms of variances of scaled features.
    ///
    /// # Errors
    /// [`Error::Argument`](crate::Error::Argument) when there are other features.
    pub fn encode(&self, values: Tensor<2>) -> Result<[Tensor<2>; 2]> {
        expect_input("the features", &values.dims(), self.shape.inputs)?;
        Ok(self.encoded(values))
    }

    /// Scaled features from latent values.
    ///
    /// # Errors
    /// [`Error::Argument`](crate::Error::Argument) when there are other latent values.
    pub fn decode(&self, latent: Tensor<2>) -> Result<Tensor<2>> {
        expect_input("the latent values", &latent.dims(), self.shape.latent)?;
        Ok(self.decoded(latent))
    }

    /// The loss of scaled features with the noise `noise`, of the latent values' shape; all samples count
    /// alike.
    ///
    /// # Errors
    /// [`Error::Argument`](crate::Error::Argument) when features or noise have another shape.
    pub fn loss_with(&self, values: Tensor<2>, noise: Option<Tensor<2>>) -> Result<Tensor<1>> {
        let [samples, _] = values.dims();
        expect_input("the features", &values.dims(), self.shape.inputs)?;
        if let Some(noise) = &noise {
            expect_input("the noise", &noise.dims(), self.shape.latent)?;
            expect_axis("the noise", &noise.dims(), 0, Length::Exactly(samples))?;
        }
        let like = values.clone().narrow(1, 0, 1).reshape([samples]).ones_like();
        Ok(self.weighted_loss(values, noise, like.div_scalar(samples as f64)))
    }

    fn encoded(&self, values: Tensor<2>) -> [Tensor<2>; 2] {
        let hidden = self.encoder.activated(values, Activation::Relu);
        [self.mu.forward(hidden.clone()), self.logvar.forward(hidden)]
    }

    fn decoded(&self, latent: Tensor<2>) -> Tensor<2> {
        self.output.forward(self.decoder.activated(latent, Activation::Relu))
    }

    /// The loss with weights that add up to 1.
    fn weighted_loss(
        &self,
        values: Tensor<2>,
        noise: Option<Tensor<2>>,
        weight: Tensor<1>,
    ) -> Tensor<1> {
        let weight = weight.unsqueeze_dim::<2>(1);
        let [mean, spread] = self.encoded(values.clone());
        let latent = match noise {
            Some(noise) => mean.clone() + spread.clone().mul_scalar(0.5).exp() * noise,
            None => mean.clone(),
        };
        // Row by row first: short sums have a fixed order on the CPU.
        let error = squared_distance(values, self.decoded(latent));
        let error = (error * weight.clone()).sum();
        let divergence = mean.square() + spread.clone().exp() - spread.add_scalar(1.0);
        let each = (divergence * weight).sum_dim(0).mul_scalar(0.5);
        // relu(x - f) + f is max(x, f).
        let floored = relu(each.sub_scalar(self.shape.free_bits)).add_scalar(self.shape.free_bits);
        error + floored.sum().mul_scalar(self.shape.beta)
    }

    /// The share of latent means that vary by less than 0.01 over the samples: they tell nothing of them
    /// (Burda, Grosse & Salakhutdinov 2016, section 5.2).
    fn collapsed(&self, mean: Tensor<2>) -> Result<Probe> {
        let latent = self.shape.latent;
        let centred = mean.clone() - mean.mean_dim(0);
        let still = centred.square().mean_dim(0).lower_scalar(0.01).int().reshape([latent]);
        let dead = count(still)? / latent.max(1) as f64;
        Ok(Probe { layer: "mu".to_owned(), dead, saturated: 0.0 })
    }
}

impl Network for VaeNetwork {
    /// The mean squared error of the reconstruction, in units of the spread: a drift score.
    fn forward(&self, input: &Input<'_>, _noise: Noise) -> Tensor<1> {
        let values = self.scaled(input.values.clone());
        let [mean, _] = self.encoded(values.clone());
        let error = (values - self.decoded(mean)).square();
        error.mean_dim(1).squeeze_dim(1)
    }

    fn probe(&self, input: &Input<'_>) -> Result<Vec<Probe>> {
        let hidden = self.encoder.activated(self.scaled(input.values.clone()), Activation::Relu);
        let mean = self.mu.forward(hidden.clone());
        let back = self.decoder.activated(mean.clone(), Activation::Relu);
        Ok(vec![dead("encoder", hidden)?, self.collapsed(mean)?, dead("decoder", back)?])
    }

    fn loss(&self, input: &Input<'_>, truth: &Truth<'_>, noise: Noise) -> Tensor<1> {
        let samples = input.values.dims()[0];
        let like = Tensor::<2>::zeros([samples, self.shape.latent], &input.values.device());
        let like = like.cast(input.values.dtype());
        let weight = truth.weight().cast(input.values.dtype());
        let scaled = self.scaled(input.values.clone());
        let loss = self.weighted_loss(scaled, noise.normal(&like, 0), weight);
        loss.cast(burn::tensor::DType::F32)
    }

    fn memory(&self, samples: usize) -> Memory {
        let VaeShape { inputs, hidden, latent, .. } = self.shape;
        // Features, scaled features, reconstruction and error; both middle layers;
        // both latent vectors, the noise and what becomes of them. Going back, a gradient of each side.
        let kept = 4 * inputs + 2 * hidden + 8 * latent;
        let own = Memory {
            kept: Memory::values(samples * kept),
            scratch: Memory::values(samples * (inputs + hidden)),
        };
        own.beside(Memory::products())
    }
}
