//! Learning a gate from a training panel.
//!
//! Every training row passes, and so does the panel: a training value far beyond everything else, infinite
//! or beyond a hard bound is an error, and so is a training era unlike all others, because a band learnt
//! around it would let everything pass. What numbers a column may hold is told in `numbers`, what eras of
//! columns look like in `shape`.
//!
//! An era is odd when its share of features that are wholly missing, that hold one value alone, of equal
//! rows, or of missing values in a column lies above that of all others by more than half, or its rows are
//! twenty times fewer or more. The others are all but a fiftieth, or one, of at least five eras.
//!
//! No era is odd for missing a column that has not begun: one that was wholly missing in all eras before, as
//! features that need a warm-up are. Such eras widen the share of features that may be wholly missing. The
//! share of missing values of a column is looked at from the first era on that lies no more than half above
//! the median of those since its first value, so that a coverage may grow.
//!
//! NaN is missing. A feature without a single value is refused; a target without one is left unchecked. A
//! feature of bins that was nothing but the one that stands for missing may hold what the other features of
//! bins hold. One of numbers that was this value alone stays so, and later rows are refused for it.
//!
//! Cost: two sorts of each column of numbers, two passes over bins. Columns are learnt in parallel, with up to
//! seventy bytes a row for each thread; what eras hold as a whole is looked at by one thread.

use std::collections::{BTreeSet, HashSet};

use fattail_core::{ColumnView, Panel, Values};
use rayon::prelude::*;

use super::{
    BatchLimits, EraRule, Feature, Gate, GateRecipe, GateSchema, IdForm, IdRule, Kind, Missing,
    Targets,
    gate::words,
    numbers::Numbers,
    shape::{self, Equal, Looker},
};
use crate::{Error, Result};

/// Eras from which one can be unlike the others.
const TELLING: usize = 5;
/// One in so many eras may be unlike the others.
const FEW: usize = 50;
/// How far an odd share lies above the others.
const GAP: f64 = 0.5;
/// How many times an odd era's rows are more, or fewer.
const TIMES: f64 = 20.0;

/// What the training eras look like beside their single values.
#[derive(Default)]
struct Shapes {
    /// Shares of features that are wholly missing, and that hold another value alone; equal rows.
    wholly: Vec<f64>,
    /// The first of them, without features that had no value in any era before.
    lost: Vec<f64>,
    stuck: Vec<f64>,
    equal: Vec<f64>,
    /// The eras that were looked at.
    eras: Vec<usize>,
}

impl GateRecipe {
    /// Learns a gate.
    ///
    /// # Errors
    /// [`Error::Setting`] for a setting out of range; [`Error::Training`] for a training value that is
    /// infinite, beyond a hard bound, further out than [`GateRecipe::reach`], or an id of another form
    /// than the one given; [`Error::OddEra`] for a training era unlike the others, unless
    /// [`GateRecipe::keep_odd_eras`]; [`Error::Alias`] for a feature that is a target;
    /// [`Error::NoValues`] for a feature without a value; [`Error::Schema`] when the panel has no features.
    pub fn learn(&self, train: &Panel) -> Result<Gate> {
        self.check()?;
        let names = train.schema().features();
        let column = |at: usize| self.column(train, &names[at], train.feature(at), true);
        // All of them first: which error is told must not depend on threads.
        let features: Vec<Result<Feature>> = (0..names.len()).into_par_iter().map(column).collect();
        let mut features = features.into_iter().collect::<Result<Vec<Feature>>>()?;
        self.unused(&mut features);
        let mut targets = Targets { presence: self.targets, ..Targets::default() };
        for name in train.schema().targets() {
            let column = train.target_named(name)?;
            match column.eras().all(|values| values.iter().all(f32::is_nan)) {
                true => targets.unchecked.push(name.to_string()),
                false => targets.columns.push(self.column(train, name, column, false)?),
            }
        }
        let shapes = self.shapes(train, &mut features)?;
        let most = |shares: &[f64], none: f64, margin: f64| {
            let most =
                shares.iter().copied().fold(if shares.is_empty() { none } else { 0.0 }, f64::max);
            (most + margin).min(1.0)
        };
        Gate::new(GateSchema {
            version: GateSchema::VERSION,
            policy: self.policy,
            additional: self.additional,
            features,
            targets,
            extras: train.schema().extras().iter().map(ToString::to_string).collect(),
            eras: self.eras(train)?,
            ids: self.ids(train)?,
            batch: BatchLimits {
                least_rows: self.least_rows,
                most_refused: self.most_refused,
                most_eras: self.most_eras,
                missing_bin: self.missing_bin,
                wholly_rows: self.wholly_rows,
                most_wholly: most(&shapes.wholly, 0.0, self.wholly_margin),
                most_newly: self.most_newly,
                most_stuck: most(&shapes.stuck, 1.0, self.wholly_margin),
                most_equal: most(&shapes.equal, 1.0, self.equal_margin),
            },
        })
    }

    fn eras(&self, train: &Panel) -> Result<EraRule> {
        let rows: Vec<f64> = train.eras().ranges().map(|rows| rows.len() as f64).collect();
        let far = |value: f64, others: f64| value > TIMES * others;
        self.odd(train, "rows", &rows, |era| era, far)?;
        let few: Vec<f64> = rows.iter().map(|n| -n).collect();
        self.odd(train, "rows", &few, |era| era, |value, others| TIMES * value > others)?;
        let (least, most) = rows.iter().fold((f64::MAX, 0.0f64), |(a, b), &n| (a.min(n), b.max(n)));
        let last = train.eras().labels().next_back();
        Ok(EraRule {
            forms: EraRule::forms(train, &self.eras),
            after: last.filter(|_| self.after_training).map(Into::into),
            least_rows: (least * (1.0 - self.rows_margin)).max(0.0).floor() as usize,
            most_rows: (most * (1.0 + self.rows_margin)).ceil() as usize,
        })
    }

    /// Refuses the era of the largest value when it is far above that of all others but a few.
    fn odd(
        &self,
        train: &Panel,
        what: &str,
        values: &[f64],
        era: impl Fn(usize) -> usize,
        far: impl Fn(f64, f64) -> bool,
    ) -> Result<()> {
        if self.keep_odd_eras || values.len() < TELLING {
            return Ok(());
        }
        let mut order: Vec<usize> = (0..values.len()).collect();
        order.sort_by(|&a, &b| values[b].total_cmp(&values[a]));
        let others = values[order[(values.len() / FEW).max(1)]];
        let (at, value) = (order[0], values[order[0]]);
        match far(value, others) {
            false => Ok(()),
            true => Err(Error::OddEra {
                era: train.eras().label(era(at)).into(),
                what: what.into(),
                value: value.abs(),
                others: others.abs(),
            }),
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
        banded: bool,
    ) -> Result<Feature> {
        let mut missing = Missing::default();
        let kind = if column.is_u8() {
            self.bins(train, name, column)?
        } else {
            let shares = self.shares(column, &mut missing);
            if banded {
                let begun = begun(&shares);
                let what = format!("missing values in '{name}', a share of");
                self.odd(train, &what, &shares[begun..], |era| begun + era, above)?;
            }
            self.numbers(train, name, column)?
        };
        Ok(Feature { name: name.into(), kind, missing, fullest: 1.0, twin: false })
    }

    /// Looks at what eras of columns hold as a whole.
    fn shapes(&self, train: &Panel, features: &mut [Feature]) -> Result<Shapes> {
        let columns = (0..train.width()).map(|at| train.feature(at)).collect::<Vec<_>>();
        let names = train.schema().targets();
        let targets = names.iter().map(|name| train.target_named(name));
        let mut looker = Looker::new(columns.clone(), targets.collect::<Result<_, _>>()?);
        let mut shapes = Shapes::default();
        let mut fullest: Vec<Option<f64>> = vec![None; features.len()];
        let mut begun = vec![false; features.len()];
        // Eras in which a feature is a target, of those that were looked at.
        let mut aliases = std::collections::BTreeMap::<(usize, usize), usize>::new();
        for (era, rows) in train.eras().ranges().enumerate() {
            if rows.len() < self.wholly_rows || train.width() == 0 {
                continue;
            }
            looker.era(era);
            let (mut wholly, mut lost, mut stuck) = (0usize, 0usize, 0usize);
            for (at, feature) in features.iter_mut().enumerate() {
                let look = looker.looks[at];
                if look.is_missing(self.missing_bin) {
                    wholly += 1;
                    lost += usize::from(begun[at]);
                    feature.missing.wholly_eras += 1;
                    continue;
                }
                begun[at] = true;
                if look.given >= self.wholly_rows {
                    stuck += usize::from(look.single.is_some());
                    let share = shape::fullest(columns[at].era(era)) as f64 / look.given as f64;
                    fullest[at] = Some(fullest[at].map_or(share, |most| share.max(most)));
                }
            }
            for equal in looker.equal_columns(era) {
                match equal {
                    Equal::Features(a, b) => (features[a].twin, features[b].twin) = (true, true),
                    Equal::Target(a, b) => *aliases.entry((a, b)).or_default() += 1,
                }
            }
            let width = features.len() as f64;
            shapes.eras.push(era);
            shapes.wholly.push(wholly as f64 / width);
            shapes.lost.push(lost as f64 / width);
            shapes.stuck.push(stuck as f64 / width);
            shapes.equal.push(looker.equal_rows(|_| true) as f64 / rows.len() as f64);
        }
        for (feature, fullest) in features.iter_mut().zip(fullest) {
            feature.fullest = fullest.unwrap_or(1.0);
        }
        if let Some(((a, b), _)) = aliases.iter().find(|(_, eras)| **eras == shapes.eras.len()) {
            let (feature, target) = (features[*a].name.clone(), names[*b].to_string());
            return Err(Error::Alias { feature, target });
        }
        let eras = |at: usize| shapes.eras[at];
        let told = "features wholly missing, a share of";
        self.odd(train, told, &shapes.lost, eras, above)?;
        self.odd(train, "features of one value, a share of", &shapes.stuck, eras, above)?;
        self.odd(train, "equal rows, a share of", &shapes.equal, eras, above)?;
        Ok(shapes)
    }

    /// A column of bins that was nothing but the one that stands for missing may hold what the others hold.
    fn unused(&self, features: &mut [Feature]) {
        let Some(filler) = self.missing_bin else { return };
        let mut all = BTreeSet::new();
        for feature in &*features {
            if let Kind::Bins { allowed } = &feature.kind {
                all.extend(allowed.iter().copied());
            }
        }
        for feature in features {
            if let Kind::Bins { allowed } = &mut feature.kind
                && *allowed == [filler]
            {
                *allowed = all.iter().copied().collect();
            }
        }
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

    /// The band of missing shares, and the share of each era.
    fn shares(&self, column: ColumnView<'_>, missing: &mut Missing) -> Vec<f64> {
        let mut lost = 0;
        let share = |values: Values<'_>| {
            let count = values.iter().filter(|value| value.is_nan()).count();
            lost += count;
            count as f64 / values.len().max(1) as f64
        };
        let shares: Vec<f64> = column.eras().map(share).collect();
        let (low, high) =
            shares.iter().fold((1.0f64, 0.0f64), |(a, b), &share| (a.min(share), b.max(share)));
        missing.observed = lost as f64 / column.len().max(1) as f64;
        if lost > 0 {
            missing.low = (low - self.missing_margin).max(0.0);
            missing.high = (high + self.missing_margin).min(1.0);
        }
        shares
    }

    fn numbers(&self, train: &Panel, name: &str, column: ColumnView<'_>) -> Result<Kind> {
        let all = column.to_f32();
        if let Some(row) = all.iter().position(|value| value.is_infinite()) {
            return Err(misfit(train, name, row, words(all[row]), "finite values"));
        }
        let kept = all.iter().filter(|value| !value.is_nan()).map(|&value| f64::from(value));
        let mut sorted: Vec<f64> = kept.collect();
        sorted.sort_unstable_by(f64::total_cmp);
        if sorted.is_empty() {
            return Err(Error::NoValues { column: name.into(), rows: all.len() });
        }
        let numbers = Numbers::of(&sorted);
        let (far_low, far_high) = numbers.far(self);
        let far_low = far_low.max(f64::from(self.hard_low));
        let far_high = far_high.min(f64::from(self.hard_high));
        let far = |value: f32| !(far_low..=far_high).contains(&f64::from(value));
        if let Some(row) = all.iter().position(|&value| !value.is_nan() && far(value)) {
            let allowed = format!("{far_low:e} to {far_high:e}");
            return Err(misfit(train, name, row, words(all[row]), allowed));
        }
        Ok(numbers.kind(self, all.iter().any(|value| value.is_subnormal())))
    }
}

/// The first era whose share of missing values is near what it is later: before a column begins it is missing,
/// and then its coverage may grow.
fn begun(shares: &[f64]) -> usize {
    let first = shares.iter().position(|&share| share < 1.0).unwrap_or(0);
    let mut since = shares[first..].to_vec();
    since.sort_unstable_by(f64::total_cmp);
    let usual = since.get(since.len() / 2).copied().unwrap_or(1.0);
    first + shares[first..].iter().position(|&share| !above(share, usual)).unwrap_or(0)
}

fn above(value: f64, others: f64) -> bool {
    value > others + GAP
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
