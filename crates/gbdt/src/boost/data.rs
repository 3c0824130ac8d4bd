//! A training panel made ready: bins, targets, weights, eras, and the rows that teach.

use fattail_bins::{Binned, Mappers};
use fattail_core::{Panel, Result};
use fattail_objective::Labels;

use crate::{
    Error, Gbdt, era,
    grow::Grown,
    histogram::Reduce,
    linear::{self, Raw},
};

/// A panel made ready.
#[derive(Debug)]
pub(crate) struct Data {
    pub(crate) binned: Binned,
    /// The first target.
    pub(crate) target: Vec<f32>,
    /// The others.
    pub(crate) others: Vec<Vec<f32>>,
    pub(crate) weights: Option<Vec<f32>>,
    /// Where each era starts, and the number of rows.
    pub(crate) eras: Vec<usize>,
    /// The rows of which a target is known and whose weight is positive, increasing.
    pub(crate) known: Vec<u32>,
    /// The values, where leaves hold lines.
    pub(crate) raw: Option<Raw>,
}

impl Data {
    /// Bins a panel and reads its targets.
    pub(crate) fn new(panel: &Panel, mappers: &Mappers, settings: &Gbdt) -> Result<Self> {
        Self::of(panel, mappers.apply(panel)?, settings)
    }

    /// Reads the targets of a panel that is binned.
    pub(crate) fn of(panel: &Panel, binned: Binned, settings: &Gbdt) -> Result<Self> {
        let named = settings.targets.iter().map(|name| Ok(panel.target_named(name)?.to_f32()));
        let mut others = named.collect::<Result<Vec<_>>>()?;
        let target = if others.is_empty() { panel.target()?.to_f32() } else { others.remove(0) };
        let weights = panel.weights().map(|weights| weights.to_f32());
        let taught = |row: usize| {
            let mut targets = std::iter::once(&target).chain(&others);
            targets.any(|target| target[row].is_finite())
                && weights.as_ref().is_none_or(|weights| weights[row] > 0.0)
        };
        let known: Vec<u32> =
            (0..panel.rows()).filter(|&row| taught(row)).map(|row| row as u32).collect();
        if known.is_empty() {
            return Err(Error::NothingKnown { rows: panel.rows() }.into());
        }
        let ends = panel.eras().ranges().map(|range| range.end);
        let eras = std::iter::once(0).chain(ends).collect();
        let raw = settings.linear.map(|_| Raw::new(panel));
        Ok(Self { binned, eras, known, target, others, weights, raw })
    }

    /// Makes the weights of every era add up to the mean number of rows of an era, over all workers.
    pub(crate) fn weigh_eras_equally(&mut self, reduce: &dyn Reduce) {
        let mut weights = self.weights.take().unwrap_or_else(|| vec![1.0; self.rows()]);
        let starts: Vec<u32> = self.eras.iter().map(|&start| start as u32).collect();
        let parts = era::parts(&starts, &self.known).filter(|part| !part.is_empty());
        let parts: Vec<&[u32]> = parts.map(|part| &self.known[part]).collect();
        let mut counts = [self.known.len() as u64, parts.len() as u64];
        reduce.sum(&mut counts);
        let each = counts[0] as f64 / counts[1] as f64;
        for rows in parts {
            let sum: f64 = rows.iter().map(|&row| f64::from(weights[row as usize])).sum();
            for &row in rows {
                let weight = &mut weights[row as usize];
                *weight = (f64::from(*weight) / sum * each) as f32;
            }
        }
        self.weights = Some(weights);
    }

    /// The number of rows.
    pub(crate) fn rows(&self) -> usize {
        self.target.len()
    }

    /// Adds a tree, shrunk, to scores that begin at its first output.
    pub(crate) fn add(&self, tree: &Grown, shrinkage: f64, score: &mut [f64]) {
        match &self.raw {
            Some(raw) if !tree.lines.is_empty() => {
                linear::add_to(tree, &self.binned, raw, shrinkage, &mut score[..self.rows()]);
            }
            _ => tree.add_to(&self.binned, shrinkage, score),
        }
    }

    /// Runs `with` on the labels.
    pub(crate) fn with_labels<T>(&self, with: impl FnOnce(Labels<'_>) -> T) -> T {
        let all = std::iter::once(&self.target).chain(&self.others);
        let targets: Vec<&[f32]> = all.map(Vec::as_slice).collect();
        with(Labels { targets: &targets, weights: self.weights.as_deref(), eras: &self.eras })
    }
}

/// The eras that are fitted on and, for early stopping, those held out.
pub(crate) fn hold_out(panel: &Panel, settings: &Gbdt) -> Result<(Panel, Option<Panel>)> {
    let stop = settings.stop.as_ref().filter(|stop| stop.rounds > 0);
    let Some(stop) = stop else { return Ok((panel.clone(), None)) };
    let eras = panel.eras().len();
    let held = ((eras as f64 * stop.holdout).round() as usize).max(1);
    let fitted = eras.saturating_sub(held + stop.gap);
    if fitted == 0 {
        return Err(Error::NoHoldout { eras, held, gap: stop.gap }.into());
    }
    let train: Vec<usize> = (0..fitted).collect();
    let holdout: Vec<usize> = (eras - held..eras).collect();
    Ok((panel.cut(&train)?, Some(panel.cut(&holdout)?)))
}
