//! The whole flow, and the architecture of the house.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

mod architecture;
mod flow;
mod links;
