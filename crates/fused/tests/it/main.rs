//! The integration tests of the fused kernels.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod attention;
mod encoder;
mod graph;
mod linear;
mod recurrent;
