//! Whole files through the door: pollute, ingest, compare.

mod files;
mod flow;
mod forms;
mod hostile;
mod pollute;
mod repairs;
mod schemas;
