#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod catboost;
mod categories;
mod document;
mod error;
mod format;
pub mod lightgbm;
mod means;
pub mod onnx;
mod single;
pub mod treelite;
pub mod xgboost;

pub use error::{Error, Result};
pub use format::{Format, read};
