//! Tests of objectives and metrics.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod laws;
mod reference;
mod refuse;
