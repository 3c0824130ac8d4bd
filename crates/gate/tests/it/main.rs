//! Tests of the room `gate`.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

mod rules;
