//! Tests of the room `gate`.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

mod certificates;
mod decisions;
mod rules;
mod sample;
