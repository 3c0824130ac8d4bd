//! What is found while a batch is read, and the report that it becomes.
//!
//! The share of missing values of an era of `n` rows may leave its band `[l, h]` by the slack of its
//! number of rows, `4 √(p (1 - p) / n) + 4 / n` with `p` the end of the band: four standard deviations of
//! a share, and a small number's worth. The share of equal rows has the same slack.

use std::collections::{HashMap, HashSet};

use fattail_core::Panel;

use super::{
    BatchReport, BatchVerdict, ColumnShare, Feature, Gate, IdRule, RowVerdict, Rule, Verdict,
    report::Checked,
    rule::TOLD_OF_A_ROW,
    shape::{Equal, Look, Looker, by_chance, slack},
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
    /// The verdict of a row.
    told: HashMap<usize, usize>,
    most_told: usize,
    pub(crate) whole: Vec<BatchVerdict>,
    /// Columns that cannot be read, or eras that are too many, say nothing about rows.
    pub(crate) unread: bool,
    eras: Vec<EraTally<'a>>,
    columns: Vec<ColumnTally>,
}

struct EraTally<'a> {
    label: &'a str,
    rows: usize,
    /// Features that are wholly missing, and those of them that never were.
    wholly: usize,
    newly_wholly: Vec<usize>,
    /// Features that hold another value alone, by the same measure.
    stuck: usize,
    newly_stuck: Vec<usize>,
}

#[derive(Default, Clone)]
struct ColumnTally {
    refused: usize,
    missing: usize,
    /// Eras outside the band, and the verdict of the one that is furthest out.
    outside: usize,
    worst: Option<(f64, BatchVerdict)>,
}

impl<'a> Tally<'a> {
    pub(crate) fn new(
        gate: &'a Gate,
        rows: usize,
        eras: impl Iterator<Item = (&'a str, usize)>,
        place: &'a dyn Fn(usize) -> (&'a str, Option<&'a str>),
    ) -> Self {
        let era = |(label, rows)| EraTally {
            label,
            rows,
            wholly: 0,
            newly_wholly: Vec::new(),
            stuck: 0,
            newly_stuck: Vec::new(),
        };
        let share = (gate.schema.batch.most_refused * rows as f64).ceil() as usize;
        let mut tally = Self {
            gate,
            place,
            faults: vec![0; rows],
            verdicts: Vec::new(),
            told: HashMap::new(),
            most_told: TOLD.max(share),
            whole: Vec::new(),
            unread: false,
            eras: eras.map(era).collect(),
            columns: vec![ColumnTally::default(); gate.schema.features.len()],
        };
        let (count, most) = (tally.eras.len(), gate.schema.batch.most_eras);
        if count > most {
            tally.unread = true;
            tally.whole.push(BatchVerdict::new(Rule::ManyEras, count, format!("at most {most}")));
        }
        tally
    }

    /// Counts a fault of a row and tells the first few.
    pub(crate) fn fault(&mut self, row: usize, verdict: impl FnOnce() -> RowVerdict) {
        self.faults[row] = self.faults[row].saturating_add(1);
        if self.faults[row] > 1 {
            if let Some(&at) = self.told.get(&row)
                && self.verdicts[at].next.len() + 1 < TOLD_OF_A_ROW
            {
                self.verdicts[at].next.push(verdict());
            }
        } else if self.verdicts.len() < self.most_told {
            let (era, id) = (self.place)(row);
            let (era, id) = (era.to_owned(), id.map(str::to_owned));
            self.told.insert(row, self.verdicts.len());
            let (first, next) = (verdict(), Vec::new());
            self.verdicts.push(Verdict { row, era, id, faults: 0, first, next });
        }
    }

    /// The same of a feature.
    pub(crate) fn feature_fault(
        &mut self,
        row: usize,
        position: usize,
        rule: Rule,
        value: impl FnOnce() -> String,
    ) {
        self.columns[position].refused += 1;
        let gate = self.gate;
        self.fault(row, || gate.schema.features[position].verdict(position, rule, value()));
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
                let value = || format!("{:?}", id.chars().take(40).collect::<String>());
                self.fault(row, || RowVerdict::of(broken, "id", value(), form.words()));
            } else if !seen.insert((if *one_era { "" } else { era }, id)) {
                let allowed = if *one_era { "once" } else { "once an era" };
                let first =
                    || BatchVerdict { count: 0, ..BatchVerdict::new(Rule::IdTwice, id, allowed) };
                twice.get_or_insert_with(|| first().era(era).column("id")).count += 1;
            }
        }
        self.whole.extend(twice);
    }

    /// What eras of columns hold as a whole. The panel's columns are known and its eras are among those of
    /// the tally; `row_of` names the row of the tally that a row of the panel is.
    pub(crate) fn shapes(&mut self, panel: &Panel, row_of: impl Fn(usize) -> usize) {
        let schema = &self.gate.schema;
        let features = schema.features.iter().map(|feature| panel.feature_named(&feature.name));
        let targets = schema.targets.columns.iter();
        let (names, targets): (Vec<&str>, Vec<_>) = targets
            .filter_map(|target| Some((&*target.name, panel.target_named(&target.name).ok()?)))
            .unzip();
        // Columns were compared before.
        let Ok(features) = features.collect::<Result<Vec<_>, _>>() else { return };
        let mut looker = Looker::new(features, targets);
        let mut at = 0;
        for (era, rows) in panel.eras().ranges().enumerate() {
            let label = panel.eras().label(era);
            while at + 1 < self.eras.len() && self.eras[at].label != label {
                at += 1;
            }
            looker.era(era);
            for position in 0..schema.features.len() {
                self.column_era(position, at, rows.len(), looker.looks[position]);
            }
            if rows.len() >= schema.batch.wholly_rows {
                let kept = |row: usize| self.faults[row_of(rows.start + row)] == 0;
                let (equal, most) = (looker.equal_rows(kept), schema.batch.most_equal);
                let share = equal as f64 / rows.len() as f64;
                if share > most + slack(most, rows.len()) {
                    let allowed = format!("a share of {most:.4}, and the slack of its rows");
                    let value = format!("{equal} of {} rows", rows.len());
                    self.whole.push(BatchVerdict::new(Rule::RowsEqual, value, allowed).era(label));
                }
                let equal = looker.equal_columns(era);
                self.equal_columns(&equal, &names, label, &looker.looks);
            }
        }
    }

    /// Columns that are equal and never were, unless chance made them so.
    fn equal_columns(&mut self, equal: &[Equal], targets: &[&str], era: &str, looks: &[Look]) {
        let features = &self.gate.schema.features;
        let known = |at: usize| by_chance(features[at].fullest, looks[at].given);
        let mut found = equal.iter().filter_map(|pair| match *pair {
            Equal::Features(a, b) if features[a].twin && features[b].twin => None,
            Equal::Features(a, b) if known(a) && known(b) => None,
            Equal::Features(a, b) => Some((b, &*features[a].name)),
            Equal::Target(a, b) => (!known(a)).then(|| (a, targets[b])),
        });
        let Some((at, other)) = found.next() else { return };
        let verdict =
            BatchVerdict::new(Rule::ColumnsEqual, format!("as '{other}'"), "values of its own");
        let verdict = verdict.era(era).column(&features[at].name);
        self.whole.push(BatchVerdict { count: 1 + found.count(), ..verdict });
    }

    /// A feature in an era of the panel.
    fn column_era(&mut self, position: usize, era: usize, rows: usize, look: Look) {
        let schema = &self.gate.schema;
        let feature = &schema.features[position];
        let (here, column) = (&mut self.eras[era], &mut self.columns[position]);
        let missing = rows - look.given;
        column.missing += missing;
        let least = schema.batch.wholly_rows;
        if rows >= least && look.is_missing(schema.batch.missing_bin) {
            here.wholly += 1;
            // A column that was one other value alone in an era says nothing about this one.
            let chance = match look.given {
                0 => by_chance(feature.missing.high, rows),
                given => feature.fullest < 1.0 && by_chance(feature.fullest, given),
            };
            if feature.missing.wholly_eras == 0 && !chance {
                here.newly_wholly.push(position);
            }
        } else if look.given >= least && look.single.is_some() {
            if feature.fullest >= 1.0 {
                here.stuck += 1;
            } else if !by_chance(feature.fullest, look.given) {
                here.newly_stuck.push(position);
            }
        }
        if feature.missing.observed <= 0.0 || rows == 0 {
            return;
        }
        let (low, high) = (feature.missing.low, feature.missing.high);
        let share = missing as f64 / rows as f64;
        let off = (low - slack(low, rows) - share).max(share - high - slack(high, rows));
        if off > 0.0 {
            column.outside += 1;
            if column.worst.as_ref().is_none_or(|(worst, _)| off > *worst) {
                let allowed = format!("{low:.4} to {high:.4}, and the slack of {rows} rows");
                let verdict = BatchVerdict::new(Rule::MissingShare, format!("{share:.4}"), allowed);
                column.worst = Some((off, verdict.column(&feature.name).era(here.label)));
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
            for (rule, count, most) in [
                (Rule::AllMissing, era.wholly, limits.most_wholly),
                (Rule::Stuck, era.stuck, limits.most_stuck),
            ] {
                let share = count as f64 / schema.features.len() as f64;
                if share > most {
                    let value = format!("{count} features, a share of {share:.4}");
                    let allowed = format!("at most {most:.4}");
                    self.whole.push(BatchVerdict::new(rule, value, allowed).era(era.label));
                }
            }
            for (rule, newly) in
                [(Rule::NewlyMissing, &era.newly_wholly), (Rule::Stuck, &era.newly_stuck)]
            {
                if newly.len() > limits.most_newly {
                    let name = &schema.features[newly[0]].name;
                    let value = format!("{} features that never were", newly.len());
                    let allowed = format!("at most {}", limits.most_newly);
                    let verdict = BatchVerdict::new(rule, value, allowed);
                    self.whole.push(verdict.era(era.label).column(name));
                }
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

    pub(crate) fn report(mut self, left_out: Vec<BatchVerdict>, checked: Checked) -> BatchReport {
        let refused: Vec<usize> =
            (0..self.faults.len()).filter(|&row| self.faults[row] > 0).collect();
        if !self.unread {
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
            checked,
            names: self.gate.names(),
        }
    }
}

impl Gate {
    /// The names of the columns that an admitted panel keeps: features, targets, extra columns.
    fn names(&self) -> [Vec<String>; 3] {
        let names =
            |columns: &[Feature]| columns.iter().map(|column| column.name.clone()).collect();
        let schema = &self.schema;
        let mut targets: Vec<String> = names(&schema.targets.columns);
        targets.extend(schema.targets.unchecked.iter().cloned());
        [names(&schema.features), targets, schema.extras.clone()]
    }
}
