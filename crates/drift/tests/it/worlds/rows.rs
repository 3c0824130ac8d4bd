//! Tests of independent rows.

use fattail_drift::{
    Binning, Mmd, Null, Tally, chi_squared, jensen_shannon, kolmogorov_smirnov, psi, wasserstein,
};

use super::{Case, SEED, Size};
use crate::draws::Draws;

/// Deals of their own in each world: with one seed for all, the size would be that of 199 given deals.
fn deals(world: u32) -> Null {
    Null::Permutation { draws: 199, seed: u64::from(world) }
}

const SHIFTS: [f64; 5] = [0.1, 0.2, 0.4, 0.6, 0.9];
const LARGE: [f64; 5] = [0.05, 0.1, 0.2, 0.3, 0.4];

pub(super) const CASES: &[Case] = &[
    Case {
        name: "PSI, limit, 10 quantile bins, 500 + 500",
        world: psi_limit,
        size: Size::Exact,
        effects: LARGE,
    },
    Case {
        name: "PSI, limit, 5 bins of `u8`, 500 + 300",
        world: psi_bins,
        size: Size::Exact,
        effects: LARGE,
    },
    Case {
        name: "PSI, deals, 10 quantile bins, 80 + 60",
        world: psi_deals,
        size: Size::Exact,
        effects: SHIFTS,
    },
    Case {
        name: "chi-squared, limit, 5 bins of `u8`, 500 + 300",
        world: chi_bins,
        size: Size::Exact,
        effects: LARGE,
    },
    Case {
        name: "chi-squared, deals, 10 quantile bins, 80 + 60",
        world: chi_deals,
        size: Size::Exact,
        effects: SHIFTS,
    },
    Case {
        name: "Jensen-Shannon, limit, 5 bins of `u8`, 500 + 300",
        world: js_bins,
        size: Size::Exact,
        effects: LARGE,
    },
    Case {
        name: "Jensen-Shannon, deals, 10 quantile bins, 80 + 60",
        world: js_deals,
        size: Size::Exact,
        effects: SHIFTS,
    },
    Case { name: "KS, exact, 100 + 83", world: ks_exact, size: Size::Exact, effects: SHIFTS },
    Case {
        name: "KS, limit, 500 + 500",
        world: ks_limit,
        size: Size::Conservative,
        effects: LARGE,
    },
    Case {
        name: "KS, exact, 5 bins of `u8`, 100 + 83",
        world: ks_tied,
        size: Size::Conservative,
        effects: SHIFTS,
    },
    Case {
        name: "KS, limit, 5 bins of `u8`, 500 + 300",
        world: ks_tied_limit,
        size: Size::Conservative,
        effects: LARGE,
    },
    Case {
        name: "Wasserstein, deals, 80 + 60",
        world: wasserstein_deals,
        size: Size::Exact,
        effects: SHIFTS,
    },
    Case {
        name: "MMD, deals, 4 features, 40 + 40",
        world: mmd_deals,
        size: Size::Exact,
        effects: SHIFTS,
    },
    Case {
        name: "MMD, linear time, 4 features, 600 + 600",
        world: mmd_linear,
        size: Size::Exact,
        effects: SHIFTS,
    },
];

/// Two samples of normals, the current shifted.
fn values(world: u32, rows: [usize; 2], shift: f64) -> Tally {
    let mut draws = Draws::new(SEED, world);
    Tally::of_values(&draws.normals(rows[0], 0.0), &draws.normals(rows[1], shift)).unwrap()
}

/// The same in five equal bins.
fn bins(world: u32, rows: [usize; 2], shift: f64) -> Tally {
    let mut draws = Draws::new(SEED, world);
    Tally::of_bins(&draws.bins(rows[0], 0.0), &draws.bins(rows[1], shift)).unwrap()
}

fn psi_limit(world: u32, shift: f64) -> f64 {
    psi(&values(world, [500, 500], shift), &Binning::default(), &Null::Asymptotic).unwrap().p
}

fn psi_bins(world: u32, shift: f64) -> f64 {
    psi(&bins(world, [500, 300], shift), &Binning::default(), &Null::Asymptotic).unwrap().p
}

fn psi_deals(world: u32, shift: f64) -> f64 {
    psi(&values(world, [80, 60], shift), &Binning::default(), &deals(world)).unwrap().p
}

fn chi_bins(world: u32, shift: f64) -> f64 {
    chi_squared(&bins(world, [500, 300], shift), &Binning::default(), &Null::Asymptotic).unwrap().p
}

fn chi_deals(world: u32, shift: f64) -> f64 {
    chi_squared(&values(world, [80, 60], shift), &Binning::default(), &deals(world)).unwrap().p
}

fn js_bins(world: u32, shift: f64) -> f64 {
    let tally = bins(world, [500, 300], shift);
    jensen_shannon(&tally, &Binning::default(), &Null::Asymptotic).unwrap().p
}

fn js_deals(world: u32, shift: f64) -> f64 {
    jensen_shannon(&values(world, [80, 60], shift), &Binning::default(), &deals(world)).unwrap().p
}

fn ks_exact(world: u32, shift: f64) -> f64 {
    kolmogorov_smirnov(&values(world, [100, 83], shift), &Null::default()).unwrap().p
}

fn ks_limit(world: u32, shift: f64) -> f64 {
    kolmogorov_smirnov(&values(world, [500, 500], shift), &Null::Asymptotic).unwrap().p
}

fn ks_tied(world: u32, shift: f64) -> f64 {
    kolmogorov_smirnov(&bins(world, [100, 83], shift), &Null::default()).unwrap().p
}

fn ks_tied_limit(world: u32, shift: f64) -> f64 {
    kolmogorov_smirnov(&bins(world, [500, 300], shift), &Null::Asymptotic).unwrap().p
}

fn wasserstein_deals(world: u32, shift: f64) -> f64 {
    wasserstein(&values(world, [80, 60], shift), &deals(world)).unwrap().p
}

/// Columns of four normals that share a factor.
fn columns(draws: &mut Draws, rows: usize, shift: f64) -> Vec<Vec<f64>> {
    let factor = draws.normals(rows, 0.0);
    let column = |_| factor.iter().map(|f| 0.6 * f + 0.8 * draws.normal() + shift).collect();
    (0..4).map(column).collect()
}

fn with_columns(
    world: u32,
    rows: usize,
    shift: f64,
    test: impl Fn(&[&[f64]], &[&[f64]]) -> f64,
) -> f64 {
    let mut draws = Draws::new(SEED, world);
    let (x, y) = (columns(&mut draws, rows, 0.0), columns(&mut draws, rows, shift));
    let x: Vec<&[f64]> = x.iter().map(Vec::as_slice).collect();
    let y: Vec<&[f64]> = y.iter().map(Vec::as_slice).collect();
    test(&x, &y)
}

fn mmd_deals(world: u32, shift: f64) -> f64 {
    let mmd = Mmd { draws: 199, seed: u64::from(world), ..Mmd::default() };
    with_columns(world, 40, shift, |x, y| mmd.samples(x, y).unwrap().p)
}

fn mmd_linear(world: u32, shift: f64) -> f64 {
    let mmd = Mmd { rows: 100, seed: u64::from(world), ..Mmd::default() };
    with_columns(world, 600, shift, |x, y| mmd.linear_time(x, y).unwrap().p)
}
