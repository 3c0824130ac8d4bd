//! The laws and references of the crate.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod golden;
mod laws;
mod noisy;
mod speed;
mod twins;
mod worlds;
