//! Tests of the room `certificate`.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

mod audits;
mod checks;
mod fits;
mod settings;
mod support;
mod threads;
mod void;
