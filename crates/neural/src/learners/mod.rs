//! Learners: settings that become models.
//!
//! Each learner is a plain struct that says which network it wants of a panel's features, and a
//! [`Regime`], how it is trained. Fitting asks first whether the run fits its memory, reads samples, starts
//! the head at the best constant, runs the training loop, and gives a model with the weights that the
//! holdout liked best.

mod graph;
mod mlp;
mod recurrent;
mod regime;
mod transformer;
mod tuned;
mod vae;

pub use graph::{GraphNet, GraphOf};
pub use mlp::{Kernel, RobustMlp};
pub use recurrent::Recurrent;
pub use regime::Regime;
pub use transformer::{FeatureTransformer, SequenceTransformer};
pub use tuned::Adapter;
pub use vae::{Vae, VaeModel};

use fattail_core::Panel;
use fattail_training::Desk;

use crate::{Architecture, NeuralModel, Result};

/// A learner whose model predicts.
pub trait Learner {
    /// The network for a panel.
    ///
    /// # Errors
    /// Names the setting, its value and what is allowed.
    fn architecture(&self, train: &Panel) -> Result<Architecture>;

    /// How it is trained.
    fn regime(&self) -> &Regime;

    /// Fits with somebody beside: who watches, keeps checkpoints, resumes, or ends it.
    ///
    /// # Errors
    /// When a setting is out of range, the panel does not do, or the run fails.
    fn fit_with(&self, train: &Panel, desk: Desk<'_>) -> Result<NeuralModel> {
        self.regime().fit(&self.architecture(train)?, train, desk)
    }
}

/// Makes a learner a `Fit`.
macro_rules! fit {
    ($($learner:ty),*) => {$(
        impl fattail_core::Fit for $learner {
            type Fitted = NeuralModel;

            fn fit(&self, train: &Panel) -> fattail_core::Result<NeuralModel> {
                Ok(self.fit_with(train, Desk::default())?)
            }
        }
    )*};
}

fit!(RobustMlp, FeatureTransformer, SequenceTransformer, Recurrent, GraphNet);
