//! Tests of the bins.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod laws;
mod panels;
mod reference;
mod refuse;
