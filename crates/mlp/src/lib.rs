//! Small multilayer perceptrons on the CPU: forward, backward, clipping and AdamW on slices.
//!
//! With x a row, LN the layer norm `g (x - mean x) / sqrt(var x + 1e-5) + b` and D the dropout:
//!
//! ```text
//! h_0 = LN(x)                                    (or x, without `input_norm`)
//! h_k = D(relu(LN(W_k h_{k-1} + b_k)))           (LN only with `norm`; + h_{k-1} with `residual`
//!                                                 where the widths are equal)
//! p   = head(w h_K + b)                          (identity or sigmoid)
//! V   = sum_i v_i l(p_i - t_i) / sum_i v_i       (mean loss over the known rows, see [`RowLoss`])
//! ```
//!
//! A training step is [`Kernel::gradient`] (once, or once a part of an accumulated batch) and then
//! [`Kernel::apply`]: clipping of the global norm, then of the values, then AdamW with decoupled
//! decay ([`Update`] has the formulas).
//!
//! # Layout
//! Sixteen rows make a block; a neuron of a block is one array of sixteen lanes, so that weights
//! are broadcast and every operation but the weight gradient runs straight down the lanes. For the
//! weight gradient the inputs of a layer are turned once (row by row), which makes it an outer
//! product without sums across lanes. Matrices are stored with rows padded to eight values; the
//! padding is zero and stays zero. Loops are compiled for AVX2 and AVX-512 too and the processor's
//! best is chosen at run time.
//!
//! # Determinism
//! Below 512 rows a batch is one chunk on the calling thread; above it is cut in chunks that depend
//! on the number of rows alone, rayon works on them, and their gradients are added in order: any
//! number of threads gives the same bits. Another kind of processor may round differently.
//! Dropout is a pure function of key, layer, row and unit ([`mask`]).
//!
//! # NaN
//! A row whose target is not finite, or whose weight is not positive and finite, teaches nothing,
//! whatever its features. A known row with a NaN feature makes the gradient NaN, which
//! [`Kernel::apply`] refuses: weights, moments and step stay as they were. Without a known row the
//! loss is NaN and nothing is added to the gradient.
//!
//! # Cost
//! 6 operations a weight and row for a step, 2 for a prediction, plus about 60 a unit and row for
//! norm and dropout; nothing is allocated after the first batch of a size. Activations of one
//! block a chunk are kept, never of the whole batch. [`small`] tells when this is the right engine.
//!
//! # Reference
//! Ba, Kiros & Hinton (2016), Layer normalization, eq. 4. Srivastava et al. (2014), Dropout,
//! section 4 (scaled in training). Pascanu, Mikolov & Bengio (2013), On the difficulty of training
//! recurrent neural networks, algorithm 1. Loshchilov & Hutter (2019), Decoupled weight decay
//! regularization, algorithm 2. Huber (1964), Robust estimation of a location parameter.

#![forbid(unsafe_code)]

mod block;
mod error;
mod kernel;
mod lanes;
mod layout;
mod loss;
mod network;
mod norm;
mod pass;
mod product;
mod random;
mod update;

pub use error::{Error, Result};
pub use kernel::{Activations, Kernel, Moments, small};
pub use loss::RowLoss;
pub use network::{Head, Network, Tensor};
pub use pass::{Batch, SATURATED};
pub use random::mask;
pub use update::{Outcome, Update};
