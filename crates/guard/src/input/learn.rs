//! Learning a gate from a training panel.
//!
//! Numbers: with the quantiles `q_t`, `q_{1-t}` and the spread `s = q_{1-t} - q_t` (the whole range where
//! it is 0), the fences are `q_t - m s` and `q_{1-t} + m s`, moved out to the least and largest training
//! value and cut at the hard bounds. A training value further out than `reach` spreads, infinite, or
//! beyond a hard bound is an error of the data and nothing is learnt. So every training row passes.
//!
//! NaN is missing. A column without a single value is refused. Targets and features alike.
//!
//! Cost: a sort of each column of numbers, one pass over bins.

use std::collections::HashSet;

use fattail_core::{ColumnView, Panel, Values};
use fattail_stats::quantile_sorted;

use super::{
    BatchLimits, EraRule, Feature, Gate, GateRecipe, GateSchema, IdForm, IdRule, Kind, Missing,
    Targets, gate::words,
};
use crate::{Error, Result};

/// Training rows that must stand behind each value of a set.
const ROWS_A_VALUE: usize = 100;

impl GateRecipe {
    /// Learns a gate.
    ///
    /// # Errors
    /// [`Error::Setting`] for a setting out of range; [`Error::Training`] for a training value that is
    /// infinite, beyond a hard bound, further out than [`GateRecipe::reach`], or an id of another form
    /// than the one given; [`Error::NoValues`] for a column without a value; [`Error::Schema`] when the
    /// panel has no features.
    pub fn learn(&self, train: &Panel) -> Result<Gate> {
        self.check()?;
        let mut features = Vec::with_capacity(train.width());
        let mut wholly = vec![0usize; train.eras().len()];
        for (position, name) in train.schema().features().iter().enumerate() {
            features.push(self.column(train, name, train.feature(position), &mut wholly)?);
        }
        let mut targets = Vec::new();
        for name in train.schema().targets() {
            targets.push(self.column(train, name, train.target_named(name)?, &mut [])?);
        }
        let looked = |&(rows, _): &(usize, usize)| rows >= self.wholly_rows;
        let rows = || train.eras().ranges().map(|rows| rows.len());
        let most = rows().zip(wholly).filter(looked).map(|(_, count)| count).max().unwrap_or(0);
        let most = most as f64 / train.width().max(1) as f64;
        Gate::new(GateSchema {
            version: GateSchema::VERSION,
            policy: self.policy,
            additional: self.additional,
            features,
            targets: Targets { presence: self.targets, columns: targets },
            extras: train.schema().extras().iter().map(ToString::to_string).collect(),
            eras: self.eras(train),
            ids: self.ids(train)?,
            batch: BatchLimits {
                least_rows: self.least_rows,
                most_refused: self.most_refused,
                missing_bin: self.missing_bin,
                wholly_rows: self.wholly_rows,
                most_wholly: (most + self.wholly_margin).min(1.0),
                most_newly: self.most_newly,
            },
        })
    }

    fn eras(&self, train: &Panel) -> EraRule {
        let rows = || train.eras().ranges().map(|rows| rows.len() as f64);
        let (least, most) = rows().fold((f64::MAX, 0.0f64), |(a, b), n| (a.min(n), b.max(n)));
        let last = train.eras().labels().next_back();
        EraRule {
            forms: EraRule::forms(train, &self.eras),
            after: last.filter(|_| self.after_training).map(Into::into),
            least_rows: (least * (1.0 - self.rows_margin)).max(0.0).floor() as usize,
            most_rows: (most * (1.0 + self.rows_margin)).ceil() as usize,
        }
    }

    fn ids(&self, train: &Panel) -> Result<IdRule> {
        if !train.has_ids() {
            return Ok(IdRule { form: self.id.clone(), one_era: false });
        }
        let id = |row| train.id(row).unwrap_or_default();
        let form = match &self.id {
            None => IdForm::learn((0..train.rows()).map(id)),
            Some(form) => {
                if let Some(row) = (0..train.rows()).find(|&row| !form.admits(id(row))) {
                    return Err(misfit(train, "id", row, format!("{:?}", id(row)), form.words()));
                }
                Some(form.clone())
            }
        };
        // Learnt or not, an id without a character or with a space is none.
        let blank = |row: &usize| form.as_ref().is_some_and(|form| !form.admits(id(*row)));
        if let Some(row) = (0..train.rows()).find(blank) {
            let allowed = "characters without white space";
            return Err(misfit(train, "id", row, format!("{:?}", id(row)), allowed));
        }
        let mut seen = HashSet::with_capacity(train.rows());
        let one_era = (0..train.rows()).all(|row| seen.insert(id(row)));
        Ok(IdRule { form, one_era: one_era && train.eras().len() > 1 })
    }

    fn column(
        &self,
        train: &Panel,
        name: &str,
        column: ColumnView<'_>,
        wholly: &mut [usize],
    ) -> Result<Feature> {
        let mut missing = Missing::default();
        let kind = if column.is_u8() {
            missing.wholly_eras = self.wholly_eras(column, wholly);
            self.bins(train, name, column)?
        } else {
            self.shares(column, &mut missing);
            self.numbers(train, name, column)?
        };
        Ok(Feature { name: name.into(), kind, missing })
    }

    /// Eras in which the column is wholly the bin that stands for missing.
    fn wholly_eras(&self, column: ColumnView<'_>, wholly: &mut [usize]) -> usize {
        let Some(bin) = self.missing_bin else { return 0 };
        let mut eras = 0;
        for (values, count) in column.eras().zip(wholly) {
            let filled = matches!(values, Values::U8(values) if values.iter().all(|&v| v == bin));
            if filled && values.len() >= self.wholly_rows {
                eras += 1;
                *count += 1;
            }
        }
        eras
    }

    fn bins(&self, train: &Panel, name: &str, column: ColumnView<'_>) -> Result<Kind> {
        let mut first = [None; 256];
        for (era, values) in column.eras().enumerate() {
            let Values::U8(values) = values else { continue };
            for (at, &value) in values.iter().enumerate() {
                first[usize::from(value)].get_or_insert(train.eras().range(era).start + at);
            }
        }
        if self.bins.is_empty() {
            let seen = (0..=255u8).filter(|&bin| first[usize::from(bin)].is_some());
            return Ok(Kind::Bins { allowed: seen.collect() });
        }
        let mut allowed = self.bins.clone();
        allowed.sort_unstable();
        allowed.dedup();
        let stranger = (0..=255u8)
            .find(|&bin| first[usize::from(bin)].is_some() && allowed.binary_search(&bin).is_err());
        match stranger {
            None => Ok(Kind::Bins { allowed }),
            Some(bin) => {
                let row = first[usize::from(bin)].unwrap_or(0);
                Err(misfit(train, name, row, bin.to_string(), format!("{allowed:?}")))
            }
        }
    }

    fn shares(&self, column: ColumnView<'_>, missing: &mut Missing) {
        let mut lost = 0;
        let (mut low, mut high) = (1.0f64, 0.0f64);
        for values in column.eras() {
            let count = values.iter().filter(|value| value.is_nan()).count();
            let share = count as f64 / values.len().max(1) as f64;
            (low, high, lost) = (low.min(share), high.max(share), lost + count);
        }
        missing.observed = lost as f64 / column.len().max(1) as f64;
        if lost > 0 {
            missing.low = (low - self.missing_margin).max(0.0);
            missing.high = (high + self.missing_margin).min(1.0);
        }
    }

    fn numbers(&self, train: &Panel, name: &str, column: ColumnView<'_>) -> Result<Kind> {
        let all = column.to_f32();
        if let Some(row) = all.iter().position(|value| value.is_infinite()) {
            return Err(misfit(train, name, row, words(all[row]), "finite values"));
        }
        let kept = all.iter().filter(|value| !value.is_nan()).map(|&value| f64::from(value));
        let mut sorted: Vec<f64> = kept.collect();
        sorted.sort_unstable_by(f64::total_cmp);
        let (Some(&least), Some(&most)) = (sorted.first(), sorted.last()) else {
            return Err(Error::NoValues { column: name.into(), rows: all.len() });
        };
        let quantile = |q| quantile_sorted(&sorted, q).unwrap_or(f64::NAN);
        let (q_low, q_high) = (quantile(self.tail), quantile(1.0 - self.tail));
        let spread = if q_high > q_low { q_high - q_low } else { most - least };
        let (hard_low, hard_high) = (f64::from(self.hard_low), f64::from(self.hard_high));
        let far_low = (q_low - self.reach * spread).max(hard_low);
        let far_high = (q_high + self.reach * spread).min(hard_high);
        let far = |value: f32| !(far_low..=far_high).contains(&f64::from(value));
        if let Some(row) = all.iter().position(|&value| !value.is_nan() && far(value)) {
            let allowed = format!("{far_low:e} to {far_high:e}");
            return Err(misfit(train, name, row, words(all[row]), allowed));
        }
        if let Some(allowed) = self.set(&sorted) {
            return Ok(Kind::Set { allowed });
        }
        let low = (q_low - self.margin * spread).max(hard_low).min(least);
        let high = (q_high + self.margin * spread).min(hard_high).max(most);
        // Rounding to f32 is monotone, so bounds stay around the values.
        Ok(Kind::Number {
            low: low as f32,
            high: high as f32,
            subnormal: all.iter().any(|value| value.is_subnormal()),
        })
    }

    /// The distinct values, when they are few beside the rows and no zero has a sign.
    fn set(&self, sorted: &[f64]) -> Option<Vec<f32>> {
        let mut allowed: Vec<f32> = Vec::new();
        for &value in sorted {
            let value = value as f32;
            if allowed.last().is_none_or(|last| last.to_bits() != value.to_bits()) {
                if allowed.len() == self.most_set || (value == 0.0 && value.is_sign_negative()) {
                    return None;
                }
                allowed.push(value);
            }
        }
        (allowed.len() * ROWS_A_VALUE <= sorted.len()).then_some(allowed)
    }
}

fn misfit(
    train: &Panel,
    column: &str,
    row: usize,
    value: String,
    allowed: impl Into<String>,
) -> Error {
    let era = train.eras().of_row(row).map_or("", |era| train.eras().label(era));
    Error::Training { column: column.into(), era: era.into(), row, value, allowed: allowed.into() }
}
