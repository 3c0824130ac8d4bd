//! Runs with a linear model whose every number is plain Rust, and faults planted into it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod toy;

mod curvature;
mod data;
mod faults;
mod hostile;
mod memory;
mod resume;
mod training;
