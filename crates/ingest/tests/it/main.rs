//! Whole files through the door: pollute, ingest, compare.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod disk;
mod files;
mod flow;
mod forms;
mod hostile;
mod pollute;
mod repairs;
mod schemas;
mod settled;
