#![doc = include_str!("../README.md")]
#![deny(unsafe_code)]

pub mod adamw;
pub mod attention;
pub mod encoder;
mod error;
pub mod graph;
pub mod linear;
pub mod recurrent;

pub use error::{Error, Result};
