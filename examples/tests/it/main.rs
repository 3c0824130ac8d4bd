//! The binaries as a person meets them: one clear line for bad input, nothing half-written.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

mod bad_input;
mod boost;
mod certify;
mod gate;
mod inputs;
mod models;
mod robust;
mod runs;
mod workshop;
