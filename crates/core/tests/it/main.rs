//! Tests of the core's words.

mod panel;
mod pipeline;
