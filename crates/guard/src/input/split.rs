//! A batch cut in two: what is admitted, and what is put aside with its reasons.

use std::io::Write;

use fattail_core::{ColumnData, ColumnView, Ids, Panel, Values};
use serde::Serialize;

use super::{BatchReport, BatchVerdict, Decision, Verdict, report::Checked};
use crate::{Error, Result};

/// What is put aside, and why.
#[derive(Debug, Clone)]
pub struct Quarantine {
    /// Why the whole batch is held; empty when it is not.
    pub batch: Vec<BatchVerdict>,
    /// The refused rows.
    pub rows: Vec<Verdict>,
    /// The rows as they came: the refused ones, or all of a batch that is held whole. None of rows that came
    /// from outside, which may hold what no panel does.
    pub panel: Option<Panel>,
}

/// One line of the file.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Line<'a> {
    Batch(&'a BatchVerdict),
    Row(&'a Verdict),
}

impl Quarantine {
    /// Whether nothing is put aside.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.batch.is_empty() && self.rows.is_empty()
    }

    /// Writes one JSON object a line: first the reasons for the whole batch, then each row's.
    ///
    /// # Errors
    /// When a line cannot be written.
    pub fn write_json_lines(&self, mut out: impl Write) -> Result<()> {
        let batch = self.batch.iter().map(Line::Batch);
        for line in batch.chain(self.rows.iter().map(Line::Row)) {
            let mut text = serde_json::to_vec(&line)?;
            text.push(b'\n');
            out.write_all(&text).map_err(|error| Error::file("write", "quarantine", error))?;
        }
        Ok(())
    }
}

impl BatchReport {
    /// The admitted rows of the batch that was checked, and the others with their reasons. The admitted
    /// panel has the columns of the schema and shares them where no row is put aside. Rows that came from
    /// outside are admitted as a panel of the features; what was refused of them is told, and has no panel.
    ///
    /// ```
    /// use fattail_core::Panel;
    /// use fattail_guard::GateRecipe;
    ///
    /// let train = Panel::builder().feature("x", vec![0u8, 1, 2]).build()?;
    /// let gate = GateRecipe { most_refused: 0.5, ..GateRecipe::default() }.learn(&train)?;
    /// let live = Panel::builder().feature("x", vec![0u8, 9, 1]).build()?;
    /// let (admitted, quarantine) = gate.batch(&live).split()?;
    /// assert_eq!(admitted.unwrap().feature(0).to_f32(), [0.0, 1.0]);
    /// assert_eq!(quarantine.panel.as_ref().unwrap().feature(0).to_f32(), [9.0]);
    /// let mut lines = Vec::new();
    /// quarantine.write_json_lines(&mut lines)?;
    /// assert!(String::from_utf8(lines)?.contains(r#""rule":"unknown_bin""#));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Panel`](crate::Error::Panel) when a part cannot be put together, which no panel leads to.
    pub fn split(&self) -> Result<(Option<Panel>, Quarantine)> {
        let held =
            |panel| Quarantine { batch: self.batch.clone(), rows: self.verdicts.clone(), panel };
        let panel = match (&self.checked, self.decision()) {
            (Checked::Panel(panel), _) => panel,
            (Checked::Rows(_), Decision::Refused) => return Ok((None, held(None))),
            (Checked::Rows(admitted), _) => return Ok((admitted.clone(), held(None))),
        };
        match self.decision() {
            Decision::Refused => Ok((None, held(Some(panel.clone())))),
            Decision::Admitted => Ok((Some(self.known(panel)?), held(None))),
            Decision::Quarantined => {
                let mut refused = vec![false; panel.rows()];
                self.refused_rows.iter().for_each(|&row| refused[row] = true);
                let rows = |of| (0..panel.rows()).filter(|&row| refused[row] == of).collect();
                let (kept, aside): (Vec<usize>, Vec<usize>) = (rows(false), rows(true));
                let aside = choose(panel, &aside)?;
                let kept = if kept.is_empty() { None } else { Some(choose(panel, &kept)?) };
                let kept = kept.map(|kept| self.known(&kept)).transpose()?;
                Ok((kept, held(Some(aside))))
            }
        }
    }

    /// The panel with the columns of the schema alone.
    fn known(&self, panel: &Panel) -> Result<Panel> {
        if self.left_out.is_empty() {
            return Ok(panel.clone());
        }
        let [features, targets, extras] = &self.names;
        let (targets, extras): (Vec<&str>, Vec<&str>) = (
            targets.iter().map(|name| &**name).collect(),
            extras.iter().map(|name| &**name).collect(),
        );
        let rows: Vec<usize> = (0..panel.rows()).collect();
        let whole = panel.select(features)?;
        rebuilt(&whole, &rows, |name| targets.contains(&name), |name| extras.contains(&name))
    }
}

fn choose(panel: &Panel, rows: &[usize]) -> Result<Panel> {
    rebuilt(panel, rows, |_| true, |_| true)
}

/// Some rows, in rising order, with some targets and extra columns.
fn rebuilt(
    panel: &Panel,
    rows: &[usize],
    target: impl Fn(&str) -> bool,
    extra: impl Fn(&str) -> bool,
) -> Result<Panel> {
    let era = |&row: &usize| panel.eras().of_row(row).map_or("", |era| panel.eras().label(era));
    let mut builder = Panel::builder().eras(&rows.iter().map(era).collect::<Vec<_>>())?;
    if panel.has_ids() {
        let ids: Ids = rows.iter().map(|&row| panel.id(row).unwrap_or_default()).collect();
        builder = builder.ids(ids);
    }
    let schema = panel.schema();
    for (position, name) in schema.features().iter().enumerate() {
        builder = builder.feature(name.clone(), taken(panel.feature(position), rows));
    }
    for name in schema.targets().iter().filter(|name| target(name)) {
        builder = builder.target(name.clone(), numbers(panel.target_named(name)?, rows));
    }
    if let Some(main) = schema.target().filter(|name| target(name)) {
        builder = builder.main_target(main);
    }
    for name in schema.extras().iter().filter(|name| extra(name)) {
        builder = builder.extra(name.clone(), numbers(panel.extra(name)?, rows));
    }
    if let Some(weights) = panel.weights() {
        builder = builder.weights(numbers(weights, rows));
    }
    Ok(builder.build()?)
}

/// The values of some rows, or the column itself for all of them.
fn taken(column: ColumnView<'_>, rows: &[usize]) -> ColumnData {
    if rows.len() == column.len()
        && let Some((data, 0)) = column.shared()
        && data.len() == rows.len()
    {
        return data;
    }
    if !column.is_u8() {
        return numbers(column, rows).into();
    }
    let mut all = Vec::with_capacity(column.len());
    for values in column.eras() {
        if let Values::U8(values) = values {
            all.extend_from_slice(values);
        }
    }
    rows.iter().map(|&row| all[row]).collect::<Vec<u8>>().into()
}

fn numbers(column: ColumnView<'_>, rows: &[usize]) -> Vec<f32> {
    let all = column.to_f32();
    rows.iter().map(|&row| all[row]).collect()
}
