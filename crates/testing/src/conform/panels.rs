//! The panels that the suites hand to an implementation, and changes of them.

use std::sync::Arc;

use fattail_core::{Eras, Ids, Panel, Result, Values};
use rand::{RngExt, seq::SliceRandom};
use rand_distr::{Distribution, StandardNormal};

use crate::{
    Market,
    stream::{Purpose, stream},
};

/// Rows of an era of [`strong`].
pub(crate) const ROWS: usize = 60;

/// Rows of a panel as plain vectors, to be changed and built again.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    pub(crate) eras: Vec<String>,
    pub(crate) names: Vec<Arc<str>>,
    pub(crate) features: Vec<Vec<f32>>,
    pub(crate) target: Vec<f32>,
}

impl Table {
    pub(crate) fn rows(&self) -> usize {
        self.target.len()
    }

    pub(crate) fn panel(&self) -> Result<Panel> {
        let named = self.names.iter().zip(&self.features);
        named
            .fold(Panel::builder().eras(&self.eras)?, |builder, (name, values)| {
                builder.feature(Arc::clone(name), values.clone())
            })
            .target("target", self.target.clone())
            .build()
    }

    /// The same table with rows in the order of `rows`, which may leave out and repeat.
    pub(crate) fn take(&self, rows: &[usize]) -> Self {
        let pick = |column: &Vec<f32>| rows.iter().map(|&row| column[row]).collect();
        Self {
            eras: rows.iter().map(|&row| self.eras[row].clone()).collect(),
            names: self.names.clone(),
            features: self.features.iter().map(pick).collect(),
            target: pick(&self.target),
        }
    }

    /// The rows of the eras whose position is below `count`.
    pub(crate) fn first_eras(&self, count: usize) -> Self {
        self.take(&(0..count * ROWS).collect::<Vec<_>>())
    }
}

/// `eras` eras of 60 rows and four normal features, the last of them noise, with a target of 0..1
/// that they explain for the most part.
pub(crate) fn strong(eras: usize) -> Table {
    let weights = [0.16f32, -0.1, 0.06, 0.0];
    let mut rng = stream(11, Purpose::Conform, 0);
    let mut table = Table {
        eras: Vec::new(),
        names: ["a", "b", "c", "d"].map(Arc::from).into(),
        features: vec![Vec::new(); weights.len()],
        target: Vec::new(),
    };
    for row in 0..eras * ROWS {
        let mut signal = 0.0;
        for (column, weight) in table.features.iter_mut().zip(weights) {
            let value: f32 = StandardNormal.sample(&mut rng);
            signal += weight * value;
            column.push(value);
        }
        let noise: f32 = StandardNormal.sample(&mut rng);
        table.eras.push(format!("{:04}", row / ROWS + 1));
        table.target.push((0.5 + signal + 0.05 * noise).clamp(0.0, 1.0));
    }
    table
}

/// A small market with the extra columns that metrics look at.
pub(crate) fn scored() -> Result<Panel> {
    let market = Market { eras: 6, rows: 200, features: 6, stable: 2, flipping: 1, ..market() };
    let panel = market.panel()?;
    let benchmark: Vec<f32> = panel.extra(Market::RETURN)?.to_f32().iter().map(noisy()).collect();
    panel.with_extra("benchmark", benchmark)
}

fn market() -> Market {
    Market { missing_eras: 0, late_features: 0, seed: 5, ..Market::default() }
}

fn noisy() -> impl FnMut(&f32) -> f32 {
    let mut rng = stream(13, Purpose::Conform, 1);
    move |value| value + 3.0 * rng.random_range(-1.0..1.0f32)
}

/// An order of the rows that mixes them inside each era.
pub(crate) fn mixed(eras: &Eras) -> Vec<usize> {
    let mut rng = stream(17, Purpose::Conform, 2);
    let shuffle = |range: std::ops::Range<usize>| {
        let mut rows: Vec<usize> = range.collect();
        rows.shuffle(&mut rng);
        rows
    };
    eras.ranges().flat_map(shuffle).collect()
}

/// `values` in the order of `rows`.
pub(crate) fn reorder<T: Copy>(values: &[T], rows: &[usize]) -> Vec<T> {
    rows.iter().map(|&row| values[row]).collect()
}

/// A panel whose rows stand in the order of `rows`, which stays inside the eras.
pub(crate) fn reordered(panel: &Panel, rows: &[usize]) -> Result<Panel> {
    let schema = panel.schema();
    let mut builder = Panel::builder().era_runs(panel.eras().clone());
    for (position, name) in schema.features().iter().enumerate() {
        let column = panel.feature(position);
        builder = match column.is_u8() {
            true => builder.feature(Arc::clone(name), reorder(&bins(panel, position), rows)),
            false => builder.feature(Arc::clone(name), reorder(&column.to_f32(), rows)),
        };
    }
    for name in schema.targets() {
        let values = panel.target_named(name)?.to_f32();
        builder = builder.target(Arc::clone(name), reorder(&values, rows));
    }
    for name in schema.extras() {
        builder = builder.extra(Arc::clone(name), reorder(&panel.extra(name)?.to_f32(), rows));
    }
    if let Some(weights) = panel.weights() {
        builder = builder.weights(reorder(&weights.to_f32(), rows));
    }
    if panel.has_ids() {
        builder = builder.ids(rows.iter().filter_map(|&row| panel.id(row)).collect::<Ids>());
    }
    match schema.target() {
        Some(main) => builder.main_target(main).build(),
        None => builder.build(),
    }
}

fn bins(panel: &Panel, position: usize) -> Vec<u8> {
    let slices = panel.feature(position).eras().filter_map(|values| match values {
        Values::U8(values) => Some(values),
        Values::F32(_) => None,
    });
    slices.flatten().copied().collect()
}

/// The panel with feature `position` called `name`.
pub(crate) fn renamed(panel: &Panel, position: usize, name: &str) -> Result<Panel> {
    let named = panel.schema().features().iter().enumerate().map(|(at, known)| {
        let name = if at == position { Arc::from(name) } else { Arc::clone(known) };
        (name, panel.feature(at).to_f32())
    });
    panel.with_features(named)
}
