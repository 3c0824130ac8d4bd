//! The objectives, family by family.

mod aft;
mod binary;
mod cox;
mod entropy;
mod gain;
mod lambdarank;
mod multiclass;
mod own;
mod positive;
mod queries;
mod regression;
mod residual;
mod rows;
mod stack;
mod xendcg;

pub use aft::{Aft, Noise};
pub use binary::Binary;
pub use gain::label_gain;
pub use lambdarank::Lambdarank;

pub(crate) use aft::Spans;
pub(crate) use binary::{bind as binary, one_against_all};
pub(crate) use cox::{Cox, Risk};
pub(crate) use entropy::{cross_entropy, cross_entropy_lambda};
pub(crate) use gain::{Gain, falling};
pub(crate) use lambdarank::{bind as lambdarank, check_gain};
pub(crate) use multiclass::Softmax;
pub(crate) use own::{Own, value as own_value};
pub(crate) use positive::{gamma, poisson, tweedie};
pub(crate) use queries::Queries;
pub(crate) use regression::{absolute, fair, huber, mape, quantile, squared, squared_root};
pub(crate) use residual::{Expectile, PseudoHuber, residual};
pub(crate) use stack::Stack;
pub(crate) use xendcg::Xendcg;

use crate::Bound;

/// What binding answers.
pub(crate) type Bind<'a> = Result<Box<dyn Bound + 'a>, crate::Error>;

/// The smallest probability that counts (LightGBM's `kEpsilon`, a single-precision number).
pub(crate) const EPSILON: f64 = 1e-15f32 as f64;
