//! Suites of laws that every implementation of a trait of the house obeys.

pub(crate) mod learner;
pub(crate) mod loss;
pub(crate) mod metric;
pub(crate) mod panels;
pub(crate) mod schedule;
pub(crate) mod split;
pub(crate) mod transform;
