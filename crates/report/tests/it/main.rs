//! Reports as a reader and a program meet them.

mod formats;
mod hostile;
mod page;
mod sample;
mod sections;
