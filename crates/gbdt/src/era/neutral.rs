//! Gradients without what is linear in the features, era by era.
//!
//! ```text
//! g_e <- g_e - p Q_e (Q_e' g_e),   Q_e = [1, principal components of era e's features]
//! ```
//!
//! g_e are the gradients of era e's rows whose target is known, p the proportion, Q_e orthonormal.
//! Features are the numeric ones, as bins, in each era less their mean and over their standard
//! deviation; missing values count as the mean. The column of ones takes the era's mean gradient out.
//! An era of n rows gives at most n / 2 components, so that something is left to learn; one of a single
//! row teaches nothing at p = 1. Rows weigh the same whatever their weights; hessians stay. Gradients
//! that are neutral make predictions that are nearly so on the rows they were made for, not elsewhere.
//!
//! Components come from a random sketch and [`POWERS`] rounds of subspace iteration: exact up to
//! rounding where an era has no more of them than are asked for, else as good in the variance they
//! hold. Cost: about `10 n k r` operations an era once, for k features and r components; `4 n r` a
//! round; `4 n (r + 1)` bytes. Reference: Halko, Martinsson & Tropp (2011), Finding structure with
//! randomness, algorithm 4.4.

use std::ops::Range;

use fattail_bins::{Binned, BinnedColumn, Kind, Mapper, Mappers};
use fattail_core::{Error, Result};
use fattail_stats::{Counter, eigh, gram, unit};
use rayon::prelude::*;

use crate::Neutralise;

/// Columns of the sketch beyond those that are kept.
const OVERSAMPLE: usize = 10;
/// Rounds of subspace iteration.
const POWERS: usize = 3;
/// Rows that are decoded at a time.
const BLOCK: usize = 256;
/// A variance this small beside the largest is rounding.
const NEGLIGIBLE: f64 = 1e-10;

/// A basis for each era.
#[derive(Debug)]
pub(crate) struct Neutral {
    proportion: f64,
    bases: Vec<Basis>,
}

/// Orthonormal columns over some rows.
#[derive(Debug)]
struct Basis {
    /// Where the era is.
    era: Range<usize>,
    /// The rows.
    rows: Vec<u32>,
    /// Column after column; the first is constant.
    columns: Vec<f32>,
}

impl Neutral {
    /// Finds the components of each era. `eras` are where eras start, `known` the rows whose target is
    /// known.
    pub(crate) fn new(
        settings: Neutralise,
        binned: &Binned,
        known: &[u32],
        eras: &[u32],
        random: Counter,
    ) -> Result<Self> {
        let parts: Vec<Range<usize>> = super::parts(eras, known).collect();
        let bases = parts.into_par_iter().enumerate().map(|(era, part)| {
            let rows = known[part].to_vec();
            let sheet = Sheet::new(binned, &rows);
            let columns = sheet.basis(settings.components, random.draw(era as u32))?;
            let era = eras[era] as usize..eras[era + 1] as usize;
            Ok(Basis { era, rows, columns })
        });
        let bases: Result<Vec<Basis>> = bases.collect();
        Ok(Self { proportion: settings.proportion, bases: bases? })
    }

    /// Bytes that the bases take at most; `eras` are the starts of the eras and the number of rows.
    pub(crate) fn bytes(settings: Neutralise, mappers: &Mappers, eras: &[usize]) -> u64 {
        let features = mappers.mappers.iter().filter(|mapper| is_seen(mapper)).count();
        let rows = eras.windows(2).map(|era| era[1] - era[0]);
        let bytes = rows.map(|rows| rows * (9 + 4 * most(settings.components, rows, features)));
        bytes.sum::<usize>() as u64
    }

    /// Takes its part out of the gradients of an output.
    pub(crate) fn apply(&self, mut g: &mut [f32]) {
        let mut tasks = Vec::with_capacity(self.bases.len());
        for basis in &self.bases {
            let (own, rest) = g.split_at_mut(basis.era.len());
            tasks.push((basis, own));
            g = rest;
        }
        tasks.into_par_iter().for_each(|(basis, own)| basis.apply(self.proportion, own));
    }
}

impl Basis {
    /// Takes its part out of the gradients of the era.
    fn apply(&self, proportion: f64, g: &mut [f32]) {
        let place = |row: u32| row as usize - self.era.start;
        let old: Vec<f64> = self.rows.iter().map(|&row| f64::from(g[place(row)])).collect();
        let mut new = old.clone();
        for column in self.columns.chunks_exact(self.rows.len().max(1)) {
            let c = proportion * dot(column, &old);
            new.iter_mut().zip(column).for_each(|(new, &q)| *new -= c * f64::from(q));
        }
        self.rows.iter().zip(new).for_each(|(&row, new)| g[place(row)] = new as f32);
    }
}

/// The most components of an era.
fn most(components: usize, rows: usize, features: usize) -> usize {
    components.min(rows / 2).min(features)
}

fn numeric(binned: &Binned) -> impl Iterator<Item = &BinnedColumn> {
    binned.columns.iter().filter(|column| is_seen(&column.mapper))
}

/// Whether a feature has components.
fn is_seen(mapper: &Mapper) -> bool {
    mapper.bins > 1 && matches!(mapper.kind, Kind::Numeric { .. })
}

/// In eight sums, so that they do not wait for each other.
fn dot(x: &[f32], y: &[f64]) -> f64 {
    let (mut sums, mut rest) = ([0.0; 8], 0.0);
    let (x, last_x) = x.as_chunks::<8>();
    let (y, last_y) = y.as_chunks::<8>();
    for (x, y) in x.iter().zip(y) {
        for lane in 0..8 {
            sums[lane] += f64::from(x[lane]) * y[lane];
        }
    }
    for (&x, &y) in last_x.iter().zip(last_y) {
        rest += f64::from(x) * y;
    }
    sums.iter().sum::<f64>() + rest
}

/// The features of an era: columns of mean 0 and variance 1, those that are constant left out.
struct Sheet<'a> {
    rows: &'a [u32],
    columns: Vec<(&'a BinnedColumn, Vec<f64>)>,
}

impl<'a> Sheet<'a> {
    fn new(binned: &'a Binned, rows: &'a [u32]) -> Self {
        let column = |column: &'a BinnedColumn| Some((column, standard(column, rows)?));
        Self { rows, columns: numeric(binned).filter_map(column).collect() }
    }

    /// The constant column and up to `components` principal components, column after column.
    fn basis(&self, components: usize, mut random: impl rand::Rng) -> Result<Vec<f32>> {
        let n = self.rows.len();
        let (features, components) = (self.columns.len(), most(components, n, self.columns.len()));
        let mut all = vec![1.0 / (n.max(1) as f32).sqrt(); n];
        if components == 0 {
            return Ok(all);
        }
        let width = (components + OVERSAMPLE).min(features).min(n - 1);
        let sketch: Vec<f64> =
            (0..width * features).map(|_| 2.0 * unit(&mut random) - 1.0).collect();
        let mut y = orthonormal(self.times(&sketch, width));
        for _ in 0..POWERS {
            let z = self.transposed_times(&y);
            y = orthonormal(self.times(&z, y.len()));
        }
        let z = by_column(&self.transposed_times(&y), y.len());
        let z: Vec<&[f64]> = z.iter().map(Vec::as_slice).collect();
        let eigen = gram(&z).and_then(|gram| eigh(&gram, y.len())).map_err(Error::other)?;
        let largest = eigen.values().last().copied().unwrap_or(0.0);
        for at in (0..y.len()).rev().take(components) {
            if eigen.values()[at] > NEGLIGIBLE * largest {
                let mut column = vec![0.0; n];
                for (y, &share) in y.iter().zip(eigen.vector(at)) {
                    column.iter_mut().zip(y).for_each(|(sum, &y)| *sum += share * y);
                }
                all.extend(column.into_iter().map(|value| value as f32));
            }
        }
        Ok(all)
    }

    /// `X W`, column by column, for `W` row by row, `width` wide.
    fn times(&self, w: &[f64], width: usize) -> Vec<Vec<f64>> {
        let mut product = vec![0.0; self.rows.len() * width];
        for (rows, out) in self.rows.chunks(BLOCK).zip(product.chunks_mut(BLOCK * width)) {
            for ((column, table), w) in self.columns.iter().zip(w.chunks_exact(width)) {
                for (&row, out) in rows.iter().zip(out.chunks_exact_mut(width)) {
                    let x = table[column.codes.get(row as usize)];
                    out.iter_mut().zip(w).for_each(|(out, &w)| *out += x * w);
                }
            }
        }
        by_column(&product, width)
    }

    /// `X' Y`, row by row.
    fn transposed_times(&self, y: &[Vec<f64>]) -> Vec<f64> {
        let width = y.len();
        let mut by_row = vec![0.0; self.rows.len() * width];
        for (at, column) in y.iter().enumerate() {
            by_row[at..].iter_mut().step_by(width).zip(column).for_each(|(slot, &y)| *slot = y);
        }
        let mut product = vec![0.0; self.columns.len() * width];
        for (rows, y) in self.rows.chunks(BLOCK).zip(by_row.chunks(BLOCK * width)) {
            for ((column, table), out) in self.columns.iter().zip(product.chunks_exact_mut(width)) {
                for (&row, y) in rows.iter().zip(y.chunks_exact(width)) {
                    let x = table[column.codes.get(row as usize)];
                    out.iter_mut().zip(y).for_each(|(out, &y)| *out += x * y);
                }
            }
        }
        product
    }
}

/// The columns of a matrix of rows.
fn by_column(matrix: &[f64], width: usize) -> Vec<Vec<f64>> {
    (0..width).map(|at| matrix[at..].iter().step_by(width).copied().collect()).collect()
}

/// What each code of a column stands for, so that over `rows` the mean is 0 and the variance 1; none
/// where the column is constant.
fn standard(column: &BinnedColumn, rows: &[u32]) -> Option<Vec<f64>> {
    let missing = column.mapper.missing_bin();
    let mut counts = vec![0.0; column.mapper.bins];
    rows.iter().for_each(|&row| counts[column.codes.get(row as usize)] += 1.0);
    let seen = || (0..counts.len()).filter(|&bin| missing != Some(bin));
    let total: f64 = seen().map(|bin| counts[bin]).sum();
    let mean = seen().map(|bin| counts[bin] * bin as f64).sum::<f64>() / total;
    let deviation = |bin: usize| bin as f64 - mean;
    let squares: f64 = seen().map(|bin| counts[bin] * deviation(bin).powi(2)).sum();
    let size = (squares / rows.len() as f64).sqrt();
    let value = |bin: usize| if missing == Some(bin) { 0.0 } else { deviation(bin) / size };
    (size > 0.0).then(|| (0..counts.len()).map(value).collect())
}

/// Gram-Schmidt, twice for rounding; columns that hang on earlier ones are left out.
fn orthonormal(columns: Vec<Vec<f64>>) -> Vec<Vec<f64>> {
    let product = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>();
    let mut basis: Vec<Vec<f64>> = Vec::with_capacity(columns.len());
    for mut column in columns {
        let before = product(&column, &column).sqrt();
        for _ in 0..2 {
            for earlier in &basis {
                let c = product(earlier, &column);
                column.iter_mut().zip(earlier).for_each(|(value, &q)| *value -= c * q);
            }
        }
        let after = product(&column, &column).sqrt();
        if after > 1e-8 * before {
            column.iter_mut().for_each(|value| *value /= after);
            basis.push(column);
        }
    }
    basis
}

#[cfg(test)]
mod tests {
    use fattail_bins::{Binning, Mappers};
    use fattail_core::Panel;

    use super::*;

    /// Two eras of 40 rows, six features of which the last is the sum of the first two, one with NaN.
    fn binned() -> Binned {
        let mut random = Counter::new(7).draw(0);
        let mut draw = |bins: f64| (unit(&mut random) * bins) as f32;
        let mut columns: Vec<Vec<f32>> =
            (0..5).map(|_| (0..80).map(|_| draw(5.0).floor()).collect()).collect();
        columns.push((0..80).map(|row| columns[0][row] + columns[1][row]).collect());
        columns[2][3] = f32::NAN;
        let labels: Vec<String> = (0..80).map(|row| (row / 40).to_string()).collect();
        let mut builder = Panel::builder().eras(&labels).unwrap();
        for (at, column) in columns.into_iter().enumerate() {
            builder = builder.feature(format!("f{at}").as_str(), column);
        }
        let panel = builder.build().unwrap();
        let bins = Binning { min_data_in_bin: 1, ..Binning::default() };
        Mappers::learn(&panel, &bins).unwrap().apply(&panel).unwrap()
    }

    fn neutral(components: usize, proportion: f64, binned: &Binned, known: &[u32]) -> Neutral {
        let settings = Neutralise { proportion, components };
        Neutral::new(settings, binned, known, &[0, 40, 80], Counter::new(3)).unwrap()
    }

    fn gradients() -> Vec<f32> {
        let mut random = Counter::new(8).draw(0);
        (0..80).map(|_| unit(&mut random) as f32 - 0.2).collect()
    }

    /// The largest product of an era's gradients with its standardised features and ones.
    fn exposure(binned: &Binned, g: &[f32], known: &[u32]) -> f64 {
        let mut largest = 0f64;
        for era in [0..40, 40..80] {
            let rows: Vec<u32> =
                known.iter().copied().filter(|&row| era.contains(&(row as usize))).collect();
            let sum: f64 = rows.iter().map(|&row| f64::from(g[row as usize])).sum();
            largest = largest.max(sum.abs());
            for (column, table) in Sheet::new(binned, &rows).columns {
                let x =
                    |&row: &u32| table[column.codes.get(row as usize)] * f64::from(g[row as usize]);
                largest = largest.max(rows.iter().map(x).sum::<f64>().abs());
            }
        }
        largest
    }

    #[test]
    fn neutral_gradients_have_no_part_in_the_features() {
        let (binned, known) = (binned(), (1..80).collect::<Vec<u32>>());
        let old = gradients();
        let all = neutral(50, 1.0, &binned, &known);
        let mut g = old.clone();
        all.apply(&mut g);
        assert!(exposure(&binned, &old, &known) > 1.0);
        // The bases are stored as `f32`: 80 products of size 1 with an error of 6e-8 each.
        assert!(exposure(&binned, &g, &known) < 2e-5);
        assert_eq!(g[0], old[0], "the row whose target is not known keeps its gradient");
        let once = g.clone();
        all.apply(&mut g);
        assert!(g.iter().zip(&once).all(|(a, b)| (a - b).abs() < 1e-6), "once is enough");
        let mut half = old.clone();
        neutral(50, 0.5, &binned, &known).apply(&mut half);
        for ((half, old), once) in half.iter().zip(&old).zip(&once) {
            assert!((half - f32::midpoint(*old, *once)).abs() < 1e-6);
        }
    }

    #[test]
    fn the_sum_of_two_features_adds_no_component() {
        let (binned, known) = (binned(), (0..80).collect::<Vec<u32>>());
        // Ones and five of six features, over 40 rows each.
        let bases = neutral(50, 1.0, &binned, &known).bases;
        assert!(bases.iter().all(|basis| basis.columns.len() == 6 * 40));
        let two = Neutralise { proportion: 1.0, components: 2 };
        let mappers = binned.columns.iter().map(|column| column.mapper.clone()).collect();
        let bytes = Neutral::bytes(two, &Mappers { names: Vec::new(), mappers }, &[0, 40, 80]);
        assert!(bytes >= 80 * 3 * 4);
    }

    #[test]
    fn components_are_the_principal_ones() {
        let (binned, rows) = (binned(), (0..40).collect::<Vec<u32>>());
        let sheet = Sheet::new(&binned, &rows);
        let dense: Vec<Vec<f64>> = sheet
            .columns
            .iter()
            .map(|(column, table)| {
                rows.iter().map(|&row| table[column.codes.get(row as usize)]).collect()
            })
            .collect();
        let columns: Vec<&[f64]> = dense.iter().map(Vec::as_slice).collect();
        let exact = eigh(&gram(&columns).unwrap(), 6).unwrap();
        let basis = sheet.basis(2, Counter::new(1).draw(0)).unwrap();
        assert_eq!(basis.len(), 3 * 40);
        for (q, value) in basis.chunks(40).skip(1).zip(exact.values().iter().rev()) {
            let variance: f64 = columns.iter().map(|column| dot(q, column).powi(2)).sum();
            assert!((variance / value - 1.0).abs() < 1e-6, "{variance} {value}");
        }
    }
}
