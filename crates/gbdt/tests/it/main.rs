//! Laws, references and whole fits of gradient boosting.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod data;
mod determinism;
mod eras;
mod laws;
mod life;
mod lightgbm;
mod refuse;
