//! Histograms from joint codes are those of the columns, and subtraction is direct building.

use fattail_bins::{Binned, Binning, Mappers};
use fattail_core::Panel;
use fattail_stats::{Counter, below, unit};

use super::{Cell, Pack, Rows, Scale, build, exponent};

const ROWS: usize = 9_000;

/// Columns of 2 to 256 bins, and one of more.
fn binned() -> Binned {
    let mut generator = Counter::new(4).draw(0);
    let mut panel = Panel::builder();
    for (at, bins) in [5, 5, 5, 5, 2, 3, 7, 60, 200, 256, 2, 2, 2, 128].into_iter().enumerate() {
        let column: Vec<u8> = (0..ROWS).map(|_| below(&mut generator, bins) as u8).collect();
        panel = panel.feature(format!("f{at}"), column);
    }
    let wide: Vec<f32> = (0..ROWS).map(|_| unit(&mut generator) as f32).collect();
    let panel = panel.feature("wide", wide).build().unwrap();
    let binning = Binning { max_bins: 700, min_data_in_bin: 1, ..Binning::default() };
    Mappers::learn(&panel, &binning).unwrap().apply(&panel).unwrap()
}

struct Cells<C> {
    binned: Binned,
    cells: Vec<C>,
}

impl<C: Cell> Cells<C> {
    fn new() -> Self {
        let mut generator = Counter::new(5).draw(0);
        let g: Vec<f32> = (0..ROWS).map(|_| unit(&mut generator) as f32 - 0.4).collect();
        let h: Vec<f32> = (0..ROWS).map(|_| unit(&mut generator) as f32).collect();
        let scale = Scale::new::<C>(ROWS, exponent(&g), exponent(&h));
        let cells = g.iter().zip(&h).map(|(&g, &h)| C::encode(&scale, g, h)).collect();
        Self { binned: binned(), cells }
    }

    fn pack(&self) -> Pack<'_> {
        let features: Vec<usize> = (0..self.binned.columns.len()).collect();
        Pack::new(&self.binned.columns, &features, ROWS)
    }

    /// The fast way.
    fn built(&self, rows: &[u32]) -> Vec<C> {
        let pack = self.pack();
        let mut histogram = vec![C::default(); pack.bins];
        let cells: Vec<C> = rows.iter().map(|&row| self.cells[row as usize]).collect();
        build(&pack, Rows::At(rows), &cells, &mut histogram);
        histogram
    }

    /// The plain way: row by row into the bins of each column.
    fn plain(&self, rows: &[u32]) -> Vec<C> {
        let pack = self.pack();
        let mut histogram = vec![C::default(); pack.bins];
        for (column, start) in self.binned.columns.iter().zip(&pack.starts) {
            for &row in rows {
                let bin = start.unwrap() + column.codes.get(row as usize);
                histogram[bin].add(self.cells[row as usize]);
            }
        }
        histogram
    }
}

/// The integers of a histogram.
fn integers<C: Cell>(mut histogram: Vec<C>) -> Vec<u64> {
    C::integers(&mut histogram).unwrap().to_vec()
}

fn some() -> Vec<u32> {
    (0..ROWS as u32).filter(|row| row % 3 == 1 || row % 5 == 0).collect()
}

fn joint_is_marginal<C: Cell>() {
    let cells = Cells::<C>::new();
    let all: Vec<u32> = (0..ROWS as u32).collect();
    for rows in [all.clone(), some(), vec![4, 8000], Vec::new()] {
        let expected = integers(cells.plain(&rows));
        for threads in [1, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let found = pool.install(|| integers(cells.built(&rows)));
            assert!(found == expected, "{} rows, {threads} threads", rows.len());
        }
    }
    let pack = cells.pack();
    let mut straight = vec![C::default(); pack.bins];
    build(&pack, Rows::From(0), &cells.cells, &mut straight);
    assert!(integers(straight) == integers(cells.plain(&all)));
}

#[test]
fn joint_histograms_are_those_of_the_columns() {
    joint_is_marginal::<[u64; 1]>();
    joint_is_marginal::<[u64; 2]>();
}

#[test]
fn subtraction_is_direct_building() {
    let cells = Cells::<[u64; 2]>::new();
    let left = some();
    let all: Vec<u32> = (0..ROWS as u32).collect();
    let right: Vec<u32> =
        all.iter().copied().filter(|row| left.binary_search(row).is_err()).collect();
    let mut parent = cells.built(&all);
    parent.iter_mut().zip(cells.built(&left)).for_each(|(slot, cell)| slot.subtract(cell));
    assert!(parent == cells.built(&right));
}

#[test]
fn sums_in_f64_are_nearly_those_of_the_columns() {
    let cells = Cells::<[f64; 3]>::new();
    let (found, expected) = (cells.built(&some()), cells.plain(&some()));
    // Joint codes change the order of additions of up to 9,000 numbers below 1.
    let close = |(a, b): (&[f64; 3], &[f64; 3])| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-9);
    assert!(found.iter().zip(&expected).all(close));
}

#[test]
fn bytes_of_a_pack_are_told_before() {
    let cells = Cells::<[u64; 1]>::new();
    let bins = || cells.binned.columns.iter().map(|column| column.mapper.bins);
    // 5^3; 5, 2, 3, 2, 2; 2 ... share lanes: at most one lane a column, one at least for each wide one.
    let bytes = Pack::bytes(bins(), ROWS);
    assert!((8 * ROWS..=16 * ROWS).contains(&bytes), "{bytes}");
    assert_eq!(Pack::bytes([5; 9].into_iter(), 100), 800);
}
