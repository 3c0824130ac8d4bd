//! The binaries as a person meets them: one clear line for bad input, nothing half-written.

mod bad_input;
mod runs;
mod workshop;
