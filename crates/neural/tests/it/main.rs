//! Networks against PyTorch, against each other, and against what can go wrong.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[cfg(any(feature = "vulkan", feature = "wgpu"))]
mod devices;
mod learners;
mod references;
mod runs;
