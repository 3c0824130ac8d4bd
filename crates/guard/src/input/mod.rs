//! The input gate: what training data looked like, and a no to whatever does not look like it.
//!
//! A [`GateRecipe`] learns a [`GateSchema`] from a training panel; a [`Gate`] is that schema, checked
//! and made ready. Rows pass one at a time ([`Gate::row`]) or as a batch ([`Gate::batch`]); rows as they
//! come from outside pass a [`Reader`], which [`Gate::reader`] hands out for a header that is right. A row
//! is refused for what it holds; a batch is refused whole for its columns, its eras, ids that stand twice,
//! missing values, columns that are stuck, or too many refused rows. [`BatchReport::split`] hands out what
//! is admitted.
//!
//! Nothing is coerced: a text never becomes a number, a fraction never a bin, a NaN never a zero.
//!
//! What is not looked at: eras that were skipped, values that drift within their fences (the room `drift`
//! does that), and eras that equal those of an earlier batch. [`Gate::after`] refuses eras seen before.
//!
//! Cost: a row of 100 features takes well below a microsecond; a panel two passes over its values.

mod batch;
mod columns;
mod era;
mod field;
mod gate;
mod id;
mod kernel;
mod learn;
mod numbers;
mod reader;
mod recipe;
mod report;
mod rule;
mod schema;
mod shape;
mod split;
mod tally;

pub use era::{EraForm, EraPart, EraRule};
pub use field::Field;
pub use gate::Gate;
pub use id::{IdForm, IdRule};
pub use reader::{Reader, Record};
pub use recipe::GateRecipe;
pub use report::{BatchReport, ColumnShare, Decision};
pub use rule::{BatchVerdict, RowVerdict, Rule, Verdict};
pub use schema::{
    Additional, BatchLimits, Feature, GateSchema, Kind, Missing, Policy, Presence, Targets,
};
pub use split::Quarantine;
