//! Tests that deal eras, on panels whose rows share their era's weather.

use std::sync::Arc;

use fattail_core::{ColumnData, Eras, Panel};
use fattail_drift::{
    Adversarial, AucNull, Binning, EraBlocks, EraTest, Mmd, Null, Rule, Scan, Tally, chi_squared,
};

use super::{Case, SEED, Size};
use crate::{
    draws::{Draws, fifth},
    learner::MeanDifference,
};

const SHIFTS: [f64; 5] = [0.1, 0.2, 0.4, 0.6, 0.9];
const WIDE: [f64; 5] = [0.2, 0.5, 1.0, 1.5, 2.0];

pub(super) const CASES: &[Case] = &[
    Case {
        name: "rows as independent: chi-squared on eras with weather",
        world: rows_as_independent,
        size: Size::Broken(0.3),
        effects: SHIFTS,
    },
    Case {
        name: "era test, histograms, 32 + 16 eras",
        world: era_histograms,
        size: Size::Exact,
        effects: SHIFTS,
    },
    Case {
        name: "era test, means, eras overlapping to lag 3, gap 3",
        world: era_gap,
        size: Size::Exact,
        effects: WIDE,
    },
    Case {
        name: "the same without the gap",
        world: era_no_gap,
        size: Size::Broken(0.1),
        effects: WIDE,
    },
    Case {
        name: "era test, histograms, eras that grow from 20 to 100 rows, no weather",
        world: era_growing,
        size: Size::Conservative,
        effects: SHIFTS,
    },
    Case {
        name: "the same, eras that shrink from 100 to 20 rows",
        world: era_shrinking,
        size: Size::Broken(0.07),
        effects: SHIFTS,
    },
    Case {
        name: "one era ranked among 59, 12 features",
        world: ranked_bins,
        size: Size::Exact,
        effects: SHIFTS,
    },
    Case {
        name: "one era ranked among 59, 4 features of numbers",
        world: ranked_numbers,
        size: Size::Exact,
        effects: SHIFTS,
    },
    Case {
        name: "scan against a profile, 4 features of numbers, 20 + 10 eras",
        world: profiled_numbers,
        size: Size::Exact,
        effects: SHIFTS,
    },
    Case {
        name: "scan, largest statistic, 12 features",
        world: scan_most,
        size: Size::Exact,
        effects: SHIFTS,
    },
    Case {
        name: "scan, Benjamini-Hochberg, 12 features",
        world: scan_bh,
        size: Size::Conservative,
        effects: SHIFTS,
    },
    Case {
        name: "MMD of eras, 4 features, 20 + 10 eras",
        world: mmd_eras,
        size: Size::Exact,
        effects: SHIFTS,
    },
    Case {
        name: "adversarial, refitted, 4 features, 20 + 10 eras",
        world: adversarial_refit,
        size: Size::Exact,
        effects: SHIFTS,
    },
    Case {
        name: "adversarial, held out, 4 features, 20 + 10 eras",
        world: adversarial_held_out,
        size: Size::Conservative,
        effects: SHIFTS,
    },
];

/// Weather of an era, as a share of the variance of a value before it is binned.
const WEATHER: f64 = 0.1;

/// Independent rows of era after era; the last 16 of 48 are the current ones.
fn of_rows(world: u32, shift: f64, rows: impl Fn(usize) -> usize) -> f64 {
    let mut draws = Draws::new(SEED, world);
    let mut shares = vec![vec![0.0; 5]; 48];
    for (era, share) in shares.iter_mut().enumerate() {
        let rows = rows(era);
        let bins = draws.bins(rows, if era < 32 { 0.0 } else { shift });
        bins.into_iter().for_each(|bin| share[usize::from(bin)] += 1.0 / rows as f64);
    }
    let (past, now) = sides(48, 16);
    test(world, 199).summaries(&shares, &past, &now).unwrap().p
}

fn era_growing(world: u32, shift: f64) -> f64 {
    of_rows(world, shift, |era| 20 + era * 80 / 47)
}

fn era_shrinking(world: u32, shift: f64) -> f64 {
    of_rows(world, shift, |era| 100 - era * 80 / 47)
}

/// The current eras stand in a panel of their own.
fn profiled(panel: &Panel, world: u32, now: usize) -> f64 {
    let (past, now) = sides(panel.eras().len(), now);
    let scan = Scan { test: test(world, 399), heat: false, ..Scan::default() };
    let profile = scan.profile(&panel.cut(&past).unwrap(), &past).unwrap();
    let current: Vec<usize> = (0..now.len()).collect();
    profile.scan(&panel.cut(&now).unwrap(), &current).unwrap().verdict.smallest
}

fn ranked_bins(world: u32, shift: f64) -> f64 {
    profiled(&panel(world, [60, 1, 20, 12], shift), world, 1)
}

fn ranked_numbers(world: u32, shift: f64) -> f64 {
    profiled(&numbers(world, [60, 1, 20, 4], shift), world, 1)
}

fn profiled_numbers(world: u32, shift: f64) -> f64 {
    profiled(&numbers(world, [30, 10, 20, 4], shift), world, 10)
}

/// A panel of five-bin features whose last `now` of `eras` eras are shifted. A quarter of an era's
/// weather is common to all features.
fn panel(world: u32, sizes: [usize; 4], shift: f64) -> Panel {
    with(world, sizes, shift, fifth)
}

/// The same without bins.
fn numbers(world: u32, sizes: [usize; 4], shift: f64) -> Panel {
    with(world, sizes, shift, |x| x as f32)
}

fn with<T>(
    world: u32,
    [eras, now, rows, features]: [usize; 4],
    shift: f64,
    of: fn(f64) -> T,
) -> Panel
where
    Vec<T>: Into<ColumnData>,
{
    let mut draws = Draws::new(SEED, world);
    let runs = (0..eras).map(|era| (Arc::from(format!("{era:03}")), rows));
    let mut columns: Vec<Vec<T>> = (0..features).map(|_| Vec::new()).collect();
    for era in 0..eras {
        let common = draws.normal();
        for column in &mut columns {
            let weather = 0.5 * common + 0.75_f64.sqrt() * draws.normal();
            let centre = WEATHER.sqrt() * weather + if era + now >= eras { shift } else { 0.0 };
            let value = |_| of(centre + (1.0 - WEATHER).sqrt() * draws.normal());
            column.extend((0..rows).map(value));
        }
    }
    let mut builder = Panel::builder().era_runs(Eras::from_runs(runs).unwrap());
    for (at, column) in columns.into_iter().enumerate() {
        builder = builder.feature(format!("x{at}"), column);
    }
    builder.build().unwrap()
}

fn sides(eras: usize, now: usize) -> (Vec<usize>, Vec<usize>) {
    ((0..eras - now).collect(), (eras - now..eras).collect())
}

fn test(world: u32, draws: u32) -> EraTest {
    EraTest { blocks: EraBlocks { block: 1, gap: 0 }, draws, seed: u64::from(world) }
}

fn rows_as_independent(world: u32, shift: f64) -> f64 {
    let panel = panel(world, [48, 16, 200, 1], shift);
    let rows = |eras: std::ops::Range<usize>| {
        eras.flat_map(|era| panel.feature(0).era(era).iter()).map(|x| x as u8).collect::<Vec<_>>()
    };
    let tally = Tally::of_bins(&rows(0..32), &rows(32..48)).unwrap();
    chi_squared(&tally, &Binning::default(), &Null::Asymptotic).unwrap().p
}

fn era_histograms(world: u32, shift: f64) -> f64 {
    let panel = panel(world, [48, 16, 200, 1], shift);
    let (past, now) = sides(48, 16);
    let scan = Scan { test: test(world, 199), heat: false, ..Scan::default() };
    scan.run(&panel, &past, &now).unwrap().features[0].p
}

/// Means of eras that overlap with the next three.
fn overlapping(world: u32, shift: f64, gap: usize) -> f64 {
    let mut draws = Draws::new(SEED, world);
    let (eras, now) = (112, 42);
    let mut means: Vec<Vec<f64>> = draws.overlapping(eras).into_iter().map(|x| vec![x]).collect();
    means[eras - now..].iter_mut().for_each(|mean| mean[0] += shift);
    let (past, now) = sides(eras, now);
    let blocks = EraBlocks { block: 4, gap };
    let test = EraTest { blocks, draws: 199, seed: u64::from(world) };
    test.summaries(&means, &past, &now).unwrap().p
}

fn era_gap(world: u32, shift: f64) -> f64 {
    overlapping(world, shift, 3)
}

fn era_no_gap(world: u32, shift: f64) -> f64 {
    overlapping(world, shift, 0)
}

fn scanned(world: u32, shift: f64, rule: Rule) -> f64 {
    let panel = panel(world, [30, 10, 20, 12], shift);
    let (past, now) = sides(30, 10);
    let scan = Scan { test: test(world, 399), rule, heat: false, ..Scan::default() };
    scan.run(&panel, &past, &now).unwrap().verdict.smallest
}

fn scan_most(world: u32, shift: f64) -> f64 {
    scanned(world, shift, Rule::MaxStatistic)
}

fn scan_bh(world: u32, shift: f64) -> f64 {
    scanned(world, shift, Rule::BenjaminiHochberg)
}

fn mmd_eras(world: u32, shift: f64) -> f64 {
    let panel = panel(world, [30, 10, 20, 4], shift);
    let (past, now) = sides(30, 10);
    let mmd = Mmd { rows: 150, seed: u64::from(world), ..Mmd::default() };
    mmd.panel(&panel, &past, &now, &test(world, 199)).unwrap().p
}

fn adversarial(world: u32, shift: f64, null: AucNull, draws: u32) -> f64 {
    let panel = panel(world, [30, 10, 15, 4], shift);
    let (past, now) = sides(30, 10);
    let settings = Adversarial {
        blocks: EraBlocks { block: 1, gap: 0 },
        folds: 2,
        null,
        draws,
        importance: false,
        seed: u64::from(world),
        ..Adversarial::default()
    };
    settings.run(&MeanDifference, &panel, &past, &now).unwrap().p
}

fn adversarial_refit(world: u32, shift: f64) -> f64 {
    adversarial(world, shift, AucNull::Refit, 39)
}

fn adversarial_held_out(world: u32, shift: f64) -> f64 {
    adversarial(world, shift, AucNull::HeldOut, 199)
}
