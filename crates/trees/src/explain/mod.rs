//! Why a prediction is what it is.

mod blocks;
mod decide;
mod kernel;
mod layout;
mod plan;
mod quadrature;
mod rest;
mod shap;
mod tables;

pub use shap::{Explainer, Interactions, ShapValues};
