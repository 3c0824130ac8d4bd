//! The whole flow, and the architecture of the house.

mod architecture;
mod flow;
