//! The laws and references of the crate.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod backtest;
mod conform;
mod coverage;
mod edges;
mod golden;
mod laws;
mod ledger;
mod official;
mod panels;
mod paths;
mod rows;
mod splits;
mod tearsheet;
mod tearsheet_laws;
