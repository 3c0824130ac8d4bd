//! The `robust` binary as a person meets it, and the recipe against a plain network.

mod bad_input;
mod recipe;
mod runs;
