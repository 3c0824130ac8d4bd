//! Networks against PyTorch, against each other, and against what can go wrong.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod conform;
mod devices;
mod faults;
mod graphs;
mod hostile;
mod learners;
mod references;
mod runs;
