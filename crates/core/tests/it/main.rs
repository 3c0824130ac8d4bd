//! Tests of the core's words.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

mod panel;
mod pipeline;
