//! The generators keep their promises, and every suite catches those who break a law.

mod bars;
mod fault;
mod learner;
mod loss;
mod market;
mod metric;
mod schedule;
mod split;
mod transform;
