//! A batch against the schema: each row for what it holds, the whole for what rows cannot show.
//!
//! The share of missing values of an era of `n` rows may leave its band `[l, h]` by the slack of its
//! number of rows, `4 √(p (1 - p) / n) + 4 / n` with `p` the end of the band: four standard deviations of
//! a share, and a small number's worth.
//!
//! Cost: one pass over the values in column order; rows are named only where the pass found a fault.

use std::collections::HashSet;

use fattail_core::{Eras, Panel, Values};

use super::{
    BatchReport, BatchVerdict, ColumnShare, Feature, Gate, IdRule, Kind, RowVerdict, Rule, Verdict,
    gate::words,
    kernel::{self, Check},
};

/// Verdicts that are told at least, however small the share of rows that may be refused.
const TOLD: usize = 10_000;

/// What is found while a batch is read.
pub(crate) struct Tally<'a> {
    pub(crate) gate: &'a Gate,
    /// Where the rows are: label of the era and id.
    place: &'a dyn Fn(usize) -> (&'a str, Option<&'a str>),
    /// Faults of each row.
    pub(crate) faults: Vec<u32>,
    verdicts: Vec<Verdict>,
    told: usize,
    pub(crate) whole: Vec<BatchVerdict>,
    eras: Vec<EraTally<'a>>,
    columns: Vec<ColumnTally>,
}

struct EraTally<'a> {
    label: &'a str,
    rows: usize,
    wholly: usize,
    newly: Vec<usize>,
}

#[derive(Default, Clone)]
struct ColumnTally {
    refused: usize,
    missing: usize,
    /// Eras outside the band, and the verdict of the one that is furthest out.
    outside: usize,
    worst: Option<(f64, BatchVerdict)>,
}

impl Gate {
    /// Checks a batch: what is refused, row by row and as a whole.
    ///
    /// Never fails: a batch that cannot be read at all is a refused one.
    #[must_use]
    pub fn batch(&self, panel: &Panel) -> BatchReport {
        let era_of = |row| panel.eras().of_row(row).map_or("", |era| panel.eras().label(era));
        let place = |row| (era_of(row), panel.id(row));
        let (refused, left_out) = self.columns(panel);
        let runs = panel.eras().labels().zip(panel.eras().ranges().map(|rows| rows.len()));
        let mut tally = Tally::new(self, panel.rows(), runs, &place);
        if refused.is_empty() {
            tally.labels(panel.eras());
            tally.ids((0..panel.rows()).map(&place), panel.has_ids());
            tally.features(panel);
            tally.targets(panel);
            tally.weights(panel);
        } else {
            tally.whole = refused;
        }
        tally.report(left_out)
    }
}

impl<'a> Tally<'a> {
    pub(crate) fn new(
        gate: &'a Gate,
        rows: usize,
        eras: impl Iterator<Item = (&'a str, usize)>,
        place: &'a dyn Fn(usize) -> (&'a str, Option<&'a str>),
    ) -> Self {
        let era = |(label, rows)| EraTally { label, rows, wholly: 0, newly: Vec::new() };
        let share = (gate.schema.batch.most_refused * rows as f64).ceil() as usize;
        Self {
            gate,
            place,
            faults: vec![0; rows],
            verdicts: Vec::new(),
            told: TOLD.max(share),
            whole: Vec::new(),
            eras: eras.map(era).collect(),
            columns: vec![ColumnTally::default(); gate.schema.features.len()],
        }
    }

    /// Counts a fault of a row and tells the first one.
    pub(crate) fn fault(&mut self, row: usize, verdict: impl FnOnce() -> RowVerdict) {
        self.faults[row] += 1;
        if self.faults[row] == 1 && self.verdicts.len() < self.told {
            let (era, id) = (self.place)(row);
            let (era, id) = (era.to_owned(), id.map(str::to_owned));
            self.verdicts.push(Verdict { row, era, id, faults: 0, first: verdict() });
        }
    }

    /// The same of a feature.
    pub(crate) fn feature_fault(&mut self, row: usize, position: usize, rule: Rule, value: String) {
        self.columns[position].refused += 1;
        let gate = self.gate;
        self.fault(row, || gate.schema.features[position].verdict(position, rule, value));
    }

    fn labels(&mut self, eras: &Eras) {
        let rule = &self.gate.schema.eras;
        for (label, rows) in eras.labels().zip(eras.ranges()) {
            let Some(broken) = rule.fault(label) else { continue };
            for row in rows {
                let value = format!("{label:?}");
                self.fault(row, || RowVerdict::of(broken, "era", value, rule.allowed(broken)));
            }
        }
    }

    /// The ids of all rows, each with its era.
    pub(crate) fn ids(
        &mut self,
        rows: impl Iterator<Item = (&'a str, Option<&'a str>)>,
        has_ids: bool,
    ) {
        let IdRule { form, one_era } = &self.gate.schema.ids;
        let Some(form) = form else {
            if has_ids {
                self.whole.push(BatchVerdict::new(Rule::IdUnexpected, "ids", "none").column("id"));
            }
            return;
        };
        let mut seen: HashSet<(&str, &str)> = HashSet::new();
        let mut twice: Option<BatchVerdict> = None;
        for (row, (era, id)) in rows.enumerate() {
            let Some(id) = id else {
                self.fault(row, || RowVerdict::of(Rule::IdMissing, "id", "missing", form.words()));
                continue;
            };
            if let Some(broken) = form.fault(id) {
                let value = format!("{:?}", id.chars().take(40).collect::<String>());
                self.fault(row, || RowVerdict::of(broken, "id", value, form.words()));
            } else if !seen.insert((if *one_era { "" } else { era }, id)) {
                let allowed = if *one_era { "once" } else { "once an era" };
                let first =
                    || BatchVerdict { count: 0, ..BatchVerdict::new(Rule::IdTwice, id, allowed) };
                twice.get_or_insert_with(|| first().era(era).column("id")).count += 1;
            }
        }
        self.whole.extend(twice);
    }

    fn features(&mut self, panel: &Panel) {
        let gate = self.gate;
        for (position, feature) in gate.schema.features.iter().enumerate() {
            // Columns were compared before.
            let Ok(column) = panel.feature_named(&feature.name) else { continue };
            let check = Check::of(feature);
            let bins = Bins::of(feature, gate.schema.batch.missing_bin);
            for (era, values) in column.eras().enumerate() {
                let start = panel.eras().range(era).start;
                let (good, missing, wholly) = match values {
                    Values::U8(values) => {
                        let (good, wholly) = bins.look(values);
                        (good, 0, wholly)
                    }
                    Values::F32(values) => {
                        let lost = values.iter().filter(|value| value.is_nan()).count();
                        (check.admits(feature, values), lost, false)
                    }
                };
                if !good {
                    for (at, value) in values.iter().enumerate() {
                        if let Some(rule) = kernel::fault(feature, value) {
                            self.feature_fault(start + at, position, rule, words(value));
                        }
                    }
                }
                self.column_era(position, era, missing, wholly);
            }
        }
    }

    /// A feature's missing values in an era.
    pub(crate) fn column_era(&mut self, position: usize, era: usize, missing: usize, wholly: bool) {
        let feature = &self.gate.schema.features[position];
        let (here, column) = (&mut self.eras[era], &mut self.columns[position]);
        column.missing += missing;
        if wholly && here.rows >= self.gate.schema.batch.wholly_rows {
            here.wholly += 1;
            if feature.missing.wholly_eras == 0 {
                here.newly.push(position);
            }
        }
        if feature.missing.observed <= 0.0 || here.rows == 0 {
            return;
        }
        let n = here.rows as f64;
        let slack = |p: f64| 4.0 * (p * (1.0 - p) / n).sqrt() + 4.0 / n;
        let (low, high) = (feature.missing.low, feature.missing.high);
        let share = missing as f64 / n;
        let off = (low - slack(low) - share).max(share - high - slack(high));
        if off > 0.0 {
            column.outside += 1;
            if column.worst.as_ref().is_none_or(|(worst, _)| off > *worst) {
                let allowed = format!("{low:.4} to {high:.4}, and the slack of {n} rows");
                let verdict = BatchVerdict::new(Rule::MissingShare, format!("{share:.4}"), allowed);
                column.worst = Some((off, verdict.column(&feature.name).era(here.label)));
            }
        }
    }

    fn targets(&mut self, panel: &Panel) {
        let gate = self.gate;
        for target in &gate.schema.targets.columns {
            let Ok(column) = panel.target_named(&target.name) else { continue };
            let check = Check::of(target);
            for (rows, values) in panel.eras().ranges().zip(column.eras()) {
                let Values::F32(numbers) = values else { continue };
                if check.admits(target, numbers) {
                    continue;
                }
                for (row, &value) in rows.zip(numbers) {
                    let Some(rule) = kernel::fault(target, value) else { continue };
                    let verdict =
                        || RowVerdict::of(rule, &target.name, words(value), target.allowed());
                    self.fault(row, verdict);
                }
            }
        }
    }

    fn weights(&mut self, panel: &Panel) {
        let Some(weights) = panel.weights() else { return };
        for (rows, values) in panel.eras().ranges().zip(weights.eras()) {
            for (row, value) in rows.zip(values.iter()) {
                if !(value >= 0.0 && value.is_finite()) {
                    let allowed = "0 or more";
                    self.fault(row, || {
                        RowVerdict::of(Rule::Weight, "weights", words(value), allowed)
                    });
                }
            }
        }
    }

    /// What rows cannot show.
    fn whole(&mut self, refused: usize) {
        let schema = &self.gate.schema;
        let (eras, limits) = (&schema.eras, &schema.batch);
        for era in &self.eras {
            if !(eras.least_rows..=eras.most_rows).contains(&era.rows) {
                let allowed = format!("{} to {}", eras.least_rows, eras.most_rows);
                self.whole.push(BatchVerdict::new(Rule::EraRows, era.rows, allowed).era(era.label));
            }
            let share = era.wholly as f64 / schema.features.len() as f64;
            if share > limits.most_wholly {
                let value = format!("{} features, a share of {share:.4}", era.wholly);
                let allowed = format!("at most {:.4}", limits.most_wholly);
                self.whole.push(BatchVerdict::new(Rule::AllMissing, value, allowed).era(era.label));
            }
            if era.newly.len() > limits.most_newly {
                let name = &schema.features[era.newly[0]].name;
                let value = format!("{} features", era.newly.len());
                let allowed = format!("at most {}", limits.most_newly);
                let verdict = BatchVerdict::new(Rule::NewlyMissing, value, allowed);
                self.whole.push(verdict.era(era.label).column(name));
            }
        }
        for column in &mut self.columns {
            let outside = column.outside;
            let worst = column.worst.take();
            self.whole.extend(worst.map(|(_, verdict)| BatchVerdict { count: outside, ..verdict }));
        }
        let rows = self.faults.len();
        let share = refused as f64 / rows.max(1) as f64;
        let most = match schema.policy {
            super::Policy::Strict => 0.0,
            super::Policy::Quarantine => limits.most_refused,
        };
        if share > most {
            let value = format!("{refused} of {rows} rows");
            let allowed = format!("a share of {most}");
            self.whole.push(BatchVerdict::new(Rule::RefusedShare, value, allowed));
        }
        if rows - refused < limits.least_rows {
            let allowed = format!("at least {}", limits.least_rows);
            self.whole.push(BatchVerdict::new(Rule::FewRows, rows - refused, allowed));
        }
    }

    pub(crate) fn report(mut self, left_out: Vec<BatchVerdict>) -> BatchReport {
        let refused: Vec<usize> =
            (0..self.faults.len()).filter(|&row| self.faults[row] > 0).collect();
        // Columns that cannot be read say nothing about rows.
        if self
            .whole
            .iter()
            .all(|verdict| verdict.rule == Rule::IdTwice || verdict.rule == Rule::IdUnexpected)
        {
            self.whole(refused.len());
        }
        for verdict in &mut self.verdicts {
            verdict.faults = self.faults[verdict.row];
        }
        self.verdicts.sort_by_key(|verdict| verdict.row);
        let rows = self.faults.len();
        let names = self.gate.schema.features.iter().map(|feature| &feature.name);
        let columns = names.zip(&self.columns).filter(|(_, c)| c.refused + c.missing > 0);
        let columns = columns.map(|(name, column)| ColumnShare {
            name: name.clone(),
            refused: column.refused as f64 / rows.max(1) as f64,
            missing: column.missing as f64 / rows.max(1) as f64,
        });
        BatchReport {
            rows,
            eras: self.eras.len(),
            refused: refused.len(),
            batch: self.whole,
            untold: refused.len() - self.verdicts.len(),
            columns: columns.collect(),
            verdicts: self.verdicts,
            left_out,
            refused_rows: refused,
            labels: self.eras.iter().map(|era| (era.label.to_owned(), era.rows)).collect(),
            names: self.gate.names(),
        }
    }
}

impl Gate {
    /// The names of the columns that an admitted panel keeps: features, targets, extra columns.
    fn names(&self) -> [Vec<String>; 3] {
        let names =
            |columns: &[Feature]| columns.iter().map(|column| column.name.clone()).collect();
        [
            names(&self.schema.features),
            names(&self.schema.targets.columns),
            self.schema.extras.clone(),
        ]
    }
}

/// The bins of a column as a table.
struct Bins {
    bad: [u8; 256],
    missing: Option<u8>,
    /// The first and last bin, where all between them are allowed.
    range: Option<(u8, u8)>,
}

impl Bins {
    fn of(feature: &Feature, missing: Option<u8>) -> Self {
        let mut bad = [1; 256];
        let mut range = None;
        if let Kind::Bins { allowed } = &feature.kind {
            allowed.iter().for_each(|&bin| bad[usize::from(bin)] = 0);
            if let (Some(&first), Some(&last)) = (allowed.first(), allowed.last()) {
                let all = usize::from(last - first) + 1 == allowed.len();
                range = all.then_some((first, last));
            }
        }
        Self { bad, missing, range }
    }

    /// Whether all values are bins, and whether all are the one that stands for missing.
    fn look(&self, values: &[u8]) -> (bool, bool) {
        let bad = match self.range {
            Some((first, last)) => values
                .iter()
                .fold(0, |bad, &value| bad | u8::from(value.wrapping_sub(first) > last - first)),
            None => values.iter().fold(0, |bad, &value| bad | self.bad[usize::from(value)]),
        };
        // Ends at the first other value, nearly always among the first few.
        let wholly = self.missing.is_some_and(|bin| values.iter().all(|&value| value == bin));
        (bad == 0, wholly)
    }
}
