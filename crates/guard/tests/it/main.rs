//! Tests of the room `guard`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(
    clippy::print_stdout,
    reason = "children speak to their parent, measurements to the reader"
)]

mod admission;
mod breaker;
mod faults;
mod gate;
mod learn;
mod limit;
mod machine;
mod panels;
mod speed;
mod warmup;
mod watch;
