//! Tests of the room `drift`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(clippy::print_stdout, reason = "the simulations print their tables")]

mod alarms;
mod draws;
mod flow;
mod laws;
mod learner;
mod profiles;
mod reference;
mod worlds;
