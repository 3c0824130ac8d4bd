//! The laws and references of the crate.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(clippy::print_stdout, reason = "tables are what the ignored tests are for")]

mod golden;
mod laws;
mod noisy;
mod speed;
mod twins;
mod worlds;
