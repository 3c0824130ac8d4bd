//! Laws, references and whole fits of gradient boosting.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod conform;
mod constraints;
mod contradictions;
mod data;
mod determinism;
mod era_boosting;
mod era_judges;
mod eras;
mod growth;
mod laws;
mod life;
mod lightgbm;
mod linear;
mod neutral;
mod objectives;
mod ordered;
mod refuse;
mod sampling;
mod vector;
mod written;
