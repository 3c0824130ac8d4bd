//! Laws, references and whole fits of gradient boosting.

mod data;
mod determinism;
mod era_boosting;
mod era_judges;
mod eras;
mod lightgbm;
mod neutral;
