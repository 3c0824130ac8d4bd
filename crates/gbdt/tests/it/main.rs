//! Laws, references and whole fits of gradient boosting.

mod contradictions;
mod data;
mod determinism;
mod eras;
mod lightgbm;
mod linear;
mod ordered;
mod vector;
