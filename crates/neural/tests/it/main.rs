//! Networks against PyTorch, against each other, and against what can go wrong.

#[cfg(any(feature = "vulkan", feature = "wgpu"))]
mod devices;
mod learners;
mod references;
mod runs;
