//! How a tree grows: leaf by leaf, level by level, or one question a level.

mod ahead;
mod by_era;
mod constraint;
mod find;
mod forced;
mod grower;
mod grown;
mod leaf;
mod make;
mod monotone;
mod oblivious;
mod partition;
mod table;
mod turn;
mod vector;

pub(crate) use constraint::Allowed;
pub(crate) use grower::{Grower, Room, Sample, Workspace};
pub(crate) use grown::{Grown, bits};
pub(crate) use vector::{Plane, VectorGrower};
