//! The integration tests of the crate, one binary.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod catboost;
mod forests;
mod hostile;
mod lightgbm;
mod onnx;
mod peers;
mod treelite;
mod xgboost;
