//! Tests of the room `drift`.

mod alarms;
mod draws;
mod flow;
mod laws;
mod learner;
mod reference;
mod worlds;
