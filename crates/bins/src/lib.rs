#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod binned;
mod categories;
mod error;
mod find;
mod infinite;
mod learn;
mod lookup;
mod mapper;
mod mappers;
mod order;
mod random;
mod sample;
mod settings;

pub use binned::{Binned, BinnedColumn, Codes};
pub use error::{Error, Result};
pub use mapper::{Kind, Mapper};
pub use mappers::Mappers;
pub use settings::Binning;
