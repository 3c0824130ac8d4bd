//! The laws and references of fattail-prepare, in one binary.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod conform;
mod leak;
mod neutral;
mod reference;
mod rolling;
mod scaling;
mod steps;
mod tables;
