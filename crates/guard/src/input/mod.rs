//! The input gate: what training data looked like, and a no to whatever does not look like it.
//!
//! A [`GateRecipe`] learns a [`GateSchema`] from a training panel; a [`Gate`] is that schema, checked
//! and made ready. Rows pass one at a time ([`Gate::row`], [`Gate::fields`]) or as a batch
//! ([`Gate::batch`], [`Gate::records`]). A row is refused for what it holds; a batch is refused whole
//! for its columns, its eras, ids that stand twice, shares of missing values, or too many refused rows.
//!
//! Nothing is coerced: a text never becomes a number, a fraction never a bin, a NaN never a zero.
//!
//! Cost: a row of 100 features takes well below a microsecond; a panel one pass over its values.

mod batch;
mod columns;
mod era;
mod field;
mod gate;
mod id;
mod kernel;
mod learn;
mod recipe;
mod records;
mod report;
mod rule;
mod schema;
mod split;

pub use era::{EraForm, EraPart, EraRule};
pub use field::Field;
pub use gate::Gate;
pub use id::{IdForm, IdRule};
pub use recipe::GateRecipe;
pub use records::Record;
pub use report::{BatchReport, ColumnShare, Decision};
pub use rule::{BatchVerdict, RowVerdict, Rule, Verdict};
pub use schema::{
    Additional, BatchLimits, Feature, GateSchema, Kind, Missing, Policy, Presence, Targets,
};
pub use split::Quarantine;
