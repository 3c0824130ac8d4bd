//! A transformer encoder layer as one operation.
//!
//! ```text
//! norm first:  h = x + drop2(Attn(LN1(x)))          y = h + drop4(F(LN2(h)))
//! norm last:   h = LN1(x + drop2(Attn(x)))          y = LN2(h + drop4(F(h)))
//! Attn(n) = C Wo^T + bo, with C the heads' contexts of Q, K, V = n Win^T + bin, Q and K turned by rotary positions
//! F(n) = drop3(f(n W1^T + b1)) W2^T + b2
//! ```
//!
//! Parameters, their order and the places of dropout are those of PyTorch's `nn.TransformerEncoderLayer`; drop1 is
//! that of attention's weights. Masks are [`Dropout`]'s: sites 1 to 4, rows batch x length (site 1:
//! (sample x heads + head) x length + query), columns the place in the row.
//!
//! Rows go through three stages, each by tiles that stay in the cache: norm and projection to heads; attention by
//! heads; projection, norm and feed-forward. What is saved is Q, K and V, the context, the sums of its softmax, the
//! rows before the second norm and those before the activation; with `recompute` nothing but the input is, and
//! the backward pass runs the forward pass again (Chen et al. 2016, "Training deep nets with sublinear memory
//! cost"). Gradients of weights are summed over at most 16 parts of the rows and added in their order: tiles and
//! parts depend on the shape alone, so any number of threads gives the same bits.
//! NaN in a row spreads to its sample. Cost: 2 x rows x (4 width^2 + 2 width hidden) + 4 rows length width operations
//! forward, a little more than twice that backward. Fewer than 16 heads in all leave threads idle in the backward
//! pass of attention.
//! Reference: Vaswani et al. 2017, "Attention is all you need"; Xiong et al. 2020, "On layer normalization in the
//! transformer architecture" (norm first).

mod backward;
mod dropout;
mod forward;
mod layer;
mod rotary;
mod saved;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result, expect_len};
use crate::linear::{Activation, check_epsilon, check_rate, check_sizes};
pub use dropout::Dropout;
pub use layer::{Layer, Parameters};

/// An encoder layer of a shape.
///
/// ```
/// use fattail_fused::encoder::{Encoder, Layer, Parameters};
///
/// let encoder = Encoder { batch: 1, length: 2, width: 2, heads: 1, hidden: 3, ..Encoder::default() };
/// let zeros = [0.0; 12];
/// let layer = |weights, biases| Layer { weight: &zeros[..weights], bias: &zeros[..biases] };
/// let parameters = Parameters {
///     project_in: layer(12, 6), project_out: layer(4, 2), feed_in: layer(6, 3), feed_out: layer(6, 2),
///     norm1: layer(2, 2), norm2: layer(2, 2),
/// };
/// let (mut out, mut saved) = ([0.0; 4], vec![0.0; encoder.saved_len()]);
/// encoder.forward(&[1.0, 2.0, 3.0, 4.0], &parameters, &mut out, &mut saved)?;
/// // Without weights only the residual path is left.
/// assert_eq!(out, [1.0, 2.0, 3.0, 4.0]);
/// # Ok::<(), fattail_fused::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Encoder {
    /// Samples.
    pub batch: usize,
    /// Positions of a sample.
    pub length: usize,
    /// Values of a position.
    pub width: usize,
    /// Heads, a divisor of the width.
    pub heads: usize,
    /// Units of the feed-forward layer.
    pub hidden: usize,
    /// Whether rows are normalised before attention and feed-forward, not after them.
    pub norm_first: bool,
    /// Whether a position sees itself and those before it alone.
    pub causal: bool,
    /// The feed-forward layer's activation.
    pub activation: Activation,
    /// The share that is dropped, in 0 to 1 without 1.
    pub dropout: f32,
    /// The seed of dropout.
    pub seed: u64,
    /// What is added to variances.
    pub epsilon: f32,
    /// The base of rotary positions (10,000 is common); none without.
    pub rotary: Option<f32>,
    /// Whether nothing but the input is saved.
    pub recompute: bool,
}

impl Default for Encoder {
    fn default() -> Self {
        Self {
            batch: 1,
            length: 1,
            width: 1,
            heads: 1,
            hidden: 1,
            norm_first: true,
            causal: false,
            activation: Activation::Gelu,
            dropout: 0.0,
            seed: 0,
            epsilon: 1e-5,
            rotary: None,
            recompute: false,
        }
    }
}

/// Gradients of [`Encoder`] to write.
#[derive(Debug)]
pub struct Gradients<'a> {
    /// Of the input: batch x length x width.
    pub input: &'a mut [f32],
    /// Of the parameters.
    pub parameters: Parameters<&'a mut [f32]>,
}

impl Encoder {
    /// Refuses what cannot be computed.
    ///
    /// # Errors
    ///
    /// `Error::Setting` where a size is zero, heads do not divide the width, rotary positions find an odd head or
    /// a base that is not positive, dropout is no share or epsilon is negative or not finite.
    pub fn check(&self) -> Result<()> {
        let sizes = [
            ("batch", self.batch),
            ("length", self.length),
            ("width", self.width),
            ("heads", self.heads),
            ("hidden", self.hidden),
        ];
        check_sizes(&sizes)?;
        check_rate("dropout", self.dropout)?;
        check_epsilon(self.epsilon)?;
        let refuse = |name, value, allowed| Err(Error::Setting { name, value, allowed });
        if !self.width.is_multiple_of(self.heads) {
            return refuse("heads", self.heads.to_string(), "a divisor of the width");
        }
        match self.rotary {
            Some(base) if !(base > 0.0 && base.is_finite()) => {
                refuse("rotary", base.to_string(), "a positive number")
            }
            Some(_) if !self.head_width().is_multiple_of(2) => refuse(
                "width",
                self.width.to_string(),
                "an even number a head, where positions are rotary",
            ),
            _ => Ok(()),
        }
    }

    /// Writes the output (batch x length x width) and what the backward pass needs (`saved_len` values).
    ///
    /// # Errors
    ///
    /// What [`Encoder::check`] refuses; `Error::Length` where a slice has another length.
    pub fn forward(
        &self,
        input: &[f32],
        parameters: &Parameters<&[f32]>,
        out: &mut [f32],
        saved: &mut [f32],
    ) -> Result<()> {
        self.check()?;
        self.expect_inputs(input, parameters)?;
        expect_len("out", out.len(), input.len())?;
        expect_len("saved", saved.len(), self.saved_len())?;
        let mut own = vec![0.0; if self.recompute { self.state_len() } else { 0 }];
        self.run_forward(input, parameters, out, if self.recompute { &mut own } else { saved });
        Ok(())
    }

    /// Writes the gradients of input and parameters.
    ///
    /// # Errors
    ///
    /// What [`Encoder::check`] refuses; `Error::Length` where a slice has another length.
    pub fn backward(
        &self,
        input: &[f32],
        parameters: &Parameters<&[f32]>,
        saved: &[f32],
        grad_out: &[f32],
        gradients: Gradients<'_>,
    ) -> Result<()> {
        self.check()?;
        self.expect_inputs(input, parameters)?;
        expect_len("saved", saved.len(), self.saved_len())?;
        expect_len("grad_out", grad_out.len(), input.len())?;
        expect_len("the input's gradient", gradients.input.len(), input.len())?;
        gradients.parameters.as_ref().map(|gradient| &**gradient).expect_sizes(self)?;
        let mut own = Vec::new();
        if self.recompute {
            own.resize(self.state_len(), 0.0);
            // The output itself is not asked for: its place is the input's gradient.
            self.run_forward(input, parameters, gradients.input, &mut own);
        }
        let state = if self.recompute { &own } else { saved };
        self.run_backward(input, parameters, state, grad_out, gradients);
        Ok(())
    }

    fn expect_inputs(&self, input: &[f32], parameters: &Parameters<&[f32]>) -> Result<()> {
        expect_len("input", input.len(), self.rows() * self.width)?;
        parameters.expect_sizes(self)
    }

    fn rows(&self) -> usize {
        self.batch * self.length
    }

    fn head_width(&self) -> usize {
        self.width / self.heads
    }
}
