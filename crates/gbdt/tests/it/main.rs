//! Laws, references and whole fits of gradient boosting.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod conform;
mod constraints;
mod data;
mod determinism;
mod eras;
mod growth;
mod lightgbm;
mod written;
