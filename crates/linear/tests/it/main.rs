//! Tests of the linear models.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod conform;
mod panels;
mod reference;
mod refuse;
mod twin;
