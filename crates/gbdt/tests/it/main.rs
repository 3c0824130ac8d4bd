//! Laws, references and whole fits of gradient boosting.

mod data;
mod determinism;
mod eras;
mod laws;
mod life;
mod lightgbm;
mod refuse;
