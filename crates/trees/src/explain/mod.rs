//! Why a prediction is what it is.
//!
//! [`Explainer`] gives SHAP values and interactions, [`Importance`] what the nodes remember of the
//! training, [`Permutation`] and [`era_gain`] what a feature is worth in each era, [`DecisionPath`]
//! and [`Drawing`] a tree for a person to read, [`Dependence`] predictions along a feature.

mod blocks;
mod decide;
mod dependence;
mod draw;
mod era_importance;
mod importance;
mod kernel;
mod layout;
mod path;
mod plan;
mod quadrature;
mod rest;
mod shap;
mod tables;

pub use dependence::Dependence;
pub use draw::Drawing;
pub use era_importance::{EraImportance, Permutation, era_gain};
pub use importance::Importance;
pub use path::{DecisionPath, PathStep};
pub use shap::{Explainer, Interactions, ShapValues};
