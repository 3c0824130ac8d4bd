//! Tests of the room `guard`.

mod admission;
mod breaker;
mod faults;
mod gate;
mod limit;
mod machine;
mod panels;
mod speed;
mod watch;
