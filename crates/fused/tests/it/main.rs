//! The integration tests of the fused kernels.

mod attention;
mod encoder;
mod graph;
mod linear;
mod mlp;
