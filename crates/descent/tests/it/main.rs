//! Tests of losses and schedules.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod laws;
mod reference;
