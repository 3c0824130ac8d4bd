//! A training panel with every kind of column, in parts that a test can spoil.

use fattail_core::{ColumnData, Panel};
use fattail_guard::{Field, Gate, RowVerdict};
use fattail_stats::{Counter, below, unit};

/// A panel in parts.
#[derive(Debug, Clone)]
pub(crate) struct Parts {
    pub(crate) eras: Vec<String>,
    pub(crate) ids: Option<Vec<String>>,
    pub(crate) features: Vec<(String, Column)>,
    pub(crate) targets: Vec<(String, Vec<f32>)>,
    pub(crate) extras: Vec<(String, Vec<f32>)>,
    pub(crate) weights: Option<Vec<f32>>,
}

#[derive(Debug, Clone)]
pub(crate) enum Column {
    Bins(Vec<u8>),
    Numbers(Vec<f32>),
}

pub(crate) const ERAS: usize = 6;
pub(crate) const ROWS: usize = 300;
/// Positions of the columns.
pub(crate) const BINS: usize = 0;
pub(crate) const GAPS: usize = 1;
pub(crate) const LATE: usize = 2;
pub(crate) const NUMBER: usize = 3;
pub(crate) const HOLES: usize = 4;
pub(crate) const SET: usize = 5;
pub(crate) const TAIL: usize = 6;
pub(crate) const FIXED: usize = 7;
pub(crate) const WIDTH: usize = 8;

/// Eras `0001..`, ids as Numerai has them, features of all kinds: bins `0..4`; bins 0, 2, 4; bins that are
/// wholly 2 in the first era; numbers in `[-1, 1)`; numbers of which a tenth is missing; quarters; numbers
/// with a fat tail; a constant.
pub(crate) fn parts(seed: u64, first_era: usize, eras: usize) -> Parts {
    let rows = eras * ROWS;
    let mut generator = Counter::new(seed).draw(first_era as u32);
    let mut draw =
        |n: usize| -> Vec<usize> { (0..rows).map(|_| below(&mut generator, n)).collect() };
    let bins = draw(5).into_iter().map(|v| v as u8).collect();
    let gaps = draw(3).into_iter().map(|v| 2 * v as u8).collect();
    let late = |(row, v): (usize, usize)| if first_era + row / ROWS == 1 { 2 } else { v as u8 };
    let late = draw(5).into_iter().enumerate().map(late).collect();
    let set: Vec<f32> = draw(5).into_iter().map(|v| v as f32 / 4.0).collect();
    let target: Vec<f32> = draw(5).into_iter().map(|v| v as f32 / 4.0).collect();
    let hexadecimal = draw(1 << 28);
    let id = |(row, v): (usize, usize)| format!("n{v:07x}{:08x}", row + 1000 * first_era + 7);
    let mut number =
        || (0..rows).map(|_| 2.0 * unit(&mut generator) as f32 - 1.0).collect::<Vec<f32>>();
    let (plain, holes, tail) = (number(), number(), number());
    let lost = number();
    let holes =
        holes.iter().zip(&lost).map(|(&v, &l)| if l < -0.8 { f32::NAN } else { v }).collect();
    let tail = tail.iter().map(|&v| v / (1.05 - v.abs())).collect();
    let aux: Vec<f32> =
        number().iter().zip(&lost).map(|(&v, &l)| if l > 0.9 { f32::NAN } else { v }).collect();
    let columns = [
        ("feature_bins", Column::Bins(bins)),
        ("feature_gaps", Column::Bins(gaps)),
        ("feature_late", Column::Bins(late)),
        ("feature_number", Column::Numbers(plain)),
        ("feature_holes", Column::Numbers(holes)),
        ("feature_set", Column::Numbers(set)),
        ("feature_tail", Column::Numbers(tail)),
        ("feature_fixed", Column::Numbers(vec![1.5; rows])),
    ];
    Parts {
        eras: (0..rows).map(|row| format!("{:04}", first_era + row / ROWS)).collect(),
        ids: Some(hexadecimal.into_iter().enumerate().map(id).collect()),
        features: columns.into_iter().map(|(name, column)| (name.into(), column)).collect(),
        targets: vec![("target".into(), target), ("target_aux".into(), aux)],
        extras: vec![("meta".into(), vec![0.5; rows])],
        weights: Some(vec![1.0; rows]),
    }
}

pub(crate) fn train() -> Panel {
    parts(1, 1, ERAS).panel()
}

impl Parts {
    pub(crate) fn panel(&self) -> Panel {
        let mut builder = Panel::builder().eras(&self.eras).unwrap();
        if let Some(ids) = &self.ids {
            builder = builder.ids(ids.iter().collect::<fattail_core::Ids>());
        }
        for (name, column) in &self.features {
            let data: ColumnData = match column {
                Column::Bins(values) => values.clone().into(),
                Column::Numbers(values) => values.clone().into(),
            };
            builder = builder.feature(name.as_str(), data);
        }
        for (name, values) in &self.targets {
            builder = builder.target(name.as_str(), values.clone());
        }
        for (name, values) in &self.extras {
            builder = builder.extra(name.as_str(), values.clone());
        }
        if let Some(weights) = &self.weights {
            builder = builder.weights(weights.clone());
        }
        builder.build().unwrap()
    }

    /// Puts a number into a column of numbers, or a bin into one of bins.
    pub(crate) fn put(&mut self, position: usize, row: usize, value: f32) {
        match &mut self.features[position].1 {
            Column::Bins(values) => values[row] = value as u8,
            Column::Numbers(values) => values[row] = value,
        }
    }

    /// Gives one row the features of another.
    pub(crate) fn copy_row(&mut self, from: usize, to: usize) {
        for (_, column) in &mut self.features {
            match column {
                Column::Bins(values) => values[to] = values[from],
                Column::Numbers(values) => values[to] = values[from],
            }
        }
    }

    pub(crate) fn ids_mut(&mut self) -> &mut Vec<String> {
        self.ids.as_mut().unwrap()
    }

    /// Keeps some of the rows.
    pub(crate) fn keep(&mut self, kept: impl Fn(usize) -> bool) {
        fn cut<T: Clone>(values: &mut Vec<T>, kept: &impl Fn(usize) -> bool) {
            let mut row = 0;
            values.retain(|_| {
                row += 1;
                kept(row - 1)
            });
        }
        cut(&mut self.eras, &kept);
        self.ids.iter_mut().for_each(|ids| cut(ids, &kept));
        for (_, column) in &mut self.features {
            match column {
                Column::Bins(values) => cut(values, &kept),
                Column::Numbers(values) => cut(values, &kept),
            }
        }
        self.targets.iter_mut().chain(&mut self.extras).for_each(|(_, v)| cut(v, &kept));
        self.weights.iter_mut().for_each(|weights| cut(weights, &kept));
    }
}

/// The names of the features.
pub(crate) fn names() -> Vec<String> {
    parts(1, 1, 1).features.into_iter().map(|(name, _)| name).collect()
}

/// The numbers of a row as it comes from outside.
pub(crate) fn fields(gate: &Gate, fields: &[Field<'_>]) -> Result<Vec<f32>, RowVerdict> {
    let known: Vec<&str> = gate.schema().features.iter().map(|feature| &*feature.name).collect();
    let mut out = vec![0.0; known.len()];
    gate.reader(&known).unwrap().fields_into(fields, &mut out).map(|()| out)
}

/// The values of a row.
pub(crate) fn row(panel: &Panel, row: usize) -> Vec<f32> {
    let era = panel.eras().of_row(row).unwrap();
    let at = row - panel.eras().range(era).start;
    (0..panel.width()).map(|position| panel.feature(position).era(era).get(at)).collect()
}
