//! Laws, references and whole fits of gradient boosting.

mod conform;
mod constraints;
mod data;
mod determinism;
mod eras;
mod growth;
mod lightgbm;
mod written;
