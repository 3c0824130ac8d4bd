//! Tests of the room `certificate`.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

mod checks;
mod support;
