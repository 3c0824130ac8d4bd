//! A batch against the schema: each row for what it holds, the whole for what rows cannot show.
//!
//! Cost: two passes over the values, in column order; rows are named only where the first one found a
//! fault, and faults are put into words only while there are few.

use fattail_core::{Eras, Panel, Values};

use super::{
    BatchReport, Feature, Gate, Kind, Presence, RowVerdict, Rule,
    gate::words,
    kernel::{self, Check},
    report::Checked,
    tally::Tally,
};

impl Gate {
    /// Checks a batch: what is refused, row by row and as a whole. The report holds the panel (its columns
    /// are shared, not copied), so that [`BatchReport::split`] cuts what was checked and nothing else.
    ///
    /// Never fails: a batch that cannot be read at all is a refused one.
    #[must_use]
    pub fn batch(&self, panel: &Panel) -> BatchReport {
        let era_of = |row| panel.eras().of_row(row).map_or("", |era| panel.eras().label(era));
        let place = |row| (era_of(row), panel.id(row));
        let (refused, left_out) = self.columns(panel);
        let runs = panel.eras().labels().zip(panel.eras().ranges().map(|rows| rows.len()));
        let mut tally = Tally::new(self, panel.rows(), runs, &place);
        tally.unread |= !refused.is_empty();
        tally.whole.extend(refused);
        if !tally.unread {
            tally.labels(panel.eras());
            tally.ids((0..panel.rows()).map(&place), panel.has_ids());
            tally.features(panel);
            tally.targets(panel);
            tally.weights(panel);
            tally.shapes(panel, |row| row);
        }
        tally.report(left_out, Checked::Panel(panel.clone()))
    }
}

impl Tally<'_> {
    fn labels(&mut self, eras: &Eras) {
        let rule = &self.gate.schema.eras;
        for (label, rows) in eras.labels().zip(eras.ranges()) {
            let Some(broken) = rule.fault(label) else { continue };
            for row in rows {
                let value = || format!("{label:?}");
                self.fault(row, || RowVerdict::of(broken, "era", value(), rule.allowed(broken)));
            }
        }
    }

    fn features(&mut self, panel: &Panel) {
        let gate = self.gate;
        for (position, feature) in gate.schema.features.iter().enumerate() {
            // Columns were compared before.
            let Ok(column) = panel.feature_named(&feature.name) else { continue };
            let check = Check::of(feature);
            let bins = Bins::of(feature);
            for (rows, values) in panel.eras().ranges().zip(column.eras()) {
                let good = match values {
                    Values::U8(values) => bins.admit(values),
                    Values::F32(values) => check.admits(feature, values),
                };
                if good {
                    continue;
                }
                for (row, value) in rows.zip(values.iter()) {
                    if let Some(rule) = kernel::fault(feature, value) {
                        let told = || match values {
                            Values::U8(_) => value.to_string(),
                            Values::F32(_) => words(value),
                        };
                        self.feature_fault(row, position, rule, told);
                    }
                }
            }
        }
    }

    fn targets(&mut self, panel: &Panel) {
        let gate = self.gate;
        let unlabelled = gate.schema.targets.presence == Presence::Allowed;
        for target in &gate.schema.targets.columns {
            let Ok(column) = panel.target_named(&target.name) else { continue };
            let check = Check::of(target);
            for (rows, values) in panel.eras().ranges().zip(column.eras()) {
                let Values::F32(numbers) = values else { continue };
                if check.admits(target, numbers) {
                    continue;
                }
                for (row, &value) in rows.zip(numbers) {
                    let rule = match kernel::fault(target, value) {
                        None => continue,
                        Some(Rule::Missing) if unlabelled => continue,
                        Some(rule) => rule,
                    };
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
}

/// The bins of a column as a table.
struct Bins {
    bad: [u8; 256],
    /// The first and last bin, where all between them are allowed.
    range: Option<(u8, u8)>,
}

impl Bins {
    fn of(feature: &Feature) -> Self {
        let mut bad = [1; 256];
        let mut range = None;
        if let Kind::Bins { allowed } = &feature.kind {
            allowed.iter().for_each(|&bin| bad[usize::from(bin)] = 0);
            if let (Some(&first), Some(&last)) = (allowed.first(), allowed.last()) {
                let all = usize::from(last - first) + 1 == allowed.len();
                range = all.then_some((first, last));
            }
        }
        Self { bad, range }
    }

    /// Whether all values are bins.
    fn admit(&self, values: &[u8]) -> bool {
        let bad = match self.range {
            Some((first, last)) => values
                .iter()
                .fold(0, |bad, &value| bad | u8::from(value.wrapping_sub(first) > last - first)),
            None => values.iter().fold(0, |bad, &value| bad | self.bad[usize::from(value)]),
        };
        bad == 0
    }
}
