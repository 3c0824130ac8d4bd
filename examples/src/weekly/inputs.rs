//! The input gate of the weekly job: what no model was fitted on is checked before a model sees it.
//!
//! Rows that the gate puts aside are not predicted. Those of the live era are submitted in the middle of the
//! ranks, because a submission needs every id. A refused batch ends the job before anything is fitted.

use std::path::PathBuf;

use clap::Args;
use fattail::{
    Panel,
    guard::{BatchVerdict, Decision, Gate, GateRecipe, Presence, Quarantine},
    store::Artifacts,
};

use crate::Outcome;

/// The options of the input gate.
#[derive(Debug, Clone, Default, Args)]
pub struct InputArgs {
    /// Schema that the eras to predict must pass, such as inputs.json of an earlier run, or `off`; without it, what is
    /// learnt from the eras that are fitted on
    #[arg(long, value_name = "FILE")]
    pub inputs: Option<PathBuf>,
}

/// Eras that no model was fitted on, as the gate lets them through; the last one is the live one.
#[derive(Debug)]
pub struct Inputs {
    /// What reaches a model.
    pub admitted: Panel,
    /// Whether each row of the live era is in it.
    pub live: Vec<bool>,
    /// The gate, where there is one.
    gate: Option<Gate>,
    /// What is put aside.
    aside: Option<Quarantine>,
}

/// Refusals told in a warning.
const TOLD: usize = 3;

impl InputArgs {
    /// Whether no gate is asked for.
    fn is_off(&self) -> bool {
        self.inputs.as_deref().is_some_and(|path| path.as_os_str() == "off")
    }

    /// The gate, stored or learnt from `train`.
    fn gate(&self, train: &Panel) -> Outcome<Gate> {
        let Some(path) = &self.inputs else {
            let recipe = GateRecipe { targets: Presence::Forbidden, ..GateRecipe::default() };
            return Ok(recipe.learn(&train.without_targets())?);
        };
        let told = |error: &dyn std::fmt::Display| format!("'{}': {error}", path.display());
        let text = std::fs::read_to_string(path).map_err(|error| told(&error))?;
        Ok(Gate::from_json(&text).map_err(|error| told(&error))?)
    }

    /// Checks `unseen`, whose last era is the live one, against what is stored or learnt from `train`.
    ///
    /// # Errors
    /// When nothing can be learnt, the schema cannot be read, or the eras are refused.
    pub fn check(&self, train: &Panel, unseen: &Panel) -> Outcome<Inputs> {
        let unseen = unseen.without_targets();
        let rows = unseen.era(unseen.eras().len() - 1).rows();
        if self.is_off() {
            return Ok(Inputs {
                admitted: unseen,
                live: vec![true; rows],
                gate: None,
                aside: None,
            });
        }
        let gate = self.gate(train)?;
        let report = gate.batch(&unseen);
        if report.decision() == Decision::Refused {
            return Err(refused(&report.batch).into());
        }
        let first = unseen.rows() - rows;
        let mut live = vec![true; rows];
        for &row in report.refused_rows().iter().filter(|&&row| row >= first) {
            live[row - first] = false;
        }
        let (admitted, aside) = report.split()?;
        let admitted = admitted.filter(|_| live.contains(&true));
        let admitted = admitted.ok_or("the input gate admits no row of the live era")?;
        Ok(Inputs { admitted, live, gate: Some(gate), aside: Some(aside) })
    }
}

/// Why nothing is predicted.
fn refused(verdicts: &[BatchVerdict]) -> String {
    let told: Vec<String> = verdicts.iter().take(TOLD).map(told).collect();
    let more = verdicts.len().saturating_sub(TOLD);
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    format!("the input gate refuses the eras to predict: {}{more}", told.join("; "))
}

fn told(verdict: &BatchVerdict) -> String {
    let place = |name: &str, what: &Option<String>| {
        what.as_ref().map_or_else(String::new, |what| format!(", {name} '{what}'"))
    };
    let (era, column) = (place("era", &verdict.era), place("column", &verdict.column));
    format!("{verdict}{era}{column}")
}

impl Inputs {
    /// Spreads ranks of the admitted rows of the live era over all of its rows.
    pub(super) fn spread(&self, ranks: &[f64]) -> Vec<f32> {
        let mut ranks = ranks.iter();
        let value = |&known: &bool| if known { ranks.next().copied() } else { None };
        self.live.iter().map(value).map(|rank| rank.unwrap_or(0.5) as f32).collect()
    }

    /// Rows of the live era that reach a model.
    pub(super) fn live_rows(&self) -> usize {
        self.live.iter().filter(|&&known| known).count()
    }

    /// What a reader must know of rows that are put aside.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        if self.gate.is_none() {
            return vec![
                "the input gate is off: nothing was checked before it was predicted".into(),
            ];
        }
        let Some(aside) = self.aside.as_ref().filter(|aside| !aside.rows.is_empty()) else {
            return Vec::new();
        };
        let middle = self.live.len() - self.live_rows();
        let first = &aside.rows[0];
        let which = first
            .id
            .as_ref()
            .map_or_else(|| format!("row {}", first.row), |id| format!("id '{id}'"));
        vec![format!(
            "the input gate puts {} rows aside, {middle} of them live and submitted as 0.5; the first, {which} of era {}: {}",
            aside.rows.len(),
            first.era,
            first.first
        )]
    }

    /// Leaves the schema, and what is put aside with its reasons.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(super) fn leave(&self, folder: &Artifacts) -> Outcome<Vec<(&'static str, &'static str)>> {
        let mut left = Vec::new();
        if let Some(gate) = &self.gate {
            folder.write("inputs.json", gate.to_json()?)?;
            left.push(("schema of the inputs", "inputs.json"));
        }
        if let Some(aside) = self.aside.as_ref().filter(|aside| !aside.is_empty()) {
            let mut lines = Vec::new();
            aside.write_json_lines(&mut lines)?;
            folder.write("quarantine.jsonl", lines)?;
            left.push(("rows put aside", "quarantine.jsonl"));
        }
        Ok(left)
    }
}
