//! The panel that the learner sees: features alone, eras shuffled and named anew.

use std::sync::Arc;

use fattail_core::{ColumnData, Eras, Panel, Values};
use fattail_stats::{Counter, below};
use rayon::prelude::*;

use crate::{error::Result, kernel::some_of};

/// Keep the draws of this file apart.
const ORDER: u64 = 0xAD0;
const KEPT: u64 = 0xAD1;
const SHUFFLE: u64 = 0xAD2;

/// Shuffled eras without a label.
pub(super) struct Masked {
    panel: Panel,
    /// The block of each era.
    unit: Vec<usize>,
    units: usize,
    /// The order in which blocks are dealt to folds.
    order: Vec<usize>,
}

impl Masked {
    pub(super) fn new(
        panel: &Panel,
        blocks: &[Vec<usize>],
        most: usize,
        seed: u64,
    ) -> Result<Self> {
        let mut eras: Vec<(usize, usize)> = blocks
            .iter()
            .enumerate()
            .flat_map(|(unit, block)| block.iter().map(move |&era| (unit, era)))
            .collect();
        let counter = Counter::new(seed);
        shuffle(&mut eras, counter.stream(ORDER), 0);
        let mut order: Vec<usize> = (0..blocks.len()).collect();
        shuffle(&mut order, counter.stream(ORDER), 1);
        let kept: Vec<(usize, Vec<usize>)> = eras
            .iter()
            .map(|&(_, era)| {
                let rows = panel.eras().range(era).len();
                (era, some_of(rows, rows.min(most), &mut counter.stream(KEPT).draw(era as u32)))
            })
            .collect();
        let labels = kept.iter().enumerate().map(|(at, (_, rows))| {
            let label: Arc<str> = format!("{:04}", at + 1).into();
            (label, rows.len())
        });
        let runs = Eras::from_runs(labels)?;
        let columns: Vec<ColumnData> =
            (0..panel.width()).into_par_iter().map(|at| gathered(panel, at, &kept)).collect();
        let mut builder = Panel::builder().era_runs(runs);
        for (name, column) in panel.schema().features().iter().zip(columns) {
            builder = builder.feature(Arc::clone(name), column);
        }
        let unit = eras.into_iter().map(|(unit, _)| unit).collect();
        Ok(Self { panel: builder.build()?, unit, units: blocks.len(), order })
    }

    pub(super) fn units(&self) -> usize {
        self.units
    }

    pub(super) fn names(&self) -> &[Arc<str>] {
        self.panel.schema().features()
    }

    /// The panel with the target 1 in current blocks and 0 in the others.
    pub(super) fn labelled(&self, is_current: &[bool]) -> Result<Panel> {
        let mut target = vec![0.0_f32; self.panel.rows()];
        for (rows, &unit) in self.panel.eras().ranges().zip(&self.unit) {
            target[rows].fill(f32::from(u8::from(is_current[unit])));
        }
        Ok(self.panel.append_target(&self.free_name(), target)?)
    }

    /// A name that no feature has.
    fn free_name(&self) -> String {
        let mut name = "is_current".to_owned();
        while self.panel.schema().feature_position(&name).is_ok() {
            name.push('_');
        }
        name
    }

    /// The fold of each block: both sides are dealt in turn.
    pub(super) fn folds(&self, is_current: &[bool], folds: usize) -> Vec<usize> {
        let (mut fold, mut dealt) = (vec![0; self.units], [0, 0]);
        for &unit in &self.order {
            let side = usize::from(is_current[unit]);
            fold[unit] = dealt[side] % folds;
            dealt[side] += 1;
        }
        fold
    }

    /// The eras of the blocks that `keep` keeps, in panel order.
    pub(super) fn eras_where(&self, keep: impl Fn(usize) -> bool) -> Vec<usize> {
        (0..self.unit.len()).filter(|&era| keep(self.unit[era])).collect()
    }

    /// The block of each row of those eras.
    pub(super) fn unit_of_rows(&self, keep: impl Fn(usize) -> bool) -> Vec<usize> {
        let eras = self.eras_where(keep).into_iter();
        let rows =
            |era: usize| std::iter::repeat_n(self.unit[era], self.panel.eras().range(era).len());
        eras.flat_map(rows).collect()
    }
}

/// The panel with one feature's values shuffled over all its rows.
pub(super) fn shuffled(panel: &Panel, feature: usize, seed: u64, fold: usize) -> Result<Panel> {
    let stream = SHUFFLE + ((fold as u64 + 1) << 16);
    let mut order: Vec<usize> = (0..panel.rows()).collect();
    shuffle(&mut order, Counter::new(seed).stream(stream), feature as u32);
    let view = panel.feature(feature);
    let moved = if view.is_u8() {
        let mut values = Vec::with_capacity(panel.rows());
        for era in view.eras() {
            if let Values::U8(bins) = era {
                values.extend_from_slice(bins);
            }
        }
        ColumnData::from(order.iter().map(|&row| values[row]).collect::<Vec<u8>>())
    } else {
        let values = view.to_f32();
        ColumnData::from(order.iter().map(|&row| values[row]).collect::<Vec<f32>>())
    };
    Ok(panel.replace_features([(feature, moved)])?)
}

/// The chosen rows of the chosen eras of a feature, in its own type.
fn gathered(panel: &Panel, feature: usize, kept: &[(usize, Vec<usize>)]) -> ColumnData {
    let view = panel.feature(feature);
    let (mut bins, mut numbers): (Vec<u8>, Vec<f32>) = (Vec::new(), Vec::new());
    for (era, rows) in kept {
        match view.era(*era) {
            Values::U8(values) => bins.extend(rows.iter().map(|&row| values[row])),
            Values::F32(values) => numbers.extend(rows.iter().map(|&row| values[row])),
        }
    }
    if view.is_u8() { bins.into() } else { numbers.into() }
}

/// Fisher and Yates's shuffle by one draw of the counter.
fn shuffle<T>(list: &mut [T], counter: Counter, draw: u32) {
    let mut generator = counter.draw(draw);
    for at in (1..list.len()).rev() {
        list.swap(at, below(&mut generator, at + 1));
    }
}
